"""What may be known of an operation by those who watch the server: its name, its hash, numbers and codes."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from caregraph.db.tally import Tally, counting

_LONGEST_NAME = 100


@dataclass(eq=False)
class Observation:
    """One operation. Never its text, its variables or who sent it."""

    kind: str
    """`query`, `mutation` or `subscription`."""
    name: str
    """The operation's own name; empty without one. A caller can invent any: bound it before counting by it."""
    hash: str
    """SHA-256 of the document's text, as in a list of trusted documents."""
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    codes: tuple[str, ...] = ()
    """The codes of its top-level errors."""
    cost: float | None = None
    """Its cost, where one was calculated."""
    tally: Tally = field(default_factory=Tally)


class Observer(Protocol):
    """Watches operations: entered when one begins, left when `codes` and `seconds` are known."""

    def watch(self, seen: Observation) -> AbstractContextManager[None]:
        """Around one operation."""


def observation(*, kind: str, name: str | None, text: str, cost: float | None = None) -> Observation:
    """What may be known before an operation runs."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Observation(kind, (name or "")[:_LONGEST_NAME], digest, cost=cost)


@contextmanager
def observed(seen: Observation, observers: Sequence[Observer]) -> Iterator[None]:
    """Show an operation to all observers and count what it asks of the database."""
    with ExitStack() as stack:
        for one in observers:
            stack.enter_context(one.watch(seen))
        stack.enter_context(counting(seen.tally))
        try:
            yield
        finally:
            seen.seconds = time.perf_counter() - seen.started
