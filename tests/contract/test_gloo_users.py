"""`gloo.users.*`."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.auth.viewer import GRANTABLE, Identity, user_viewer
from caregraph.auth.viewer import Membership as Place
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused
from factories.organizations import (
    application,
    grant,
    make_location,
    make_manager,
    make_wanderer,
    signed_in_as,
    stranger,
)
from kit import Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
ELSEWHERE = ("BAD_USER_INPUT", "Send X-Organization to read what belongs to another organization")
NORTHFIELD, HARBOR = global_id("Organization", 1), global_id("Organization", 2)
PROFILE = "{ fullName firstName lastName }"


def listed(principal: Principal) -> dict[str, Any]:
    """A user in a manager's list."""
    first, last = principal.name.split()
    return {
        "id": principal.id,
        "email": principal.headers["X-Api-Email"],
        "firstName": first,
        "lastName": last,
        "createdAt": ANY,
        "updatedAt": ANY,
    }


def held(organization_id: str, *keys: str) -> list[dict[str, str]]:
    return [{"key": key, "organizationId": organization_id} for key in keys]


async def test_get_current_shows_a_person_in_all_their_organizations(world: World) -> None:
    await make_location(world.superuser, "Attic", city="Provo")
    await make_location(world.other_superuser, "Pier", is_headquarters=True)
    northfield, harbor, nowhere = await make_wanderer(world, is_superuser=True)
    await grant(northfield, "MANAGE_LOCATION", "ASSESSMENT_AUTHOR")
    await grant(world.other_user, "CREATE_DEPLOYMENT")
    attic = {"id": global_id("Location", 1), "name": "Attic", "city": "Provo", "isHeadquarters": False}
    pier = {"id": global_id("Location", 2), "name": "Pier", "city": None, "isHeadquarters": True}
    empty = {"street": None, "state": None, "postalCode": None}

    answers = [(await one.run("gloo.users.get_current")).result for one in (northfield, harbor, nowhere)]

    assert (
        answers
        == [
            {
                "uid": nowhere.id,
                "userId": nowhere.id,
                "email": "wanda@northfield.example",
                "firstName": "Wanda",
                "lastName": "Wolf",
                "organizations": [
                    {"id": HARBOR, "name": "Harbor", "vertical": "OTHER", "isIndividual": False},
                    {"id": NORTHFIELD, "name": "Northfield", "vertical": "OTHER", "isIndividual": False},
                ],
                "locations": [
                    {**attic, **empty, "organization": {"id": NORTHFIELD}},
                    {**pier, **empty, "organization": {"id": HARBOR}},
                ],
                "permissions": held(NORTHFIELD, "ASSESSMENT_AUTHOR", "MANAGE_LOCATION")
                + held(HARBOR, *sorted(GRANTABLE)),
            }
        ]
        * 3
    )


async def test_get_current_of_someone_with_one_organization_and_no_permission(world: World) -> None:
    await make_location(world.other_superuser, "Pier")

    answer = await world.user.run("gloo.users.get_current")

    assert answer.result == {
        "uid": world.user.id,
        "userId": world.user.id,
        "email": "ben@northfield.example",
        "firstName": "Ben",
        "lastName": "Borg",
        "organizations": [{"id": NORTHFIELD, "name": "Northfield", "vertical": "OTHER", "isIndividual": False}],
        "locations": [],
        "permissions": [],
    }


async def test_get_current_names_the_person_as_the_identity_provider_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = user_viewer(user_id=world.user.row_id, here=None, memberships=[Place(organization_id=1)])
    object.__setattr__(viewer, "identity", Identity(email="ben@northfield.example", subject="firebase-7"))

    with signed_in_as(monkeypatch, viewer):
        answer = await world.nobody.run("gloo.users.get_current")

    assert (answer.result["uid"], answer.result["userId"]) == ("firebase-7", world.user.id)


async def test_get_current_is_for_people_with_an_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await assert_nobody_is_refused(world, "gloo.users.get_current")
    assert (await world.calculator.run("gloo.users.get_current")).error == FORBIDDEN
    for viewer in (stranger(), application(1)):
        with signed_in_as(monkeypatch, viewer):
            assert (await world.nobody.run("gloo.users.get_current")).error == FORBIDDEN


async def test_get_current_takes_three_statements_however_many_organizations(world: World) -> None:
    _, _, wanda = await make_wanderer(world)

    with world.statements() as few:
        await world.user.run("gloo.users.get_current")
    with world.statements() as more:
        await wanda.run("gloo.users.get_current")

    assert (len(few), len(more)) == (3, 3)


async def test_list_for_organization_is_for_its_managers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = await make_manager(world)
    everyone = {"users": page(*(listed(one) for one in (world.superuser, world.user, world.colleague, manager)))}
    call = "gloo.users.list_for_organization"

    for principal in (world.superuser, manager):
        assert (await principal.run(call, organizationId=NORTHFIELD)).result == everyone
        assert (await principal.run(call, organizationId=HARBOR)).result is None
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run(call, organizationId=NORTHFIELD)).result == everyone
    second = await manager.run(call, organizationId=NORTHFIELD, first=1, offset=1)
    assert second.result == {"users": page(listed(world.user), total=4, more=True)}


