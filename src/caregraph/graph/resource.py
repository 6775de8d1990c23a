"""The standard operations of a node type: get one, page through all, create and update plainly."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from sqlalchemy import ColumnElement
from strawberry.types.unset import UNSET

from caregraph.auth.viewer import Permission
from caregraph.db.scope import RULES, MissingRuleError, visible
from caregraph.db.session import Tx

from .actions import action
from .computed import keyword_arguments
from .context import Context
from .errors import demand
from .fields import KitField, argument, kit_field
from .filters import Order
from .inputs import Changes, given
from .loaders import RowById, count_of, windowed
from .node import NodeInfo
from .paging import PageRows, Slice, page_arguments, window_of

Narrow = Callable[..., Awaitable[ColumnElement[bool] | None]]


class Resource:
    """A node type as root fields. A create or an update with a rule of its own is an `action` instead."""

    def __init__(self, cls: type[Any]) -> None:
        """`cls` is a `@node` whose model has a visibility rule."""
        self.info: NodeInfo = cls.__node__
        if not any(base in RULES for base in self.info.model.__mro__):
            raise MissingRuleError(f"{self.info.model.__name__} has no visibility rule: declare one in its policy.py")

    def get(self, *, needs: Permission = Permission.CARE) -> Any:
        """One row by id; null for one that is not there or not visible."""
        one = One(self.info)
        return kit_field(
            f"One {self.info.name} by id; null if there is none that you may see.\n\nNeeds: {needs.value}.",
            resolve=one.resolve,
            start=one,
            arguments=lambda _made: [argument("id", strawberry.ID, f"Id of a {self.info.name}.")],
            needs=needs,
        )

    def mine(self, key: str, description: str, *, needs: Permission = Permission.CARE, also_by_id: bool = False) -> Any:
        """The row whose id the viewer carries as `key`; `also_by_id` for a type that has no `get` of its own."""
        one = One(self.info, key)
        by_id = argument("id", strawberry.ID | None, f"{self.info.name} by id; your own by default.")
        return kit_field(
            f"{description}\n\nNeeds: {needs.value}.",
            resolve=one.resolve,
            start=one,
            arguments=lambda _made: [by_id] if also_by_id else [],
            needs=needs,
        )

    def page(
        self,
        narrow: Narrow | None = None,
        *,
        order: str = "id",
        descends: bool = False,
        needs: Permission = Permission.CARE,
        description: str | None = None,
    ) -> Any:
        """All visible rows, page by page. `narrow` adds named filters: its keyword parameters become arguments.

        `description` for a list that is not of all that one may see.
        """
        listing = Listing(self.info, () if order == "id" else ((order, descends),), narrow)
        return kit_field(
            f"{description or f'{self.info.name} rows that you may see, page by page.'}\n\nNeeds: {needs.value}.",
            resolve=listing.resolve,
            start=listing,
            arguments=lambda _made: [*keyword_arguments(narrow), *page_arguments(self.info)],
            needs=needs,
        )

    def create(self, cls: type[Any], *, needs: Permission) -> Any:
        """A row from an input, field by field."""
        model = self.info.model
        _columns_only(model, cls)

        async def create(tx: Tx, input: Any) -> Any:  # noqa: A002 the argument's name in the graph
            row = model(**given(input))
            tx.add(row)
            await tx.flush()
            return row

        create.__annotations__["input"] = cls
        create.__doc__ = f"Create a {self.info.name}."
        return action(create, needs=needs)

    def update(self, cls: type[Any], *, needs: Permission) -> Any:
        """Change a row by the patch of an input, field by field."""
        model = self.info.model
        _columns_only(model, cls)

        async def update(tx: Tx, row: Any, input: Any) -> Any:  # noqa: A002 the argument's name in the graph
            apply(row, input)
            await tx.flush()
            return row

        update.__annotations__.update(row=model, input=Changes[cls])  # type: ignore[valid-type]
        update.__doc__ = f"Change a {self.info.name}. Only the fields sent change."
        return action(update, needs=needs)


def apply(row: Any, changes: Changes[Any]) -> None:
    """Set what a patch sets."""
    for name, value in changes.items():
        setattr(row, name, value)


def _columns_only(model: type[Any], cls: type[Any]) -> None:
    for made in cls.__strawberry_definition__.fields:
        if not hasattr(model, made.python_name):
            raise TypeError(f"{cls.__name__}.{made.python_name} is no column of {model.__name__}")


@dataclass(frozen=True)
class One:
    """A root field that answers one row: by the argument `id`, else by what the viewer carries as `key`."""

    info: NodeInfo
    key: str | None = None

    async def resolve(self, made: KitField, _source: Any, request: Any, **arguments: Any) -> Any:
        """The row, if there is one that the viewer sees."""
        context: Context = request.context
        demand(context.viewer, made.needs)
        row_id = self.row_id(context, arguments)
        return None if row_id is None else await context.load(RowById(self.info.model), row_id)

    def row_id(self, context: Context, arguments: Mapping[str, Any]) -> int | None:
        """The id of the row that is asked for; null when there cannot be one."""
        text = arguments.get("id")
        if text is None and self.key is not None:
            return getattr(context.viewer, self.key)  # type: ignore[no-any-return]
        return None if text is None else self.info.row_id(text)


@dataclass(frozen=True)
class Listing:
    """A root list: its type, its default order and how its named filters narrow it."""

    info: NodeInfo
    order: Order
    narrow: Narrow | None

    async def resolve(self, made: KitField, _source: Any, request: Any, **arguments: Any) -> PageRows:
        """The window that was asked for."""
        context: Context = request.context
        demand(context.viewer, made.needs)
        name, named = self.name(made), self.named(arguments)
        window = window_of(self.info, name, self.order, arguments)
        extra = await self.conditions(context, named)
        rows: list[Any] = []
        if window.limit:
            everything = visible(self.info.model, context.viewer).where(*extra)
            rows = list((await context.run(windowed(self.info.model, everything, window))).scalars())
            context.spend(len(rows))
        page = Slice.of(rows, window)
        if window.limit:
            context.saw_rows(self.info.model, page.rows)

        async def count() -> int:
            context.saw(self.info.model)
            total: int = (await context.run(count_of(self.info.model, context, window, *extra))).scalar_one()
            return total

        return PageRows(name, window, page, count)

    def name(self, made: KitField) -> str:
        """What cursors call this list."""
        return f"Query.{made.python_name}"

    def named(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The named filters that were sent, taken out of `arguments`."""
        named = {one.python_name: arguments.pop(one.python_name, UNSET) for one in keyword_arguments(self.narrow)}
        return {name: value for name, value in named.items() if value is not UNSET}

    async def conditions(self, context: Context, named: dict[str, Any]) -> tuple[ColumnElement[bool], ...]:
        """What the named filters come to."""
        condition = await self.narrow(context, **named) if self.narrow is not None else None
        return () if condition is None else (condition,)
