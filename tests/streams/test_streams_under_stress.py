"""Clients that leave, that do not read, and a database that goes away: nothing leaks, nothing grows, nothing is hidden."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from factories.people import make_client
from factories.treatment import make_episode
from kit import World
from streaming import SECONDS, listening, open_socket, released, streamed, subscribers

SSE = "text/event-stream"
MULTIPART = 'multipart/mixed;subscriptionSpec="1.0", application/json'
CHANGED = "subscription { episodeChanged { change episodeId episode { comment clients { fullName } } } }"
SLOW = "{ clients { nodes { episodes { nodes { title scoresBySession { series { intake } } } } } } }"


@pytest.fixture
async def authority(world: World) -> AsyncIterator[str]:
    async with listening(world.app) as found:
        yield found


async def test_sockets_that_break_take_nothing_along(world: World, authority: str) -> None:
    client = await make_client(world.user)

    async def come_and_go(number: int) -> None:
        async with open_socket(authority, world.user) as socket:
            await socket.subscribe("s", CHANGED)
            for one in range(5):
                await socket.subscribe(str(one), SLOW)
            await asyncio.sleep(0.003 * number)
            socket.connection.transport.abort()

    await asyncio.gather(*map(come_and_go, range(20)), *(make_episode(world.user, client) for _ in range(10)))

    await subscribers(world, 0)
    await released(world)
    assert world.app.state.streams.connections == set()
    assert len((await world.user.ask("{ episodes { nodes { id } } }")).data["episodes"]["nodes"]) == 10


@pytest.mark.parametrize("accept", [SSE, MULTIPART])
async def test_streams_that_break_take_nothing_along(world: World, authority: str, accept: str) -> None:
    client = await make_client(world.user)

    async def come_and_go(number: int) -> None:
        async with streamed(authority, world.user, CHANGED, accept=accept) as chunks:
            await chunks.until(b"--graphql" if accept is MULTIPART else b":\n\n")
            await asyncio.sleep(0.003 * number)

    await asyncio.gather(*map(come_and_go, range(20)), *(make_episode(world.user, client) for _ in range(10)))

    await subscribers(world, 0)
    await released(world)
    assert len((await world.user.ask("{ episodes { nodes { id } } }")).data["episodes"]["nodes"]) == 10


@pytest.mark.parametrize("accept", [SSE, MULTIPART])
async def test_a_reader_that_does_not_keep_up_is_told_and_dropped(world: World, accept: str) -> None:
    """The application is called as a server calls it, with a `send` that does not return: nothing else is replaced."""
    sent: list[bytes] = []
    let_go = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if len(sent) > 2:
            await let_go.wait()

    body = json.dumps({"query": CHANGED}).encode()
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if not requests:
            await asyncio.Event().wait()
        return requests.pop()

    headers = {"content-type": "application/json", "accept": accept, **world.superuser.headers}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    app = asyncio.create_task(world.app(scope, receive, send))
    await subscribers(world, 1)
    waiting = world.settings.subscription_queue
    for _ in range(waiting + 5):
        await make_episode(world.superuser)

    await subscribers(world, 0)
    let_go.set()
    async with asyncio.timeout(SECONDS):
        await app
    last = b"".join(sent[-2:]).decode()
    error = {
        "message": f"More than {waiting} events are waiting: subscribe again",
        "extensions": {"code": "SLOW_CONSUMER"},
    }
    assert json.dumps(error, separators=(",", ":")) in last
    assert last.endswith("--graphql--\r\n" if accept is MULTIPART else "event: complete\ndata: \n\n")
    await released(world)
