"""Refusing what a crowd leaves no place for, at next to no cost."""

import asyncio
import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from caregraph.graph.scalars import encode_json

from .draining import Draining
from .errors import HttpError
from .gate import BUSY, UNAVAILABLE, Gate
from .headers import headers_of
from .requests import JSON, media_type

LOG = logging.getLogger("caregraph.requests")

SOON = "1"
"""Seconds after which a server that was busy may be asked again."""
_INTERVAL = 1.0
_BODY = encode_json({"errors": [{"message": BUSY, "extensions": {"code": UNAVAILABLE}}]})
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"retry-after", SOON.encode()),
    (b"content-length", str(len(_BODY)).encode()),
]


class LoadShedding:
    """ASGI middleware: in a crowd, a request that has no place is refused before a byte of its body is read.

    Were it signed in, traced or logged, a crowd would keep the process busy with refusing. It is counted, and how many
    there were is logged once a second.
    """

    def __init__(self, app: ASGIApp, gate: Gate, draining: Draining, *, count: Callable[[], None]) -> None:
        """`count` is called for each; a server that is `draining` says so instead."""
        self._app = app
        self._gate = gate
        self._draining = draining
        self._count = count
        self._untold = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request, or refuse it."""
        if not self._gate.is_shut or self._draining.begun:
            await self._app(scope, receive, send)
            return
        self._count()
        if not self._untold:
            asyncio.get_running_loop().call_later(_INTERVAL, self._tell)
        self._untold += 1
        await send({"type": "http.response.start", "status": 503, "headers": _headers(scope)})
        await send({"type": "http.response.body", "body": _BODY})

    def _tell(self) -> None:
        LOG.warning("busy", extra={"fields": {"refused": self._untold}})
        self._untold = 0


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    try:
        answer_as = media_type(headers_of(scope))
    except HttpError:
        answer_as = JSON
    return [(b"content-type", f"{answer_as}; charset=utf-8".encode()), *_HEADERS]
