"""`gloo.features.list`: the features that are enabled for whoever asks."""

from contract.asserts import assert_bad_variable, assert_nobody_is_refused
from factories.organizations import make_feature
from kit import World


async def test_list_names_what_is_enabled_for_the_caller(world: World) -> None:
    await make_feature(world.superuser, "assessments_web.for_all", for_everyone=True)
    await make_feature(world.superuser, "assessments_web.for_ben", world.user)
    await make_feature(world.superuser, "assessments_admin_web.for_ben", world.user)
    await make_feature(world.superuser, "assessments_web.off")
    await make_feature(world.other_superuser, "assessments_web.elsewhere", for_everyone=True)

    bens = await world.user.run("gloo.features.list")
    bens_web = await world.user.run("gloo.features.list", scope="ASSESSMENTS_WEB")
    cleos = await world.colleague.run("gloo.features.list", scope="ASSESSMENTS_WEB")

    assert bens.result == [
        "assessments_admin_web.for_ben",
        "assessments_web.for_all",
        "assessments_web.for_ben",
    ]
    assert bens_web.result == ["assessments_web.for_all", "assessments_web.for_ben"]
    assert cleos.result == ["assessments_web.for_all"]


async def test_list_is_for_those_who_are_signed_in(world: World) -> None:
    await assert_nobody_is_refused(world, "gloo.features.list")

    answer = await world.calculator.run("gloo.features.list")

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert answer.body["data"] == {"result": None}


async def test_list_takes_the_documented_scopes(world: World) -> None:
    message = "Variable '$scope' has invalid value: Value 'assessments' does not exist in 'FeatureScope' enum."

    await assert_bad_variable(world, "gloo.features.list", message, scope="assessments")
