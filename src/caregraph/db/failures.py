"""What a failing database comes to for the person who asked: it is busy, it is gone, or a statement took too long."""

import enum

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Trouble(enum.Enum):
    """Failures that are nobody's bug and may be over at the next try."""

    BUSY = enum.auto()
    GONE = enum.auto()
    SLOW = enum.auto()


# PostgreSQL's codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
_BUSY_STATES = {"53300", "40001", "40P01", "55P03"}
_GONE_STATES = {"57P01", "57P02", "57P03"}
_GONE_CLASS = "08"
_SLOW_STATE = "57014"

# Its codes are of the driver's exception, which SQLAlchemy wraps anew; SQLite's words are as stable.
_SQLITE_WORDS = {
    "database is locked": Trouble.BUSY,
    "database table is locked": Trouble.BUSY,
    "unable to open database file": Trouble.GONE,
    "disk i/o error": Trouble.GONE,
    "database or disk is full": Trouble.GONE,
    "interrupted": Trouble.SLOW,
}


def trouble(error: BaseException) -> Trouble | None:
    """What kind of trouble `error` is; null for anything else, which is a bug."""
    if isinstance(error, PoolTimeoutError):
        return Trouble.BUSY
    if isinstance(error, OSError):  # refused, reset, timed out: drivers raise them as they come
        return Trouble.GONE
    if isinstance(error, DBAPIError):
        return _of_statement(error)
    return None


def _of_statement(error: DBAPIError) -> Trouble | None:
    state = _sqlstate(error.orig)
    if state == _SLOW_STATE:
        return Trouble.SLOW
    if state in _BUSY_STATES:
        return Trouble.BUSY
    if error.connection_invalidated or state in _GONE_STATES or state.startswith(_GONE_CLASS):
        return Trouble.GONE
    return _SQLITE_WORDS.get(str(error.orig).lower())


def _sqlstate(error: BaseException | None) -> str:
    for one in (error, error.__cause__ if error is not None else None):
        state = getattr(one, "sqlstate", None)
        if isinstance(state, str):
            return state
    return ""
