"""Scores read as columns: one statement, no row is an object, both measures of a session come to stand in one row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Date, Integer, Select, bindparam, func, select

from caregraph.db.base import table_of
from caregraph.db.columns import Array
from caregraph.db.scope import criterion
from caregraph.graph.columns import Column
from caregraph.graph.context import Context
from caregraph.graph.tables import ColumnReads
from caregraph.people.lists import ListScope, owned_clients
from caregraph.scoring import measures

from . import models
from .scores import MEASURES

NONE = 0
"""The id of no row."""

ROW_COUNT = "row_count"
SUM = 0
"""In the place of a line's number: the sum of all four, which the database checks when they are written."""
_TOTALS = {kind.name.lower(): kind for kind in MEASURES}
_LINES = {
    f"{kind.name.lower()}_{item}": (kind, number)
    for kind, measure in MEASURES.items()
    for number, item in enumerate(measure.items, 1)
}
"""Columns of single lines: of which measure, and which line."""
_IDS = {"session_id": "Session", "episode_id": "Episode", "client_id": "Client", "rater_id": "Rater"}
_ORDER = ("session_date", "session_id", "client_id", "rater_id")
"""What a row is of, in the order of rows; an episode is its session's."""
_KEYS = (*_ORDER, "episode_id", "measure")
_OF_SESSIONS = {"session_date", "session_id"}


@dataclass(frozen=True)
class Wanted:
    """Which scores. As a loader it answers pairs of a parent's id, null at the root, and the name of a column."""

    start: date | None = None
    end: date | None = None
    scope: ListScope = ListScope.VISIBLE
    user_id: str | None = None
    client_id: int | None = None
    episode_id: int | None = None
    parent: str | None = None
    """The column of scores that names the parent."""

    async def load_many(self, context: Context, keys: Sequence[tuple[int | None, str]]) -> list[Any]:
        """One statement for all columns of all parents."""
        names, parents = {name for _, name in keys}, {parent for parent, _ in keys}
        scores = await self._read(context, names, parents)
        context.spend_on(self, self._spent(scores, parents))
        _tell(context, scores, names)
        columns = _Columns(scores.ordered())
        arrays = {name: columns.array(name) for name in names}
        rows: dict[int | None, Any] = {None: slice(None)} if self.parent is None else columns.rows_by(self.parent)
        nothing = slice(0, 0)
        return [_column(name, arrays[name][rows.get(parent, nothing)]) for parent, name in keys]

    def _spent(self, scores: "Scores", parents: Collection[int | None]) -> dict[int | None, int]:
        if self.parent is None:
            return {None: len(scores.keys["measure"])}
        found, counts = np.unique(scores.keys[self.parent], return_counts=True)
        known = dict(zip(found.tolist(), counts.tolist(), strict=True))
        return {parent: known.get(parent, 0) for parent in parents}

    async def _read(self, context: Context, names: set[str], parents: Collection[int | None]) -> "Scores":
        wanted = {_LINES[one][1] for one in names & _LINES.keys()} | ({SUM} if names & _TOTALS.keys() else set())
        numbers = tuple(sorted(wanted))
        reads = context.the(ColumnReads)
        given = {"start": self.start, "end": self.end, "client_id": self.client_id, "episode_id": self.episode_id}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        values["most"] = context.rows_left + 1  # one more shows that there are too many
        if self.parent is not None:
            values["keys"] = reads.keys([parent for parent in parents if parent is not None])
        key = (self.scope, self.user_id, self.parent, numbers, *values)
        found = await reads.read(context, key, lambda: self._statement(context, numbers, values), values)
        return Scores.of(found, numbers)

    def _statement(self, context: Context, numbers: Sequence[int], values: Mapping[str, Any]) -> Select[Any]:
        """Conditions only where there is a value: with `OR … IS NULL` no index would be used."""
        score, session = models.Score, models.Session
        statement = of_scores(numbers).where(criterion(score, context.viewer), criterion(session, context.viewer))
        if self.parent is not None:
            statement = statement.where(context.the(ColumnReads).among(getattr(score, self.parent)))
        if "start" in values:
            statement = statement.where(session.session_date >= bindparam("start", type_=Date()))
        if "end" in values:
            statement = statement.where(session.session_date <= bindparam("end", type_=Date()))
        for name in {"client_id", "episode_id"} & values.keys():
            statement = statement.where(getattr(score, name) == bindparam(name, type_=BigInteger()))
        owned = owned_clients(context.viewer, self.scope, self.user_id)
        if owned is not None:
            statement = statement.where(score.client_id.in_(owned))
        return statement.limit(bindparam("most", type_=Integer()))


