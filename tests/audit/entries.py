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
    new = (await everything(world))[before:]
    found += [{name: value for name, value in one.items() if name not in _TOLD_ELSEWHERE} for one in new]


@asynccontextmanager
async def no_room_for(world: World, *kinds: str) -> AsyncIterator[None]:
    """A database that is too busy to take entries of some kinds, as long as the block runs."""
    among = ", ".join(f"'{kind}'" for kind in kinds)
    create = [
        """
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'busy' USING ERRCODE = 'lock_not_available';
        END $$
        """,
        f"""
        CREATE TRIGGER no_room BEFORE INSERT ON audit_events FOR EACH ROW WHEN (NEW.kind IN ({among}))
        EXECUTE FUNCTION no_room()
        """,
    ]
    drop = ["DROP TRIGGER no_room ON audit_events", "DROP FUNCTION no_room()"]
    if world.database.is_sqlite:
        refuse = "SELECT RAISE(ABORT, 'database is locked')"
        create = [
            f"CREATE TRIGGER no_room BEFORE INSERT ON audit_events WHEN NEW.kind IN ({among}) BEGIN {refuse}; END"
        ]
        drop = ["DROP TRIGGER no_room"]
    await _execute(world, create)
    try:
        yield
    finally:
        await _execute(world, drop)


async def _execute(world: World, statements: list[str]) -> None:
    async with world._admin.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


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
