"""Brings a database to the tables of this version, and says whether it is there."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .base import Base
from .session import Database

T = TypeVar("T")

_PACKAGE = Path(__file__).parent.parent


def _config(connection: Connection | None = None) -> Config:
    inside_wheel = _PACKAGE / "migrations"
    folder = inside_wheel if inside_wheel.is_dir() else _PACKAGE.parent.parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def head() -> str | None:
    """The newest revision that this version knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def upgrade(database: Database) -> None:
    """Run all migrations that are missing, as the owner of the tables."""
    await _on_connection(database, lambda connection: command.upgrade(_config(connection), "head"))


async def revision(database: Database) -> str | None:
    """The revision that the database is at; null for an empty one."""
    return await _on_connection(
        database, lambda connection: MigrationContext.configure(connection).get_current_revision()
    )


async def differences(database: Database) -> list[object]:
    """What the models declare and the migrated database lacks, or the other way round; empty when they agree."""

    def compare(connection: Connection) -> list[object]:
        options = {"include_object": lambda _o, name, *_: not (name or "").startswith(("trgm_", "gin_"))}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))

    return await _on_connection(database, compare)


async def _on_connection(database: Database, work: Callable[[Connection], T]) -> T:
    engine: AsyncEngine = create_async_engine(database.url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
