"""Refusing what a crowd leaves no place for, at next to no cost."""

import asyncio
import logging
from collections.abc import Callable
from functools import cache

from starlette.types import ASGIApp, Receive, Scope, Send

from .answers import SOON, failure
from .draining import Draining
from .errors import HttpError
from .gate import BUSY, UNAVAILABLE, Gate
from .headers import headers_of
from .requests import JSON, media_type

LOG = logging.getLogger("caregraph.requests")

_INTERVAL = 1.0


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
        await _refusal(_answer_as(scope))(scope, receive, send)

    def _tell(self) -> None:
        LOG.warning("busy", extra={"fields": {"refused": self._untold}})
        self._untold = 0


def _answer_as(scope: Scope) -> str:
    try:
        return media_type(headers_of(scope))
    except HttpError:
        return JSON


@cache
def _refusal(answer_as: str) -> ASGIApp:
    return failure(503, UNAVAILABLE, BUSY, answer_as, {"retry-after": SOON})
