"""Runs an application under uvicorn, quietly and to a clean end."""

import asyncio
import gc
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from caregraph import logs
from caregraph.http import telemetry

from .writing import JoiningProtocol

if TYPE_CHECKING:
    from caregraph.http.guard import Guard
    from caregraph.settings import Settings

_SECONDS_TO_WRITE = 1
_ALLOCATIONS = 50_000
"""Containers made beyond those freed before the youngest of them are looked through: more than most answers have."""


def bound(host: str, port: int) -> socket.socket:
    """Take the address, before long work is done for it; nobody is let in until `serve`. Port 0 takes a free one."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError:
        taken.close()
        raise
    taken.set_inheritable(True)
    return taken


def address(taken: socket.socket) -> str:
    """How a browser on this machine names it."""
    host, port = taken.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 compared with, not bound to
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve(app: Starlette, taken: socket.socket, *, server: "Server | None" = None) -> None:
    """Serve until interrupted or terminated. uvicorn logs no requests: our own line about each names nobody."""
    settings: Settings = app.state.settings
    logs.configure(level=settings.log_level, style=settings.log_format)
    telemetry.configure()
    server = server or Server(app)
    with suppress(KeyboardInterrupt):  # raised again by uvicorn when it has finished
        server.run(sockets=[taken])
    if not server.started:
        sys.exit(1)


def settle() -> None:
    """Leave what the process has made until now out of every later garbage collection, and collect seldom.

    An answer is thousands of dictionaries without a cycle: looking through them as often as Python does by default
    costs a tenth of the time of making them. Operations leave nothing in cycles; refused documents and failures do, and
    were they collected seldomer still, everybody would wait a quarter of a second for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)


class Server(uvicorn.Server):
    """uvicorn, but a signal first takes the application out of service; a second one ends it at once."""

    def __init__(self, app: Starlette) -> None:
        self._settings: Settings = app.state.settings
        self._guard: Guard = app.state.guard
        self._leaving: asyncio.Task[None] | None = None
        super().__init__(
            # By the time that uvicorn shuts down, operations have ended: what is left are answers being written.
            uvicorn.Config(
                app,
                access_log=False,
                http=JoiningProtocol,
                log_config=None,
                timeout_graceful_shutdown=_SECONDS_TO_WRITE,
                proxy_headers=bool(self._settings.trusted_proxies),
                forwarded_allow_ips=self._settings.trusted_proxies,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let callers in."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        settle()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the application out of service; a second time, end."""
        if self._guard.draining.begun or not self.started:
            super().handle_exit(sig, frame)
        else:
            self._guard.draining.begun = True
            self._loop.call_soon_threadsafe(self._leave, sig, frame)

    def _leave(self, sig: int, frame: FrameType | None) -> None:
        self._leaving = self._loop.create_task(self._drained(sig, frame))

    async def _drained(self, sig: int, frame: FrameType | None) -> None:
        await self._guard.draining.run(
            grace=0 if sig == signal.SIGINT else self._settings.shutdown_grace,  # nobody balances a keyboard's load
            seconds=self._settings.shutdown_timeout,
            running=lambda: self._guard.gate.running + self._guard.gate.waiting,
        )
        super().handle_exit(sig, frame)


def end_on_terminate() -> None:
    """Let SIGTERM unwind the stack, so that what is open is closed; uvicorn raises it again when it has finished."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
