"""How workers share the connections that come to one address.

Left alone, whoever is awake first takes all that have come: a proxy that opens its connections at once then keeps one
worker busy and the others idle. So each takes one at a time, and leaves it for a moment to those that have fewer.
"""

import asyncio
import logging
import mmap
from collections.abc import Callable
from contextlib import suppress
from socket import socket

from caregraph.logs import failure

LOG = logging.getLogger("caregraph.server")

_MOMENT = 0.001
_WITHOUT_FILES = 1.0
"""Seconds after which it is tried again when the process has no descriptors left."""
_AWAY = 2**40
"""More than anybody has: whoever ends or is not there yet is waited for by nobody."""


class Crowds:
    """How many connections each worker has, in memory that all of them share; written without a lock by its owner."""

    def __init__(self, workers: int) -> None:
        """All of them are away."""
        self._counts = memoryview(mmap.mmap(-1, 8 * workers)).cast("q")
        for number in range(1, workers + 1):
            self.leave(number)

    def have(self, number: int, count: int) -> bool:
        """Note what worker `number` has; whether none has less."""
        self._counts[number - 1] = count
        return count <= min(self._counts)

    def leave(self, number: int) -> None:
        """Note that worker `number` is away."""
        self._counts[number - 1] = _AWAY


class Door:
    """Where one worker lets connections in."""

    def __init__(self, taken: socket, crowds: Crowds, number: int) -> None:
        """`taken` listens already."""
        self._taken, self._crowds, self._number = taken, crowds, number
        self._arriving: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None

    def open(self, protocol: Callable[[], asyncio.Protocol], inside: Callable[[], int]) -> None:
        """Let in from now on; `inside` are the connections that this worker has, more if it should get none."""
        self._loop = asyncio.get_running_loop()
        self._protocol, self._inside = protocol, inside
        self._watch()

    def look(self) -> None:
        """Tell the others how many are inside."""
        self._has_fewest()

    def close(self) -> None:
        """Let nobody in any more."""
        self._loop.remove_reader(self._taken)
        if self._later is not None:
            self._later.cancel()
        self._crowds.leave(self._number)

    def _watch(self) -> None:
        self._later = None
        self._loop.add_reader(self._taken, self._knocked)

    def _knocked(self) -> None:
        if self._has_fewest():
            self._let_in()
        else:
            self._leave_it(_MOMENT)

    def _has_fewest(self) -> bool:
        return self._crowds.have(self._number, self._inside() + len(self._arriving))

    def _leave_it(self, seconds: float) -> None:
        self._loop.remove_reader(self._taken)
        self._later = self._loop.call_later(seconds, self._insist)

    def _insist(self) -> None:
        """Nobody else may have come for it."""
        self._watch()
        self._let_in()

    def _let_in(self) -> None:
        try:
            connection, _ = self._taken.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):  # somebody was faster, or has left
            return
        except OSError as error:
            LOG.error("no connection can be taken", extra={"fields": failure(type(error), error.__traceback__)})  # noqa: TRY400
            self._leave_it(_WITHOUT_FILES)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._enter(connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _enter(self, connection: socket) -> None:
        with suppress(OSError):  # it has left already
            await self._loop.connect_accepted_socket(self._protocol, connection)
