"""Events: small notes of which row changed, told after commit to whoever listens, in this process and in others.

An event carries ids only, so that what travels between processes names nobody; whoever hears of it reads the row again
as its own viewer. Models say with `tells` what their rows' changes mean; the session notes them as they are flushed.
On PostgreSQL the commit itself delivers them (NOTIFY is transactional); on SQLite the one process hands them on.
"""

import asyncio
import enum
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session, UOWTransaction

from .base import Base

CHANNEL = "caregraph_events"
_LONGEST_PAYLOAD = 7900  # PostgreSQL takes less than 8000 bytes
_NOTIFY = text("SELECT pg_notify(:channel, told.payload) FROM unnest(CAST(:payloads AS text[])) AS told (payload)")


class ChangeKind(enum.Enum):
    """What happened to a row."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


@dataclass(frozen=True)
class Event:
    """A row changed. `through` are ids of rows by which one sees it, kept because a deleted row cannot be asked."""

    organization_id: int
    type_name: str
    row_id: int
    change: ChangeKind
    through: tuple[int, ...] = ()

    @property
    def is_deletion(self) -> bool:
        """Whether the row is gone."""
        return self.change is ChangeKind.DELETED

    def encode(self) -> str:
        """As it travels. With too many `through` none goes along: then only those who see everything hear of it."""
        parts = [self.organization_id, self.type_name, self.row_id, self.change.value, list(self.through)]
        encoded = orjson.dumps(parts).decode()
        return encoded if len(encoded) <= _LONGEST_PAYLOAD else replace(self, through=()).encode()

    @classmethod
    def decode(cls, payload: str) -> "Event":
        """As it was told."""
        organization_id, type_name, row_id, change, through = orjson.loads(payload)
        return cls(organization_id, type_name, row_id, ChangeKind(change), tuple(through))

    def then(self, later: "Event") -> "Event | None":
        """Both as one event of their transaction; null when it leaves no trace."""
        kinds = (self.change, later.change)
        if kinds == (ChangeKind.CREATED, ChangeKind.DELETED):
            return None
        change = ChangeKind.CREATED if self.change is ChangeKind.CREATED else later.change
        return replace(later, change=change, through=tuple(sorted({*self.through, *later.through})))


@dataclass(frozen=True)
class Tells:
    """Put on a model as `tells`: whose change a change of its rows is.

    By default the row's own. With `type_name` and `row` the row is a part of another (a session of an episode): every
    change of it is an update of that one. `through` is the column with the id by which one sees the row that changed.
    """

    type_name: str | None = None
    row: str = "id"
    through: str | None = None

    def event(self, row: Any, change: ChangeKind) -> Event:
        """What a change of `row` tells."""
        return Event(
            organization_id=row.organization_id,
            type_name=self.type_name or type(row).__name__,
            row_id=getattr(row, self.row),
            change=change if self.type_name is None else ChangeKind.UPDATED,
            through=() if self.through is None else (getattr(row, self.through),),
        )


def tell(tx: Any, model: type[Any], row_ids: Iterable[int], change: ChangeKind) -> None:
    """Note a change that the session cannot see, because a statement or a cascade makes it.

    For parts, `row_ids` are those of the rows that they are parts of.
    """
    tells = getattr(model, "tells", None)
    if tells is not None:
        name, kind = (model.__name__, change) if tells.type_name is None else (tells.type_name, ChangeKind.UPDATED)
        for row_id in row_ids:
            _note(tx.info, Event(tx.info["viewer"].organization_id, name, row_id, kind))


def install(session_class: type[Session]) -> None:
    """Let every transaction of `session_class` tell what it changed."""
    event.listen(session_class, "before_flush", _note_ways_to_deleted)
    event.listen(session_class, "after_flush", _note_flushed)
    event.listen(session_class, "before_commit", _notify)
    event.listen(session_class, "after_commit", _publish)
    event.listen(session_class, "after_rollback", lambda session: session.info.pop("events", None))


def _note(info: dict[Any, Any], new: Event) -> None:
    events = info.setdefault("events", {})
    key = (new.type_name, new.row_id)
    earlier = events.pop(key, None)
    merged = new if earlier is None else earlier.then(new)
    if merged is not None:
        events[key] = merged


def _note_ways_to_deleted(session: Session, _flush: UOWTransaction, _instances: Any) -> None:
    """The parts through which a row was seen are gone once it is deleted."""
    for row in session.deleted:
        if getattr(row, "tells", None) == Tells():
            found = tuple(sorted(_through(session, type(row).__name__, row.id)))
            _note(session.info, replace(row.tells.event(row, ChangeKind.DELETED), through=found))


def _through(session: Session, type_name: str, row_id: int) -> set[int]:
    found: set[int] = set()
    for mapper in Base.registry.mappers:
        part: Any = mapper.class_
        tells = getattr(part, "tells", None)
        if tells is not None and tells.type_name == type_name and tells.through is not None:
            ways = select(getattr(part, tells.through)).where(getattr(part, tells.row) == row_id)
            here = ways.where(part.organization_id == session.info["viewer"].organization_id)
            found.update(session.scalars(here.execution_options(scoped=True)))  # also what the viewer does not see
    return found


def _note_flushed(session: Session, _flush: UOWTransaction) -> None:
    modified = [row for row in session.dirty if session.is_modified(row)]
    for rows, change in (
        (session.new, ChangeKind.CREATED),
        (modified, ChangeKind.UPDATED),
        (session.deleted, ChangeKind.DELETED),
    ):
        for row in rows:
            tells = getattr(row, "tells", None)
            if tells is not None:
                _note(session.info, tells.event(row, change))


def _notify(session: Session) -> None:
    session.flush()  # the commit's own flush comes later
    events = session.info.get("events")
    if events and session.get_bind().dialect.name == "postgresql":
        session.execute(
            _NOTIFY,
            {"channel": CHANNEL, "payloads": [one.encode() for one in events.values()]},
            execution_options={"scoped": True},
        )
        events.clear()


def _publish(session: Session) -> None:
    for one in session.info.pop("events", {}).values():
        session.info["bus"].publish(one)


class StreamEndedError(Exception):
    """A stream of events ends before its reader wanted it to."""

    def __init__(self, code: str, message: str) -> None:
        """`code` as errors name it."""
        super().__init__(message)
        self.code = code


class Mailbox:
    """The events that wait for one reader: a bounded number, or the stream ends."""

    def __init__(self, bus: "Bus", organization_id: int, wanted: Callable[[Event], bool], size: int) -> None:
        """`wanted` is asked before an event takes room."""
        self.organization_id = organization_id
        self._bus, self._wanted, self._size = bus, wanted, size
        self._waiting: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._ended: StreamEndedError | None = None

    def offer(self, new: Event) -> None:
        """Take an event of the right organization and kind."""
        if new.organization_id != self.organization_id or not self._wanted(new):
            return
        if len(self._waiting) >= self._size:
            self.end(StreamEndedError("SLOW_CONSUMER", f"More than {self._size} events are waiting: subscribe again"))
            return
        self._waiting.append(new)
        self._arrived.set()

    async def next(self, timeout: float) -> Event | None:  # noqa: ASYNC109 a quiet interval is no error
        """The next event, or null after `timeout` seconds without one; raises `StreamEndedError` at the end."""
        if not self._waiting and self._ended is None:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        if self._ended is not None:
            raise self._ended
        return self._waiting.popleft()

    def end(self, reason: StreamEndedError) -> None:
        """Take nothing more; the reader learns why."""
        self._ended = self._ended or reason
        self._waiting.clear()
        self._arrived.set()
        self._bus.forget(self)

    def close(self) -> None:
        """The reader has gone."""
        self._bus.forget(self)


class Bus:
    """Hands events to the mailboxes of this process."""

    def __init__(self) -> None:
        """Nobody reads yet."""
        self._boxes: set[Mailbox] = set()

    def __len__(self) -> int:
        """How many read."""
        return len(self._boxes)

    def open(self, organization_id: int, wanted: Callable[[Event], bool], *, size: int) -> Mailbox:
        """A mailbox that receives from now on; close it."""
        box = Mailbox(self, organization_id, wanted, size)
        self._boxes.add(box)
        return box

    def publish(self, new: Event) -> None:
        """Hand an event of a committed transaction to everyone who wants it."""
        for box in tuple(self._boxes):
            box.offer(new)

    def end(self, reason: StreamEndedError) -> None:
        """End every stream."""
        for box in tuple(self._boxes):
            box.end(reason)

    def forget(self, box: Mailbox) -> None:
        """Hand nothing more to `box`."""
        self._boxes.discard(box)
