"""`gloo.invitations.*`: inviting people to an organization, and accepting."""

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import update

from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.organizations.models import Invitation, Location
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, page, refused, strange_ids
from factories.organizations import make_invitation, make_permission
from kit import Principal, World

TOKEN = "0123456789-the-token"
DINA = {"email": "Dina@Away.example", "firstName": "Dina", "lastName": "Dahl"}
FOR_MANAGERS: list[tuple[str, dict[str, Any]]] = [
    ("gloo.invitations.create", DINA),
    ("gloo.invitations.list_pending", {}),
    ("gloo.invitations.resend", {"invitationId": global_id("Invitation", 1)}),
    ("gloo.invitations.delete", {"invitationId": global_id("Invitation", 1)}),
]


def invitation(row_id: int = 1, email: str = "dina@away.example", **overrides: Any) -> dict[str, Any]:
    return {
        "id": global_id("Invitation", row_id),
        "email": email,
        "firstName": None,
        "lastName": None,
        "organizationId": global_id("Organization", 1),
        "organizationName": "Northfield",
        "permissionKeys": ["CREATE_DEPLOYMENT"],
        "locationId": None,
        "createdAt": ANY,
        "updatedAt": ANY,
        "lastSentAt": None,
        **overrides,
    }


@pytest.fixture
async def manager(world: World) -> Principal:
    """Cleo, who manages without being a superuser."""
    await make_permission(world.colleague)
    return world.colleague


@pytest.mark.parametrize(("call", "variables"), FOR_MANAGERS)
async def test_inviting_is_for_managers(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_invitation(world.superuser)
    await assert_nobody_is_refused(world, call, **variables)

    async with changes(world) as found:
        answer = await world.user.run(call, **variables)

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert answer.body["data"] == {"result": None}
    assert found == {}


@pytest.mark.parametrize("call", ["resend", "delete"])
async def test_invitations_that_are_not_there_cannot_be_changed(world: World, manager: Principal, call: str) -> None:
    foreign = await make_invitation(world.other_superuser)

    async with changes(world) as found:
        answers = [
            await manager.run(f"gloo.invitations.{call}", invitationId=strange)
            for strange in strange_ids("Invitation", foreign)
        ]

    of = "deletedId" if call == "delete" else "node"
    assert [answer.result for answer in answers] == [refused("NOT_FOUND", "Invitation not found", "id", of=of)] * 6
    assert found == {}


async def test_create_keeps_the_invitation_and_has_a_mail_sent(world: World, manager: Principal) -> None:
    async with changes(world) as found:
        answer = await manager.run(
            "gloo.invitations.create", **DINA, permissionKeys=["MANAGE_ORGANIZATION", "CREATE_DEPLOYMENT"]
        )

    keys = ["CREATE_DEPLOYMENT", "MANAGE_ORGANIZATION"]
    made = invitation(firstName="Dina", lastName="Dahl", permissionKeys=keys)
    assert answer.result == changed(made)
    assert found == {"invitations": 1, "outgoing_mails": 1}
    assert (await manager.run("gloo.invitations.list_pending")).result == page(made)


async def test_create_needs_only_an_email(world: World) -> None:
    async with world.writing(world.superuser) as tx:
        tx.add_all([Location(name="House"), Location(name="Head", is_headquarters=True)])

    answer = await world.superuser.run("gloo.invitations.create", email="dina@away.example")

    assert answer.result == changed(invitation(permissionKeys=[], locationId=global_id("Location", 2)))


async def test_create_refuses_members_but_tells_nothing_of_others(world: World) -> None:
    async with changes(world) as found:
        member = await world.superuser.run("gloo.invitations.create", email="Ben@Northfield.example")
    assert member.result == refused("CONFLICT", "This person is a member already", "input", "email")
    assert found == {}

    elsewhere = await world.superuser.run("gloo.invitations.create", email="otto@harbor.example")
    nowhere = await world.superuser.run("gloo.invitations.create", email="dina@away.example")
    assert elsewhere.result == changed(invitation(1, "otto@harbor.example", permissionKeys=[]))
    assert nowhere.result == changed(invitation(2, "dina@away.example", permissionKeys=[]))


async def test_create_refuses_a_second_invitation_of_the_same_person(world: World) -> None:
    await make_invitation(world.other_superuser)
    assert (await world.superuser.run("gloo.invitations.create", **DINA)).result["errors"] == []

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.invitations.create", **{**DINA, "email": "DINA@away.example"})

    message = "This person is invited already: send that invitation again"
    assert answer.result == refused("CONFLICT", message, "input", "email")
    assert found == {}


@pytest.mark.parametrize(
    ("wrong", "message", "path"),
    [
        ({"firstName": "x" * 201}, "must have at most 200 characters", "firstName"),
        ({"lastName": "\x00"}, "must not contain the character U+0000", "lastName"),
        ({"email": "a,b@away.example"}, "mail cannot be sent to this address", "email"),
        ({"email": "a><b@away.example"}, "mail cannot be sent to this address", "email"),
        ({"email": "dína@away.example"}, "mail cannot be sent to this address", "email"),
        ({"email": "dina@-away.example"}, "mail cannot be sent to this address", "email"),
    ],
)
async def test_create_refuses_values_that_break_a_rule(
    world: World, wrong: dict[str, Any], message: str, path: str
) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("gloo.invitations.create", **{**DINA, **wrong})

    assert answer.result == refused("INVALID", message, "input", path)
    assert found == {}


@pytest.mark.parametrize(
    "wrong", [{"email": "dina"}, {"permissionKeys": ["AGENCY_ADMIN"]}, {"email": "a@b.c\nBcc: d@e.f"}]
)
async def test_create_refuses_what_is_no_email_and_no_key(world: World, wrong: dict[str, Any]) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("gloo.invitations.create", **{**DINA, **wrong})

    assert answer.error[0] == "BAD_USER_INPUT"
    assert found == {}


async def test_list_pending_pages_and_sorts_what_nobody_has_accepted(world: World, manager: Principal) -> None:
    away = {"permission_keys": "CREATE_DEPLOYMENT"}
    await make_invitation(world.superuser, "b@away.example", first_name="Bo", **away)
    await make_invitation(world.superuser, "a@away.example", last_name="Ash", last_sent_at=now(), **away)
    await make_invitation(world.superuser, "c@away.example", expires_at=now() - timedelta(days=1), **away)
    await make_invitation(world.superuser, "d@away.example", accepted_at=now(), **away)
    await make_invitation(world.other_superuser, "e@away.example", **away)
    bo = invitation(1, "b@away.example", firstName="Bo")
    ash = invitation(2, "a@away.example", lastName="Ash", lastSentAt=ANY)
    expired = invitation(3, "c@away.example")

    async def listed(**variables: Any) -> Any:
        return (await manager.run("gloo.invitations.list_pending", **variables)).result

    assert await listed() == page(bo, ash, expired)
    assert await listed(first=1, offset=1) == page(ash, total=3, more=True)
    orders = {
        "EMAIL_ASC": [ash, bo, expired],
        "EMAIL_DESC": [expired, bo, ash],
        "FIRST_NAME_ASC": [bo, ash, expired],
        "LAST_NAME_ASC": [ash, bo, expired],
        "CREATED_AT_DESC": [expired, ash, bo],
        "UPDATED_AT_ASC": [bo, ash, expired],
        "LAST_SENT_AT_ASC": [ash, bo, expired],
    }
    assert {order: (await listed(sort=[order]))["nodes"] for order in orders} == orders


async def test_get_finds_a_pending_invitation_by_its_token(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN, first_name="Dina")
    found = invitation(firstName="Dina")

    assert (await world.nobody.run("gloo.invitations.get", token=TOKEN)).result == found
    assert (await world.other_user.run("gloo.invitations.get", token=TOKEN)).result == found
    assert (await world.nobody.run("gloo.invitations.get", token="wrong")).result is None

    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Invitation).values(accepted_at=now()))
    assert (await world.nobody.run("gloo.invitations.get", token=TOKEN)).result is None


