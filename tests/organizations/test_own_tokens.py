"""API tokens of one's own: how long they hold, listing them, revoking one or all; signing somebody else out."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import func, select, update

from caregraph.auth.secrets import Passwords, token_hash
from caregraph.db.base import now, table_of
from caregraph.graph.node import global_id
from caregraph.organizations.models import ApiToken, Membership, User
from contract.asserts import changes, refused, strange_ids
from issuer import AUDIENCE, LocalIssuer, running
from kit import PASSWORD, Answer, Principal, World

ME = "{ me { fullName } }"
BEN = {"me": {"fullName": "Ben Borg"}}
FAILED = ("UNAUTHENTICATED", "Authentication failed")
FORBIDDEN = ("FORBIDDEN", "Access denied")
AUTHENTICATE = """mutation ($email: String!, $password: String!) {
  authenticate(email: $email, password: $password) { apiToken expiresAt errors { code } }
}"""
SIGN_OUT = """mutation ($everywhere: Boolean! = false) {
  signOut(everywhere: $everywhere) { revokedCount errors { code message path } }
}"""
SIGN_USER_OUT = "mutation ($id: ID!) { signUserOut(id: $id) { node { fullName } errors { code message path } } }"
REVOKE = "mutation ($id: ID!) { revokeApiToken(id: $id) { deletedId errors { code message path } } }"
TOKENS = "{ apiTokens { totalCount nodes { id createdAt expiresAt isCurrent } } }"
NOT_OURS = "These credentials are revoked where they were issued"


@pytest.fixture
async def issuer(world: World) -> AsyncIterator[LocalIssuer]:
    async with running(LocalIssuer()) as found:
        await world.restart(oidc_issuers=found.url, oidc_audiences=AUDIENCE)
        yield found


async def with_password(principal: Principal) -> None:
    encoded = await Passwords(memory=8, passes=1).hash(PASSWORD)
    async with principal.world.writing(principal) as tx:
        await tx.execute(update(User).where(User.id == principal.row_id).values(password_hash=encoded))


async def new_token(principal: Principal) -> tuple[Principal, str | None]:
    """The same user by a token from `authenticate`, and when that ends."""
    email = principal.headers["X-Api-Email"]
    answer = await principal.world.nobody.ask(AUTHENTICATE, email=email, password=PASSWORD)
    found = answer.data["authenticate"]
    headers = {"X-Api-Email": email, "X-Api-Token": found["apiToken"]}
    return Principal(principal.world, principal.name, headers, principal.organization_id, principal.row_id), found[
        "expiresAt"
    ]


async def age(principal: Principal, **values: Any) -> None:
    """Change the row of the token that a principal uses."""
    of_it = ApiToken.token_hash == token_hash(principal.headers["X-Api-Token"])
    async with principal.world.writing(principal) as tx:
        await tx.execute(update(ApiToken).where(of_it).values(**values).execution_options(scoped=True))


async def join(principal: Principal, at: Principal) -> None:
    async with principal.world.writing(at) as tx:
        tx.add(Membership(user_id=principal.row_id, organization_id=at.organization_id))


def at(principal: Principal, organization_id: int) -> Principal:
    """A principal who says in which organization they act."""
    headers = {**principal.headers, "X-Organization": global_id("Organization", organization_id)}
    return Principal(principal.world, principal.name, headers, organization_id, principal.row_id)


def refusal(answer: Answer) -> tuple[int, tuple[str, str]]:
    assert "data" not in answer.body
    return answer.status, answer.error


async def test_a_new_token_says_when_it_ends(world: World) -> None:
    await with_password(world.user)
    before = now()

    principal, expires_at = await new_token(world.user)

    assert expires_at is not None
    lifetime = timedelta(seconds=world.settings.api_token_lifetime)
    assert before + lifetime <= datetime.fromisoformat(expires_at) <= now() + lifetime
    assert lifetime == timedelta(days=90)
    assert (await principal.ask(ME)).data == BEN


async def test_tokens_last_until_revoked_if_the_operator_says_so(world: World) -> None:
    await world.restart(api_token_lifetime=0)
    await with_password(world.user)

    principal, expires_at = await new_token(world.user)

    assert expires_at is None
    await age(principal, created_at=now() - timedelta(days=4000))
    assert (await principal.ask(ME)).data == BEN


async def test_an_expired_token_fails_and_goes_with_the_next_sign_in(world: World) -> None:
    await with_password(world.user)
    await with_password(world.colleague)
    principal, _ = await new_token(world.user)
    other, _ = await new_token(world.colleague)
    for one in (principal, other):
        await age(one, expires_at=now() - timedelta(seconds=1))

    assert refusal(await principal.ask(ME)) == (401, FAILED)
    async with changes(world) as found:
        again, _ = await new_token(world.user)
    assert found == {}  # one came, one went
    kept = table_of(ApiToken)
    gone = token_hash(principal.headers["X-Api-Token"])
    assert await world.row(select(func.count()).where(kept.c.token_hash == gone)) == (0,)
    assert (await again.ask(ME)).data == BEN
    assert (await world.user.ask(ME)).data == BEN


@pytest.mark.parametrize("cut", [slice(-1), slice(1, None), slice(0, 0), slice(0, 10)])
async def test_a_truncated_token_fails(world: World, cut: slice) -> None:
    token = world.user.headers["X-Api-Token"][cut]

    answer = await Principal(world, "Ben", {**world.user.headers, "X-Api-Token": token}).ask(ME)

    assert refusal(answer) == (401, FAILED)


async def test_one_lists_ones_own_tokens(world: World) -> None:
    await with_password(world.user)
    principal, expires_at = await new_token(world.user)

    found = (await principal.ask(TOKENS)).data["apiTokens"]

    first = {"id": global_id("ApiToken", 2), "createdAt": ANY, "expiresAt": None, "isCurrent": False}
    second = {"id": global_id("ApiToken", 6), "createdAt": ANY, "expiresAt": expires_at, "isCurrent": True}
    assert found == {"totalCount": 2, "nodes": [first, second]}
    one = await world.user.ask(
        "query ($id: ID!) { apiToken(id: $id) { isCurrent } node(id: $id) { id } }", id=first["id"]
    )
    assert one.data == {"apiToken": {"isCurrent": True}, "node": {"id": first["id"]}}
    for stranger in (world.superuser, world.colleague, world.other_superuser):
        own = (await stranger.ask(TOKENS)).data["apiTokens"]
        assert (own["totalCount"], own["nodes"][0]["isCurrent"]) == (1, True)
        hidden = await stranger.ask(
            "query ($id: ID!) { apiToken(id: $id) { id } node(id: $id) { id } }", id=first["id"]
        )
        assert hidden.data == {"apiToken": None, "node": None}


async def test_one_revokes_one_of_ones_own_tokens(world: World) -> None:
    await with_password(world.user)
    principal, _ = await new_token(world.user)
    token_id = global_id("ApiToken", 2)

    async with changes(world) as found:
        answer = await principal.ask(REVOKE, id=token_id)

    assert answer.data == {"revokeApiToken": {"deletedId": token_id, "errors": []}}
    assert found == {"api_tokens": -1}
    assert refusal(await world.user.ask(ME)) == (401, FAILED)
    assert (await principal.ask(ME)).data == BEN


async def test_another_s_token_is_not_there_to_be_revoked(world: World) -> None:
    theirs = await world.row(select(table_of(ApiToken).c.id).where(table_of(ApiToken).c.user_id == world.user.row_id))

    async with changes(world) as found:
        for stranger in (world.superuser, world.colleague, world.other_superuser):
            for strange in strange_ids("ApiToken", theirs):
                answer = await stranger.ask(REVOKE, id=strange)
                assert answer.data == {
                    "revokeApiToken": refused("NOT_FOUND", "ApiToken not found", "id", of="deletedId")
                }

    assert found == {}


async def test_signing_out_revokes_the_token_in_use(world: World) -> None:
    await with_password(world.user)
    principal, _ = await new_token(world.user)

    async with changes(world) as found:
        answer = await principal.ask(SIGN_OUT)

    assert answer.data == {"signOut": {"revokedCount": 1, "errors": []}}
    assert found == {"api_tokens": -1}
    assert refusal(await principal.ask(ME)) == (401, FAILED)
    assert (await world.user.ask(ME)).data == BEN


async def test_signing_out_everywhere_revokes_all_tokens_of_the_user(world: World, issuer: LocalIssuer) -> None:
    await with_password(world.user)
    principal, _ = await new_token(world.user)
    await join(world.user, world.other_superuser)
    old = Principal(world, "Ben", issuer.headers(iat=int((now() - timedelta(seconds=5)).timestamp())))
    assert (await at(old, 2).ask(ME)).data == BEN

    async with changes(world) as found:
        answer = await at(principal, 1).ask(SIGN_OUT, everywhere=True)

    assert answer.data == {"signOut": {"revokedCount": 2, "errors": []}}
    assert found == {"api_tokens": -2}
    for one in (principal, world.user, old):
        for place in (one, at(one, 1), at(one, 2)):
            assert refusal(await place.ask(ME)) == (401, FAILED)
    later = Principal(world, "Ben", issuer.headers(iat=int((now() + timedelta(seconds=5)).timestamp())))
    assert (await at(later, 2).ask(ME)).data == BEN
    assert (await world.colleague.ask(ME)).data == {"me": {"fullName": "Cleo Cruz"}}


async def test_whoever_acts_in_no_organization_yet_can_sign_out(world: World) -> None:
    await join(world.user, world.other_superuser)
    assert (await world.user.ask(ME)).error[0] == "ORGANIZATION_REQUIRED"

    assert (await world.user.ask(SIGN_OUT, everywhere=True)).data == {"signOut": {"revokedCount": 1, "errors": []}}
    assert refusal(await world.user.ask(ME)) == (401, FAILED)


async def test_a_jwt_is_signed_out_with_all_others_or_not_at_all(world: World, issuer: LocalIssuer) -> None:
    old = Principal(world, "Ben", issuer.headers(iat=int((now() - timedelta(seconds=5)).timestamp())))
    stranger = Principal(world, "New", issuer.headers("new@elsewhere.example"))

    async with changes(world) as found:
        one = await old.ask(SIGN_OUT)
        nobodys = [await stranger.ask(SIGN_OUT, everywhere=everywhere) for everywhere in (False, True)]

    assert one.data == {"signOut": refused("INVALID", NOT_OURS, "everywhere", of="revokedCount")}
    assert [answer.error for answer in nobodys] == [FORBIDDEN] * 2
    assert found == {}
    assert (await old.ask(ME)).data == BEN
    assert (await old.ask(SIGN_OUT, everywhere=True)).data == {"signOut": {"revokedCount": 1, "errors": []}}
    assert refusal(await old.ask(ME)) == (401, FAILED)


async def test_a_superuser_signs_a_user_out_of_the_organization(world: World, issuer: LocalIssuer) -> None:
    await with_password(world.user)
    await join(world.user, world.other_superuser)
    jwt = Principal(world, "Ben", issuer.headers(iat=int((now() - timedelta(seconds=5)).timestamp())))

    async with changes(world) as found:
        answer = await world.superuser.ask(SIGN_USER_OUT, id=world.user.id)

    assert answer.data == {"signUserOut": {"node": {"fullName": "Ben Borg"}, "errors": []}}
    assert found == {}
    for old in (world.user, jwt):
        assert refusal(await at(old, 1).ask(ME)) == (401, FAILED)
        assert (await at(old, 2).ask(ME)).data == BEN
    again, _ = await new_token(world.user)
    assert (await at(again, 1).ask(ME)).data == BEN


async def test_signing_others_out_is_for_superusers_of_their_organization(world: World) -> None:
    assert (await world.colleague.ask(SIGN_USER_OUT, id=world.user.id)).error == FORBIDDEN
    assert (await world.calculator.ask(SIGN_USER_OUT, id=world.user.id)).error == FORBIDDEN
    elsewhere = await world.other_superuser.ask(SIGN_USER_OUT, id=world.user.id)
    assert elsewhere.data == {"signUserOut": refused("NOT_FOUND", "User not found", "id")}
    assert (await world.user.ask(ME)).data == BEN
