"""The way out of service: not ready at once, refusing after a grace, streams closed with a reason, then the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from caregraph.logs import failure

LOG = logging.getLogger("caregraph.server")

_PAUSE = 0.05


class Draining:
    """Whether the process is on its way out, and how far."""

    def __init__(self) -> None:
        """In service."""
        self.begun = False
        """From the signal on: not ready, connections are not kept."""
        self.refuses = False
        """After the grace: no operation begins any more."""
        self.callbacks: list[Callable[[], Awaitable[None]]] = []
        """What else ends with the service: whoever holds streams open closes them here, with a reason."""

    async def run(self, *, grace: float, seconds: float, running: Callable[[], int]) -> None:
        """Leave service; return when nothing runs any more, at the latest after `seconds`."""
        self.begun = True
        LOG.info("draining")
        try:
            async with asyncio.timeout(seconds):
                await asyncio.sleep(grace)
                self.refuses = True
                ended = await asyncio.gather(*(callback() for callback in self.callbacks), return_exceptions=True)
                for error in filter(None, ended):
                    LOG.warning("a stream did not close", extra={"fields": failure(type(error), error.__traceback__)})
                while running():  # noqa: ASYNC110 seldom and short: worth no event in each operation's way
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            LOG.warning("operations are cut off", extra={"fields": {"running": running()}})
        finally:
            self.refuses = True
