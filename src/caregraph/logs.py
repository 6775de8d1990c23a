"""Logging: one line of JSON per record, written so that nothing of a request's content can be in it.

Our own records carry `fields`, chosen where they are written. Of records of libraries only the template of the message
is kept and, of exceptions, types and places in the code: their arguments and texts may hold values of a request.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson

_OURS = "caregraph"
_FRAMES = 12


def configure(*, level: str, style: str, stream: TextIO | None = None) -> None:
    """Log to `stream`, or standard error, as `json` or `text`.

    `level` is that of our own records; libraries speak from warnings on.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(level.upper())


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Without anything that a library took from a request."""
        return orjson.dumps(_told(record), default=str).decode()


class TextLines(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """`time level message key=value …`."""
        told = _told(record)
        head = (told.pop(name) for name in ("time", "level", "message"))
        return " ".join([*head, *(f"{name}={value}" for name, value in told.items())])


def _told(record: logging.LogRecord) -> dict[str, Any]:
    is_ours = record.name == _OURS or record.name.startswith(f"{_OURS}.")
    told: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "message": record.getMessage() if is_ours else (str(record.msg).splitlines() or [""])[0],
        "logger": record.name,
    }
    if is_ours:
        told |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[0] is not None:
        told |= failure(record.exc_info[0], record.exc_info[2])
    return told


def failure(kind: type[BaseException], trace: TracebackType | None) -> dict[str, Any]:
    """What may be logged of an exception: its type and where it happened, innermost last, without texts and values."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(trace), lookup_lines=False)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-_FRAMES:]]
    return {"error": kind.__qualname__, "at": places}
