"""Snapshots: one read-only transaction of one viewer on one connection, opened by its first read.

On PostgreSQL one round trip begins the transaction, takes the rights of `APP_ROLE` and names the tenants; the values
are literals there, the only ones in a statement of ours, and numbers. SQLAlchemy does not know of this transaction (its
connection is in autocommit), so it is ended here, and once more by the pool when a connection comes back with it
(`end_forgotten`). On SQLite `BEGIN` travels with the first read. Statements that SQLAlchemy executes see the same
snapshot through `session`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from caregraph.auth.viewer import Viewer

from .direct import Text
from .finish import finished
from .watch import heard

_OF_DRIVERS = (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error)

OPENED = "caregraph.opened"
"""Marks a connection whose transaction is begun already."""

_BEGIN = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT set_config('role', '{role}', true),"
    " set_config('app.organization_id', '{organization_id}', true),"
    " set_config('app.organization_ids', '{{{organization_ids}}}', true),"
    " set_config('statement_timeout', '{timeout:d}', true)"
)


Bind = Callable[[AsyncConnection], AsyncSession]


def opening(role: str, viewer: Viewer, timeout: int) -> str:
    """What begins a snapshot of one viewer on PostgreSQL; `timeout` is that of one statement, in milliseconds."""
    tenant = "" if viewer.organization_id is None else int(viewer.organization_id)
    tenants = ",".join(str(int(one)) for one in viewer.organization_ids)
    return _BEGIN.format(role=role, organization_id=tenant, organization_ids=tenants, timeout=timeout)


class Snapshot:
    """What one viewer sees at one moment."""

    def __init__(self, engine: AsyncEngine, bound: Bind, opening: str) -> None:
        """`bound` makes a session on a connection, `opening` begins the transaction on PostgreSQL."""
        self._engine = engine
        self._bound = bound
        self._opening = opening
        self._session: AsyncSession | None = None
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        self._begun = False

    async def rows(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of a statement of our own, as the driver gives them."""
        connection = await self._connected()
        with self._wrapped(), heard(connection.sync_connection, text, text.values(values)) as (sql, given):
            if connection.dialect.name == "postgresql":
                return await self._driver.fetch(sql, *given)  # type: ignore[no-any-return]
            return await self._driver._execute(self._read, sql, given)  # type: ignore[no-any-return]  # noqa: SLF001 one call into its thread instead of four

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        """The driver's errors as SQLAlchemy's, without the values of a request."""
        try:
            yield
        except _OF_DRIVERS as error:
            is_gone = isinstance(self._driver, asyncpg.Connection) and self._driver.is_closed()
            raise DBAPIError(None, None, error, hide_parameters=True, connection_invalidated=is_gone) from error

    def _read(self, sql: str, given: Sequence[Any]) -> Sequence[Any]:
        """In the driver's thread."""
        if not self._begun:
            self._driver._conn.execute("BEGIN")  # noqa: SLF001 the connection itself: this is its thread
            self._begun = True
        return self._driver._conn.execute(sql, given).fetchall()  # type: ignore[no-any-return]  # noqa: SLF001

    async def session(self) -> AsyncSession:
        """A session in this snapshot, for statements that SQLAlchemy executes."""
        connection = await self._connected()
        if not self._begun:
            await self._driver.execute("BEGIN")
            self._begun = True
        if self._session is None:
            self._session = self._bound(connection)
        return self._session

    async def close(self) -> None:
        """End the transaction and give the connection back."""
        if self._connection is not None:
            await finished(self._end(self._connection))

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._engine.connect()
            self._connection.info[OPENED] = True
            self._driver = (await self._connection.get_raw_connection()).driver_connection
        if not self._begun and self._connection.dialect.name == "postgresql":
            with self._wrapped():
                await self._driver.execute(self._opening)
            self._begun = True
        return self._connection

    async def _end(self, connection: AsyncConnection) -> None:
        try:
            if self._session is not None:
                await self._session.close()
            if not connection.invalidated:
                connection.info.pop(OPENED, None)
                if connection.dialect.name == "postgresql":
                    await self._driver.execute("ROLLBACK")  # on SQLite the pool's own rollback is in time
        except (SQLAlchemyError, *_OF_DRIVERS, OSError):  # nothing is lost: whoever asked knows already what is wrong
            await connection.invalidate()
        finally:
            await connection.close()


def end_forgotten(engine: AsyncEngine) -> None:
    """No connection goes back into the pool within a transaction, whose tenant the next one would be."""

    @event.listens_for(engine.sync_engine, "reset")
    def reset(connection: Any, record: Any, state: Any) -> None:
        if record is not None:
            record.info.pop(OPENED, None)
        if state.asyncio_safe and connection.driver_connection.is_in_transaction():
            connection.run_async(lambda driver: driver.execute("ROLLBACK"))
