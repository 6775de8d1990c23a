"""One connection per process that hears what every process notifies. PostgreSQL only."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from asyncpg.exceptions import PostgresError
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from .events import CHANNEL, Bus, Event, StreamEndedError

LOG = logging.getLogger("caregraph.events")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_SECONDS_BETWEEN_CHECKS, _SECONDS_TO_ANSWER = 30.0, 10.0
_FAILURES = (OSError, PostgresError, SQLAlchemyError, TimeoutError)


class Listener:
    """Listens from the first reader on, and again, after growing pauses, when the database went away.

    What was notified in between is lost, so streams that were open then end and say so.
    """

    def __init__(self, url: URL, bus: Bus) -> None:
        """Connects with `url`, outside the pool: the connection is never free."""
        self._engine = create_async_engine(url, poolclass=NullPool)
        self._bus = bus
        self._task: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()

    async def ready(self, timeout: float) -> None:  # noqa: ASYNC109 raised as the pool's own
        """Wait until notifications arrive; raises `TimeoutError`."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        async with asyncio.timeout(timeout):
            await self._is_listening.wait()

    async def close(self) -> None:
        """Let the connection go."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._engine.dispose()

    async def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._hear()
            except _FAILURES as error:
                LOG.warning("cannot listen for events: %s", type(error).__name__)
            if self._is_listening.is_set():
                self._is_listening.clear()
                self._bus.end(StreamEndedError("EVENTS_LOST", "Events may have been missed: subscribe again"))
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _hear(self) -> None:
        """Listen until the connection is gone."""
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            lost = asyncio.Event()
            driver.add_termination_listener(lambda _: lost.set())
            await driver.add_listener(CHANNEL, self._heard)
            self._is_listening.set()
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_SECONDS_BETWEEN_CHECKS):
                        await lost.wait()
                except TimeoutError:
                    await driver.fetchval("SELECT 1", timeout=_SECONDS_TO_ANSWER)  # a silent network says nothing

    def _heard(self, _connection: Any, _process: int, _channel: str, payload: str) -> None:
        self._bus.publish(Event.decode(payload))
