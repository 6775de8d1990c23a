"""`gloo.locations.*`."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.organizations.models import Organization
from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused, strange_ids
from factories.organizations import (
    acting_in,
    application,
    grant,
    make_location,
    make_manager,
    make_wanderer,
    signed_in_as,
)
from kit import World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NORTHFIELD = global_id("Organization", 1)
ADDRESS = {"street": "1 Quay", "city": "Provo", "state": "UT", "postalCode": "84604"}
ANNEX = {
    "id": global_id("Location", 1),
    "name": "Annex",
    "organization": {"id": NORTHFIELD},
    **dict.fromkeys(ADDRESS),
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("gloo.locations.create", {"organizationId": NORTHFIELD, "name": "Annex"}),
    ("gloo.locations.get", {"id": ANNEX["id"]}),
    ("gloo.locations.update", {"id": ANNEX["id"], "name": "x"}),
]
NO_ORGANIZATION = refused("NOT_FOUND", "Organization not found", "organizationId")
NO_LOCATION = refused("NOT_FOUND", "Location not found", "id")


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_strangers_are_refused(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_location(world.superuser)

    await assert_nobody_is_refused(world, call, **variables)
    assert (await world.calculator.run(call, **variables)).error == FORBIDDEN


async def test_create_adds_a_location_by_permission(world: World) -> None:
    keeper = await grant(await world.member(1, "kai@northfield.example", "Kai Kern"), "MANAGE_LOCATION")
    manager = await make_manager(world)

    async with changes(world) as found:
        answer = await keeper.run("gloo.locations.create", organizationId=NORTHFIELD, name="Annex", **ADDRESS)
        unnamed = await manager.run("gloo.locations.create", organizationId=NORTHFIELD)
        assert (await world.superuser.run("gloo.locations.create", organizationId=NORTHFIELD)).result["node"]
        by_user = await world.user.run("gloo.locations.create", organizationId=NORTHFIELD, name="Annex")

    assert answer.result == changed({**ANNEX, **ADDRESS})
    assert unnamed.result == changed({**ANNEX, "id": global_id("Location", 2), "name": "Northfield"})
    assert by_user.error == FORBIDDEN
    assert found == {"locations": 3}
    added = await world.user.ask("{ locations { nodes { isHeadquarters } } }")
    assert added.data == {"locations": {"nodes": [{"isHeadquarters": False}] * 3}}


async def test_create_is_refused_where_the_request_does_not_act(world: World) -> None:
    _, boss_of_harbor, _ = await make_wanderer(world, is_superuser=True)

    async with changes(world) as found:
        elsewhere = await boss_of_harbor.run("gloo.locations.create", organizationId=NORTHFIELD, name="x")
        strange = [
            (await world.superuser.run("gloo.locations.create", organizationId=one, name="x")).result
            for one in strange_ids("Organization", Organization(id=2))
        ]

    assert elsewhere.result == NO_ORGANIZATION
    assert strange == [NO_ORGANIZATION] * 6
    assert found == {}


async def test_create_is_refused_for_organizations_made_for_an_individual_user(world: World) -> None:
    await world.user.run("gloo.organizations.create_for_user")

    async with changes(world) as found:
        answer = await acting_in(world.user, 3).run(
            "gloo.locations.create", organizationId=global_id("Organization", 3), name="Annex"
        )

    assert answer.result == refused(
        "CONFLICT", "Locations cannot be added to an organization made for an individual user", "organizationId"
    )
    assert found == {}


@pytest.mark.parametrize(
    ("wrong", "message", "path"),
    [
        ({"name": " "}, "must not be empty", ["name"]),
        ({"name": None}, "must not be null", ["name"]),
        ({"name": "x" * 201}, "must have at most 200 characters", ["name"]),
        ({"state": "x" * 201}, "must have at most 200 characters", ["address", "state"]),
    ],
)
async def test_wrong_values_are_refused(world: World, wrong: dict[str, Any], message: str, path: list[str]) -> None:
    await make_location(world.superuser)
    expected = refused("INVALID", message, "input", *path)

    async with changes(world) as found:
        created = await world.superuser.run("gloo.locations.create", organizationId=NORTHFIELD, **wrong)
        updated = await world.superuser.run("gloo.locations.update", id=ANNEX["id"], **wrong)

    assert (created.result, updated.result, found) == (expected, expected, {})


async def test_get_shows_a_location_to_all_users_of_its_organization(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_location(world.superuser, street="1 Quay")
    foreign = await make_location(world.other_superuser, "Pier")
    northfield, harbor, nowhere = await make_wanderer(world)
    expected = {**ANNEX, "street": "1 Quay"}

    for principal in (world.user, northfield, harbor, nowhere):
        assert (await principal.run("gloo.locations.get", id=ANNEX["id"])).result == expected
    for strange in strange_ids("Location", foreign):
        assert (await world.user.run("gloo.locations.get", id=strange)).result is None
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run("gloo.locations.get", id=ANNEX["id"])).result == expected


async def test_locations_are_listed_for_all_ones_organizations(world: World) -> None:
    await make_location(world.superuser)
    await make_location(world.other_superuser, "Pier")
    _, harbor, nowhere = await make_wanderer(world)
    query = """query ($where: LocationFilter) { result: locations(where: $where) {
        totalCount pageInfo { hasNextPage endCursor } nodes { name } } }"""

    for principal in (harbor, nowhere):
        assert (await principal.ask(query)).result == page({"name": "Annex"}, {"name": "Pier"})
    assert (await world.other_user.ask(query)).result == page({"name": "Pier"})
    assert (await harbor.ask(query, where={"name": {"eq": "Annex"}})).result == page({"name": "Annex"})


async def test_update_needs_a_permission_where_the_location_is(world: World) -> None:
    await make_location(world.superuser)
    pier = await make_location(world.other_superuser, "Pier")
    northfield, boss_of_harbor, _ = await make_wanderer(world, is_superuser=True)
    manager = await make_manager(world)

    answer = await manager.run("gloo.locations.update", id=ANNEX["id"], name="Attic", **ADDRESS)
    async with changes(world) as found:
        by_users = [
            (await one.run("gloo.locations.update", id=ANNEX["id"], name="x")).error for one in (world.user, northfield)
        ]
        elsewhere = await boss_of_harbor.run("gloo.locations.update", id=ANNEX["id"], name="x")
        strange = [
            (await manager.run("gloo.locations.update", id=one, name="x")).result
            for one in strange_ids("Location", pier)
        ]

    assert answer.result == changed({**ANNEX, "name": "Attic", **ADDRESS})
    assert by_users == [FORBIDDEN, FORBIDDEN]
    assert elsewhere.result == NO_LOCATION
    assert strange == [NO_LOCATION] * 6
    assert found == {}
    kept = await boss_of_harbor.run("gloo.locations.get", id=ANNEX["id"])
    assert kept.result == {**ANNEX, "name": "Attic", **ADDRESS}


async def test_update_changes_only_what_is_sent(world: World) -> None:
    await make_location(world.superuser, street="1 Quay", city="Provo")

    answer = await world.superuser.run("gloo.locations.update", id=ANNEX["id"], city="Lehi", street=None)

    assert answer.result == changed({**ANNEX, "city": "Lehi"})