async def test_list_for_organization_refuses_others(world: World) -> None:
    keeper = await grant(world.colleague, "MANAGE_LOCATION", "CREATE_DEPLOYMENT")
    call = "gloo.users.list_for_organization"

    await assert_nobody_is_refused(world, call, organizationId=NORTHFIELD)
    assert (await world.calculator.run(call, organizationId=NORTHFIELD)).error == FORBIDDEN
    for principal in (world.user, keeper):
        answer = await principal.run(call, organizationId=NORTHFIELD)
        assert (answer.error, answer.body["data"]) == (FORBIDDEN, {"result": {"users": None}})


async def test_what_belongs_to_an_organization_is_read_where_one_acts(world: World) -> None:
    """Empty lists would say that there is nothing."""
    northfield, boss_of_harbor, nowhere = await make_wanderer(world, is_superuser=True)
    call = "gloo.users.list_for_organization"
    edges = "query ($id: ID!) { organization(id: $id) { %s { totalCount } } }"

    assert (await boss_of_harbor.run(call, organizationId=HARBOR)).result["users"]["totalCount"] == 3
    for principal in (boss_of_harbor, nowhere):
        answer = await principal.run(call, organizationId=NORTHFIELD)
        assert (answer.error, answer.body["data"]) == (ELSEWHERE, {"result": {"users": None}})
    for edge in ("clients", "episodes"):
        assert (await boss_of_harbor.ask(edges % edge, id=NORTHFIELD)).error == ELSEWHERE
        there = await northfield.ask(edges % edge, id=NORTHFIELD)
        assert there.data == {"organization": {edge: {"totalCount": 0}}}


@pytest.mark.parametrize(
    ("sent", "full", "first", "last"),
    [
        ({"firstName": "Benno"}, "Benno Borg", "Benno", "Borg"),
        ({"lastName": "Berg"}, "Ben Berg", "Ben", "Berg"),
        ({"firstName": " Bo ", "lastName": "van Berg"}, "Bo van Berg", "Bo", "van Berg"),
        ({"lastName": None}, "Ben", "Ben", None),
        ({"name": "Ben"}, "Ben", "Ben", None),
        ({"name": "Ben Karl Borg"}, "Ben Karl Borg", "Ben Karl", "Borg"),
        ({"name": "Émile  Zola"}, "Émile  Zola", "Émile", "Zola"),
        ({"name": "李小龍"}, "李小龍", "李小龍", None),
    ],
)
async def test_update_keeps_all_names_of_oneself_in_step(
    world: World, sent: dict[str, Any], full: str, first: str, last: str | None
) -> None:
    answer = await world.user.run("gloo.users.update", id=world.user.id, **sent)

    assert answer.result == changed({**listed(world.user), "firstName": first, "lastName": last})
    me = await world.user.ask(f"{{ me {PROFILE} }}")
    assert me.data["me"] == {"fullName": full, "firstName": first, "lastName": last}
    found = await world.superuser.ask("query ($s: String) { users(search: $s) { totalCount } }", s=full)
    assert found.data["users"]["totalCount"] == 1


@pytest.mark.parametrize(
    ("sent", "message", "path"),
    [
        ({"name": "A B", "firstName": "A"}, "give either fullName, or firstName and lastName", "fullName"),
        ({"name": " "}, "must not be empty", "fullName"),
        ({"name": None}, "must not be null", "fullName"),
        ({"firstName": "", "lastName": None}, "must not be empty", "firstName"),
        ({"firstName": "x" * 201}, "must have at most 200 characters", "firstName"),
        ({"firstName": "x" * 150, "lastName": "y" * 50}, "must have at most 200 characters in all", "lastName"),
    ],
)
async def test_update_refuses_names_that_are_none(world: World, sent: dict[str, Any], message: str, path: str) -> None:
    async with changes(world) as found:
        answer = await world.user.run("gloo.users.update", id=world.user.id, **sent)

    assert (answer.result, found) == (refused("INVALID", message, "input", path), {})
    assert (await world.user.ask(f"{{ me {PROFILE} }}")).data["me"]["fullName"] == "Ben Borg"


async def test_update_is_for_oneself_and_superusers(world: World) -> None:
    manager = await make_manager(world)

    await assert_nobody_is_refused(world, "gloo.users.update", id=world.user.id, name="x")
    for principal in (world.colleague, manager, world.calculator):
        answer = await principal.run("gloo.users.update", id=world.user.id, name="x")
        assert (answer.error, answer.body["data"]) == (FORBIDDEN, {"result": None})
    foreign = await world.other_superuser.run("gloo.users.update", id=world.user.id, name="x")
    assert foreign.result == refused("NOT_FOUND", "User not found", "id")
    by_superuser = await world.superuser.run("gloo.users.update", id=world.user.id, name="Bo Berg")
    assert by_superuser.result["node"]["firstName"] == "Bo"
