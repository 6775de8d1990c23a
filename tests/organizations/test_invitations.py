"""Invitations beyond their documented calls: searching, locations, and that nobody makes a mail cannon of the server."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from caregraph.db import attempts
from caregraph.graph.node import global_id
from caregraph.organizations.models import Invitation, Location
from contract.asserts import changes
from factories.organizations import make_invitation
from kit import World

CREATE = """mutation ($input: InvitationInput!) { createInvitation(input: $input) {
    node { id locationId invitedBy { fullName } } errors { code message path }
} }"""
RESEND = "mutation ($id: ID!) { resendInvitation(id: $id) { errors { code message path } } }"
DELETE = "mutation ($id: ID!) { deleteInvitation(id: $id) { errors { code message path } } }"
LIST = "query ($search: String) { invitations(search: $search) { totalCount nodes { email } } }"
TOO_MANY = [{"code": "LIMIT", "message": "Too many invitations were sent: try again later", "path": None}]


async def create(world: World, email: str, **sent: Any) -> Any:
    return (await world.superuser.ask(CREATE, input={"email": email, **sent})).data["createInvitation"]


async def ask(world: World, query: str, row_id: int = 1) -> Any:
    ((_, payload),) = (await world.superuser.ask(query, id=global_id("Invitation", row_id))).data.items()
    return payload["errors"]


@pytest.mark.parametrize(
    ("search", "emails"),
    [
        ("AWAY", ["b@away.example", "c@away.example"]),
        ("bö", ["b@away.example"]),
        ("ash", ["c@away.example"]),
        ("%", []),
        ("harbor", []),
        (None, ["b@away.example", "c@away.example"]),
    ],
)
async def test_pending_invitations_are_searched(world: World, search: str | None, emails: list[str]) -> None:
    await make_invitation(world.superuser, "b@away.example", first_name="Bö")
    await make_invitation(world.superuser, "c@away.example", last_name="Ash")
    await make_invitation(world.other_superuser, "ash@harbor.example")

    answer = await world.superuser.ask(LIST, search=search)

    assert answer.data["invitations"] == {"totalCount": len(emails), "nodes": [{"email": one} for one in emails]}


async def test_who_invited_is_told_as_long_as_they_are_members(world: World) -> None:
    made = await create(world, "dina@away.example")
    assert made["node"]["invitedBy"] == {"fullName": "Ada Admin"}

    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Invitation).values(invited_by_id=world.other_user.row_id))

    answer = await world.superuser.ask("{ invitations { nodes { invitedBy { fullName } } } }")
    assert answer.data["invitations"]["nodes"] == [{"invitedBy": None}]


async def test_a_location_is_one_of_the_organization(world: World) -> None:
    for principal in (world.superuser, world.other_superuser):
        async with world.writing(principal) as tx:
            tx.add(Location(name="House"))

    made = await create(world, "dina@away.example", locationId=global_id("Location", 1))
    assert made["node"]["locationId"] == global_id("Location", 1)

    async with changes(world) as found:
        for strange in (global_id("Location", 2), global_id("Location", 99), global_id("User", 1), "x"):
            refused = await create(world, "eva@away.example", locationId=strange)
            message = {"code": "NOT_FOUND", "message": "Location not found", "path": ["input", "locationId"]}
            assert refused == {"node": None, "errors": [message]}
    assert found == {}


async def test_so_many_invitations_may_be_pending(world: World) -> None:
    await world.restart(pending_invitations=2)
    for email in ("a@away.example", "b@away.example"):
        assert (await create(world, email))["errors"] == []

    async with changes(world) as found:
        refused = await create(world, "c@away.example")

    message = "At most 2 invitations may be pending: delete some first"
    assert refused["errors"] == [{"code": "LIMIT", "message": message, "path": None}]
    assert found == {}
    assert await ask(world, DELETE) == []
    assert (await create(world, "c@away.example"))["errors"] == []


async def test_an_organization_sends_so_many_invitation_mails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.restart(invitation_mails=3, invitation_pause=0)
    for email in ("a@away.example", "b@away.example"):
        assert (await create(world, email))["errors"] == []
    assert (await create(world, "b@away.example"))["errors"][0]["code"] == "CONFLICT"
    assert await ask(world, RESEND) == []

    async with changes(world) as found:
        assert (await create(world, "c@away.example"))["errors"] == TOO_MANY
        assert await ask(world, RESEND, 2) == TOO_MANY
    assert found == {}

    present = attempts.now
    monkeypatch.setattr(attempts, "now", lambda: present() + timedelta(seconds=world.settings.sign_in_window + 1))
    assert (await create(world, "c@away.example"))["errors"] == []


async def test_one_person_gets_three_mails_at_most_however_they_are_invited(world: World) -> None:
    await world.restart(invitation_pause=0)
    for _ in range(3):
        made = await create(world, "dina@away.example")
        assert made["errors"] == []
        assert (await world.superuser.ask(DELETE, id=made["node"]["id"])).data["deleteInvitation"]["errors"] == []

    assert (await create(world, "Dina@away.example"))["errors"] == TOO_MANY
    assert (await create(world, "eva@away.example"))["errors"] == []
