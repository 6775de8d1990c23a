"""What a resolver has at hand: the viewer, one snapshot of the database, and the loaders on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Protocol, TypeVar

import strawberry
from aiodataloader import DataLoader
from graphql import MiddlewareManager
from sqlalchemy import Executable, Result
from sqlalchemy.exc import DBAPIError

from caregraph.auth.viewer import Viewer
from caregraph.db.audit import AuditEvent, Origin, origin
from caregraph.db.changes import Subjects, asking
from caregraph.db.counters import Budget
from caregraph.db.direct import Text
from caregraph.db.finish import finished
from caregraph.db.keys import attribute, key_value, way
from caregraph.db.session import Database
from caregraph.db.snapshots import Snapshot
from caregraph.db.tally import count_batch
from caregraph.settings import Settings

from .errors import RequestError

S = TypeVar("S")


class Loader(Hashable, Protocol):
    """One batched question. Equal loaders share a batch and a cache within an operation."""

    async def load_many(self, context: "Context", keys: Sequence[Any]) -> list[Any]:
        """Answers in the order of `keys`."""


@dataclass(eq=False)
class Seen:
    """What an operation has read and met so far that the audit has to tell."""

    subjects: Subjects = field(default_factory=Subjects)
    is_aggregate: bool = False
    """Whether something was counted or computed over records without telling whose."""
    is_audit: bool = False
    """Whether entries of the audit were read."""
    told: set[int] = field(default_factory=set)
    """Clients whom entries about the operation's own changes name."""
    refused: list[str] = field(default_factory=list)
    """Root fields whose payload says that access was denied."""


