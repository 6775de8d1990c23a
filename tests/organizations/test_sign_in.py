"""Signing in: `authenticate`, the tokens it gives, and the two headers that carry them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Text, cast, func, or_, select

from caregraph.auth.secrets import Passwords, token_hash
from caregraph.db import attempts
from caregraph.db.base import Base, table_of
from caregraph.organizations.models import ApiToken, User
from kit import PASSWORD, Answer, Principal, World

AUTHENTICATE = """mutation ($email: String!, $password: String!) {
  authenticate(email: $email, password: $password) { apiToken errors { code message path } }
}"""
ME = "{ me { fullName } }"
BEN = "ben@northfield.example"
FAILED = ("UNAUTHENTICATED", "Authentication failed")
LIMITED = ("RATE_LIMITED", "Too many attempts, try again later")
ADD_ROLE = "mutation ($id: ID!, $role: Role!) { addUserRole(id: $id, role: $role) { errors { code } } }"
NEW_PASSWORD = 'mutation ($id: ID!) { updateUser(id: $id, input: {password: "another horse"}) { errors { code } } }'


@pytest.fixture(autouse=True)
async def passwords(world: World) -> None:
    for principal in (world.user, world.colleague):
        await change(principal, password_hash=await Passwords(memory=8, passes=1).hash(PASSWORD))


async def change(principal: Principal, **values: Any) -> None:
    async with principal.world.writing(principal) as tx:
        user = await tx.get_one(User, principal.row_id)
        for name, value in values.items():
            setattr(user, name, value)


async def sign_in(world: World, email: str = BEN, password: str = PASSWORD) -> Answer:
    return await world.nobody.ask(AUTHENTICATE, email=email, password=password)


async def token_of(answer: Answer) -> str:
    payload = answer.data["authenticate"]
    assert payload == {"apiToken": payload["apiToken"], "errors": []}
    return str(payload["apiToken"])


async def me(world: World, **headers: str) -> Answer:
    """Who the server thinks sends these headers, `_` for `-`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await Principal(world, "somebody", sent).ask(ME)


def refusal(answer: Answer) -> tuple[str, str]:
    """The only error of a sign-in that gave nothing."""
    assert answer.body["data"] == {"authenticate": None}
    return answer.error


