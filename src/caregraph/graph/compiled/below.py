"""What hangs below the rows of a level: one row each, a list, a page, or a field that graphql-core executes.

Every kind answers for all rows of its level at once, in the form in which the level's loop looks the answers up.
"""

import asyncio
from binascii import b2a_base64
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from graphql import (
    BREAK,
    FieldNode,
    GraphQLField,
    GraphQLFloat,
    GraphQLNonNull,
    GraphQLObjectType,
    Visitor,
    VisitorAction,
    get_nullable_type,
    visit,
)
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from caregraph.graph import relations
from caregraph.graph.fields import KitField
from caregraph.graph.loaders import CountByParent, RowsByParent
from caregraph.graph.paging import Window, window_of
from caregraph.graph.relations import Relation

from .leaves import NoAnswerError
from .loops import Loop
from .pages import Page, PageOf, portions
from .statements import Asked, Read

if TYPE_CHECKING:
    from .plans import Level
    from .running import Run

Grouped = Mapping[int, Sequence[Any]]

_SEVERAL = 8
"""For fewer parents, a window each costs no more than all of their children."""
_FEW_EACH = 24
_FEW = 20_000
"""Children that are read at once, for each parent on average, and in all."""
_RUNS = 100
"""How often they are read by windows, where they were more, before that is tried again."""


class Those(NamedTuple):
    """The rows of a level, each once."""

    rows: Sequence[Any]
    """As the driver gives them; the id first."""
    sources: Sequence[Any]
    """As resolvers know them, where the level has any use for that."""


class Child(Protocol):
    """A field below a level."""

    async def answers(self, run: "Run", of: Those) -> Any:
        """The answers for `of`."""


@dataclass(eq=False)
class ToOne(Child):
    """The row that a column points at: one read by id for all rows, shared with every other read of that model."""

    level: "Level"
    place: int

    async def answers(self, run: "Run", of: Those) -> Any:
        """Answers by the column's value; none for a row that is not there or not visible."""
        place = self.place
        found = await run.by_id(self.level.read, {row[place] for row in of.rows})
        return dict(zip(found, await run.answers(self.level, list(found.values())), strict=True))


@dataclass(eq=False)
class ToList(Child):
    """A short list of rows that hang on each row."""

    relation: Relation
    read: Read
    level: "Level"

    async def answers(self, run: "Run", of: Those) -> Any:
        """Lists by the row's id; none where nothing hangs."""
        window = Window(order=self.relation.order, limit=relations.LONGEST_PLAIN_LIST)
        found = await children(run, self.read, self.relation, window, ids(of.rows))
        if max(map(len, found.values()), default=0) > relations.LONGEST_PLAIN_LIST:
            raise NoAnswerError
        run.saw(self.read, chain.from_iterable(found.values()))
        return await grouped(run, self.level, found)


class Windowed:
    """The window of a relation's arguments, made once for a request; once for all where no variable is in them."""

    def __init__(self, made: KitField, known: GraphQLField, node: FieldNode) -> None:
        """The arguments are those of `node`."""
        self._made, self._known, self._node = made, known, node
        self._varies = has_variables(node)
        self._always: Window | None = None

    def of(self, run: "Run") -> Window:
        """The window; raises where the arguments are no good."""
        window = self._always or run.windows.get(self)
        if window is None:
            relation = self._made.relation
            arguments = run.planner.arguments(self._known, self._node)
            window = window_of(relation.target, relation.name, relation.order, arguments)
            if self._varies:
                run.windows[self] = window
            else:
                self._always = window
        return window


class _Variables(Visitor):
    """Whether a node has any."""

    found = False

    def enter_variable(self, *_: Any) -> VisitorAction:
        self.found = True
        return BREAK


def has_variables(node: FieldNode) -> bool:
    """Whether the arguments of a field differ from request to request."""
    look = _Variables()
    for argument in node.arguments or ():
        visit(argument, look)
    return look.found


@dataclass(eq=False)
class ToPage(Child):
    """A connection on each row."""

    relation: Relation
    read: Read
    page: Page
    window: Windowed

    async def answers(self, run: "Run", of: Those) -> Any:
        """A connection for every row, by its id."""
        if not of.rows:
            return {}
        window, parents = self.window.of(run), ids(of.rows)
        found: Grouped = {}
        if window.limit:
            found = await children(run, self.read, self.relation, window, parents)
        counts = await self._counts(run, window, parents) if self.page.counts else {}
        return await self.page.answers(run, self.relation.name, window, PageOf(parents, found, counts))

    async def _counts(self, run: "Run", window: Window, parents: list[int]) -> Mapping[int, int]:
        asked = Asked.of(self.relation.target.model, window)
        text = run.statements.counts(self.relation.link, run.viewer, asked)
        values = {"keys": run.statements.keys(parents), **asked.values}
        rows = await run.count(self.read.model, text, values, batch=(CountByParent.__name__, len(parents)))
        return {row[0]: row[1] for row in rows}


