"""Notices that a client has left, and stops the work that was done for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive


class ClientLeftError(Exception):
    """Nobody is there to be answered."""


@asynccontextmanager
async def while_present(receive: Receive) -> AsyncIterator[None]:
    """Cancel the block when the client leaves. The request's body must have been read."""
    try:
        async with asyncio.timeout(None) as clock:
            watcher = asyncio.create_task(_until_left(receive, clock))
            try:
                yield
            finally:
                watcher.cancel()
    except TimeoutError as error:
        if clock.expired():
            raise ClientLeftError from error
        raise


async def _until_left(receive: Receive, clock: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    clock.reschedule(asyncio.get_running_loop().time())
