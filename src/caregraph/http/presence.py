"""Notices that a client has left, and stops the work that was done for it."""

import asyncio
from types import TracebackType

from starlette.types import Receive

_PATIENCE = 0.02


class ClientLeftError(Exception):
    """Nobody is there to be answered."""


class WhilePresent:
    """Cancels the block when the client leaves. The request's body must have been read.

    Most work is done before it is worth asking: a look-out begins after a moment.
    """

    def __init__(self, receive: Receive) -> None:
        """`receive` is the request's."""
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._clock = await asyncio.timeout(None).__aenter__()
        self._begin = asyncio.get_running_loop().call_later(_PATIENCE, self._watch)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begin.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        try:
            await self._clock.__aexit__(kind, error, trace)
        except TimeoutError as left:
            raise ClientLeftError from left

    def _watch(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._until_left())

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._clock.reschedule(asyncio.get_running_loop().time())
