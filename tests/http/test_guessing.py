"""Guessing credentials: what fails is counted per address, then refused without asking the database."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from process import Process
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, func, select, update

from caregraph.auth.secrets import token_hash
from caregraph.db.attempts import SignInAttempt
from caregraph.db.base import table_of
from caregraph.db.counters import Counters
from caregraph.graph.rates import RateLimitedError, SignInLimits
from caregraph.organizations.models import ApiToken
from kit import Principal, World, settings_for
from redis_server import RedisServer
from streaming import listening, open_socket

ME = "{ me { fullName } }"
BODY = {"query": ME}
TYPE = {"query": "{ __typename }"}
BEN = "ben@northfield.example"
REFUSAL = {
    "errors": [
        {"message": "Too many attempts, try again later", "extensions": {"code": "RATE_LIMITED", "retryAfter": 901}}
    ]
}
WRONG = [
    pytest.param({"X-Api-Email": BEN, "X-Api-Token": "wrong"}, id="token"),
    pytest.param({"X-Calculator-Email": BEN, "X-Calculator-Token": "wrong"}, id="calculator"),
    pytest.param({"X-Api-Email": BEN}, id="e-mail alone"),
]


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caregraph.db.counters.monotonic", lambda: 1000.0)


@contextmanager
def everything_sent(world: World) -> Iterator[list[str]]:
    """All SQL, that of signing in too."""
    found: list[str] = []

    def remember(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    engines = [engine.sync_engine for engine in world.database.engines]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", remember)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", remember)


@asynccontextmanager
async def from_address(world: World, address: str) -> AsyncIterator[None]:
    """The block's requests come from another address."""
    usual = world.http
    transport = httpx.ASGITransport(app=world.app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://caregraph.test") as world.http:
        yield
    world.http = usual


async def guess(world: World, headers: dict[str, str], number: int = 0) -> httpx.Response:
    changed = {name: value.replace("wrong", f"wrong{number}") for name, value in headers.items()}
    return await world.http.post("/graphql", json=BODY, headers=changed)


@pytest.mark.parametrize("headers", WRONG)
async def test_a_flood_of_wrong_credentials_ends_before_the_database(world: World, headers: dict[str, str]) -> None:
    await world.restart(sign_in_attempts_per_address=20)
    first = [(await guess(world, headers, number)).status_code for number in range(20)]

    with everything_sent(world) as sent:
        rest = [await guess(world, headers, number) for number in range(100, 150)]

    assert first == [401] * 20
    assert sent == []
    assert {one.status_code for one in rest} == {429}
    assert rest[0].json() == REFUSAL
    assert rest[0].headers["retry-after"] == "901"
    assert rest[0].headers["ratelimit"] == '"credentials-address";r=0;t=1800'
    assert (await world.user.ask(ME)).status == 429
    async with from_address(world, "192.0.2.7"):
        assert (await world.user.ask(ME)).data == {"me": {"fullName": "Ben Borg"}}


async def test_kinds_of_credentials_count_together(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=3)

    answers = [await guess(world, one.values[0]) for one in (*WRONG, WRONG[0])]

    assert [one.status_code for one in answers] == [401, 401, 401, 429]


async def test_whoever_was_let_in_before_is_not_locked_out_by_a_neighbour(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=3)
    assert (await world.user.ask(ME)).status == 200
    answers = [await guess(world, WRONG[0].values[0], number) for number in range(5)]

    assert [one.status_code for one in answers] == [401, 401, 401, 429, 429]
    assert (await world.user.ask(ME)).data == {"me": {"fullName": "Ben Borg"}}
    assert (await world.nobody.ask(TYPE["query"])).data == {"__typename": "Query"}
    assert (await world.colleague.ask(ME)).status == 429


async def test_credentials_that_end_are_wrong_ones_from_then_on(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=2)
    assert (await world.user.ask(ME)).status == 200
    async with world.writing(world.user) as tx:
        mine = ApiToken.user_id == world.user.row_id
        await tx.execute(update(ApiToken).where(mine).values(token_hash=token_hash("another")))

    assert [(await world.user.ask(ME)).status for _ in range(4)] == [401, 401, 429, 429]


async def test_right_credentials_are_no_attempts(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=1)

    for _ in range(3):
        for principal in (world.user, world.superuser, world.other_user):
            assert (await principal.ask(ME)).status == 200


async def test_guessing_over_websockets_counts_too(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=2)
    wrong = Principal(world, "wrong", {"X-Api-Email": BEN, "X-Api-Token": "wrong"})

    closed = []
    async with listening(world.app) as authority:
        for _ in range(4):
            async with open_socket(authority) as socket:
                await socket.send({"type": "connection_init", "payload": wrong.headers})
                closed.append(await socket.closed())

    assert closed == [(4403, "Forbidden")] * 2 + [(4429, "Too many attempts, try again later")] * 2


async def test_guessing_over_event_streams_counts_too(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=2)
    headers = {"X-Api-Email": BEN, "X-Api-Token": "wrong", "Accept": "text/event-stream"}

    answers = [await guess(world, headers) for _ in range(3)]

    assert [one.status_code for one in answers] == [401, 401, 429]
    assert answers[2].json() == REFUSAL


async def test_a_flood_of_sign_ins_from_one_address_stops_writing(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=20)
    aliases = [f'a{n}: authenticate(email: "no{n}@x.example", password: "wrong") {{ apiToken }}' for n in range(20)]
    first = await world.nobody.ask(f"mutation {{ {' '.join(aliases)} }}")

    with everything_sent(world) as sent:
        second = await world.nobody.ask(f"mutation {{ {' '.join(aliases)} }}")

    assert [error["extensions"]["code"] for error in first.body["errors"]] == ["UNAUTHENTICATED"] * 20
    assert second.body["data"] == {f"a{n}": None for n in range(20)}
    assert [error["extensions"] for error in second.body["errors"]] == [
        {"code": "RATE_LIMITED", "retryAfter": 901}
    ] * 20
    assert sent == []
    attempts = table_of(SignInAttempt)
    assert (await world.row(select(func.count()).select_from(attempts)))[0] == 40


async def test_refusals_are_counted_by_route(world: World) -> None:
    await world.restart(sign_in_attempts_per_address=2)
    for number in range(5):
        await guess(world, WRONG[0].values[0], number)
        await world.nobody.ask(
            f'mutation {{ authenticate(email: "n{number}@x.example", password: "w") {{ apiToken }} }}'
        )

    text = (await world.http.get("/metrics")).text
    found = {
        sample.labels["route"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "caregraph_rate_limit_refusals_total"
    }

    assert found == {"credentials": 3, "authenticate": 3}


class TestSignInLimits:
    """What other routes that sign in call."""

    @pytest.fixture
    def limits(self) -> SignInLimits:
        settings = settings_for("sqlite+aiosqlite://", sign_in_attempts_per_account=2, sign_in_attempts_per_address=4)
        return SignInLimits(Counters("memory://"), settings)

    REFUSED = "Too many attempts, try again later: {'code': 'RATE_LIMITED', 'retryAfter': 901}"

    async def outcomes(self, limits: SignInLimits, *attempts: tuple[str, str, str]) -> list[str]:
        found = []
        for route, account, address in attempts:
            try:
                await limits.attempt(route=route, account=account, address=address)
                found.append("ok")
            except RateLimitedError as error:
                found.append(f"{error.message}: {error.extensions}")
        return found

    async def test_an_account_is_limited_from_wherever_it_is_tried(self, limits: SignInLimits) -> None:
        tries = [("oauth", "app", "192.0.2.1"), ("oauth", "APP", "192.0.2.2"), ("oauth", "app", "192.0.2.3")]

        assert await self.outcomes(limits, *tries) == ["ok", "ok", self.REFUSED]

    async def test_an_address_is_limited_whatever_it_tries(self, limits: SignInLimits) -> None:
        tries = [("oauth", f"app {number}", "192.0.2.1") for number in range(5)]

        assert await self.outcomes(limits, *tries) == ["ok"] * 4 + [self.REFUSED]

    async def test_routes_count_by_themselves(self, limits: SignInLimits) -> None:
        tries = [("oauth", "app", "192.0.2.1")] * 3 + [("oidc", "app", "192.0.2.1")] * 3

        assert await self.outcomes(limits, *tries) == ["ok", "ok", self.REFUSED] * 2

    async def test_an_account_that_signs_in_starts_anew(self, limits: SignInLimits) -> None:
        assert await self.outcomes(limits, *[("oauth", "app", "192.0.2.1")] * 2) == ["ok", "ok"]

        await limits.succeeded(route="oauth", account="App")

        assert await self.outcomes(limits, *[("oauth", "app", "192.0.2.1")] * 3) == ["ok", "ok", self.REFUSED]


@pytest.mark.parametrize(
    ("trusted", "told_apart"), [("127.0.0.1", True), ("127.0.0.0/8", True), ("", False), ("192.0.2.1", False)]
)
async def test_only_a_trusted_proxy_says_who_the_client_is(
    sqlite_template: Path, tmp_path: Path, trusted: str, told_apart: bool
) -> None:
    url = f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path)}"
    world = World(url, url)
    async with Process(world, tmp_path, rate_limit=1, trusted_proxies=trusted) as process:
        answers = [
            await process.http.post("/graphql", json=TYPE, headers={"X-Forwarded-For": f"10.0.0.{number}"})
            for number in range(3)
        ]
    await world.close()

    assert [one.status_code for one in answers] == ([200, 200, 200] if told_apart else [200, 429, 429])
    assert answers[0].json() == {"data": {"__typename": "Query"}}


async def test_guesses_at_several_processes_count_together(world: World, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with RedisServer(tmp_path) as redis:
        limits = {"sign_in_attempts_per_address": 3, "rate_limit_url": redis.url.replace("redis://", "valkey://")}
        async with (
            Process(world, tmp_path / "one", **limits) as one,
            Process(world, tmp_path / "two", **limits) as two,
        ):
            found = []
            for process in (one, two, one, two, one):
                headers = {"X-Api-Email": BEN, "X-Api-Token": "wrong"}
                found.append((await process.http.post("/graphql", json=BODY, headers=headers)).status_code)

    assert found == [401, 401, 401, 429, 429]
