"""Statements that never end, on the real database: what time-outs and leaving clients are tried on."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from kit import Principal, World

ENDLESS_SQLITE = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
ENDLESS_POSTGRESQL = "SELECT pg_sleep(1000)"


@contextmanager
def endless(world: World, part: str, *, after: int = 0) -> Iterator[asyncio.Event]:
    """In the block, each statement that contains `part` runs for ever, from the one `after` so many others on.

    The event is set when the first such statement is sent.
    """
    begun = asyncio.Event()
    statement_instead = ENDLESS_SQLITE if world.database.is_sqlite else ENDLESS_POSTGRESQL
    passed = 0

    def replace(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> Any:
        nonlocal passed
        if part not in statement:
            return statement, parameters
        passed += 1
        if passed <= after:
            return statement, parameters
        begun.set()
        return statement_instead, ()

    engines = [engine.sync_engine for engine in world.database.engines]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", replace, retval=True)
    try:
        yield begun
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", replace)


def checked_out(world: World) -> int:
    """Connections that are in use."""
    return sum(_pool(engine).checkedout() for engine in world.database.engines)


def _pool(engine: AsyncEngine) -> Any:
    return engine.sync_engine.pool


class Caller:
    """A client that can leave: one request spoken to the application without a library between."""

    def __init__(self, principal: Principal, query: str, **variables: Any) -> None:
        self._principal = principal
        self._body = json.dumps({"query": query, "variables": variables}).encode()
        self._sent = False
        self._leaving = asyncio.Event()
        self.messages: list[Any] = []

    async def send(self) -> None:
        """Send the request and hear the answer, if there is one."""
        headers = {"content-type": "application/json", **self._principal.headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("caregraph.test", 80),
        }
        await self._principal.world.app(scope, self._receive, self._hear)

    def leave(self) -> None:
        """Close the connection."""
        self._leaving.set()

    async def _receive(self) -> Any:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._leaving.wait()
        return {"type": "http.disconnect"}

    async def _hear(self, message: Any) -> None:
        self.messages.append(message)
