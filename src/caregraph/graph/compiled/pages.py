"""Connections inside a plan: nodes, edges, cursors, page information and counts of many parents at once."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from graphql import get_named_type
from sqlalchemy import inspect as mapped

from caregraph.graph.paging import Slice, Window, plain, signature

from .leaves import read_as
from .statements import Read

if TYPE_CHECKING:
    from .plans import Level, Planner
    from .running import Run

Cursor = Callable[[Any], str]
Entry = Callable[["Parts"], Any]


@dataclass(frozen=True)
class PageOf:
    """What was read for some parents."""

    parents: Sequence[int]
    rows: Mapping[int, Sequence[Any]]
    counts: Mapping[int, int]


class Parts(NamedTuple):
    """What the connection of one parent is made of."""

    slice: Slice
    window: Window
    cursor: Cursor
    total: int
    views: Sequence[Sequence[Any]]
    """Answers of the rows, by view."""


@dataclass(eq=False)
class Page:
    """The selections of a connection: its entries, and a level for each selection of rows in it."""

    read: Read
    dialect: Any
    entries: dict[str, Entry]
    views: list["Level"]
    counts: bool = False
    cursors: bool = False

    @classmethod
    def of(cls, planner: "Planner", kind: Any, details: list[Any], read: Read, orders: Sequence[str]) -> "Page":
        """Plan what is selected of a connection; `orders` are the attributes that its list may be ordered by."""
        page = cls(read, planner.dialect, {}, [])
        for name, chosen in planner.fields(kind, details).items():
            page.entries[name] = page._entry(planner, kind, chosen)
        if page.cursors:
            for key in orders:
                read.place(mapped(read.model).column_attrs[key].columns[0])
        return page

    def _entry(self, planner: "Planner", kind: Any, details: list[Any]) -> Entry:
        name = details[0].node.name.value
        known = kind.fields.get(name)
        if name == "nodes":
            return partial(_nodes, self._view(planner, known, details))
        if name == "edges":
            return self._edges(planner, get_named_type(known.type), details)
        if name == "pageInfo":
            return self._page_info(planner, get_named_type(known.type), details)
        if name == "totalCount":
            self.counts = True
            return _count
        return partial(_constant, kind.name)  # __typename

    def _view(self, planner: "Planner", known: Any, details: list[Any]) -> int:
        self.views.append(planner.level(get_named_type(known.type), details, self.read))
        return len(self.views) - 1

    def _edges(self, planner: "Planner", kind: Any, details: list[Any]) -> Entry:
        entries: list[tuple[str, str, Any]] = []
        for response_name, chosen in planner.fields(kind, details).items():
            name = chosen[0].node.name.value
            view = self._view(planner, kind.fields[name], chosen) if name == "node" else kind.name
            entries.append((response_name, name, view))
            self.cursors = self.cursors or name == "cursor"
        return partial(_edges, entries)

    def _page_info(self, planner: "Planner", kind: Any, details: list[Any]) -> Entry:
        self.cursors = True
        entries = {
            response_name: _PAGE_INFO.get(chosen[0].node.name.value) or partial(_constant, kind.name)
            for response_name, chosen in planner.fields(kind, details).items()
        }
        return partial(_each, entries)

    async def answers(self, run: "Run", list_name: str, window: Window, found: PageOf) -> dict[int, Any]:
        """A connection for each parent."""
        slices = [Slice.of(found.rows.get(parent, ()), window) for parent in found.parents]
        lists = [one.rows for one in slices]
        rows = list(chain.from_iterable(lists))
        if window.limit:
            run.saw(self.read, rows)
        views = [portions(await run.answers(level, rows), lists) for level in self.views]
        answered = zip(*views, strict=True) if views else repeat(())
        cursor, counts, entries = self._cursor(list_name, window), found.counts, self.entries.items()
        connections: dict[int, Any] = {}
        for parent, one, view in zip(found.parents, slices, answered, strict=bool(views)):
            of = Parts(one, window, cursor, counts.get(parent, 0), view)
            connections[parent] = {name: entry(of) for name, entry in entries}
        return connections

    def _cursor(self, list_name: str, window: Window) -> Cursor:
        if not self.cursors:
            return _no_cursor
        columns = [mapped(self.read.model).column_attrs[key].columns[0] for key, _ in window.order]
        places = [(self.read.place(column), read_as(column, self.dialect)) for column in columns]
        begins = signature(list_name, window.order)

        def cursor(row: Any) -> str:
            values = [plain(row[place] if read is None else read(row[place])) for place, read in places]
            return base64.urlsafe_b64encode(orjson.dumps([begins, *values, row[0]])).decode()

        return cursor


def portions(answers: list[Any], lists: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """`answers`, which are those of all `lists` one after another, as a list for each."""
    end = 0
    for one in lists:
        start, end = end, end + len(one)
        yield answers[start:end]


def _no_cursor(_row: Any) -> str:
    return ""


def _nodes(view: int, parts: Parts) -> Any:
    return parts.views[view]


def _count(parts: Parts) -> int:
    return parts.total


def _constant(value: Any, _parts: Parts) -> Any:
    return value


def _each(entries: Mapping[str, Entry], parts: Parts) -> dict[str, Any]:
    return {name: entry(parts) for name, entry in entries.items()}


def _edges(entries: Sequence[tuple[str, str, Any]], parts: Parts) -> list[dict[str, Any]]:
    return [
        {
            response_name: parts.views[of][number] if name == "node" else parts.cursor(row) if name == "cursor" else of
            for response_name, name, of in entries
        }
        for number, row in enumerate(parts.slice.rows)
    ]


def _came_from(parts: Parts) -> bool:
    window = parts.window
    return window.offset > 0 or (window.before if window.backwards else window.after) is not None


_PAGE_INFO: dict[str, Entry] = {
    "hasNextPage": lambda parts: _came_from(parts) if parts.window.backwards else parts.slice.goes_on,
    "hasPreviousPage": lambda parts: parts.slice.goes_on if parts.window.backwards else _came_from(parts),
    "startCursor": lambda parts: parts.cursor(parts.slice.rows[0]) if parts.slice.rows else None,
    "endCursor": lambda parts: parts.cursor(parts.slice.rows[-1]) if parts.slice.rows else None,
}
