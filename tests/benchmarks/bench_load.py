"""A load on a server: requests at their times, whether or not earlier ones have been answered, over raw connections.

A library for HTTP would cost more than the server, and a client that waits for answers is never too much for one.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

_KEPT = 2.0

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
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._make = make
        self._chance = random.Random(seed)
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

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

        async def client(left: Iterable[int]) -> None:
            for _ in left:
                await self._ask(found)

        await asyncio.gather(*(client(left) for _ in range(clients)))
        found.took = time.perf_counter() - started
        return found

    async def at(self, rate: float, *, seconds: float) -> Answers:
        """`rate` requests a second at random times, however many are under way."""
        found, started = Answers(), time.perf_counter()
        asked: set[asyncio.Task[None]] = set()
        due = started
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(self._ask(found))
            asked.add(task)
            task.add_done_callback(asked.discard)
            due += self._chance.expovariate(rate)
        found.took = time.perf_counter() - started
        if asked:
            await asyncio.wait(asked)
        return found

    async def close(self) -> None:
        for _, _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _ask(self, found: Answers) -> None:
        body = orjson.dumps({"query": self._make(self._chance)})
        head = f"POST {self._path} HTTP/1.1\r\nhost: {self._host}\r\n{self._headers}content-type: application/json\r\n"
        started = time.perf_counter()
        try:
            reader, writer = await self._connection(started)
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            status, headers, content = await _answer(reader)
        except (OSError, EOFError, ValueError) as error:
            found.wrong.append(type(error).__name__)
            return
        found.add(status, time.perf_counter() - started)
        self._idle.append((time.perf_counter(), reader, writer))
        if status == 503 and "retry-after" not in headers:
            found.wrong.append("503 without Retry-After")
        elif (status != 503) == (b'"errors"' in content[:50]):
            found.wrong.append(f"{status} {content[:200]!r}")

    async def _connection(self, now: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that the server still keeps open, the last used first, or a new one."""
        while self._idle:
            since, reader, writer = self._idle.pop()
            if now - since < _KEPT:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port, limit=2**20)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))
