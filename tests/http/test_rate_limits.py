"""What one principal may ask for in a minute: counted alike over every transport, told before and when it is used up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from process import Process
from prometheus_client.parser import text_string_to_metric_families

from caregraph.app import create_app
from caregraph.db import counters
from caregraph.graph import rates
from caregraph.graph.rates import network_of
from caregraph.settings import InvalidSettingError, Settings
from factories.people import make_client
from factories.treatment import make_episode
from kit import Principal, World, settings_for
from redis_server import RedisServer
from streaming import listening, open_socket, subscribers

ME = "{ me { fullName } }"
EPISODE_CHANGED = "subscription { episodeChanged { episode { title } } }"
TOO_MANY = "Too many requests, try again later"


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the limits, standing still at noon."""
    made = Clock()
    monkeypatch.setattr(counters, "monotonic", made)
    monkeypatch.setattr(rates, "now", lambda: datetime(2026, 12, 1, 12, tzinfo=UTC))
    return made


async def post(
    principal: Principal, query: str = ME, extensions: dict[str, Any] | None = None, **headers: str
) -> httpx.Response:
    """The whole answer, with its headers."""
    body = {"query": query, "extensions": extensions or {}}
    return await principal.world.http.post("/graphql", json=body, headers={**principal.headers, **headers})


