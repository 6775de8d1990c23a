"""A person of several organizations: what each of them sees, and what none of them may take over."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from caregraph.graph.node import global_id
from caregraph.organizations.models import Membership, User
from contract.asserts import changes, refused
from factories.organizations import acting_in, employ, grant, make_wanderer
from kit import PASSWORD, Answer, Principal, World

ELSEWHERE = refused("CONFLICT", "The account also works elsewhere: only its owner changes it", "id")
FAILED = ("UNAUTHENTICATED", "Authentication failed")
UPDATE = """
mutation ($id: ID!, $input: UserPatch!) {
  result: updateUser(id: $id, input: $input) { node { id } errors { code message path } }
}
"""
TAKING_OVER = [
    {"email": "mine@northfield.example"},
    {"password": PASSWORD},
    {"apiEnabled": True},
    {"fullName": "Someone Else"},
    {"phone": "+4512345678"},
    {"timeZone": "UTC"},
]


async def _change(principal: Principal, user: Principal, **sent: Any) -> Answer:
    return await principal.ask(UPDATE, id=user.id, input=sent)


@pytest.mark.parametrize("sent", TAKING_OVER, ids=lambda sent: next(iter(sent)))
async def test_a_superuser_changes_no_account_that_also_works_elsewhere(world: World, sent: dict[str, Any]) -> None:
    _, in_harbor, wanda = await make_wanderer(world)

    async with changes(world) as found:
        answers = [await _change(one, wanda, **sent) for one in (world.superuser, world.other_superuser)]

    assert [one.result for one in answers] == [ELSEWHERE, ELSEWHERE]
    assert found == {}
    me = await in_harbor.ask("{ me { email fullName } }")
    assert me.data == {"me": {"email": "wanda@northfield.example", "fullName": "Wanda Wolf"}}
    assert (await _change(in_harbor, wanda, **sent)).result == {"node": {"id": wanda.id}, "errors": []}


async def test_a_place_where_one_is_disabled_counts_too(world: World) -> None:
    """Whoever is let in again must find the account as they left it."""
    _, in_harbor, wanda = await make_wanderer(world)
    async with world.writing(in_harbor) as tx:
        await tx.execute(update(Membership).where(Membership.user_id == wanda.row_id).values(is_disabled=True))

    assert (await _change(world.superuser, wanda, password=PASSWORD)).result == ELSEWHERE


async def test_once_the_other_place_is_gone_the_superuser_changes_the_account_again(world: World) -> None:
    _, _, wanda = await make_wanderer(world)
    delete = "mutation ($id: ID!) { deleteUser(id: $id) { errors { message } } }"

    assert (await world.other_superuser.ask(delete, id=wanda.id)).data == {"deleteUser": {"errors": []}}

    assert (await _change(world.superuser, wanda, locale="da")).result["errors"] == []
    assert (await wanda.ask("{ me { locale } }")).data == {"me": {"locale": "da"}}


async def test_an_organization_removes_and_disables_its_own_member_only(world: World) -> None:
    in_northfield, in_harbor, wanda = await make_wanderer(world)
    disable = "mutation ($id: ID!) { addUserRole(id: $id, role: DISABLED) { node { roles } errors { message } } }"

    async with changes(world) as found:
        answer = await world.superuser.ask(disable, id=wanda.id)

    assert answer.data == {"addUserRole": {"node": {"roles": ["DISABLED"]}, "errors": []}}
    assert found == {}
    assert (await in_northfield.ask("{ me { id } }")).status == 401
    assert (await in_harbor.ask("{ me { roles } }")).data == {"me": {"roles": []}}
    assert (await wanda.ask("{ me { organization { name } } }")).data == {"me": {"organization": {"name": "Harbor"}}}


async def test_each_organization_sees_the_roles_held_in_it(world: World) -> None:
    in_northfield, in_harbor, wanda = await make_wanderer(world, is_superuser=True)
    query = "query ($id: ID!) { user(id: $id) { fullName roles organization { name } } }"
    here = {"fullName": "Wanda Wolf", "roles": [], "organization": {"name": "Northfield"}}
    there = {"fullName": "Wanda Wolf", "roles": ["AGENCY_ADMIN"], "organization": {"name": "Harbor"}}

    for principal, expected in (
        (world.superuser, here),
        (in_northfield, here),
        (world.other_superuser, there),
        (in_harbor, there),
    ):
        assert (await principal.ask(query, id=wanda.id)).data == {"user": expected}


async def test_colleagues_of_one_place_stay_unseen_in_the_other(world: World) -> None:
    in_northfield, in_harbor, _ = await make_wanderer(world, is_superuser=True)
    await grant(in_northfield, "MANAGE_ORGANIZATION")
    names = "{ users { nodes { fullName } } }"
    ben = "query ($id: ID!) { user(id: $id) { fullName } }"

    here = (await in_northfield.ask(names)).data["users"]["nodes"]
    there = (await in_harbor.ask(names)).data["users"]["nodes"]

    assert [one["fullName"] for one in here] == ["Ada Admin", "Ben Borg", "Cleo Cruz", "Wanda Wolf"]
    assert [one["fullName"] for one in there] == ["Olga Olsen", "Otto Orr", "Wanda Wolf"]
    assert (await in_harbor.ask(ben, id=world.user.id)).data == {"user": None}


async def test_a_new_password_revokes_tokens_everywhere(world: World) -> None:
    in_northfield, in_harbor, _ = await make_wanderer(world)

    assert (await _change(in_northfield, in_northfield, password=PASSWORD)).result["errors"] == []

    for principal in (in_northfield, in_harbor):
        answer = await principal.ask("{ me { id } }")
        assert (answer.status, answer.error) == (401, FAILED)


async def test_where_one_acts_must_be_said_by_whom_works_in_several_places(world: World) -> None:
    _, _, wanda = await make_wanderer(world)
    required = ("ORGANIZATION_REQUIRED", "Say in X-Organization in which organization you act")

    for query in ("{ me { id } }", "{ clients { totalCount } }", "{ organization { id } }", "{ users { totalCount } }"):
        assert (await wanda.ask(query)).error == required
    assert (await _change(wanda, wanda, fullName="W")).error == required
    for strange in (global_id("Organization", 3), global_id("User", 1), "nonsense"):
        headers = {**wanda.headers, "X-Organization": strange}
        answer = await Principal(world, "wanda", headers).ask("{ me { id } }")
        assert (answer.status, answer.error) == (401, FAILED)
    assert (await acting_in(world.user, 2).ask("{ me { id } }")).status == 401


async def test_joining_elsewhere_and_being_changed_at_once_leave_one_of_both(world: World) -> None:
    """The check holds the account still: a superuser cannot change it while it gets a place elsewhere."""
    changing = asyncio.create_task(_change(world.superuser, world.user, fullName="Changed"))
    joined = await employ(world.user, 2)
    answer = await changing

    name = (await joined.ask("{ me { fullName } }")).data["me"]["fullName"]
    assert (answer.result["errors"] == [], name) in {(True, "Changed"), (False, "Ben Borg")}


async def test_names_of_users_made_without_them_follow_from_the_full_name(world: World) -> None:
    async with world.writing(world.superuser) as tx:
        user = User(email="x@x.example", full_name="Ida Maria Holm", password_hash="!")
        tx.add(user)
        await tx.flush()
        tx.add(Membership(user_id=user.id))

    answer = await world.user.ask(
        "query ($id: ID!) { user(id: $id) { firstName lastName } }", id=global_id("User", user.id)
    )

    assert answer.data == {"user": {"firstName": "Ida Maria", "lastName": "Holm"}}
