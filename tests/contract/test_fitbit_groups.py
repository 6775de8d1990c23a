"""`fitbit.groups.*`."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused, strange_ids
from factories.people import make_group
from kit import World

NORTHFIELD = global_id("Organization", 1)
HARBOR = global_id("Organization", 2)


def group(row_id: int, name: str, bio: str | None = None) -> dict[str, Any]:
    return {"id": global_id("Group", row_id), "name": name, "bio": bio, "organization": {"id": NORTHFIELD}}


async def test_create_makes_a_group_of_the_callers_organization(world: World) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("fitbit.groups.create", name="Nurses", bio="Night shift")

    assert answer.result == changed(group(1, "Nurses", "Night shift"))
    assert found == {"groups": 1}
    assert (await world.superuser.run("fitbit.groups.create", name="Bakers")).result == changed(group(2, "Bakers"))


async def test_a_name_is_unique_within_the_organization(world: World) -> None:
    await make_group(world.superuser, "Nurses")

    async with changes(world) as found:
        answer = await world.superuser.run("fitbit.groups.create", name="Nurses")

    assert answer.result == refused("CONFLICT", "A group with this name already exists", "input", "name")
    assert found == {}
    assert (await world.other_superuser.run("fitbit.groups.create", name="Nurses")).result["errors"] == []


@pytest.mark.parametrize(
    ("values", "message", "field"),
    [
        ({"name": " "}, "must not be empty", "name"),
        ({"name": "x" * 201}, "must have at most 200 characters", "name"),
        ({"name": "Nurses", "bio": "x" * 10_001}, "must have at most 10000 characters", "bio"),
    ],
)
async def test_create_refuses_values_that_are_too_short_or_long(
    world: World, values: dict[str, str], message: str, field: str
) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("fitbit.groups.create", **values)

    assert answer.result == refused("INVALID", message, "input", field)
    assert found == {}


async def test_creating_groups_is_for_superusers(world: World) -> None:
    async with changes(world) as found:
        answer = await world.user.run("fitbit.groups.create", name="Nurses")

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert found == {}


async def test_get_shows_a_group_of_the_organization_to_all_its_users(world: World) -> None:
    made = await make_group(world.superuser, "Nurses", bio="Night shift")
    foreign = await make_group(world.other_superuser, "Elsewhere")

    for principal in (world.superuser, world.user):
        answer = await principal.run("fitbit.groups.get", id=global_id("Group", made.id))
        assert answer.result == group(1, "Nurses", "Night shift")
        for strange in strange_ids("Group", foreign):
            assert (await principal.run("fitbit.groups.get", id=strange)).result is None


async def test_list_shows_the_groups_of_an_organization_by_name(world: World) -> None:
    for name in ("Nurses", "Bakers", "nurses"):
        await make_group(world.superuser, name)
    await make_group(world.other_superuser, "Nurses")
    nurses, bakers, lower = group(1, "Nurses"), group(2, "Bakers"), group(3, "nurses")

    for principal in (world.superuser, world.user):
        answer = await principal.run("fitbit.groups.list", organization=NORTHFIELD)
        assert answer.result["totalCount"] == 3
        assert sorted(one["id"] for one in answer.result["nodes"]) == [one["id"] for one in (nurses, bakers, lower)]
    named = await world.user.run("fitbit.groups.list", organization=NORTHFIELD, name="Nurses")
    assert named.result == page(nurses)
    first = (await world.user.run("fitbit.groups.list", organization=NORTHFIELD, first=1)).result
    assert first == page(bakers, total=3, more=True)
    cursor = first["pageInfo"]["endCursor"]
    rest = (await world.user.run("fitbit.groups.list", organization=NORTHFIELD, first=2, after=cursor)).result
    assert rest == page(nurses, lower, total=3)


async def test_list_shows_nothing_of_another_organization(world: World) -> None:
    await make_group(world.superuser, "Nurses")
    foreign = await make_group(world.other_superuser, "Nurses")

    for organization in (HARBOR, *strange_ids("Organization", foreign)[1:]):
        answer = await world.superuser.run("fitbit.groups.list", organization=organization, name="Nurses")
        assert answer.result == page()


async def test_list_takes_an_organization(world: World) -> None:
    answer = await world.superuser.run("fitbit.groups.list")

    assert answer.error == (
        "BAD_USER_INPUT",
        "Variable '$organization' has invalid value: Expected a value of non-null type 'ID!' to be provided.",
    )


@pytest.mark.parametrize(
    ("call", "variables"),
    [
        ("fitbit.groups.create", {"name": "Mine"}),
        ("fitbit.groups.get", {"id": global_id("Group", 1)}),
        ("fitbit.groups.list", {"organization": NORTHFIELD}),
    ],
)
async def test_groups_are_not_for_nobody(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_group(world.superuser, "Nurses")

    await assert_nobody_is_refused(world, call, **variables)
