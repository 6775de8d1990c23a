"""Checks of a SQLite database."""

from collections.abc import Iterator
from pathlib import Path

from caregraph.db.session import Database

from .findings import Finding, Plan, error, warning

_WAL = b"\x02\x02"
_FORMAT_VERSIONS = slice(18, 20)


def file_of(database: Database) -> Path | None:
    """The file that holds the data; null for a database in memory."""
    name = database.url.database
    return None if not name or name == ":memory:" else Path(name)


def in_memory(database: Database, _plan: Plan) -> Iterator[Finding]:
    """The data outlive the process."""
    if file_of(database) is None:
        problem = "The database is in memory: everything in it ends with the process"
        yield error("sqlite-memory", problem, "Name a file in CAREGRAPH_DATABASE_URL, or a PostgreSQL")


def readable(database: Database, _plan: Plan) -> Iterator[Finding]:
    """The file is for the server's own user."""
    file = file_of(database)
    if file is None:
        return
    parts = (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm"))
    open_parts = [str(one) for one in parts if one.exists() and one.stat().st_mode & 0o007]
    if open_parts:
        problem = f"Every user of this machine may open {', '.join(open_parts)}"
        yield error("sqlite-file", problem, f"chmod 600 {' '.join(open_parts)}")


def journal(database: Database, _plan: Plan) -> Iterator[Finding]:
    """Readers and a writer do not wait for each other. Read from the file's head: connecting would change it."""
    file = file_of(database)
    if file is None or not file.exists():
        return
    with file.open("rb") as stream:
        head = stream.read(_FORMAT_VERSIONS.stop)
    if len(head) == _FORMAT_VERSIONS.stop and head[_FORMAT_VERSIONS] != _WAL:
        problem = f"{file} has no write-ahead log: readers and writers wait for each other"
        yield warning("sqlite-wal", problem, "Run caregraph migrate; the folder must not be on a network share")


def processes(_database: Database, plan: Plan) -> Iterator[Finding]:
    """Several processes need a server between them."""
    if plan.processes > 1:
        problem = f"{plan.processes} processes on SQLite: subscribers hear only of changes made by their own process"
        yield error("sqlite-processes", problem, "Run one process, or use PostgreSQL")


CHECKS = (in_memory, readable, journal, processes)
