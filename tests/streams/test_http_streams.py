"""Streams over HTTP byte by byte: server-sent events and multipart, what is refused and with which status."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_socket_protocol import world_with

from factories.people import make_client
from factories.treatment import make_episode
from kit import World
from streaming import listening, streamed, subscribers, tokens_of

SSE = "text/event-stream"
APOLLO = (
    "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9"
)
CHANGED = "subscription { episodeChanged { change episode { title } } }"
HELLO = "{ hello { helloFrom } }"
GREETING = {"data": {"hello": {"helloFrom": "Caregraph"}}}


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database is enough: what is written is the same on both."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def authority(world: World) -> AsyncIterator[str]:
    async with listening(world.app) as found:
        yield found


def told(title: str) -> dict[str, Any]:
    return {"data": {"episodeChanged": {"change": "CREATED", "episode": {"title": title}}}}


def event(body: dict[str, Any]) -> str:
    return f"event: next\ndata: {json.dumps(body, separators=(',', ':'))}"


def part(value: dict[str, Any]) -> str:
    return f"\r\ncontent-type: application/json\r\n\r\n{json.dumps(value, separators=(',', ':'))}\r\n"


def error(code: str, message: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


async def test_server_sent_events(world: World, authority: str) -> None:
    client = await make_client(world.user)
    async with streamed(authority, world.user, CHANGED, accept=SSE) as chunks:
        assert chunks.response.status_code == 200
        assert chunks.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert chunks.response.headers["cache-control"] == "no-store"
        assert await chunks.until(b"\n\n") == ":"
        assert len(world.database.bus) == 1

        for title in ("First", "Second"):
            await make_episode(world.user, client, title=title)
            assert await chunks.until(b"\n\n") == event(told(title))
        world.app.state.streams.close()

        failure = event({"errors": [error("UNAVAILABLE", "The server is shutting down")]})
        assert await chunks.rest() == f"{failure}\n\nevent: complete\ndata: \n\n"
    await subscribers(world, 0)


async def test_multipart(world: World, authority: str) -> None:
    client = await make_client(world.user)
    async with streamed(authority, world.user, CHANGED, accept=APOLLO) as chunks:
        assert chunks.response.status_code == 200
        content_type = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        assert chunks.response.headers["content-type"] == content_type
        assert await chunks.until(b"--graphql") == "\r\n"

        for title in ("First", "Second"):
            await make_episode(world.user, client, title=title)
            assert await chunks.until(b"--graphql") == part({"payload": told(title)})
        world.app.state.streams.close()

        failure = part({"payload": None, "errors": [error("UNAVAILABLE", "The server is shutting down")]})
        assert await chunks.rest() == f"{failure}--graphql--\r\n"
    await subscribers(world, 0)


@pytest.mark.parametrize(("accept", "separator", "beat"), [(SSE, b"\n\n", ":"), (APOLLO, b"--graphql", part({}))])
async def test_heartbeats(url: str, accept: str, separator: bytes, beat: str) -> None:
    async with (
        world_with(url, stream_heartbeat=0.05) as (world, authority),
        streamed(authority, world.user, CHANGED, accept=accept) as chunks,
    ):
        await chunks.until(separator)
        assert [await chunks.until(separator) for _ in range(3)] == [beat] * 3


@pytest.mark.parametrize(("accept", "is_events"), [(SSE, True), (APOLLO, False)])
async def test_lost_credentials_end_a_quiet_stream(url: str, accept: str, is_events: bool) -> None:
    async with (
        world_with(url, stream_recheck=0.1) as (world, authority),
        streamed(authority, world.user, CHANGED, accept=accept) as chunks,
    ):
        await chunks.until(b"\n\n" if is_events else b"--graphql")
        async with world.writing(world.superuser) as tx:
            await tx.execute(tokens_of(world.user))

        errors = [error("UNAUTHENTICATED", "Authentication failed")]
        assert await chunks.rest() == (
            f"{event({'errors': errors})}\n\nevent: complete\ndata: \n\n"
            if is_events
            else f"{part({'payload': None, 'errors': errors})}--graphql--\r\n"
        )


async def _post(world: World, query: str, accept: str, **headers: str) -> httpx.Response:
    return await world.http.post(
        "/graphql", json={"query": query}, headers={**world.user.headers, "accept": accept, **headers}
    )


async def test_a_query_asked_for_as_a_stream_is_one(world: World) -> None:
    answer = await _post(world, HELLO, SSE)
    assert answer.text == f":\n\n{event(GREETING)}\n\nevent: complete\ndata: \n\n"
    # Whoever takes JSON as well gets it.
    for accept in (APOLLO, f"application/json, {SSE}"):
        answer = await _post(world, HELLO, accept)
        assert answer.json() == GREETING


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { episodeChanged(scope: ORGANIZATION) { change } }", "FORBIDDEN"),
    ],
)
async def test_what_never_starts_is_told_in_the_stream(world: World, query: str, code: str) -> None:
    answer = await _post(world, query, SSE)
    assert answer.status_code == 200
    opening, told, end = answer.text.removesuffix("\n\n").split("\n\n")
    assert (opening, end) == (":", "event: complete\ndata: ")
    (failure,) = json.loads(told.removeprefix("event: next\ndata: "))["errors"]
    assert failure["extensions"]["code"] == code


@pytest.mark.parametrize(
    "accept", ["application/json", "application/graphql-response+json", "*/*", "multipart/mixed", f"{SSE};q=0, */*"]
)
async def test_a_subscription_needs_a_stream(world: World, accept: str) -> None:
    answer = await _post(world, CHANGED, f"{accept}, application/json")
    assert answer.status_code == 406
    message = (
        "A subscription answers text/event-stream or multipart/mixed;subscriptionSpec=1.0, or goes over a WebSocket"
    )
    assert answer.json() == {"errors": [error("NOT_ACCEPTABLE", message)]}


async def test_wrong_credentials_have_their_status(world: World) -> None:
    for query in (HELLO, CHANGED):
        answer = await _post(world, query, SSE, **{"X-Api-Token": "wrong"})
        assert answer.status_code == 401
        assert answer.json() == {"errors": [error("UNAUTHENTICATED", "Authentication failed")]}


async def test_a_get_needs_a_header_that_no_page_sends_by_itself(world: World, authority: str) -> None:
    url = f"http://{authority}/graphql"
    async with httpx.AsyncClient() as client:
        refused = await client.get(url, params={"query": HELLO}, headers={"accept": SSE})
        assert refused.status_code == 400
        assert [one["extensions"]["code"] for one in refused.json()["errors"]] == ["PREFLIGHT_REQUIRED"]
        headers = {"accept": SSE, "graphql-require-preflight": "1"}
        answer = await client.get(url, params={"query": HELLO}, headers=headers)
        assert answer.text == f":\n\n{event(GREETING)}\n\nevent: complete\ndata: \n\n"
        change = "mutation { deleteClient(id: 1) { deletedId } }"
        refused = await client.get(url, params={"query": change}, headers=headers)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        params, own = {"query": CHANGED}, {"accept": SSE, **world.user.headers}
        async with client.stream("GET", url, params=params, headers=own) as stream:
            assert stream.status_code == 200
            await subscribers(world, 1)
    await subscribers(world, 0)


async def test_a_full_process_answers_503(url: str) -> None:
    async with (
        world_with(url, subscriptions_per_process=1) as (world, authority),
        streamed(authority, world.user, CHANGED, accept=SSE) as chunks,
    ):
        assert await chunks.until(b"\n\n") == ":"
        answer = await _post(world, CHANGED, SSE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json() == {"errors": [error("UNAVAILABLE", "The server is busy, try again")]}
