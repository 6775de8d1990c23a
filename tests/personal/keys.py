"""Encryption keys for tests, and a look past every type at what is stored."""

import base64
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kit import World

FIRST = "first:" + base64.b64encode(bytes(range(32))).decode()
SECOND = "second:" + base64.b64encode(bytes(range(32, 64))).decode()
IMPOSTOR = "first:" + base64.b64encode(bytes(range(64, 96))).decode()


async def stored(world: World, sql: str, **values: Any) -> list[Any]:
    """Rows as the database has them."""
    async with AsyncSession(world._admin) as session:
        return [tuple(row) for row in (await session.execute(text(sql), values)).all()]


async def in_files(world: World, text: str) -> bool:
    """Whether an embedded database has `text` anywhere in its file, also where nothing refers to it any more."""
    file = Path(world.settings.database_url.partition("///")[2])
    if file.suffix != ".sqlite":
        return False
    await world.database.close()
    await change(world, "PRAGMA wal_checkpoint(TRUNCATE)")
    return text.encode() in file.read_bytes()


async def change(world: World, sql: str, **values: Any) -> None:
    """A write past the server."""
    async with AsyncSession(world._admin) as session:
        await session.execute(text(sql), values)
        await session.commit()
