"""Entries that no transaction of their own makes: what was read, and what was refused.

Entries that come while others of their organization are being written wait for them and are then written together, so
that a busy server pays for one transaction where it would pay for many.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from .audit import appending
from .failures import trouble
from .session import Database


@dataclass(eq=False)
class _Batch:
    entries: list[dict[str, Any]] = field(default_factory=list)
    written: asyncio.Task[Mapping[int, Exception]] | None = None
    """Ends with why entries could not be written, by their place."""


class Trail:
    """Writes entries, each in a short transaction that is not the operation's."""

    def __init__(self, database: Database) -> None:
        """Into `database`."""
        self._database = database
        self._appending = appending(database.dialect)
        self._waiting: dict[int | None, _Batch] = {}
        self._turns: defaultdict[int | None, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def write(self, entry: dict[str, Any]) -> None:
        """Return when `entry` is committed; raises what the database raises, and then nobody may be answered."""
        await self.begin(entry)()

    def begin(self, entry: dict[str, Any]) -> Callable[[], Awaitable[None]]:
        """Begin to write, and return what waits for the end as `write` does: meanwhile something else can be done."""
        organization_id = entry["organization_id"]
        batch = self._waiting.setdefault(organization_id, _Batch())
        place = len(batch.entries)
        batch.entries.append(entry)
        if batch.written is None:
            batch.written = asyncio.create_task(self._write(organization_id, batch))
            batch.written.add_done_callback(_seen)
        return partial(self._ended, batch.written, place)

    @staticmethod
    async def _ended(written: asyncio.Task[Mapping[int, Exception]], place: int) -> None:
        failures = await asyncio.shield(written)  # whoever leaves does not take the others' entries along
        if place in failures:
            raise failures[place]

    async def _write(self, organization_id: int | None, batch: _Batch) -> Mapping[int, Exception]:
        async with self._turns[organization_id]:
            del self._waiting[organization_id]  # whoever comes now is in the next
            try:
                await self._database.append(self._appending, batch.entries)
            except DBAPIError as error:
                if len(batch.entries) == 1 or trouble(error) is not None:
                    raise
                return await self._write_each(batch.entries)
        return {}

    async def _write_each(self, entries: Sequence[dict[str, Any]]) -> Mapping[int, Exception]:
        """After a failure that is not the database's own: one entry that cannot be written fails nobody else."""
        failures: dict[int, Exception] = {}
        for place, entry in enumerate(entries):
            try:
                await self._database.append(self._appending, [entry])
            except SQLAlchemyError as error:
                failures[place] = error
        return failures


def _seen(task: asyncio.Task[Any]) -> None:
    """Those who wait are told; when all of them have left, nobody is."""
    if not task.cancelled():
        task.exception()
