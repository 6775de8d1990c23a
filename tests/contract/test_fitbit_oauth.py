"""`fitbit.oauth.*`: what a token reaches. `fitbit.oauth.create_token` stays HTTP: tests/http/test_oauth.py."""

from sqlalchemy import func, select

from caregraph.graph.node import global_id
from caregraph.organizations.models import AccessToken
from contract.asserts import strange_ids
from factories.programs import make_application, make_group
from kit import Principal, World

FAILED = ("UNAUTHENTICATED", "Authentication failed")
FORBIDDEN = ("FORBIDDEN", "Access denied")
GROUPS, ORGANIZATION = "fitbit.oauth.get_token_groups", "fitbit.oauth.get_token_organization"


async def newest_token(world: World) -> str:
    return global_id("AccessToken", (await world.row(select(func.max(AccessToken.id))))[0])


def group(number: int, name: str) -> dict[str, str]:
    return {"id": global_id("Group", number), "name": name, "bio": f"About {name}"}


async def test_get_token_groups_lists_those_that_the_token_is_limited_to(world: World) -> None:
    south, north = await make_group(world.superuser, "South"), await make_group(world.superuser, "North")
    await make_group(world.superuser, "West")
    await make_group(world.other_superuser, "Elsewhere")
    principal = await (await make_application(world.superuser, south, north)).signed_in()

    expected = {"groups": [group(2, "North"), group(1, "South")]}
    assert (await principal.run(GROUPS)).result == expected
    assert (await principal.run(GROUPS, id=await newest_token(world))).result == expected
    assert (await world.superuser.run(GROUPS, id=await newest_token(world))).result == expected


async def test_get_token_groups_lists_all_groups_where_the_token_is_not_limited(world: World) -> None:
    await make_group(world.superuser, "North")
    await make_group(world.other_superuser, "Elsewhere")
    principal = await (await make_application(world.superuser)).signed_in()

    assert (await principal.run(GROUPS)).result == {"groups": [group(1, "North")]}
    assert (await world.superuser.run(GROUPS, id=await newest_token(world))).result == {"groups": [group(1, "North")]}


async def test_get_token_organization_tells_the_only_one_that_it_reaches(world: World) -> None:
    north = await make_group(world.superuser, "North")
    expected = {"organization": {"id": global_id("Organization", 1), "name": "Northfield"}}

    for program in (
        await make_application(world.superuser),
        await make_application(world.superuser, north, name="Limited"),
    ):
        principal = await program.signed_in()
        assert (await principal.run(ORGANIZATION)).result == expected
        assert (await world.superuser.run(ORGANIZATION, id=await newest_token(world))).result == expected


async def test_a_token_speaks_of_itself_alone(world: World) -> None:
    program = await make_application(world.superuser)
    principal, other = await program.signed_in(), await program.signed_in()
    foreign = await (await make_application(world.other_superuser)).signed_in()
    tokens = [global_id("AccessToken", number) for number in (1, 2, 3)]

    async def known(one: Principal) -> list[bool]:
        return [(await one.run(GROUPS, id=token)).result is not None for token in tokens]

    assert await known(principal) == [True, False, False]
    assert await known(other) == [False, True, False]
    assert await known(foreign) == [False, False, True]
    assert await known(world.superuser) == [True, True, False]
    assert await known(world.other_superuser) == [False, False, True]
    for strange in strange_ids("AccessToken", program.row)[1:]:
        assert (await principal.run(ORGANIZATION, id=strange)).result is None


async def test_without_a_token_of_ones_own_there_is_none(world: World) -> None:
    made = await (await make_application(world.superuser)).with_secret.ask("mutation { createApiKey { secret } }")
    key = Principal(world, "key", {"Authorization": f"Bearer {made.data['createApiKey']['secret']}"})

    for contract_id in (GROUPS, ORGANIZATION):
        assert (await world.nobody.run(contract_id)).error == FAILED
        for principal in (world.user, world.calculator):
            assert (await principal.run(contract_id)).error == FORBIDDEN
        for principal in (world.superuser, key):
            assert (await principal.run(contract_id)).result is None
