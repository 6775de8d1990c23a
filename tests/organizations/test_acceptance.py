"""Accepting an invitation: by whom, once, and without telling others anything."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from caregraph.auth.tokens import SignIn
from caregraph.auth.viewer import Identity, Permission, Viewer
from caregraph.db.base import now, table_of
from caregraph.graph.node import global_id
from caregraph.organizations.models import Invitation, Membership, User
from contract.asserts import changes
from factories.organizations import make_invitation
from kit import PASSWORD, Answer, Principal, World
from postbox import Postbox, deliver

ACCEPT = """mutation ($token: String!, $account: NewAccountInput) { acceptInvitation(token: $token, account: $account) {
    organizationId userId errors { code message path }
} }"""
OPEN = "query ($token: String!) { openInvitation(token: $token) { id email invitedBy { id } organizationName } }"
SIGN_IN = (
    "mutation ($email: String!, $password: String!) { authenticate(email: $email, password: $password) { apiToken } }"
)
TOKEN = "0123456789-the-token"
DINA = {"password": PASSWORD, "firstName": "Dina", "lastName": "Dahl"}
MISSING = [{"code": "NOT_FOUND", "message": "Invitation not found", "path": ["token"]}]


def refused(code: str, message: str, *path: str) -> dict[str, Any]:
    return {
        "organizationId": None,
        "userId": None,
        "errors": [{"code": code, "message": message, "path": list(path) or None}],
    }


async def accept(who: Principal, token: str = TOKEN, account: dict[str, Any] | None = None) -> Any:
    return (await who.ask(ACCEPT, token=token, account=account)).data["acceptInvitation"]


def somebody(world: World, monkeypatch: pytest.MonkeyPatch, identity: Identity) -> Principal:
    """A person whom an identity provider vouches for, without an account."""
    viewer = Viewer(identity=identity, permissions=frozenset({Permission.ACCOUNT}))
    known = SignIn.viewer

    async def found(self: SignIn, headers: Any) -> Viewer:
        return viewer if "x-vouched" in headers else await known(self, headers)

    monkeypatch.setattr(SignIn, "viewer", found)
    return Principal(world, "vouched", {"X-Vouched": "1"})


async def sign_in(world: World, email: str, password: str = PASSWORD) -> Principal:
    token = (await world.nobody.ask(SIGN_IN, email=email, password=password)).data["authenticate"]["apiToken"]
    return Principal(world, email, {"X-Api-Email": email, "X-Api-Token": token}, 1)


async def test_without_an_account_the_token_and_a_password_make_one(world: World) -> None:
    await make_invitation(world.superuser, permission_keys="CREATE_DEPLOYMENT,MANAGE_ORGANIZATION", token=TOKEN)

    async with changes(world) as found:
        payload = await accept(world.nobody, account=DINA)

    assert payload == {
        "organizationId": global_id("Organization", 1),
        "userId": global_id("User", 6),
        "errors": [],
    }
    assert found == {"users": 1, "memberships": 1, "granted_permissions": 2}
    dina = await sign_in(world, "dina@away.example")
    assert (await dina.ask("{ me { fullName email permissions { nodes { key } } } }")).data["me"] == {
        "fullName": "Dina Dahl",
        "email": "dina@away.example",
        "permissions": {"nodes": [{"key": "CREATE_DEPLOYMENT"}, {"key": "MANAGE_ORGANIZATION"}]},
    }
    assert (await dina.ask("{ invitations { totalCount } }")).data == {"invitations": {"totalCount": 0}}
    assert (await dina.ask("{ users { totalCount } }")).data == {"users": {"totalCount": 4}}
    assert (await dina.ask("{ organizationStatistics { total { nClients } } }")).error == ("FORBIDDEN", "Access denied")
    row = table_of(Invitation)
    kept = await world.row(select(row.c.accepted_by_id, row.c.token_hash, row.c.accepted_at.is_not(None)))
    assert tuple(kept) == (6, None, True)


async def test_the_audit_knows_who_accepted(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN)

    await accept(world.nobody, account=DINA)

    query = "{ auditEvents(first: 1, kind: UPDATE) { nodes { actor userId fields changes { typeName change } } } }"
    (entry,) = (await world.superuser.ask(query)).data["auditEvents"]["nodes"]
    assert entry == {
        "actor": "USER",
        "userId": global_id("User", 6),
        "fields": ["acceptInvitation"],
        "changes": [
            {"typeName": "User", "change": "CREATED"},
            {"typeName": "Membership", "change": "CREATED"},
            {"typeName": "GrantedPermission", "change": "CREATED"},
            {"typeName": "Invitation", "change": "UPDATED"},
        ],
    }


@pytest.mark.parametrize(
    ("names", "sent", "expected"),
    [
        ({"first_name": "Dina", "last_name": "Dahl"}, {}, "Dina Dahl"),
        ({"first_name": "Dina", "last_name": "Dahl"}, {"lastName": "Dahlin"}, "Dina Dahlin"),
        ({}, {"lastName": "Dahl"}, "Dahl"),
        ({}, {"firstName": "", "lastName": ""}, "dina"),
    ],
)
async def test_the_name_comes_from_who_knows_it_best(
    world: World, names: dict[str, str], sent: dict[str, str], expected: str
) -> None:
    await make_invitation(world.superuser, token=TOKEN, **names)

    assert (await accept(world.nobody, account={"password": PASSWORD, **sent}))["errors"] == []

    users = table_of(User)
    assert (await world.row(select(users.c.full_name).where(users.c.id == 6)))[0] == expected


async def test_an_account_elsewhere_signs_in_and_works_in_both(world: World) -> None:
    await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)

    async with changes(world) as found:
        payload = await accept(world.other_user)

    assert payload == {
        "organizationId": global_id("Organization", 1),
        "userId": world.other_user.id,
        "errors": [],
    }
    assert found == {"memberships": 1, "granted_permissions": 1}
    here = replace(
        world.other_user, headers={**world.other_user.headers, "X-Organization": global_id("Organization", 1)}
    )
    assert (await here.ask("{ me { fullName permissions { nodes { key } } } }")).data["me"] == {
        "fullName": "Otto Orr",
        "permissions": {"nodes": [{"key": "CREATE_DEPLOYMENT"}]},
    }
    assert (await world.other_user.ask("{ me { fullName } }")).error[0] == "ORGANIZATION_REQUIRED"


async def test_an_email_with_an_account_must_sign_in(world: World) -> None:
    await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)

    async with changes(world) as found:
        answers = [await accept(world.nobody, account=DINA), await accept(world.nobody)]

    message = "This e-mail has an account: sign in with it to accept"
    assert answers == [refused("CONFLICT", message, "token")] * 2
    assert found == {}


async def test_somebody_else_finds_what_a_wrong_token_finds(world: World) -> None:
    await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)

    async with changes(world) as found:
        answers = [
            await world.other_superuser.ask(ACCEPT, token=token, account=account)
            for token in (TOKEN, "wrong")
            for account in (None, DINA)
        ]

    assert [answer.body for answer in answers] == [answers[-1].body] * 4
    assert answers[0].data["acceptInvitation"]["errors"] == MISSING
    assert found == {}


@pytest.mark.parametrize("token", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), f" {TOKEN}", "x" * 100_000, "%", "\x00"])
async def test_a_token_is_whole_or_nothing(world: World, token: str) -> None:
    await make_invitation(world.superuser, token=TOKEN)

    async with changes(world) as found:
        assert (await accept(world.nobody, token, DINA))["errors"] == MISSING

    assert (await world.nobody.ask(OPEN, token=token)).data == {"openInvitation": None}
    assert found == {}


async def test_a_token_works_once(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN)
    assert (await accept(world.nobody, account=DINA))["errors"] == []
    dina = await sign_in(world, "dina@away.example")

    async with changes(world) as found:
        again = [(await accept(who, account=DINA))["errors"] for who in (world.nobody, dina, world.other_user)]

    assert again == [MISSING] * 3
    assert (await world.nobody.ask(OPEN, token=TOKEN)).data == {"openInvitation": None}
    assert found == {}


async def test_a_token_expires(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN, expires_at=now() - timedelta(seconds=1))

    async with changes(world) as found:
        assert (await accept(world.nobody, account=DINA))["errors"] == MISSING

    assert (await world.nobody.ask(OPEN, token=TOKEN)).data == {"openInvitation": None}
    assert found == {}


async def test_two_who_accept_at_once_make_one_membership(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN)

    async with changes(world) as found:
        payloads = await asyncio.gather(*(accept(world.nobody, account=DINA) for _ in range(4)))

    errors = sorted((payload["errors"] for payload in payloads), key=len)
    assert errors[0] == []
    has_account = refused("CONFLICT", "This e-mail has an account: sign in with it to accept", "token")["errors"]
    assert all(one in (MISSING, has_account) for one in errors[1:])
    assert found == {"users": 1, "memberships": 1, "granted_permissions": 1}


async def test_accepting_two_organizations_at_once_makes_one_account(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN)
    await make_invitation(world.other_superuser, token="another")

    async with changes(world) as found:
        payloads = await asyncio.gather(*(accept(world.nobody, token, DINA) for token in (TOKEN, "another")))

    errors = sorted((payload["errors"] for payload in payloads), key=len)
    assert errors == [
        [],
        refused("CONFLICT", "This e-mail has an account: sign in with it to accept", "token")["errors"],
    ]
    assert found == {"users": 1, "memberships": 1, "granted_permissions": 1}


@pytest.mark.parametrize("is_disabled", [False, True])
async def test_a_member_stays_as_they_are(world: World, is_disabled: bool) -> None:
    """An invitation from before does not let a disabled member in again."""
    await make_invitation(world.superuser, "otto@harbor.example", token=TOKEN)
    async with world.writing(world.superuser) as tx:
        tx.add(Membership(user_id=world.other_user.row_id, is_disabled=is_disabled))

    async with changes(world) as found:
        payload = await accept(world.other_user)

    assert payload == refused("CONFLICT", "This person is a member already", "token")
    assert found == {}


@pytest.mark.parametrize(
    ("account", "message", "path"),
    [
        (None, "Sign in, or give a password for a new account", ["account"]),
        ({"password": "short"}, "must have at least 8 characters", ["account", "password"]),
        ({"password": "x" * 201}, "must have at most 200 characters", ["account", "password"]),
        ({**DINA, "firstName": "x" * 201}, "must have at most 200 characters", ["account", "firstName"]),
        ({**DINA, "lastName": "\x00"}, "must not contain the character U+0000", ["account", "lastName"]),
    ],
)
async def test_an_account_needs_a_password(
    world: World, account: dict[str, Any] | None, message: str, path: list[str]
) -> None:
    await make_invitation(world.superuser, token=TOKEN)

    async with changes(world) as found:
        payload = await accept(world.nobody, account=account)

    assert payload == refused("INVALID", message, *path)
    assert found == {}
    assert (await accept(world.nobody, account=DINA))["errors"] == []


async def test_an_identity_with_the_invited_email_needs_no_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_invitation(world.superuser, token=TOKEN)
    dina = somebody(world, monkeypatch, Identity(email="Dina@Away.example", subject="d", full_name="Dina D. Dahl"))

    async with changes(world) as found:
        assert (await accept(dina))["errors"] == []

    assert found == {"users": 1, "memberships": 1, "granted_permissions": 1}
    users = table_of(User)
    kept = await world.row(select(users.c.full_name, users.c.email, users.c.password_hash).where(users.c.id == 6))
    assert tuple(kept) == ("Dina D. Dahl", "dina@away.example", "!")


async def test_an_identity_with_another_email_finds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_invitation(world.superuser, token=TOKEN)
    eve = somebody(world, monkeypatch, Identity(email="eve@away.example", subject="e"))

    async with changes(world) as found:
        assert (await accept(eve, account=DINA))["errors"] == MISSING

    assert found == {}


async def test_a_program_accepts_nothing(world: World) -> None:
    await make_invitation(world.superuser, token=TOKEN)

    answer: Answer = await world.calculator.ask(ACCEPT, token=TOKEN, account=DINA)

    assert answer.error == ("FORBIDDEN", "Access denied")


async def test_whoever_holds_the_token_sees_the_invitation_and_nothing_behind_it(world: World) -> None:
    invitation = await make_invitation(world.superuser, token=TOKEN)

    answers = [(await who.ask(OPEN, token=TOKEN)).data for who in (world.nobody, world.other_user, world.calculator)]

    seen = {
        "id": global_id("Invitation", invitation.id),
        "email": "dina@away.example",
        "invitedBy": None,
        "organizationName": "Northfield",
    }
    assert answers == [{"openInvitation": seen}] * 3


async def test_everything_by_mail(world: World, postbox: Postbox) -> None:
    create = 'mutation { createInvitation(input: {email: "Dina@Away.example"}) { node { id } errors { code } } }'
    await world.superuser.ask(create)
    await deliver(world)

    (token,) = postbox.tokens
    assert (await accept(world.nobody, token, DINA))["errors"] == []

    dina = await sign_in(world, "dina@away.example")
    assert (await dina.ask("{ me { fullName permissions { nodes { key } } } }")).data["me"] == {
        "fullName": "Dina Dahl",
        "permissions": {"nodes": []},
    }


@pytest.fixture
async def postbox(world: World) -> AsyncIterator[Postbox]:
    async with Postbox() as postbox:
        await world.restart(mail_url=postbox.url)
        yield postbox


async def test_a_password_that_a_superuser_has_set_opens_no_other_organization(world: World) -> None:
    """Else that superuser would get in there too."""
    create = 'mutation { createUser(input: {email: "dina@away.example", fullName: "D", password: "of the superuser", apiEnabled: true}) { errors { message } } }'
    set_password = (
        'mutation ($id: ID!) { updateUser(id: $id, input: {password: "correct horse battery"}) { errors { message } } }'
    )
    found_one = 'mutation { createOrganization(input: {name: "Third"}) { node { name } errors { code message path } } }'
    message = "Set a password of your own first: somebody else has set the one you have"
    assert (await world.superuser.ask(create)).data["createUser"] == {"errors": []}
    await make_invitation(world.other_superuser, "dina@away.example", token=TOKEN)
    dina = await sign_in(world, "dina@away.example", "of the superuser")
    me = (await dina.ask("{ me { id } }")).data["me"]["id"]

    async with changes(world) as found:
        assert await accept(dina) == refused("CONFLICT", message)
        founded = (await dina.ask(found_one)).data["createOrganization"]
    assert founded == {"node": None, "errors": [{"code": "CONFLICT", "message": message, "path": None}]}
    assert found == {}

    assert (await dina.ask(set_password, id=me)).data["updateUser"] == {"errors": []}
    dina = await sign_in(world, "dina@away.example")
    assert (await accept(dina))["errors"] == []
