"""What tests of streams need: the application behind a real port, in the test's own event loop, and its clients."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from kit import Principal, World

PROTOCOL = Subprotocol("graphql-transport-ws")
SECONDS = 10


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve `app` on a free port of this machine, and give its authority: host and port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve([listener]))  # `serve` takes over signals
        await eventually(lambda: server.started)
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await task


class Socket:
    """A client that speaks `graphql-transport-ws` by hand, so that every message can be asserted."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        """One message; text is sent as it is."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self, *, seconds: float = SECONDS) -> Any:
        """The next message."""
        async with asyncio.timeout(seconds):
            return json.loads(await self.connection.recv())

    async def initialise(self, principal: Principal) -> None:
        """Say who we are."""
        await self.send({"type": "connection_init", "payload": principal.headers})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, operation: str, query: str, **variables: Any) -> None:
        """Start an operation."""
        payload = {"query": query, "variables": variables}
        await self.send({"id": operation, "type": "subscribe", "payload": payload})

    async def silence(self) -> None:
        """Assert that everything said before this has been answered, and nothing came of it."""
        await self.send({"type": "ping", "payload": {"mark": 1}})
        assert await self.receive() == {"type": "pong", "payload": {"mark": 1}}

    async def closed(self) -> tuple[int, str]:
        """Code and reason with which the server closes, the next thing it says."""
        try:
            message = await self.receive()
        except ConnectionClosed as closed:
            return code_of(closed)
        raise AssertionError(message)


def code_of(closed: ConnectionClosed) -> tuple[int, str]:
    """Code and reason that the server gave; 1006 when it gave none."""
    return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd is not None else (1006, "")


@asynccontextmanager
async def open_socket(authority: str, principal: Principal | None = None, **options: Any) -> AsyncIterator[Socket]:
    """A connection, initialised when a principal is given."""
    options = {"subprotocols": [PROTOCOL], **options}
    async with connect(f"ws://{authority}/graphql", **options) as connection:
        opened = Socket(connection)
        if principal is not None:
            await opened.initialise(principal)
        yield opened


class Chunks:
    """The body of a streamed answer, read piece by piece."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_bytes()
        self.text = b""

    async def until(self, separator: bytes) -> str:
        """Everything up to `separator`."""
        async with asyncio.timeout(SECONDS):
            while separator not in self.text:
                self.text += await anext(self._chunks)
        found, _, self.text = self.text.partition(separator)
        return found.decode()

    async def rest(self) -> str:
        """Everything until the end."""
        async with asyncio.timeout(SECONDS):
            async for chunk in self._chunks:
                self.text += chunk
        return self.text.decode()


@asynccontextmanager
async def streamed(
    authority: str, principal: Principal, query: str, *, accept: str, **variables: Any
) -> AsyncIterator[Chunks]:
    """A POST whose answer comes piece by piece."""
    async with (
        httpx.AsyncClient(base_url=f"http://{authority}", timeout=SECONDS) as client,
        client.stream(
            "POST",
            "/graphql",
            json={"query": query, "variables": variables},
            headers={**principal.headers, "accept": accept},
        ) as response,
    ):
        yield Chunks(response)


async def subscribers(world: World, count: int, *, seconds: float = SECONDS) -> None:
    """Wait until so many subscriptions are under way in this process."""
    await eventually(lambda: len(world.database.bus) == count, seconds)


async def released(world: World) -> None:
    """Wait until no connection of any pool is in use; a leaked one fails here."""
    pools: list[Any] = [engine.pool for engine in world.database.engines]
    await eventually(lambda: not any(pool.checkedout() for pool in pools))


async def eventually(holds: Callable[[], Any], seconds: float = SECONDS) -> None:
    """Wait until something holds that nobody announces."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def world_with(url: str, **settings: Any) -> AsyncIterator[tuple[World, str]]:
    """A world on SQLite with settings of its own, and where it listens."""
    world = World(url, url, **settings)
    await world.populate()
    async with listening(world.app) as authority:
        yield world, authority
    await world.close()
