"""The outermost layer: gives each request an id, continues its trace, masks what breaks, and logs one line about it."""

import logging
import re
import secrets
import time
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from caregraph.graph.errors import INTERNAL
from caregraph.logs import failure

from .draining import Draining
from .headers import headers_of
from .observe import Observation
from .tracing import continued, is_continued

LOG = logging.getLogger("caregraph.requests")

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = b"x-request-id"
_CLIENT_LEFT = 499
# A UUID, or what proxies make: no room for a name, an address or a number of a person.
_WELL_FORMED = re.compile(r"[0-9a-fA-F-]{16,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"}
_QUIET = {"livez", "readyz", "metrics"}


@dataclass(eq=False)
class _Line:
    """What is logged of a request."""

    request_id: str
    method: str
    path: str
    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    operations: list[Observation] = field(default_factory=list)


_CURRENT: ContextVar[_Line | None] = ContextVar("request", default=None)


class OperationLog:
    """An observer that leaves what it saw to the line of the request, or logs it where a connection carries many."""

    def begin(self, seen: Observation) -> None:
        """Nothing is noted before the end."""

    def end(self, seen: Observation, _begun: None) -> None:
        """Note one operation."""
        line = _CURRENT.get()
        if line is not None and line.method != "WEBSOCKET":
            line.operations.append(seen)
        else:
            told = {"request_id": line.request_id} if line is not None else {}
            LOG.info("operation", extra={"fields": told | _of_operation(seen)})


class RequestLog:
    """ASGI middleware. Logs no address, no header, no query string, and of the path only a known first part."""

    def __init__(self, app: ASGIApp, *, draining: Draining, paths: Collection[str]) -> None:
        """`paths` are the first parts of paths that may be named."""
        self._app = app
        self._draining = draining
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request or connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        first = scope["path"].split("/")[1]
        method = scope.get("method", "WEBSOCKET")
        line = _Line(
            _request_id(headers),
            method if method in _METHODS else "OTHER",
            f"/{first}" if first in self._paths else "other",
        )
        token = _CURRENT.set(line)
        try:
            if is_continued(headers):
                with continued(headers):
                    await self._carry(line, scope, receive, send)
            else:
                await self._carry(line, scope, receive, send)
        finally:
            _CURRENT.reset(token)
            if first not in _QUIET:
                _log(line)

    async def _carry(self, line: _Line, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                line.status = message.get("status", 101)
                own = [(_REQUEST_ID, line.request_id.encode())]
                if self._draining.begun and message["type"] == "http.response.start":
                    own.append((b"connection", b"close"))
                named = {name for name, _ in own}
                others = (one for one in message.get("headers", ()) if one[0] not in named)
                message["headers"] = [*others, *own]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 the last place: nothing may reach the server's own log or the client
            told = _identity(line) | failure(type(error), error.__traceback__)
            LOG.error("a request broke: %s", told["error"], extra={"fields": told})  # noqa: TRY400 its text stays out
            if scope["type"] == "http" and not line.status:
                await _masked(answer)


async def _masked(send: Send) -> None:
    body = orjson.dumps({"errors": [{"message": INTERNAL, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]})
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID, "")
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(16)


def _log(line: _Line) -> None:
    if line.method != "WEBSOCKET" and not line.status:
        line.status = _CLIENT_LEFT
    level = {5: logging.ERROR}.get(line.status // 100, logging.INFO)
    level = logging.WARNING if line.status == 503 else level  # noqa: PLR2004 busy or draining is no bug
    if LOG.isEnabledFor(level):
        told = _identity(line) | {
            "status": line.status,
            "seconds": round(time.perf_counter() - line.started, 6),
        }
        for seen in line.operations[:1]:
            told |= _of_operation(seen)
        if len(line.operations) > 1:
            told["operations"] = len(line.operations)
        # As `LOG.log` does, but it would look through the stack for who calls.
        LOG.handle(LOG.makeRecord(LOG.name, level, "", 0, "request", (), None, extra={"fields": told}))


def _identity(line: _Line) -> dict[str, Any]:
    return {"request_id": line.request_id, "method": line.method, "path": line.path}


def _of_operation(seen: Observation) -> dict[str, Any]:
    return {
        "operation": seen.name or None,
        "kind": seen.kind,
        "hash": seen.hash,
        "codes": list(seen.codes),
        "operation_seconds": round(seen.seconds, 6),
        "statements": seen.tally.statements,
    }
