"""What a worker does from its fork to its end."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from socket import socket
from types import FrameType

from starlette.applications import Starlette

from caregraph import logs
from caregraph.http import telemetry
from caregraph.http.siblings import Siblings

from . import server
from .door import Door
from .writing import JoiningProtocol

LOG = logging.getLogger("caregraph.server")

_ON_THE_WAY_OUT = 2**20
"""More connections than a worker has: one that leaves service gets new ones only where all do."""


def work(app: Starlette, taken: socket, *, siblings: Siblings, door: Door, line: socket) -> None:
    """Serve until the parent, at the other end of `line`, says so or has gone."""
    try:
        with suppress(KeyboardInterrupt):  # one that came before the server listens to signals
            server.serve(app, taken, server=_Server(app, siblings=siblings, door=door, line=line))
    except Exception as error:  # noqa: BLE001 its text may hold anything
        LOG.error("a worker broke", extra={"fields": logs.failure(type(error), error.__traceback__)})  # noqa: TRY400
        sys.exit(1)
    finally:
        telemetry.close()


class _Server(server.Server):
    """The usual server behind a door that it shares, and with a parent to listen to."""

    def __init__(self, app: Starlette, *, siblings: Siblings, door: Door, line: socket) -> None:
        super().__init__(app)
        self._siblings, self._door, self._line = siblings, door, line
        self._is_ordered = self._is_orphan = False

    async def startup(self, sockets: list[socket] | None = None) -> None:  # noqa: ARG002 the door has it
        await self._siblings.open()
        await super().startup([])
        self._door.open(self._protocol, self._crowd)
        self._loop.add_reader(self._line, self._obey)
        self._line.send(b"!")

    async def on_tick(self, counter: int) -> bool:
        self._door.look()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._door.close()
        await super().shutdown(sockets)
        await self._siblings.close()
        if self._is_orphan:
            self._siblings.remove()

    def _protocol(self) -> asyncio.Protocol:
        return JoiningProtocol(self.config, self.server_state, self.lifespan.state)

    def _crowd(self) -> int:
        return len(self.server_state.connections) + _ON_THE_WAY_OUT * self._guard.draining.begun

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal from elsewhere takes this worker out of service too. Only its parent knows of a second one."""
        if not self._guard.draining.begun:
            super().handle_exit(sig, frame)

    def _obey(self) -> None:
        orders = self._line.recv(64)
        if not orders:
            self._loop.remove_reader(self._line)
            self._is_orphan = True
            self.handle_exit(signal.SIGTERM, None)
        for stop in orders:
            if self._is_ordered:
                super().handle_exit(stop, None)
            else:
                self._is_ordered = True
                self.handle_exit(stop, None)