@dataclass(eq=False)
class OfColumns(Child):
    """A value computed of columns of many rows at once."""

    take: Callable[[Any], Sequence[Any]]
    of: Callable[[Sequence[Any]], Sequence[Any]]
    write: Callable[[Sequence[Any]], Sequence[Any]]

    async def answers(self, run: "Run", of: Those) -> Any:  # noqa: ARG002 every kind is given it
        """Values in the order of the rows."""
        return self.write(self.of(list(map(self.take, of.rows))))


@dataclass(eq=False)
class Hole(Child):
    """A field that graphql-core executes for each row, with its resolver, its loaders and all that is below it."""

    kind: GraphQLObjectType
    known: GraphQLField
    details: list[Any]

    async def answers(self, run: "Run", of: Those) -> Any:
        """Values by the row's id. Any error, told or raised, is one of the whole plan."""
        executor = run.executor.with_errors_of_its_own(CollectedErrors())
        path = Path(None, self.details[0].node.name.value, self.kind.name)
        found = [executor.execute_field(self.kind, one, self.details, path, None) for one in of.sources]
        waiting = [number for number, one in enumerate(found) if executor.is_awaitable(one)]
        if waiting:
            values = await asyncio.gather(*(found[number] for number in waiting), return_exceptions=True)
            for number, value in zip(waiting, values, strict=True):
                found[number] = value
        if executor.collected_errors.errors or any(isinstance(one, BaseException) for one in found):
            raise NoAnswerError
        return dict(zip(ids(of.rows), found, strict=True))


async def children(run: "Run", read: Read, relation: Relation, window: Window, parents: list[int]) -> Grouped:
    """The rows of each parent's window, one more than asked where the list goes on."""
    asked = Asked.of(read.model, window)
    found = await _all_children(run, read, relation, asked, parents)
    if found is None:
        text = run.statements.children(read, relation.link, run.viewer, asked)
        values = {"keys": run.statements.keys(parents), "most": run.context.rows_left + 1, **asked.values}
        found = _by_parent(read, await run.read(text, values, batch=(RowsByParent.__name__, len(parents))))
    run.context.spend_on(RowsByParent(relation.link, window), {key: len(one) for key, one in found.items()})
    return found


async def _all_children(
    run: "Run", read: Read, relation: Relation, asked: Asked, parents: list[int]
) -> dict[int, list[Any]] | None:
    """The same, cut from all children; null where they may be many more than are asked for.

    Of many parents that have few children each, all are read in half the time of a window for each.
    """
    limit = asked.values["limit"]
    most = min(_FEW_EACH * len(parents), _FEW)
    if limit <= _FEW_EACH or asked.shape.offset or len(parents) < _SEVERAL:
        return None
    if read.runs_by_window:
        read.runs_by_window -= 1
        return None
    text = run.statements.all_children(read, relation.link, run.viewer, asked)
    values = {"keys": run.statements.keys(parents), **asked.values, "most": most}
    rows = await run.read(text, values, batch=(RowsByParent.__name__, len(parents)))
    if len(rows) == most:
        read.runs_by_window = _RUNS
        return None
    found = _by_parent(read, rows)
    return {key: one[:limit] for key, one in found.items()} if len(rows) > limit else found


def _by_parent(read: Read, rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    place = len(read.columns)
    for row in rows:
        found[row[place]].append(row)
    return found


async def grouped(run: "Run", level: "Level", found: Grouped) -> dict[int, list[Any]]:
    """The answers of the rows of each parent."""
    answers = await run.answers(level, list(chain.from_iterable(found.values())))
    return dict(zip(found, portions(answers, found.values()), strict=True))


def ids(rows: Sequence[Any]) -> list[int]:
    """The ids of rows."""
    return [row[0] for row in rows]


def id_of(loop: Loop, type_name: str) -> str:
    """The expression of a row's global id, as `global_id` makes it; of such texts base64 has no letter to replace."""
    encode, prefix = loop.constant(b2a_base64), loop.constant(f"{type_name}:%d".encode())
    return f"{encode}({prefix} % r[0], newline=False).rstrip(b'=').decode()"


def written(kind: Any) -> Callable[[Any], Any]:
    """What makes a resolver's value one of the answer, as the leaf type `kind` writes it."""
    required = isinstance(kind, GraphQLNonNull)
    inner = kind.of_type if required else kind

    def write(value: Any) -> Any:
        answer = None if value is None else inner.coerce_output_value(value)
        if answer is None and (required or value is not None):
            raise NoAnswerError
        return answer

    return write


def all_written(kind: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The same for many values."""
    write, is_float = written(kind), get_nullable_type(kind) is GraphQLFloat

    def all_of(values: Sequence[Any]) -> Sequence[Any]:
        if is_float and set(map(type, values)) == {float} and isfinite(sum(values)):
            return values  # none that Float has to say no to
        return [write(one) for one in values]

    return all_of
