"""Connections lent by the pool for statements on their driver.

What SQLAlchemy does around a statement takes longer than most statements of a request. So signing in, plans and the
audit borrow a connection from its pool and speak with the driver. Listeners of the engine hear of their statements as
of all others, and errors are SQLAlchemy's, without the values of a request.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.util import greenlet_spawn

from .direct import Text
from .finish import finished
from .watch import heard

T = TypeVar("T")
Bind = Callable[[AsyncConnection], AsyncSession]

OPENED = "caregraph.opened"
"""Marks a connection whose transaction is begun already."""

_CLEAN = "caregraph.clean"
"""Marks a connection that comes back without having begun a transaction."""

READS, WRITES = "BEGIN", "BEGIN IMMEDIATE"
"""How transactions begin on SQLite: a read snapshot cannot become a write later."""

_RESTS = "caregraph.rests_since"
_REST = 1.0
"""Seconds without use after which a connection is asked whether it is still there."""
_OF_DRIVERS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, sqlite3.Error)


class Lent:
    """One connection of an engine, taken when first needed; close it to give it back."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Takes nothing yet."""
        self._engine = engine
        self.dispatch = engine.sync_engine.dispatch
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.connection: Any = None
        """As the pool lends it."""
        self.driver: Any = None
        self._begins_with = ""
        self._has_begun = False
        """Whether there may be a transaction to end: set before one is asked for, as whoever asks can be cancelled."""
        self._wrapper: AsyncConnection | None = None
        self._session: AsyncSession | None = None

    @property
    def info(self) -> Any:
        """What is noted of the connection."""
        return self.connection.info

    async def begin(self, statement: str) -> None:
        """Begin a transaction. On SQLite `statement` travels with the next one."""
        if self.is_sqlite:
            self._begins_with = statement
        else:
            self._has_begun = True
            await self._sent(lambda: self.driver.execute(statement))

    async def rows(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of one statement, as the driver gives them; without a transaction it is one by itself."""
        return await self._sent(partial(self._rows, text, values))

    async def _rows(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        with heard(self, text, text.values(values)) as (sql, given):
            if self.is_sqlite:
                return await self._in_thread(lambda driver: driver.execute(sql, given).fetchall())  # type: ignore[no-any-return]
            return await self.driver.fetch(sql, *given)  # type: ignore[no-any-return]

    async def append(self, text: Text, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an insertion with the values of each row, all of them or none, and commit."""
        self._begins_with = WRITES
        await self._sent(partial(self._append, text, [text.values(row) for row in rows]), is_safe_twice=False)

    async def _append(self, text: Text, every: list[Any]) -> None:
        with heard(self, text, every) as (sql, given):
            if self.is_sqlite:
                await self._in_thread(lambda driver: driver.executemany(sql, given).connection.commit())
                self._has_begun = False
            else:
                await self.driver.executemany(sql, given)  # by itself a transaction

    async def session(self, bound: Bind) -> AsyncSession:
        """A session made by `bound` on the connection, in the transaction that is begun."""
        if self._session is None:
            await self._sent(self._begun)
            self.info[OPENED] = True
            self._wrapper = AsyncConnection(self._engine, Connection(self._engine.sync_engine, self.connection))
            self._session = bound(self._wrapper)
        return self._session

    async def _begun(self) -> None:
        if self.is_sqlite and self._begins_with:
            await self._in_thread(lambda _driver: None)

    async def close(self) -> None:
        """End what is begun and give the connection back."""
        if self.connection is None:
            return
        if self._has_begun:
            await finished(self._close())
        else:
            self.info[_CLEAN] = True
            await self._close()  # nothing in it waits, so nobody can cut it short

    async def _close(self) -> None:
        kept, self.connection = self.connection, None
        try:
            if self._session is not None:
                await self._session.close()
            if self._has_begun and not self.is_sqlite:
                await self.driver.execute("ROLLBACK")  # on SQLite that of the pool is in time
        except (SQLAlchemyError, *_OF_DRIVERS, OSError):  # nothing is lost: whoever asked knows already what is wrong
            if kept.is_valid:
                await (greenlet_spawn(kept.invalidate) if self._wrapper is None else self._wrapper.invalidate())
        if self._wrapper is not None:
            await self._wrapper.close()
        elif kept.is_valid:
            await greenlet_spawn(kept.close)

    async def _sent(self, use: Callable[[], Awaitable[T]], *, is_safe_twice: bool = True) -> T:
        """What `use` brings; where it is the first, and the server turns out to have cut the connection, on another."""
        others = self._engine.pool.size() if self.connection is None and is_safe_twice else 0  # type: ignore[attr-defined]
        while True:
            try:
                if self.connection is None:
                    self.connection = await self._engine.raw_connection()
                    self.driver = self.connection.driver_connection
                return await use()
            except (*_OF_DRIVERS, self._engine.dialect.loaded_dbapi.Error) as error:
                is_cut = self.connection is not None and not self.is_sqlite and self._is_cut(error)
                if not (is_cut and others):
                    raise DBAPIError(None, None, error, hide_parameters=True, connection_invalidated=is_cut) from error
            others -= 1
            kept, self.connection = self.connection, None
            await greenlet_spawn(kept.invalidate)

    def _is_cut(self, error: Exception) -> bool:
        """Whether the server is gone: it says so before its socket ends, and asyncpg understands nothing after that."""
        return isinstance(error, asyncpg.InternalClientError) or self.driver.is_closed()

    async def _in_thread(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do `work` in the driver's own thread: one call into it, however many statements."""
        begins_with, self._begins_with = self._begins_with, ""
        self._has_begun = self._has_begun or bool(begins_with)

        def do() -> Any:
            driver = self.driver._conn  # noqa: SLF001 the connection itself: this is its thread
            if begins_with:
                driver.execute(begins_with)
            return work(driver)

        return await self.driver._execute(do)  # noqa: SLF001 one call instead of four


def keep_clean(engine: AsyncEngine) -> None:
    """No connection goes back into the pool within a transaction, whose tenant the next one would be."""

    @event.listens_for(engine.sync_engine, "reset")
    def reset(connection: Any, record: Any, state: Any) -> None:
        is_clean = record is not None and record.info.pop(_CLEAN, False)
        if record is not None:
            record.info.pop(OPENED, None)
        if is_clean or not state.asyncio_safe:
            return
        if engine.dialect.name == "sqlite":
            connection.rollback()  # whatever its thread does at this moment comes before
        elif connection.driver_connection.is_in_transaction():
            connection.run_async(lambda driver: driver.execute("ROLLBACK"))


def keep_least(engine: AsyncEngine, *, role: str, timeout: int) -> None:
    """From its beginning on a connection has the rights of `role` alone, and `timeout` milliseconds for a statement."""

    @event.listens_for(engine.sync_engine, "connect")
    def limit(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for what in (f"SET ROLE {role}", f"SET statement_timeout = {timeout:d}"):
            cursor.execute(what)
        cursor.close()
        connection.commit()


def keep_alive(engine: AsyncEngine) -> None:
    """A connection that the server has cut is replaced when it is taken; one that has rested is asked first."""

    @event.listens_for(engine.sync_engine, "checkin")
    def rest(_connection: Any, record: Any) -> None:
        record.info[_RESTS] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def look(connection: Any, record: Any, _lent: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if monotonic() - record.info.get(_RESTS, monotonic()) > _REST:
            with suppress(engine.dialect.loaded_dbapi.Error):
                if engine.dialect.do_ping(connection):
                    return
            raise InvalidatePoolError

    @event.listens_for(engine.sync_engine, "handle_error")
    def tell(context: Any) -> None:
        if isinstance(context.original_exception, engine.dialect.loaded_dbapi.InternalClientError):
            context.is_disconnect = True  # see `Lent._is_cut`
