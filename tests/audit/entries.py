"""Entries of the audit as they are stored, past every rule."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from caregraph.db.audit import AuditEvent
from kit import World

Entry = dict[str, Any]
_TABLE = AuditEvent.__table__
_TOLD_ELSEWHERE = {"id", "occurred_at", "application_id"}


async def everything(world: World) -> list[Entry]:
    """All entries of all organizations, first to last."""
    async with AsyncSession(world._admin) as session:
        rows = (await session.execute(select(_TABLE).order_by(_TABLE.c.id))).mappings()
        return [dict(row) for row in rows]


@asynccontextmanager
async def written(world: World) -> AsyncIterator[list[Entry]]:
    """What the block writes, without ids and times; known after the block."""
    before = len(await everything(world))
    found: list[Entry] = []
    yield found
    for one in (await everything(world))[before:]:
        found.append({name: value for name, value in one.items() if name not in _TOLD_ELSEWHERE})


def entry(kind: str, *fields: str, **told: Any) -> Entry:
    """An entry of Ben's, from the tests' address."""
    return {
        "organization_id": 1,
        "actor": "USER",
        "user_id": 2,
        "address": "127.0.0.1",
        "operation": None,
        "kind": kind,
        "fields": list(fields),
        "changes": [],
        "client_ids": [],
        **told,
    }