async def metrics(world: World) -> dict[tuple[str, str], float]:
    """The numbers of rate limits, by name and route."""
    text = (await world.http.get("/metrics")).text
    return {
        (sample.name, sample.labels.get("route", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "rate_limit" in sample.name and not sample.name.endswith("_created")
    }


async def statuses(principal: Principal, count: int) -> list[int]:
    return [(await post(principal)).status_code for _ in range(count)]


@asynccontextmanager
async def from_address(world: World, address: str) -> AsyncIterator[None]:
    """The block's requests come from another address."""
    usual = world.http
    transport = httpx.ASGITransport(app=world.app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://caregraph.test") as world.http:
        yield
    world.http = usual


async def test_what_is_too_much_is_refused_with_when_to_come_back(world: World, clock: Clock) -> None:
    await world.restart(rate_limit=3)

    answers = [await post(world.user) for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[3].json() == {
        "errors": [
            {
                "message": TOO_MANY,
                "extensions": {"code": "RATE_LIMITED", "retryAfter": 61, "limit": "operations"},
            }
        ]
    }
    headers = {name: answers[3].headers[name] for name in ("retry-after", "ratelimit", "ratelimit-policy")}
    assert headers == {
        "retry-after": "61",
        "ratelimit": '"operations";r=0;t=120',
        "ratelimit-policy": '"operations";q=3;w=60',
    }
    assert "ratelimit" not in answers[0].headers
    clock.seconds += 60
    assert await statuses(world.user, 1) == [429]
    clock.seconds += 1
    assert await statuses(world.user, 2) == [200, 429]


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "text/event-stream"])
async def test_the_status_is_429_for_every_media_type(world: World, accept: str) -> None:
    await world.restart(rate_limit=1)
    await post(world.user)

    answer = await post(world.user, accept=accept)

    assert answer.status_code == 429
    assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    kind = "application/json" if accept == "text/event-stream" else accept
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


async def test_a_mutation_that_is_refused_changes_nothing(world: World) -> None:
    await world.restart(rate_limit=1)
    await post(world.superuser)
    rows = await world.counts()

    answer = await post(world.superuser, 'mutation { createLabel(input: {name: "Anxiety"}) { node { id } } }')

    assert answer.status_code == 429
    assert await world.counts() == rows


async def test_what_is_left_is_told_to_whoever_asks(world: World, clock: Clock) -> None:
    await world.restart(rate_limit=10, rate_limit_cost=1000)

    first = await post(world.user, extensions={"rateLimit": True, "cost": True})
    clock.seconds += 20
    second = await post(world.user, extensions={"rateLimit": True})

    assert first.json() == {
        "data": {"me": {"fullName": "Ben Borg"}},
        "extensions": {
            "cost": {"requested": 2, "limit": 500_000, "rows": 1, "rowLimit": 50_000},
            "rateLimit": {
                "operations": {"limit": 10, "remaining": 9, "resetAt": "2026-12-01T12:02:00Z"},
                "cost": {"limit": 1000, "remaining": 998, "resetAt": "2026-12-01T12:02:00Z"},
            },
        },
    }
    assert second.json()["extensions"] == {
        "rateLimit": {
            "operations": {"limit": 10, "remaining": 8, "resetAt": "2026-12-01T12:01:40Z"},
            "cost": {"limit": 1000, "remaining": 996, "resetAt": "2026-12-01T12:01:40Z"},
        }
    }
    assert second.headers["ratelimit"] == '"operations";r=8;t=100, "cost";r=996;t=100'
    assert second.headers["ratelimit-policy"] == '"operations";q=10;w=60, "cost";q=1000;w=60'


async def test_without_limits_nothing_is_counted(world: World) -> None:
    answer = await post(world.user, extensions={"rateLimit": True})

    assert answer.json() == {"data": {"me": {"fullName": "Ben Borg"}}, "extensions": {"rateLimit": {}}}
    assert "ratelimit" not in answer.headers


async def test_the_window_slides(world: World, clock: Clock) -> None:
    await world.restart(rate_limit=4)
    assert await statuses(world.user, 5) == [200] * 4 + [429]

    clock.seconds += 60  # the next window: the last one still counts in full
    at_once = await statuses(world.user, 1)
    clock.seconds += 31
    half = await statuses(world.user, 3)
    clock.seconds += 200

    assert at_once == [429]
    assert half == [200, 200, 200]
    assert await statuses(world.user, 5) == [200] * 4 + [429]


async def test_costly_operations_use_a_budget_up_sooner(world: World, clock: Clock) -> None:
    await world.restart(rate_limit_cost=150)
    listing = "{ clients { nodes { fullName } } }"

    answers = [await post(world.superuser, listing, {"cost": True}) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 429, 429]
    cost = answers[0].json()["extensions"]["cost"]["requested"]
    assert cost == 102
    assert answers[1].json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 92, "limit": "cost"}
    assert await statuses(world.superuser, 25) == [200] * 24 + [429]


async def test_a_trusted_document_dearer_than_a_minute_takes_all_of_it(world: World) -> None:
    await world.restart(rate_limit_cost=500)

    first = await world.superuser.run("fit.clients.list_agency")
    second = await world.superuser.run("fit.clients.list_agency")

    assert (first.status, first.result["totalCount"]) == (200, 0)
    assert (second.status, second.error) == (429, ("RATE_LIMITED", TOO_MANY))


async def test_what_does_not_validate_is_not_counted(world: World) -> None:
    await world.restart(rate_limit=2)

    answers = [await world.user.ask("{ nonsense }") for _ in range(5)]

    assert [one.error[0] for one in answers] == ["GRAPHQL_VALIDATION_FAILED"] * 5
    assert await statuses(world.user, 3) == [200, 200, 429]


async def test_each_principal_has_a_budget_of_their_own(world: World) -> None:
    await world.restart(rate_limit=2)

    for principal in (*world.principals, world.nobody):
        assert await statuses(principal, 3) == [200, 200, 429], principal.name


async def test_a_person_has_one_budget_for_all_their_tokens_and_addresses(world: World) -> None:
    await world.restart(rate_limit=2)
    other = await world.member(world.user.organization_id, "dora@northfield.example", "Dora Dahl")
    assert await statuses(other, 1) == [200]

    async with from_address(world, "192.0.2.7"):
        assert await statuses(other, 2) == [200, 429]
        assert await statuses(world.user, 1) == [200]


async def test_nobody_is_told_apart_by_address(world: World) -> None:
    await world.restart(rate_limit=2)
    assert await statuses(world.nobody, 3) == [200, 200, 429]

    async with from_address(world, "192.0.2.7"):
        assert await statuses(world.nobody, 3) == [200, 200, 429]
    async with from_address(world, "2001:db8:1:2::1"):
        assert await statuses(world.nobody, 1) == [200]
    async with from_address(world, "2001:db8:1:2:ffff::9"):
        assert await statuses(world.nobody, 2) == [200, 429]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 5000, "x" * 100),
    ],
)
def test_an_address_counts_as_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_a_websocket_spends_the_same_budget(world: World, clock: Clock) -> None:
    await world.restart(rate_limit=3)
    assert await statuses(world.user, 1) == [200]

    async with listening(world.app) as authority, open_socket(authority, world.user) as socket:
        for operation in ("a", "b"):
            await socket.subscribe(operation, ME)
            assert (await socket.receive())["payload"] == {"data": {"me": {"fullName": "Ben Borg"}}}
            assert await socket.receive() == {"type": "complete", "id": operation}
        await socket.subscribe("c", ME)
        refused = await socket.receive()
        await socket.subscribe("d", EPISODE_CHANGED)
        also = await socket.receive()
        await socket.silence()

    extensions = {"code": "RATE_LIMITED", "retryAfter": 61, "limit": "operations"}
    payload = [{"message": TOO_MANY, "extensions": extensions}]
    assert refused == {"type": "error", "id": "c", "payload": payload}
    assert also == {"type": "error", "id": "d", "payload": payload}
    assert await statuses(world.user, 1) == [429]


