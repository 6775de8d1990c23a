"""A load on a server: requests at their times, whether or not earlier ones have been answered, over raw connections.

A library for HTTP would cost more than the server, and a client that waits for answers is never too much for one.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

_KEPT = 2.0
_LENGTH = re.compile(rb"content-length: (\d+)")

Make = Callable[[random.Random], str]


@dataclass
class Answers:
    """What came back: seconds by status, when it was sent, and what was wrong with it."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    took: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.seconds.setdefault(status, []).append(seconds)

    def count(self, status: int) -> int:
        return len(self.seconds.get(status, ()))

    def quantile(self, status: int, part: float) -> float:
        """Milliseconds."""
        found = sorted(self.seconds.get(status, [0.0]))
        return 1000 * found[min(len(found) - 1, int(part * len(found)))]

    @property
    def per_second(self) -> float:
        return self.count(200) / self.took


class Load:
    """Requests to one server."""

    def __init__(self, url: str, headers: Mapping[str, str], make: Make, *, seed: int = 1) -> None:
        """`make` writes a query."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        own = {"host": self._host, **headers, "content-type": "application/json"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
        self._head = f"POST {parts.path} HTTP/1.1\r\n{lines}content-length: "
        self._make = make
        self._chance = random.Random(seed)
        self._idle: list[_Connection] = []

    async def alone(self, count: int, *, pause: float = 0.002) -> Answers:
        """One after the other, with a pause between: the server has nothing else to do."""
        found, started = Answers(), time.perf_counter()
        for _ in range(count):
            await self._ask(found)
            await asyncio.sleep(pause)
        found.took = time.perf_counter() - started
        return found

    async def together(self, count: int, *, clients: int) -> Answers:
        """As many as the server can answer, by so many who each wait for theirs."""
        found, started = Answers(), time.perf_counter()
        left = iter(range(count))

        async def client() -> None:
            for _ in left:
                await self._ask(found)

        await asyncio.gather(*(client() for _ in range(clients)))
        found.took = time.perf_counter() - started
        return found

    async def at(self, rate: float, *, seconds: float) -> Answers:
        """`rate` requests a second at random times, however many are under way."""
        found, started = Answers(), time.perf_counter()
        asked: set[asyncio.Future[None]] = set()
        due = started
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asking = await self._begun(found, due)
            asked.add(asking)
            asking.add_done_callback(asked.discard)
            due += self._chance.expovariate(rate)
        found.took = time.perf_counter() - started
        if asked:
            await asyncio.wait(asked)
        return found

    async def close(self) -> None:
        for connection in self._idle:
            connection.transport.close()
        self._idle.clear()

    async def _ask(self, found: Answers) -> None:
        await (await self._begun(found, time.perf_counter()))

    async def _begun(self, found: Answers, started: float) -> "asyncio.Future[None]":
        """One request is sent; when the future is done its answer is in `found`."""
        body = orjson.dumps({"query": self._make(self._chance)})
        connection = await self._connection(started)

        def done(answer: bytes | None) -> None:
            if answer is None:
                found.wrong.append("a connection was lost")
                return
            now = time.perf_counter()
            connection.since = now
            self._idle.append(connection)
            head, _, content = answer.partition(b"\r\n\r\n")
            status = int(head[9:12])
            found.add(status, now - started)
            if status == 503 and b"retry-after" not in head:
                found.wrong.append("503 without Retry-After")
            elif (status != 503) == (b'"errors"' in content[:50]):
                found.wrong.append(f"{status} {content[:200]!r}")

        return connection.ask(f"{self._head}{len(body)}\r\n\r\n".encode() + body, done)

    async def _connection(self, now: float) -> "_Connection":
        """One that the server still keeps open, the last used first, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if now - connection.since < _KEPT and not connection.transport.is_closing():
                return connection
            connection.transport.close()
        made = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        return made[1]


class _Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    since = 0.0
    """When it was used last."""

    def ask(self, request: bytes, done: Callable[[bytes | None], None]) -> "asyncio.Future[None]":
        """Send; `done` is called with the answer, or without one when the connection is lost."""
        self._done, self._answer, self._length = done, b"", 0
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._over

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._length and b"\r\n\r\n" in self._answer:
            head = self._answer.index(b"\r\n\r\n")
            self._length = head + 4 + int(_LENGTH.search(self._answer)[1])
        if self._length and len(self._answer) >= self._length:
            self._end(self._answer)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._over.done():
            self._end(None)

    def _end(self, answer: bytes | None) -> None:
        self._done(answer)
        self._over.set_result(None)
