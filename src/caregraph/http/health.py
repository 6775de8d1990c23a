"""`/livez` and `/readyz`: whether the process answers, and whether it should be sent requests."""

import asyncio
import time
from functools import cache

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from caregraph.db import migrate
from caregraph.db.session import Database

from .draining import Draining

_SECONDS = 2.0
_KEPT_SECONDS = 1.0
_FRESH = {"Cache-Control": "no-store"}

Checks = dict[str, str]

_newest = cache(migrate.head)


class Health:
    """What the probes ask. An answer about the database is kept for a second, so that probes cannot wear it out."""

    def __init__(self, database: Database, draining: Draining) -> None:
        """Of one process."""
        self._database = database
        self._draining = draining
        self._turn = asyncio.Lock()
        self._known: Checks = {}
        self._known_until = 0.0

    def routes(self) -> list[BaseRoute]:
        """The two paths."""
        return [Route("/livez", self._alive), Route("/readyz", self._ready)]

    async def _alive(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_FRESH)

    async def _ready(self, _request: Request) -> Response:
        checks = {"draining": "failed" if self._draining.begun else "ok", **await self._database_checks()}
        is_ready = set(checks.values()) == {"ok"}
        return JSONResponse(
            {"status": "ok" if is_ready else "failed", "checks": checks}, 200 if is_ready else 503, headers=_FRESH
        )

    async def _database_checks(self) -> Checks:
        async with self._turn:
            if time.monotonic() >= self._known_until:
                self._known = await self._asked()
                self._known_until = time.monotonic() + _KEPT_SECONDS
            return self._known

    async def _asked(self) -> Checks:
        """On a connection of its own: readiness must not depend on the pool that is busy."""
        try:
            async with asyncio.timeout(_SECONDS):
                found = await migrate.revision(self._database)
        except (SQLAlchemyError, OSError):  # a time-out is one; the reason may name hosts and users, so it is not told
            return {"database": "failed", "migrations": "unknown"}
        return {"database": "ok", "migrations": "ok" if found == _newest() else "failed"}
