"""Watches the statements of an engine: counts them, and ends those of SQLite that take too long or lost their caller.

PostgreSQL ends a statement by itself (`statement_timeout`), and its driver tells it when the caller is gone. SQLite
runs in a thread of this process, and only `interrupt()` stops it.
"""

import asyncio
import threading
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from .direct import Text
from .tally import count_statement

_TIMER = "caregraph.statement_timer"
_PAUSE = 0.02
_ASIDE = {"opens_transaction", "signs_in", "audits"}
"""Options of statements that are not the operation's own."""


def watch(engine: AsyncEngine, *, seconds: float | None = None) -> None:
    """Count the statements of `engine`; on SQLite end each after `seconds`."""
    event.listen(engine.sync_engine, "before_cursor_execute", _count)
    if seconds is not None:
        _interrupt_late(engine, seconds)


def _count(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    options = context.execution_options if context else {}
    if not (_ASIDE & options.keys() or statement.startswith("BEGIN")):
        count_statement()


def _interrupt_late(engine: AsyncEngine, seconds: float) -> None:
    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def start(connection: Any, _cursor: Any, _statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
        loop = asyncio.get_running_loop()
        connection.info[_TIMER] = loop.call_later(seconds, _interrupt, connection.connection.driver_connection)

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def stop(connection: Any, _cursor: Any, _statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
        _stop_timer(connection)

    @event.listens_for(engine.sync_engine, "handle_error")
    def fail(failure: ExceptionContext) -> None:
        connection = failure.connection
        if connection is None or connection.invalidated:
            return
        _stop_timer(connection)
        if not isinstance(failure.original_exception, Exception):  # cancelled: the thread does not know yet
            _interrupt_until_ended(connection.connection.driver_connection)
            # The connection is whole: the rollback that follows waits behind the statement in the same thread. Closing
            # it instead would keep its lock for as long as anything still refers to one of its cursors.
            failure.is_disconnect = False


def sending(connection: Any, text: Text, values: Any) -> tuple[str, Any]:
    """Let the listeners of an engine hear of a statement that is about to run on the driver's connection.

    They may put another in its place, as they may of those that SQLAlchemy executes. If it fails, tell `failed`, else
    the listeners to `after_cursor_execute`.
    """
    statement = text.sql
    for listener in connection.dispatch.before_cursor_execute:
        statement, values = listener(connection, None, statement, values, text.context, False)
    return statement, values


def failed(connection: Any, error: BaseException) -> None:
    """What `sending` told of has not come to its end."""
    _stop_timer(connection)
    if connection.is_sqlite and not isinstance(error, Exception):
        _interrupt_until_ended(connection.connection.driver_connection)


def _stop_timer(connection: Any) -> None:
    timer: asyncio.TimerHandle | None = connection.info.pop(_TIMER, None)
    if timer is not None:
        timer.cancel()


def _interrupt(driver: Any) -> None:
    driver._conn.interrupt()  # noqa: SLF001 the driver's own `interrupt` is a coroutine around the same call


def _interrupt_until_ended(driver: Any) -> None:
    """Interrupt what runs now. Once is not enough: a statement that its thread has yet to begin would not notice."""
    ended = threading.Event()
    driver._tx.put_nowait((None, ended.set))  # noqa: SLF001 the thread takes one call after the other
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if not ended.is_set():
            _interrupt(driver)
            loop.call_later(_PAUSE, interrupt)

    interrupt()
