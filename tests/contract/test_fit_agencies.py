"""`fit.agencies.*`."""

import pytest

from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, included
from contract.included import CLIENT, EPISODES, LEVELS, including, make_course, member
from kit import World

NORTHFIELD = {"id": global_id("Organization", 1), "name": "Northfield"}


async def test_get_mine_is_the_callers_own_agency(world: World) -> None:
    await make_course(world.user)

    assert (await world.superuser.run("fit.agencies.get_mine")).result == NORTHFIELD
    assert (await world.other_superuser.run("fit.agencies.get_mine")).result == {
        "id": global_id("Organization", 2),
        "name": "Harbor",
    }


@pytest.mark.parametrize("level", LEVELS)
async def test_get_mine_includes_each_level_with_those_above(world: World, level: str) -> None:
    await make_course(world.user)

    answer = await world.superuser.run("fit.agencies.get_mine", **including(level))

    assert answer.result == {**NORTHFIELD, "clients": included({**CLIENT, "episodes": EPISODES[level]})}


async def test_get_mine_includes_everything_at_once(world: World) -> None:
    await make_course(world.user)
    users = included(member(world.superuser, "AGENCY_ADMIN"), member(world.user), member(world.colleague))

    answer = await world.superuser.run("fit.agencies.get_mine", **including("Users", "Clients", *LEVELS))

    assert answer.result == {
        **NORTHFIELD,
        "users": users,
        "clients": included({**CLIENT, "episodes": EPISODES["Scores"]}),
    }


async def test_get_mine_includes_users_and_clients_alone(world: World) -> None:
    await make_course(world.other_user)

    answer = await world.superuser.run("fit.agencies.get_mine", **including("Clients"))

    assert answer.result == {**NORTHFIELD, "clients": included()}


async def test_get_mine_is_for_superusers(world: World) -> None:
    await assert_nobody_is_refused(world, "fit.agencies.get_mine")
    for principal in (world.user, world.calculator):
        answer = await principal.run("fit.agencies.get_mine")
        assert answer.error == ("FORBIDDEN", "Access denied")
        assert answer.body["data"] == {"result": None}


async def test_an_organization_is_found_by_its_id(world: World) -> None:
    query = "query ($id: ID) { organization(id: $id) { name } }"

    mine = await world.superuser.ask(query, id=global_id("Organization", 1))
    by_default = await world.superuser.ask(query, id=None)
    foreign = await world.superuser.ask(query, id=global_id("Organization", 2))
    other_type = await world.superuser.ask(query, id=global_id("User", 1))

    assert mine.data == by_default.data == {"organization": {"name": "Northfield"}}
    assert foreign.data == other_type.data == {"organization": None}
    assert (await world.user.ask(query, id=global_id("Organization", 1))).data == mine.data
    assert (await world.user.ask(query, id=None)).error == ("FORBIDDEN", "Access denied")
