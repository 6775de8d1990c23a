"""Brings a database to the tables of this version, and says whether it is there."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

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
    if database.is_sqlite:
        with suppress(FileNotFoundError, sqlite3.Error):  # connecting says what is wrong
            _make_file(database.url.database)
    await _on_connection(database, lambda connection: command.upgrade(_config(connection), "head"))


def _make_file(name: str | None) -> None:
    """A new file is for its owner's eyes only; it has a write-ahead log, as every connection wants it."""
    if name and name != ":memory:":
        Path(name).touch(mode=0o600)
        with closing(sqlite3.connect(name)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


async def revision(database: Database) -> str | None:
    """The revision that the database is at; null for an empty one."""
    return await _on_connection(
        database, lambda connection: MigrationContext.configure(connection).get_current_revision()
    )


async def differences(database: Database) -> list[object]:
    """What the models declare and the migrated database lacks, or the other way round; empty when they agree."""

    def compare(connection: Connection) -> list[object]:
        options = {"include_object": partial(is_declared, connection.dialect.name)}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))

    return await _on_connection(database, compare)


def is_declared(dialect: str, item: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Whether models and database should agree on something."""
    if (name or "").startswith(("trgm_", "gin_")):  # indexes of PostgreSQL alone; no model declares them
        return False
    # SQLite does not tell ON DELETE of a key that came with an added column.
    is_added_key = kind == "foreign_key_constraint" and "individual_creator_id" in item.column_keys
    return not (is_added_key and dialect == "sqlite")


async def _on_connection(database: Database, work: Callable[[Connection], T]) -> T:
    engine: AsyncEngine = create_async_engine(database.url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