@asynccontextmanager
async def from_address(world: World, address: str) -> AsyncIterator[None]:
    """The block's requests come from another address."""
    usual = world.http
    transport = httpx.ASGITransport(app=world.app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://caregraph.test") as world.http:
        yield
    world.http = usual


async def test_a_token_is_new_with_each_call_and_earlier_ones_stay(world: World) -> None:
    tokens = [await token_of(await sign_in(world)) for _ in range(3)]

    assert len({*tokens, world.user.headers["X-Api-Token"]}) == 4
    assert all(len(token) == 43 for token in tokens)
    for token in (*tokens, world.user.headers["X-Api-Token"]):
        assert (await me(world, X_Api_Email=BEN, X_Api_Token=token)).data == {"me": {"fullName": "Ben Borg"}}


@pytest.mark.parametrize("email", [BEN, "Ben@Northfield.Example", "BEN@NORTHFIELD.EXAMPLE"])
async def test_the_email_is_taken_in_any_case(world: World, email: str) -> None:
    token = await token_of(await sign_in(world, email))

    assert (await me(world, X_Api_Email=email, X_Api_Token=token)).data == {"me": {"fullName": "Ben Borg"}}


@pytest.mark.parametrize(
    ("email", "password", "before"),
    [
        pytest.param(BEN, "wrong", {}, id="wrong password"),
        pytest.param(BEN, PASSWORD.upper(), {}, id="password in another case"),
        pytest.param("stranger@northfield.example", PASSWORD, {}, id="unknown e-mail"),
        pytest.param("ada@northfield.example", "!", {}, id="account without a password"),
        pytest.param(BEN, PASSWORD, {"api_enabled": False}, id="API use not enabled"),
        pytest.param(BEN, "x" * 100_000, {}, id="endless password"),
        pytest.param("x" * 100_000, PASSWORD, {}, id="endless e-mail"),
        pytest.param("b\x00n", "\x00", {}, id="characters that PostgreSQL refuses"),
    ],
)
async def test_every_failure_reads_the_same(world: World, email: str, password: str, before: dict[str, Any]) -> None:
    await change(world.user, **before)
    rows = await world.counts()

    answer = await sign_in(world, email, password)

    assert answer.status == 200
    assert refusal(answer) == FAILED
    assert answer.body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert await world.counts() == rows


async def test_a_disabled_user_fails_the_same_way_and_has_lost_every_token(world: World) -> None:
    await world.superuser.ask(ADD_ROLE, id=world.user.id, role="DISABLED")

    assert refusal(await sign_in(world)) == FAILED
    assert (await world.user.ask(ME)).error == FAILED
    assert (await world.colleague.ask(ME)).data == {"me": {"fullName": "Cleo Cruz"}}


async def test_switching_api_use_off_stops_tokens_until_it_is_on_again(world: World) -> None:
    await change(world.user, api_enabled=False)
    assert (await world.user.ask(ME)).error == FAILED

    await change(world.user, api_enabled=True)
    assert (await world.user.ask(ME)).data == {"me": {"fullName": "Ben Borg"}}


@pytest.mark.parametrize("who", ["user", "superuser"])
async def test_a_new_password_revokes_every_token(world: World, who: str) -> None:
    token = await token_of(await sign_in(world))

    await getattr(world, who).ask(NEW_PASSWORD, id=world.user.id)

    assert (await world.user.ask(ME)).error == FAILED
    assert (await me(world, X_Api_Email=BEN, X_Api_Token=token)).error == FAILED
    assert refusal(await sign_in(world)) == FAILED
    token = await token_of(await sign_in(world, password="another horse"))
    assert (await me(world, X_Api_Email=BEN, X_Api_Token=token)).data == {"me": {"fullName": "Ben Borg"}}


async def test_attempts_are_limited_per_account_even_with_the_right_password(world: World) -> None:
    limit = world.settings.sign_in_attempts_per_account
    wrong = [refusal(await sign_in(world, password="wrong")) for _ in range(limit)]

    right = await sign_in(world)

    assert wrong == [FAILED] * 10
    assert refusal(right) == LIMITED
    assert right.body["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 900}
    assert refusal(await sign_in(world, "BEN@northfield.example")) == LIMITED
    async with from_address(world, "192.0.2.7"):
        assert refusal(await sign_in(world)) == LIMITED
    assert await token_of(await sign_in(world, "cleo@northfield.example"))
    assert (await world.user.ask(ME)).data == {"me": {"fullName": "Ben Borg"}}


async def test_unknown_accounts_are_limited_like_known_ones(world: World) -> None:
    answers = [refusal(await sign_in(world, "stranger@northfield.example")) for _ in range(11)]

    assert answers == [FAILED] * 10 + [LIMITED]


async def test_signing_in_forgets_the_accounts_failures(world: World) -> None:
    for _ in range(2):
        for _ in range(9):
            assert refusal(await sign_in(world, password="wrong")) == FAILED
        assert await token_of(await sign_in(world))


async def test_attempts_are_forgotten_after_the_window(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(11):
        await sign_in(world, password="wrong")
    assert refusal(await sign_in(world)) == LIMITED

    def later() -> datetime:
        return present() + timedelta(seconds=world.settings.sign_in_window + 1)

    present = attempts.now
    monkeypatch.setattr(attempts, "now", later)

    assert await token_of(await sign_in(world))


async def test_as_many_attempts_as_a_request_may_hold_count_each(world: World) -> None:
    aliases = [f'a{n}: authenticate(email: "{BEN}", password: "wrong{n}") {{ apiToken }}' for n in range(20)]

    answer = await world.nobody.ask(f"mutation {{ {' '.join(aliases)} }}")

    assert answer.body["data"] == {f"a{n}": None for n in range(20)}
    codes = {error["path"][0]: error["extensions"]["code"] for error in answer.body["errors"]}
    assert codes == {f"a{n}": "UNAUTHENTICATED" if n < 10 else "RATE_LIMITED" for n in range(20)}
    assert refusal(await sign_in(world)) == LIMITED


async def test_simultaneous_attempts_count_each_other(world: World) -> None:
    answers = await asyncio.gather(*(sign_in(world, password="wrong") for _ in range(30)))

    outcomes = [refusal(answer) for answer in answers]
    assert outcomes.count(FAILED) <= 10
    assert outcomes.count(FAILED) + outcomes.count(LIMITED) == 30
    assert refusal(await sign_in(world)) == LIMITED


async def test_attempts_are_limited_per_address_across_accounts(world: World) -> None:
    limit = world.settings.sign_in_attempts_per_address
    aliases = [f'a{n}: authenticate(email: "no{n}@x.example", password: "wrong") {{ apiToken }}' for n in range(limit)]

    parts = [aliases[start : start + 20] for start in range(0, limit, 20)]
    answers = [await world.nobody.ask(f"mutation {{ {' '.join(part)} }}") for part in parts]

    codes = [error["extensions"]["code"] for answer in answers for error in answer.body["errors"]]
    assert codes == ["UNAUTHENTICATED"] * 100
    assert refusal(await sign_in(world)) == LIMITED
    async with from_address(world, "192.0.2.7"):
        assert await token_of(await sign_in(world))
    assert refusal(await sign_in(world)) == LIMITED


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X_Api_Email": BEN, "X_Api_Token": "wrong"}, id="wrong token"),
        pytest.param({"X_Api_Email": BEN}, id="e-mail alone"),
        pytest.param({"X_Api_Email": BEN, "X_Api_Token": ""}, id="empty token"),
        pytest.param({"X_Api_Token": "wrong"}, id="token alone"),
        pytest.param({"X_Calculator_Email": BEN, "X_Calculator_Token": "wrong"}, id="no calculator plan"),
    ],
)
async def test_wrong_headers_are_refused_before_anything_runs(world: World, headers: dict[str, str]) -> None:
    answer = await me(world, **headers)

    assert answer.status == 401
    assert answer.body == {"errors": [{"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}]}


async def test_a_token_is_good_for_its_own_account_only(world: World) -> None:
    token = world.user.headers["X-Api-Token"]
    wrong = [
        await me(world, X_Api_Token=token),
        await me(world, X_Api_Email="cleo@northfield.example", X_Api_Token=token),
        await me(world, X_Api_Email=BEN, X_Api_Token=world.colleague.headers["X-Api-Token"]),
        await me(world, X_Api_Email=BEN, X_Api_Token=token_hash(token)),
        await me(world, X_Calculator_Email=BEN, X_Calculator_Token=token),
        await me(world, **world.calculator.headers, X_Api_Email=BEN, X_Api_Token=token),
    ]

    assert [(answer.status, answer.error) for answer in wrong] == [(401, FAILED)] * 6
    assert (await me(world, X_Api_Email=BEN, X_Api_Token=token)).status == 200


async def test_only_hashes_are_kept_of_tokens_and_passwords(world: World) -> None:
    token = await token_of(await sign_in(world))

    kept = table_of(ApiToken)
    assert (await world.row(select(func.count()).where(kept.c.token_hash == token_hash(token))))[0] == 1
    for table in Base.metadata.sorted_tables:
        holding = or_(*(cast(column, Text).contains(secret) for column in table.c for secret in (token, PASSWORD)))
        assert (table.name, *await world.row(select(func.count()).select_from(table).where(holding))) == (table.name, 0)
