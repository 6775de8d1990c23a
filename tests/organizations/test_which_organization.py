"""Users of several organizations: which one a request acts in, and what they are there."""

from typing import Any

import pytest
from sqlalchemy import update

from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.organizations.models import Membership
from factories.people import make_client
from kit import Answer, Principal, World

ME = "{ me { fullName roles organization { name } } clients { nodes { fullName } } }"
REQUIRED = ("ORGANIZATION_REQUIRED", "Say in X-Organization in which organization you act")
FAILED = (401, {"errors": [{"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}]})
FORBIDDEN = ("FORBIDDEN", "Access denied")
USERS = "{ users { totalCount } }"


@pytest.fixture(autouse=True)
async def both(world: World) -> None:
    """Ben of Northfield is a superuser of Harbor; each has a client of his."""
    async with world.writing(world.other_superuser) as tx:
        tx.add(Membership(user_id=world.user.row_id, organization_id=2, is_superuser=True))
    await make_client(world.user, full_name="Ann of Northfield")
    await make_client(Principal(world, "Ben", {}, 2, world.user.row_id), full_name="Kay of Harbor")
    await make_client(world.other_user, full_name="Lou of Harbor")


async def ask(world: World, query: str, organization: str | None) -> Answer:
    headers = {} if organization is None else {"X-Organization": organization}
    return await Principal(world, "Ben", {**world.user.headers, **headers}).ask(query)


def told(answer: Answer) -> tuple[int, dict[str, Any]]:
    return answer.status, answer.body


def of(organization_id: int) -> str:
    return global_id("Organization", organization_id)


async def change(world: World, organization_id: int, **values: Any) -> None:
    place = (Membership.user_id == world.user.row_id, Membership.organization_id == organization_id)
    async with world.writing(Principal(world, "", {}, organization_id)) as tx:
        await tx.execute(update(Membership).where(*place).values(**values))


async def test_one_who_is_in_several_says_which_is_meant(world: World) -> None:
    for query in (
        ME,
        USERS,
        "{ organization { name } }",
        'mutation { createClient(input: {fullName: "x"}) { node { id } } }',
    ):
        answer = await ask(world, query, None)
        assert {(one["extensions"]["code"], one["message"]) for one in answer.body["errors"]} == {REQUIRED}


async def test_one_is_in_each_what_one_is_there(world: World) -> None:
    northfield, harbor = [(await ask(world, ME, of(number))).data for number in (1, 2)]

    assert northfield == {
        "me": {"fullName": "Ben Borg", "roles": [], "organization": {"name": "Northfield"}},
        "clients": {"nodes": [{"fullName": "Ann of Northfield"}]},
    }
    assert harbor == {
        "me": {"fullName": "Ben Borg", "roles": ["AGENCY_ADMIN"], "organization": {"name": "Harbor"}},
        "clients": {"nodes": [{"fullName": "Kay of Harbor"}, {"fullName": "Lou of Harbor"}]},
    }
    assert (await ask(world, USERS, of(1))).error == FORBIDDEN
    assert (await ask(world, USERS, of(2))).data == {"users": {"totalCount": 3}}


async def test_an_organization_of_others_is_as_wrong_as_one_that_is_not_there(world: World) -> None:
    elsewhere = await world.organization("Elsewhere")
    wrong = [
        of(elsewhere),
        of(999),
        "1",
        "",
        "nonsense",
        global_id("User", 1),
        of(1) + "=",
        of(1)[:-1],
        f" {of(1)},{of(2)}",
    ]

    answers = [await ask(world, ME, organization) for organization in wrong]

    assert [told(answer) for answer in answers] == [FAILED] * len(wrong)
    otto = Principal(world, "Otto", {**world.other_user.headers, "X-Organization": of(1)})
    assert told(await otto.ask(ME)) == FAILED


async def test_the_only_organization_need_not_be_named_but_may(world: World) -> None:
    otto = world.other_user
    named = Principal(world, "Otto", {**otto.headers, "X-Organization": of(2)})

    assert (await otto.ask(ME)).data == (await named.ask(ME)).data


@pytest.mark.parametrize("how", ["disabled", "signed out"])
async def test_who_is_shut_out_of_one_goes_on_in_the_other(world: World, how: str) -> None:
    values = {"is_disabled": True} if how == "disabled" else {"signed_out_at": now()}
    await change(world, 1, **values)

    assert told(await ask(world, ME, of(1))) == FAILED
    assert (await ask(world, ME, of(2))).data["me"]["organization"] == {"name": "Harbor"}
    assert (await ask(world, ME, None)).data["me"]["organization"] == {"name": "Harbor"}

    await change(world, 2, **values)
    for organization in (of(1), of(2), None):
        assert told(await ask(world, ME, organization)) == FAILED
