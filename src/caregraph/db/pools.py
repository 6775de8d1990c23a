"""The pools of connections: how long a connection keeps, what it is when it comes back, and what is kept at hand.

SQLAlchemy looks after connections in greenlets, since it may have to wait for one. A connection that has just been used
needs no waiting. So those that come back clean from `lent.Lent` are kept at hand for the next: to the pool they are
still out, and whoever comes by its own way is given one of them.
"""

from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool

OPENED = "caregraph.opened"
"""Marks a connection whose transaction is begun already."""

_CLEAN = "caregraph.clean"
"""Marks a connection that comes back without having begun a transaction."""

_RESTS = "caregraph.rests_since"
_REST = 1.0
"""Seconds without use after which a connection is asked whether it is still there."""


class CountingPool(AsyncAdaptedQueuePool):
    """The usual pool, which also knows how many wait for a connection, and keeps some at hand."""

    __module__ = AsyncAdaptedQueuePool.__module__  # names its logger: what it logs are a library's records
    waiting = 0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As the usual pool is made."""
        super().__init__(*arguments, **named)
        self._at_hand: list[Any] = []

    def take(self) -> Any | None:
        """The connection that was used last, if it can be used as it is; null where only the pool's own way helps."""
        while self._at_hand:
            kept = self._at_hand.pop()
            driver = kept.driver_connection
            is_closed = getattr(driver, "is_closed", None)  # SQLite's has none: nobody cuts it
            if monotonic() - kept.info[_RESTS] <= _REST and not (is_closed and is_closed()):
                return kept
            self._put_away(kept)
        return None

    def keep(self, lent: Any) -> None:
        """Take a connection back that has no transaction. Nothing in this waits, so nobody can cut it short."""
        lent.info[_RESTS] = monotonic()
        self._at_hand.append(lent)
        if self.waiting:
            self._put_away(self._at_hand.pop())

    def checkedout(self) -> int:
        """Connections in use."""
        return super().checkedout() - len(self._at_hand)

    def dispose(self) -> None:
        """Close all that are not in use."""
        while self._at_hand:
            self._put_away(self._at_hand.pop())
        super().dispose()

    def _do_get(self) -> Any:
        if self._at_hand:
            self._put_away(self._at_hand.pop())
        self.waiting += 1
        try:
            return super()._do_get()
        finally:
            self.waiting -= 1

    def _put_away(self, kept: Any) -> None:
        """Among those that the pool lends by its own way, with the age it has."""
        info = kept.info
        since, info[_CLEAN] = info[_RESTS], True
        kept.close()
        info[_RESTS] = since


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
