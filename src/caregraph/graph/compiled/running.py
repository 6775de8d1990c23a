"""One operation's run of its plans: what is read, what is shared between them, and where each read is accounted for."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from caregraph.db.direct import Text
from caregraph.db.tally import count_batch
from caregraph.graph.loaders import RowById
from caregraph.graph.paging import Window

from .below import Those, ids
from .leaves import NoAnswerError
from .plans import Level, Planner, Shape
from .statements import Read, Statements


class Run:
    """Lives as long as an operation."""

    def __init__(self, executor: Any, planner: Planner, statements: Statements) -> None:
        """`executor` is the operation's, and must not hold this run."""
        self.executor = executor
        self.context = executor.context_value
        self.viewer = self.context.viewer
        self.planner = planner
        self.statements = statements
        self.windows: dict[Any, Window] = {}
        self.failure: Exception | None = None
        self._by_id: dict[Read, _RowsById] = {}

    async def read(
        self, text: Text, values: Mapping[str, Any], *, batch: tuple[str, int] | None = None
    ) -> Sequence[Any]:
        """Rows: here all of them are read. `batch` is the loader's name and its keys, if any.

        The audit is told by `saw` of those that are shown: of a window, one row more is read.
        """
        return await self._sent(text, values, batch)

    def saw(self, read: Read, rows: Iterable[Any]) -> None:
        """Tell the audit of rows that are shown, as the loaders do."""
        place = read.subject
        self.context.saw(read.model, () if place is None else map(itemgetter(place), rows))

    async def count(
        self,
        model: type[Any],
        text: Text,
        values: Mapping[str, Any],
        *,
        batch: tuple[str, int] | None = None,
    ) -> Sequence[Any]:
        """Rows of counts: here all are made of rows that are not shown, and the audit is told so."""
        self.context.saw(model)
        return await self._sent(text, values, batch)

    async def _sent(self, text: Text, values: Mapping[str, Any], batch: tuple[str, int] | None) -> Sequence[Any]:
        if self.failure is not None:
            raise NoAnswerError from self.failure
        if batch is not None:
            count_batch(*batch)
        return await self.context.read(text, values)  # type: ignore[no-any-return]

    async def by_id(self, read: Read, keys: Collection[int | None]) -> dict[int, Any]:
        """Visible rows by their ids; what is asked at the same time is one statement, what was read is kept."""
        known = self._by_id.get(read)
        if known is None:
            known = self._by_id[read] = _RowsById(read)
        return await known.load(self, keys)

    async def answers(self, level: Level, rows: Sequence[Any]) -> list[Any]:
        """What is answered for each of `rows`, in their order."""
        if not rows:
            return []
        if level.build is not None:
            return level.build(rows, (), self.viewer, ())
        if level.discriminator is None:
            return await self._shaped(level, level.shapes[None], rows)
        stored = [row[level.discriminator] for row in rows]
        parts: dict[Any, list[Any]] = {one: [] for one in level.shapes}
        for one, row in zip(stored, rows, strict=True):
            parts[one].append(row)
        found = {one: iter(await self._shaped(level, shape, parts[one])) for one, shape in level.shapes.items()}
        return [next(found[one]) for one in stored]

    async def _shaped(self, level: Level, shape: Shape, rows: Sequence[Any]) -> list[Any]:
        """Rows that come more than once, as owners of many clients do, are answered once."""
        if not shape.children and shape.source is None:
            return shape.build(rows, (), self.viewer, ())
        unique = list({row[0]: row for row in rows}.values()) if level.read.repeats else rows
        sources = () if shape.source is None else shape.source(unique)
        if sources and level.read.is_whole:  # resolvers that ask for these rows by id are given them
            self.context.know(RowById(level.read.model), dict(zip(ids(unique), sources, strict=True)))
        below = await self._below(shape, Those(unique, sources))
        built = shape.build(unique, sources, self.viewer, below)
        if unique is rows:
            return built
        by_id = dict(zip(ids(unique), built, strict=True))
        return [by_id[row[0]] for row in rows]

    async def _below(self, shape: Shape, of: Those) -> list[Any]:
        if not of.rows:
            return [{}] * len(shape.children)
        if len(shape.children) == 1:
            return [await shape.children[0].answers(self, of)]
        return await together([child.answers(self, of) for child in shape.children])


async def together(waiting: Sequence[Any]) -> list[Any]:
    """All results; an error is raised only when none of the others runs any more."""
    found = await asyncio.gather(*waiting, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found


class _RowsById:
    """Rows of one model by id, each read once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._rows: dict[int, Any] = {}
        self._missing: set[int] = set()
        self._wanted: dict[int, None] = {}
        self._reading: asyncio.Task[None] | None = None

    async def load(self, run: Run, keys: Collection[int | None]) -> dict[int, Any]:
        rows = self._rows
        fresh = [key for key in keys if key is not None and key not in rows and key not in self._missing]
        if fresh:
            self._wanted.update(dict.fromkeys(fresh))
            if self._reading is None:
                self._reading = asyncio.ensure_future(self._load_wanted(run))
            await asyncio.shield(self._reading)
        return {key: rows[key] for key in keys if key in rows}

    async def _load_wanted(self, run: Run) -> None:
        await asyncio.sleep(0)  # whoever asks in the same turn of the loop is answered by the same statement
        wanted, self._wanted, self._reading = list(self._wanted), {}, None
        read = self._read
        text = run.statements.by_id(read, run.viewer)
        values = {"keys": run.statements.keys(wanted)}
        found = await run.read(text, values, batch=(RowById.__name__, len(wanted)))
        run.context.spend_on(RowById(read.model), {row[0]: 1 for row in found})
        run.saw(read, found)
        self._rows.update({row[0]: row for row in found})
        self._missing.update(key for key in wanted if key not in self._rows)