@dataclass(eq=False, kw_only=True)
class Context:
    """Lives as long as one operation."""

    viewer: Viewer
    database: Database
    settings: Settings
    provided: Mapping[type[Any], Any] = field(default_factory=dict)
    client_address: str = ""
    operation: str | None = None
    """The name that the caller gave the operation."""
    seen: Seen = field(default_factory=Seen)
    rows: int = 0
    """Rows read so far to be answered; the limit stops the operation."""
    stopped: RequestError | None = None
    deadline: float | None = None
    """When the operation's time is over, by the event loop's clock."""
    watch: MiddlewareManager | None = None
    """What is called around every field, if anything."""
    encodes: bool = False
    """Whether the data may be told as bytes of JSON, so that they are made while the audit is written."""
    budgets: Sequence[Budget] = ()
    """What the caller has left, where the request asks for it."""
    _clocks: set[asyncio.Timeout] = field(default_factory=set)
    _is_over: bool = False
    _snapshot: Snapshot | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _loaders: dict[Loader, DataLoader[Any, Any]] = field(default_factory=dict)
    _counted: dict[Loader, set[Any]] = field(default_factory=dict)

    def the(self, kind: type[S]) -> S:
        """A service of the application, passed in by `app.py`."""
        service: S = self.provided[kind]
        return service

    async def run(self, statement: Executable) -> Result[*tuple[Any, ...]]:
        """Run a statement that already carries its visibility, in this operation's snapshot."""
        return await self.run_unscoped(statement.execution_options(scoped=True))

    async def run_unscoped(self, statement: Executable) -> Result[*tuple[Any, ...]]:
        """Run a hand-written statement: the session adds the visibility of every table in it.

        A field that is cancelled for its sibling's error does not cut it off: the connection is everybody's. It ends
        with the operation.
        """
        running = asyncio.ensure_future(self._run(statement))
        running.add_done_callback(_seen)
        return await asyncio.shield(running)

    async def _run(self, statement: Executable) -> Result[*tuple[Any, ...]]:
        if self.stopped is not None:
            raise self.stopped
        async with self.within_time(), self._turn:  # one connection serves the whole operation
            return await (await self._open().session()).execute(statement)

    async def read(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of a statement that already carries its visibility, as the driver gives them."""
        if self.stopped is not None:
            raise self.stopped
        async with self.within_time(), self._turn:
            return await self._open().rows(text, values)

    def _open(self) -> Snapshot:
        """The snapshot, which is begun by its first read; after the end there is nobody to close another."""
        if self._is_over:
            raise _too_late()
        self._snapshot = self._snapshot or self.database.snapshot(self.viewer)
        return self._snapshot

    @property
    def rows_left(self) -> int:
        """How many more rows this operation may read."""
        return self.settings.maximum_rows - self.rows

    def spend(self, rows: int) -> None:
        """Count rows that were read; above the limit the operation is stopped."""
        self.rows += rows
        if self.rows_left < 0:
            most = self.settings.maximum_rows
            message = f"An operation may read at most {most} rows"
            self.stopped = RequestError("COST_ACTUAL_TOO_EXPENSIVE", message, limit=most)
            raise self.stopped

    def spend_on(self, loader: Loader, rows: Mapping[Any, int]) -> None:
        """Count the rows that were read to answer `loader`'s question for these keys: for each key once."""
        counted = self._counted.get(loader)
        if counted is None:
            self._counted[loader] = set(rows)
            self.spend(sum(rows.values()))
            return
        fresh = rows.keys() - counted
        counted |= fresh
        self.spend(sum(rows[key] for key in fresh))

    def saw(self, model: type[Any], values: Iterable[int | None] | None = None) -> None:
        """Tell the audit which rows of `model` may reach the answer; whoever reads rows for it must call this.

        `values` are, of each row, those of the column `way(model).column` of `db/keys.py`: the client's id, or that of
        a row which leads to clients. Without `values`: the rows were counted or computed over, and none is shown.
        Models that are nobody's record are taken and told nothing of.
        """
        if model is AuditEvent:
            self.seen.is_audit = True
        elif not self.settings.audit_reads or (found := way(model)) is None:
            return
        elif values is None:
            self.seen.is_aggregate = True
        else:
            self.seen.subjects.add(found, values)

    def saw_rows(self, model: type[Any], rows: Iterable[Any]) -> None:
        """`saw` for rows of the mapped class itself."""
        found = way(model)
        if found is None:
            self.saw(model, ())
        else:
            name = attribute(model, found.column)
            self.saw(model, [getattr(row, name) for row in rows])

    def origin(self, *fields: str, **told: Any) -> Origin:
        """By whom, from where and by what: for an entry about root fields of this operation."""
        known = {"address": self.client_address or None, "operation": self.operation, "fields": fields}
        return origin(self.viewer, **known | told)

    def load(self, loader: Loader, key: Any) -> Awaitable[Any]:
        """Answer `loader`'s question for `key`, batched with everything asked at the same time."""
        answer = self._batch(loader).load(key)
        answer.add_done_callback(_seen)
        return asyncio.shield(answer)  # fields share it: one that is cancelled for its sibling's error leaves it alone

    def know(self, loader: Loader, answers: Mapping[Any, Any]) -> None:
        """Let `loader`'s questions for these keys be answered already."""
        batch = self._batch(loader)
        for key, answer in answers.items():
            batch.prime(key, answer)

    def _batch(self, loader: Loader) -> DataLoader[Any, Any]:
        batch = self._loaders.get(loader)
        if batch is None:

            async def load_many(keys: list[Any]) -> list[Any]:
                count_batch(type(loader).__name__, len(keys))
                return await loader.load_many(self, keys)

            batch = self._loaders[loader] = DataLoader(load_many)
        return batch

    def within_time(self) -> "_WithinTime":
        """Run the block until the operation's time is over.

        The error is that of one field: what other fields have answered or saved is still told.
        """
        if self._is_over:
            raise _too_late()
        return _WithinTime(self._clocks, self.deadline)

    async def close(self) -> None:
        """End for good: a loader that outlives a cancelled operation stops and opens nothing anew."""
        self._is_over = True
        now = asyncio.get_running_loop().time()
        for clock in self._clocks:
            if not clock.expired():
                clock.reschedule(now)
        self._loaders.clear()
        if self._snapshot is not None or self._turn.locked():
            await finished(self._end())

    @asynccontextmanager
    async def anew(self) -> AsyncIterator["Context"]:
        """A context for the same operation from its beginning; whatever still runs in this one ends.

        What this one has seen is forgotten: it is not told either.
        """
        await self.close()
        own = {one.name: getattr(self, one.name) for one in fields(self) if not one.name.startswith("_")}
        again = Context(**own | {"rows": 0, "stopped": None, "seen": Seen()})
        try:
            yield again
        finally:
            await again.close()
            self.rows, self.stopped, self.seen = again.rows, again.stopped, again.seen

    async def end_snapshot(self) -> None:
        """Close the snapshot and forget what was loaded; the next read opens a fresh one."""
        await self.settle()
        await self._end()

    async def settle(self) -> None:
        """Find out whose records were read, where that is not known yet, and forget what was loaded."""
        self._loaders.clear()
        self._counted.clear()
        if self.seen.subjects.asked:
            try:
                await self._ask()
            except DBAPIError:  # after an error, a snapshot of PostgreSQL answers nothing more
                await self._end()
                await self._ask()

    async def _ask(self) -> None:
        """Look up whose record was read, in the snapshot that it was read in."""
        subjects = self.seen.subjects
        async with self._turn:
            snapshot, database = self._open(), self.database
            for hops, values in list(subjects.asked.items()):
                keys = key_value(sorted(values), is_sqlite=database.is_sqlite)
                rows = await snapshot.rows(asking(hops, database.dialect), {"keys": keys})
                subjects.answered(hops, [row[0] for row in rows])

    async def _end(self) -> None:
        async with self._turn:
            snapshot, self._snapshot = self._snapshot, None
            if snapshot is not None:
                await snapshot.close()  # to its end: whoever is cancelled here gives the connection back first


class _WithinTime:
    """A block that ends with its operation's time."""

    def __init__(self, clocks: set[asyncio.Timeout], deadline: float | None) -> None:
        self._clocks = clocks
        self._deadline = deadline

    async def __aenter__(self) -> None:
        self._clock = await asyncio.timeout_at(self._deadline).__aenter__()
        self._clocks.add(self._clock)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clocks.discard(self._clock)
        try:
            await self._clock.__aexit__(kind, error, trace)
        except TimeoutError:
            raise _too_late() from None


def _seen(answer: asyncio.Future[Any]) -> None:
    """Nobody may be left to be told of a failure: then it is no warning either."""
    if not answer.cancelled():
        answer.exception()


def _too_late() -> RequestError:
    return RequestError("TIMEOUT", "The operation took too long")


Info = strawberry.Info[Context, None]
