"""What one operation asked of the database: counted where statements pass, read by whoever watches operations."""

from contextvars import ContextVar, Token
from dataclasses import dataclass, field


@dataclass(eq=False)
class Tally:
    """Counts of one operation."""

    statements: int = 0
    """SQL statements, without opening transactions, signing in and the audit."""
    commits: int = 0
    """Commits begun in an organization: from the first on nobody may be told to simply send the operation again."""
    batches: list[tuple[str, int]] = field(default_factory=list)
    """What each loader was asked at once: its kind and how many keys."""


_CURRENT: ContextVar[Tally | None] = ContextVar("tally", default=None)


def count_in(tally: Tally) -> Token[Tally | None]:
    """From now on count what this task, and every task that it starts, asks of the database."""
    return _CURRENT.set(tally)


def stop_counting(token: Token[Tally | None]) -> None:
    """End what `count_in` began."""
    _CURRENT.reset(token)


def count_statement() -> None:
    """One more statement of the current operation, if there is one."""
    tally = _CURRENT.get()
    if tally is not None:
        tally.statements += 1


def count_commit() -> None:
    """One more commit that the current operation begins, if there is one."""
    tally = _CURRENT.get()
    if tally is not None:
        tally.commits += 1


def count_batch(kind: str, size: int) -> None:
    """One more batch of a loader in the current operation, if there is one."""
    tally = _CURRENT.get()
    if tally is not None:
        tally.batches.append((kind, size))