async def test_events_of_a_subscription_cost_nothing(world: World) -> None:
    client = await make_client(world.superuser)
    episode = await make_episode(world.superuser, client)
    await world.restart(rate_limit=2)

    async with listening(world.app) as authority, open_socket(authority, world.superuser) as socket:
        await socket.subscribe("a", EPISODE_CHANGED)
        await subscribers(world, 1)
        for number in range(4):
            async with world.writing(world.superuser) as tx:
                (await tx.get_one(type(episode), episode.id)).title = f"Title {number}"
            told = await socket.receive()
            title = {"episodeChanged": {"episode": {"title": f"Title {number}"}}}
            assert told == {"type": "next", "id": "a", "payload": {"data": title}}
        assert await statuses(world.superuser, 2) == [200, 429]


async def test_refusals_are_counted_by_route_and_seen_in_the_log_of_operations(world: World) -> None:
    await world.restart(rate_limit=1)
    await statuses(world.user, 3)

    found = await metrics(world)

    assert found == {
        ("caregraph_rate_limit_refusals_total", "operation"): 2,
        ("caregraph_rate_limit_store_failures_total", ""): 0,
    }
    text = (await world.http.get("/metrics")).text
    assert 'caregraph_operation_errors_total{code="RATE_LIMITED",operation="anonymous"} 2.0' in text


async def test_processes_share_a_budget_through_redis(world: World, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with RedisServer(tmp_path) as redis:
        limits = {"rate_limit": 5, "rate_limit_url": redis.url}
        async with (
            Process(world, tmp_path / "one", **limits) as one,
            Process(world, tmp_path / "two", **limits) as two,
        ):
            found = []
            for process in (one, two, one, two, one, two, one):
                answer = await process.http.post("/graphql", json={"query": ME}, headers=world.user.headers)
                found.append(answer.status_code)
            told = await two.http.post(
                "/graphql", json={"query": ME, "extensions": {"rateLimit": True}}, headers=world.superuser.headers
            )
        keys = await redis.keys()

    assert found == [200] * 5 + [429, 429]
    assert answer.json()["errors"][0]["extensions"].keys() == {"code", "retryAfter", "limit"}
    assert 0 < answer.json()["errors"][0]["extensions"]["retryAfter"] <= 61
    assert told.json()["extensions"]["rateLimit"]["operations"]["remaining"] == 4
    assert len(keys) == 4  # two limits of two people
    assert all(key.startswith(("caregraph:{cost/", "caregraph:{operations/")) for key in keys)
    assert not any("@" in key or "user" in key for key in keys)


async def test_without_its_redis_a_process_counts_for_itself_and_comes_back(
    world: World, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with RedisServer(tmp_path) as redis:
        await world.restart(rate_limit=2, rate_limit_url=redis.url)
        assert await statuses(world.user, 3) == [200, 200, 429]
        await redis.stop()

        away = await statuses(world.user, 3)
        lost = await metrics(world)
        await redis.start()
        clock.seconds += 6
        back = await statuses(world.user, 3)
        keys = await redis.keys()
        await world.app.state.counters.close()

    assert away == [200, 200, 429]
    assert lost[("caregraph_rate_limit_store_failures_total", "")] == 1
    assert back == [200, 200, 429]
    assert len(keys) == 1
    assert [record.getMessage() for record in caplog.records if record.name == "caregraph.limits"] == [
        "the store of rate limits is away, processes count alone: ConnectionError",
        "the store of rate limits is back",
    ]


@pytest.mark.parametrize("url", ["memory", "postgresql://here", "redis:/", "nonsense://"])
def test_a_store_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(InvalidSettingError) as refused:
        create_app(settings_for("sqlite+aiosqlite://", rate_limit_url=url))

    assert str(refused.value) == "CAREGRAPH_RATE_LIMIT_URL cannot be used: give redis://… or valkey://…"


@pytest.mark.parametrize("name", ["rate_limit", "rate_limit_cost"])
def test_a_limit_below_zero_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettingError) as refused:
        Settings(**{name: -1})

    assert str(refused.value) == f"CAREGRAPH_{name.upper()} must not be below 0"


async def test_memory_keeps_no_more_keys_than_it_may(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(counters, "_MOST_KEYS", 10)
    memory = counters.Memory()

    for number in range(100):
        await memory.acquire_sliding_window_entry(f"key {number}", 5, 60)
    kept = [number for number in range(100) if (await memory.get_sliding_window(f"key {number}", 60))[2]]
    clock.seconds += 121
    for number in range(5):
        await memory.acquire_sliding_window_entry(f"late {number}", 5, 60)

    assert kept == list(range(90, 100))
    assert len(memory._kept[60]) == 5
