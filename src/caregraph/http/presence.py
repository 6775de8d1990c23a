"""Notices that a client has left, and stops the work that was done for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

_PATIENCE = 0.02


class ClientLeftError(Exception):
    """Nobody is there to be answered."""


@asynccontextmanager
async def while_present(receive: Receive) -> AsyncIterator[None]:
    """Cancel the block when the client leaves. The request's body must have been read.

    Most work is done before it is worth asking: a look-out begins after a moment.
    """
    loop = asyncio.get_running_loop()
    watchers: list[asyncio.Task[None]] = []
    try:
        async with asyncio.timeout(None) as clock:
            begin = loop.call_later(_PATIENCE, lambda: watchers.append(loop.create_task(_until_left(receive, clock))))
            try:
                yield
            finally:
                begin.cancel()
                for watcher in watchers:
                    watcher.cancel()
    except TimeoutError as error:
        if clock.expired():
            raise ClientLeftError from error
        raise


async def _until_left(receive: Receive, clock: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    clock.reschedule(asyncio.get_running_loop().time())
