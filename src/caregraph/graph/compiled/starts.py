"""Root fields as plans: one row, rows by any id, a list of all rows."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import GraphQLField, get_named_type, is_object_type
from sqlalchemy.sql.elements import AsBoolean, True_

from caregraph.graph.errors import demand
from caregraph.graph.fields import KitField
from caregraph.graph.node import parse_id
from caregraph.graph.paging import window_of
from caregraph.graph.resource import Listing, One
from caregraph.graph.roots import ByAnyId

from .below import has_variables
from .pages import Page, PageOf
from .plans import Details, Level, Planner, UnplannableError
from .running import Run, together
from .statements import Asked, Read


class Start(Protocol):
    """A planned root field."""

    def begin(self, run: Run) -> Awaitable[Any]:
        """Check permission and arguments, which may raise, and return the answer to wait for. Reads nothing yet."""


def start_of(planner: Planner, known: GraphQLField, made: KitField, details: Details) -> Start:
    """The plan of a root field."""
    kind: Any = get_named_type(known.type)
    if isinstance(made.start, One):
        level = planner.level(kind, details, planner.whole(made.start.info.model))
        return _OneRow(made, known, details, level=level)
    if isinstance(made.start, ByAnyId):
        return _AnyRows(made, known, details)
    if isinstance(made.start, Listing):
        read = Read(made.start.info.model)
        orders = [*(column.key for column in made.start.info.order_by), *(key for key, _ in made.start.order)]
        return _Rows(made, known, details, read=read, page=Page.of(planner, kind, details, read, orders))
    raise UnplannableError(known)


@dataclass(eq=False)
class _Planned(Start):
    made: KitField
    known: GraphQLField
    details: Details
    _always: dict[str, Any] | None = field(default=None, init=False)

    def arguments(self, run: Run) -> dict[str, Any]:
        """The arguments, for a viewer who may ask; made once where no variable is in them."""
        demand(run.viewer, self.made.needs)
        node = self.details[0].node
        arguments = self._always
        if arguments is None:
            arguments = run.planner.arguments(self.known, node)
            if not has_variables(node):
                self._always = arguments
        return dict(arguments)


@dataclass(eq=False)
class _OneRow(_Planned):
    level: Level = field(kw_only=True)

    def begin(self, run: Run) -> Awaitable[Any]:
        return self._answer(run, self.made.start.row_id(run.context, self.arguments(run)))

    async def _answer(self, run: Run, row_id: int | None) -> Any:
        if row_id is None:
            return None
        found = await run.by_id(self.level.read, (row_id,))
        answers = await run.answers(self.level, list(found.values()))
        return answers[0] if answers else None


@dataclass(eq=False)
class _AnyRows(_Planned):
    """The types are known by the ids only, so their levels are planned when the first such id comes."""

    def __post_init__(self) -> None:
        self._levels: dict[str, Level] = {}

    def begin(self, run: Run) -> Awaitable[Any]:
        texts = self.made.start.texts(self.arguments(run))
        asked: list[tuple[Level, int] | None] = [self._reference(run, text) for text in texts]
        return self._answer(run, asked)

    def _reference(self, run: Run, text: str) -> tuple[Level, int] | None:
        parsed = parse_id(text)
        kind: Any = None if parsed is None else run.executor.schema.type_map.get(parsed[0])
        definition: Any = None if kind is None else kind.extensions.get("strawberry-definition")
        known = getattr(getattr(definition, "origin", None), "__node__", None)
        if parsed is None or known is None or not is_object_type(kind):
            return None
        if parsed[0] not in self._levels:
            self._levels[parsed[0]] = run.planner.level(kind, self.details, run.planner.whole(known.model))
        return self._levels[parsed[0]], parsed[1]

    async def _answer(self, run: Run, asked: list[tuple[Level, int] | None]) -> Any:
        wanted: dict[Level, dict[int, None]] = {}
        for one in asked:
            if one is not None:
                wanted.setdefault(one[0], {})[one[1]] = None
        found = await together([self._of_one_type(run, level, keys) for level, keys in wanted.items()])
        by_level: Mapping[Level, Mapping[int, Any]] = dict(zip(wanted, found, strict=True))
        answers = [None if one is None else by_level[one[0]].get(one[1]) for one in asked]
        return answers if self.made.start.argument == "ids" else answers[0]

    async def _of_one_type(self, run: Run, level: Level, keys: Mapping[int, None]) -> dict[int, Any]:
        found = await run.by_id(level.read, keys)
        return dict(zip(found, await run.answers(level, list(found.values())), strict=True))


@dataclass(eq=False)
class _Rows(_Planned):
    read: Read = field(kw_only=True)
    page: Page = field(kw_only=True)

    def begin(self, run: Run) -> Awaitable[Any]:
        listing: Listing = self.made.start
        arguments = self.arguments(run)
        named = listing.named(arguments)
        window = window_of(listing.info, listing.name(self.made), listing.order, arguments)
        return self._answer(run, named, window)

    async def _answer(self, run: Run, named: dict[str, Any], window: Any) -> Any:
        listing: Listing = self.made.start
        extra = tuple(one for one in await listing.conditions(run.context, named) if not _is_empty(one))
        model, asked = self.read.model, Asked.of(self.read.model, window)
        rows = []
        if window.limit:
            text = run.statements.listing(self.read, run.viewer, asked, extra)
            rows = list(await run.read(text, asked.values))
            run.context.spend(len(rows))
        count = 0
        if self.page.counts:
            text = run.statements.count(model, run.viewer, asked, extra)
            count = (await run.count(model, text, asked.values))[0][0]
        found = PageOf((0,), {0: rows}, {0: count})
        return (await self.page.answers(run, listing.name(self.made), window, found))[0]


def _is_empty(condition: Any) -> bool:
    """Whether a condition says nothing: then the statement is one that is kept."""
    inner = condition.element if isinstance(condition, AsBoolean) else condition
    return isinstance(inner, True_)
