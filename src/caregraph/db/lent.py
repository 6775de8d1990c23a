"""Connections lent by the pool for statements on their driver.

What SQLAlchemy does around a statement takes longer than most statements of a request. So signing in, plans and the
audit borrow a connection from its pool and speak with the driver. Listeners of the engine hear of their statements as
of all others, and errors are SQLAlchemy's, without the values of a request.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.util import greenlet_spawn

from .direct import Text
from .finish import finished
from .pools import OPENED, CountingPool
from .watch import failed, sending

T = TypeVar("T")
Bind = Callable[[AsyncConnection], AsyncSession]

READS, WRITES = "BEGIN", "BEGIN IMMEDIATE"
"""How transactions begin on SQLite: a read snapshot cannot become a write later."""

_OF_DRIVERS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, sqlite3.Error)


class Lent:
    """One connection of an engine, taken when first needed; close it to give it back."""

    def __init__(self, engine: AsyncEngine, listeners: Any) -> None:
        """Takes nothing yet. `listeners` are told of statements: those of `engine`, or of what it is made from."""
        self._engine = engine
        self.dispatch = listeners
        self.is_sqlite = engine.sync_engine.dialect.name == "sqlite"
        self.connection: Any = None
        """As the pool lends it."""
        self.driver: Any = None
        self._pool: CountingPool | None = None
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
        """Begin a transaction, or change it. On SQLite `statement` travels with the next one."""
        if self.is_sqlite:
            self._begins_with = statement
        else:
            self._has_begun = True
            await self._sent(lambda: self.driver.execute(statement))

    async def rows(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of one statement, as the driver gives them; without a transaction it is one by itself."""
        return await self._sent(partial(self._rows, text, values))

    async def _rows(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        return await self._heard(self._fetch, text, text.values(values))  # type: ignore[no-any-return]

    async def _fetch(self, sql: str, given: Any) -> Any:
        if self.is_sqlite:
            return await self._in_thread(lambda driver: driver.execute(sql, given).fetchall())
        return await self.driver.fetch(sql, *given)

    async def append(self, text: Text, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an insertion with the values of each row, all of them or none, and commit."""
        self._begins_with = WRITES
        await self._sent(partial(self._append, text, [text.values(row) for row in rows]), is_safe_twice=False)

    async def _append(self, text: Text, every: Any) -> None:
        await self._heard(self._insert, text, every)

    async def _insert(self, sql: str, every: Any) -> None:
        if self.is_sqlite:
            await self._in_thread(lambda driver: driver.executemany(sql, every).connection.commit())
            self._has_begun = False
        elif len(every) == 1:
            await self.driver.execute(sql, *every[0])
        else:
            await self.driver.executemany(sql, every)  # by itself a transaction

    async def _heard(self, run: Callable[[str, Any], Awaitable[Any]], text: Text, given: Any) -> Any:
        """What `run` brings, of which the engine's listeners hear as of its own statements."""
        try:
            sql, given = sending(self, text, given)
            found = await run(sql, given)
        except BaseException as error:
            failed(self, error)
            raise
        self.dispatch.after_cursor_execute(self, None, sql, given, text.context, False)
        return found

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
            await self._close()  # nothing in it waits, so nobody can cut it short

    async def _close(self) -> None:
        kept, self.connection = self.connection, None
        try:
            if self._session is not None:
                await self._session.close()
            if self._has_begun:
                await (self.driver.rollback() if self.is_sqlite else self.driver.execute("ROLLBACK"))
        except (SQLAlchemyError, *_OF_DRIVERS, OSError):  # nothing is lost: whoever asked knows already what is wrong
            if kept.is_valid:
                await (greenlet_spawn(kept.invalidate) if self._wrapper is None else self._wrapper.invalidate())
        if self._wrapper is not None:
            await self._wrapper.close()
        elif kept.is_valid:
            await self._give_back(kept)

    async def _give_back(self, kept: Any) -> None:
        """At hand for the next, unless it is not what it should be, or its pool has been replaced meanwhile."""
        is_clean = self.is_sqlite or not (self.driver.is_closed() or self.driver.is_in_transaction())
        if is_clean and self._pool is not None and self._pool is self._engine.sync_engine.pool:
            self._pool.keep(kept)
        else:
            await greenlet_spawn(kept.close)

    async def _take(self) -> None:
        self._pool = pool = cast("CountingPool", self._engine.sync_engine.pool)
        self.connection = pool.take() or await self._engine.raw_connection()
        self.driver = self.connection.driver_connection

    async def _sent(self, use: Callable[[], Awaitable[T]], *, is_safe_twice: bool = True) -> T:
        """What `use` brings; where it is the first, and the server turns out to have cut the connection, on another."""
        is_first, tried = self.connection is None and is_safe_twice, 0
        while True:
            try:
                if self.connection is None:
                    await self._take()
                return await use()
            except (*_OF_DRIVERS, self._engine.dialect.loaded_dbapi.Error) as error:
                is_cut = self.connection is not None and not self.is_sqlite and self._is_cut(error)
                if not (is_cut and is_first and self._pool is not None and tried < self._pool.size()):
                    raise DBAPIError(None, None, error, hide_parameters=True, connection_invalidated=is_cut) from error
            tried += 1
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
