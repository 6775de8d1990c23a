"""What may be known of an operation by those who watch the server: its name, its hash, numbers and codes."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from caregraph.db.tally import Tally, count_in, stop_counting

_LONGEST_NAME = 100
_LONGEST_KNOWN_TEXT = 2_000


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
    digest = _digest(text) if len(text) <= _LONGEST_KNOWN_TEXT else _digest.__wrapped__(text)
    return Observation(kind, (name or "")[:_LONGEST_NAME], digest, cost=cost)


@lru_cache(1000)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Observed:
    """A block that is shown to all observers, and in which is counted what an operation asks of the database."""

    def __init__(self, seen: Observation, observers: Sequence[Observer]) -> None:
        """`seen` is the operation that runs in the block."""
        self._seen = seen
        self._observers = observers

    def __enter__(self) -> None:
        self._begun = [one.begin(self._seen) for one in self._observers]
        self._counting = count_in(self._seen.tally)

    def __exit__(self, *_: object) -> None:
        stop_counting(self._counting)
        self._seen.seconds = time.perf_counter() - self._seen.started
        for one, state in zip(reversed(self._observers), reversed(self._begun), strict=True):
            one.end(self._seen, state)
