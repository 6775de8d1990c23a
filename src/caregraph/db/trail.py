"""Entries that no transaction of their own makes: what was read, and what was refused.

Entries that come while others of their organization are being written wait for them and are then written together, so
that a busy server pays for one transaction where it would pay for many.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from caregraph.auth.viewer import Viewer

from .audit import insertion
from .session import Database


@dataclass(eq=False)
class _Batch:
    entries: list[dict[str, Any]] = field(default_factory=list)
    written: asyncio.Task[None] | None = None


class Trail:
    """Writes entries, each in a short transaction that is not the operation's."""

    def __init__(self, database: Database) -> None:
        """Into `database`."""
        self._database = database
        self._waiting: dict[int | None, _Batch] = {}
        self._turns: defaultdict[int | None, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def write(self, entry: dict[str, Any]) -> None:
        """Return when `entry` is committed; raises what the database raises, and then nobody may be answered."""
        organization_id = entry["organization_id"]
        batch = self._waiting.setdefault(organization_id, _Batch())
        batch.entries.append(entry)
        if batch.written is None:
            batch.written = asyncio.create_task(self._write(organization_id, batch))
            batch.written.add_done_callback(_seen)
        await asyncio.shield(batch.written)  # whoever leaves does not take the others' entries along

    async def _write(self, organization_id: int | None, batch: _Batch) -> None:
        async with self._turns[organization_id]:
            del self._waiting[organization_id]  # whoever comes now is in the next
            async with self._database.writing(Viewer(organization_id=organization_id), is_counted=False) as tx:
                await tx.execute(insertion(), batch.entries)


def _seen(task: asyncio.Task[None]) -> None:
    """Those who wait are told; when all of them have left, nobody is."""
    if not task.cancelled():
        task.exception()
