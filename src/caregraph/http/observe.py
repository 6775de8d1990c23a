"""What may be known of an operation by those who watch the server: its name, its hash, numbers and codes."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

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
    """Watches operations."""

    def begin(self, seen: Observation) -> Any:
        """One operation begins; what is returned comes back at its end."""

    def end(self, seen: Observation, begun: Any) -> None:
        """It has ended: `codes`, `seconds` and the tally are known."""


def observation(*, kind: str, name: str | None, text: str, cost: float | None = None) -> Observation:
    """What may be known before an operation runs."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Observation(kind, (name or "")[:_LONGEST_NAME], digest, cost=cost)


@contextmanager
def observed(seen: Observation, observers: Sequence[Observer]) -> Iterator[None]:
    """Show an operation to all observers and count what it asks of the database."""
    begun = [one.begin(seen) for one in observers]
    try:
        with counting(seen.tally):
            yield
    finally:
        seen.seconds = time.perf_counter() - seen.started
        for one, state in zip(reversed(observers), reversed(begun), strict=True):
            one.end(seen, state)