async def test_accept_makes_whoever_was_invited_a_member(world: World) -> None:
    await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)

    async with changes(world) as found:
        answer = await world.other_user.run("gloo.invitations.accept", token=TOKEN)

    assert answer.result == {
        "organizationId": global_id("Organization", 1),
        "userId": world.other_user.id,
        "errors": [],
    }
    assert found == {"memberships": 1, "granted_permissions": 1}
    assert (await world.superuser.run("gloo.invitations.list_pending")).result == page()


async def test_accept_refuses_programs_and_others(world: World) -> None:
    await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)

    async with changes(world) as found:
        program = await world.calculator.run("gloo.invitations.accept", token=TOKEN)
        other = await world.user.run("gloo.invitations.accept", token=TOKEN)

    assert program.error == ("FORBIDDEN", "Access denied")
    assert other.result == {
        "organizationId": None,
        "userId": None,
        "errors": [{"code": "NOT_FOUND", "message": "Invitation not found", "path": ["token"]}],
    }
    assert found == {}


async def test_resend_has_another_mail_sent_and_ends_the_token_before(world: World, manager: Principal) -> None:
    long_ago = now() - timedelta(days=8)
    await make_invitation(world.superuser, token=TOKEN, asked_at=long_ago, last_sent_at=long_ago, expires_at=long_ago)

    async with changes(world) as found:
        answer = await manager.run("gloo.invitations.resend", invitationId=global_id("Invitation", 1))

    assert answer.result == changed(invitation(lastSentAt=long_ago.isoformat()))
    assert found == {"outgoing_mails": 1}
    assert (await world.nobody.run("gloo.invitations.get", token=TOKEN)).result is None


async def test_resend_waits_between_two_mails(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN)

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.invitations.resend", invitationId=global_id("Invitation", 1))

    assert answer.result == refused("LIMIT", "It was sent just now: wait before you send it again", "id")
    assert found == {}
    assert (await world.nobody.run("gloo.invitations.get", token=TOKEN)).result == invitation()


async def test_resend_refuses_what_was_accepted(world: World) -> None:
    await make_invitation(world.superuser, accepted_at=now(), asked_at=now() - timedelta(days=1))

    async with changes(world) as found:
        answer = await world.superuser.run("gloo.invitations.resend", invitationId=global_id("Invitation", 1))

    assert answer.result == refused("CONFLICT", "This invitation has been accepted", "id")
    assert found == {}


async def test_delete_ends_the_token_and_keeps_the_mail_from_being_sent(world: World, manager: Principal) -> None:
    await manager.run("gloo.invitations.create", **DINA)
    other = await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)

    async with changes(world) as found:
        answers = [
            await manager.run("gloo.invitations.delete", invitationId=global_id("Invitation", row_id))
            for row_id in (1, other.id)
        ]

    assert [answer.result for answer in answers] == [
        deleted("Invitation", Invitation(id=1)),
        deleted("Invitation", other),
    ]
    assert found == {"invitations": -2, "outgoing_mails": -1}
    assert (await world.nobody.run("gloo.invitations.get", token=TOKEN)).result is None
    assert (await world.other_user.run("gloo.invitations.accept", token=TOKEN)).result["errors"] == [
        {"code": "NOT_FOUND", "message": "Invitation not found", "path": ["token"]}
    ]