@dataclass(frozen=True)
class Scores:
    """Arrays of one value per score: its keys by name, its lines by number."""

    keys: Mapping[str, Array]
    lines: Mapping[int, Array]

    @classmethod
    def of(cls, found: Sequence[Array], numbers: Sequence[int] = (SUM,)) -> "Scores":
        """The columns of `of_scores`."""
        lines = dict(zip(numbers, found[len(_KEYS) :], strict=True))
        return cls(dict(zip(_KEYS, found, strict=False)), lines)

    def ordered(self) -> "Scores":
        """By session date, then session, then informant."""
        order = np.lexsort([self.keys[name] for name in reversed(_ORDER)])
        keys = {name: values[order] for name, values in self.keys.items()}
        return Scores(keys, {number: values[order] for number, values in self.lines.items()})


def of_scores(numbers: Sequence[int] = (SUM,)) -> Select[Any]:
    """Select the keys of scores and their lines with these numbers, or the sum of all four."""
    score, session = models.Score, models.Session
    table = table_of(score).c  # scope: columns of the mapped rows, whose rules the statement has
    lines = [table[f"line_{number}"] for number in (1, 2, 3, 4)]
    values = {SUM: lines[0] + lines[1] + lines[2] + lines[3], **dict(enumerate(lines, 1))}
    return select(
        session.session_date,
        score.session_id,
        score.client_id,
        func.coalesce(score.rater_id, NONE),
        score.episode_id,
        score.measure,
        *(values[number] for number in numbers),
    ).join(session, session.id == score.session_id)


def _tell(context: Context, scores: Scores, names: set[str]) -> None:
    """Tell the audit what is shown, as if the rows themselves were: of a session, everybody on its episode."""
    if names == {ROW_COUNT}:
        context.saw(models.Score)
        return
    context.saw(models.Score, np.unique(scores.keys["client_id"]).tolist())
    episodes = np.unique(scores.keys["episode_id"]).tolist()
    if names & _OF_SESSIONS:
        context.saw(models.Session, episodes)
    if "episode_id" in names:
        context.saw(models.Episode, episodes)


class _Columns:
    """The rows that scores come to."""

    def __init__(self, scores: Scores) -> None:
        """`scores` in their order."""
        keys, self._lines, self._measure = scores.keys, scores.lines, scores.keys["measure"]
        is_first = np.ones(len(self._measure), bool)
        is_first[1:] = np.logical_or.reduce([keys[name][1:] != keys[name][:-1] for name in _ORDER])
        self._keys = {name: values[is_first] for name, values in keys.items()}
        self._row = np.cumsum(is_first) - 1
        self._count = int(is_first.sum())

    def array(self, name: str) -> Array:
        """The values of a column; of the number of rows, something with as many."""
        if name == ROW_COUNT:
            return self._row[: self._count]
        if name in self._keys:
            return self._keys[name]
        kind, number = _LINES.get(name, (_TOTALS.get(name), SUM))
        if kind is None:
            raise KeyError(name)
        those = np.flatnonzero(self._measure == kind.value)
        values = np.full(self._count, np.nan)
        found = self._lines[number][those]
        values[self._row[those]] = measures.of_sums(found) if number == SUM else found
        return values

    def rows_by(self, name: str) -> dict[int | None, Any]:
        """The rows of each value of a key, in their order."""
        order = np.argsort(self._keys[name], kind="stable")
        found, starts = np.unique(self._keys[name][order], return_index=True)
        return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True)) if len(found) else {}


def _column(name: str, values: Array) -> Any:
    return len(values) if name == ROW_COUNT else Column(values, _IDS.get(name))
