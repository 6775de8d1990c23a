"""Features: for everyone, for some, for nobody, in one's own organization."""

from typing import Any

import pytest

from caregraph.auth.viewer import Permission, Viewer
from caregraph.organizations import features
from contract.asserts import changes
from factories.organizations import application, make_permission, signed_in_as
from kit import Principal, World

SWITCH = """mutation ($name: String!, $enabled: Boolean!, $userIds: [ID!]!) {
    switchFeature(name: $name, enabled: $enabled, userIds: $userIds) {
        node { name forEveryone users { fullName } } errors { code message path }
    }
}"""
FEATURES = "query ($scope: FeatureScope) { features(scope: $scope) }"
DARK = "assessments_web.dark_mode"


async def switch(by: Principal, *users: Principal, name: str = DARK, enabled: bool = True) -> Any:
    answer = await by.ask(SWITCH, name=name, enabled=enabled, userIds=[one.id for one in users])
    return answer.data["switchFeature"]


async def of(principal: Principal, **variables: Any) -> Any:
    return (await principal.ask(FEATURES, **variables)).data["features"]


async def test_a_feature_for_everyone_is_on_for_the_whole_organization(world: World) -> None:
    payload = await switch(world.superuser)

    assert payload == {"node": {"name": DARK, "forEveryone": True, "users": []}, "errors": []}
    assert [await of(one) for one in (world.superuser, world.user, world.colleague)] == [[DARK]] * 3
    assert await of(world.other_superuser) == []


async def test_a_feature_for_some_is_on_for_them(world: World) -> None:
    payload = await switch(world.superuser, world.user)

    assert payload["node"] == {"name": DARK, "forEveryone": False, "users": [{"fullName": "Ben Borg"}]}
    assert [await of(one) for one in (world.superuser, world.user, world.colleague)] == [[], [DARK], []]


async def test_what_is_said_last_holds(world: World) -> None:
    await switch(world.superuser, world.user)

    await switch(world.superuser, world.colleague)
    assert [await of(one) for one in (world.user, world.colleague)] == [[], [DARK]]

    await switch(world.superuser)
    assert [await of(one) for one in (world.user, world.colleague)] == [[DARK], [DARK]]

    async with changes(world) as found:
        payload = await switch(world.superuser, enabled=False)
    assert payload["node"] == {"name": DARK, "forEveryone": False, "users": []}
    assert [await of(one) for one in (world.user, world.colleague)] == [[], []]
    assert found == {}


async def test_features_of_a_scope(world: World) -> None:
    for name in ("assessments_web.b", "assessments_web.a", "assessments_admin_web.c"):
        await switch(world.superuser, name=name)

    assert await of(world.user) == ["assessments_admin_web.c", "assessments_web.a", "assessments_web.b"]
    assert await of(world.user, scope="ASSESSMENTS_WEB") == ["assessments_web.a", "assessments_web.b"]
    assert await of(world.user, scope="ASSESSMENTS_CREATE_WEB") == []


async def test_managers_switch_and_others_do_not(world: World) -> None:
    await make_permission(world.colleague)

    assert (await switch(world.colleague))["errors"] == []
    async with changes(world) as found:
        refused = await world.user.ask(SWITCH, name=DARK, enabled=True, userIds=[])
    assert refused.error == ("FORBIDDEN", "Access denied")
    assert found == {}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "dark_mode",
        "assessments_web",
        "assessments_web.",
        "assessments_web.Dark",
        "assessments_web.a b",
        "assessments_web.a\n",
        "assessments_web.a.b",
        "other_web.a",
        "assessments_webb.a",
        "assessments_web." + "x" * 101,
        "assessments_web.\x00",
        "assessments_web.é",
    ],
)
async def test_a_name_is_a_scope_and_a_word(world: World, name: str) -> None:
    async with changes(world) as found:
        payload = await switch(world.superuser, name=name)

    message = "must be a scope, a dot, and 1 to 100 of a-z, 0-9 and _"
    assert payload == {"node": None, "errors": [{"code": "INVALID", "message": message, "path": ["name"]}]}
    assert found == {}


async def test_off_for_some_says_nothing_clear(world: World) -> None:
    payload = await switch(world.superuser, world.user, enabled=False)

    message = "must be empty when the feature is switched off"
    assert payload["errors"] == [{"code": "INVALID", "message": message, "path": ["userIds"]}]


async def test_an_organization_has_so_many_features(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MOST_FEATURES", 2)
    for name in ("assessments_web.a", "assessments_web.b", "assessments_web.b"):
        assert (await switch(world.superuser, name=name))["errors"] == []

    payload = await switch(world.superuser, name="assessments_web.c")

    message = "An organization has at most 2 features"
    assert payload["errors"] == [{"code": "LIMIT", "message": message, "path": ["name"]}]


async def test_a_user_who_leaves_takes_their_place_along(world: World) -> None:
    await switch(world.superuser, world.user, world.colleague)

    await world.superuser.ask("mutation ($id: ID!) { deleteUser(id: $id) { deletedId } }", id=world.user.id)

    (flag,) = (await world.superuser.ask("{ featureFlags { nodes { name users { fullName } } } }")).data[
        "featureFlags"
    ]["nodes"]
    assert flag == {"name": DARK, "users": [{"fullName": "Cleo Cruz"}]}


async def test_programs_get_what_is_on_for_everyone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await switch(world.superuser, name="assessments_web.for_all")
    await switch(world.superuser, world.user, name="assessments_web.for_ben")
    respondent = Viewer(organization_id=1, organization_ids=(1,), permissions=frozenset({Permission.RESPOND}))

    for viewer in (application(1), respondent):
        with signed_in_as(monkeypatch, viewer):
            assert await of(world.nobody) == ["assessments_web.for_all"]
    with signed_in_as(monkeypatch, application(2)):
        assert await of(world.nobody) == []
