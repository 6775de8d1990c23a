"""Connections: keyset cursors, windows over a list, and the page that comes out."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
import strawberry
from strawberry.types.unset import UNSET

from .errors import bad_input, refuse_nul
from .fields import OF_PAGE, KitField, argument, field, kit_field
from .filters import LONGEST_LIST, Conditions, Order, conditions_of, order_of, too_long
from .node import HIGHEST_ID, NodeInfo

T = TypeVar("T")

MAXIMUM = 5000
DEFAULT = 100
_FARTHEST_OFFSET = 1_000_000


@dataclass(frozen=True)
class Window:
    """Which part of a list is asked for. Hashable, so that equal windows share a batch."""

    order: Order = ()
    where: Conditions = ()
    limit: int = DEFAULT
    offset: int = 0
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    backwards: bool = False


class Slice(NamedTuple):
    """The rows of a window in list order, and whether the list goes on in the window's direction."""

    rows: Sequence[Any]
    goes_on: bool

    @classmethod
    def of(cls, rows: Sequence[Any], window: Window) -> "Slice":
        """Cut what was read beyond the limit and turn backward reading round."""
        kept = rows[: window.limit]
        return cls(kept[::-1] if window.backwards else kept, goes_on=len(rows) > window.limit)


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = field("Whether rows follow this page.")
    has_previous_page: bool = field("Whether rows precede this page.")
    start_cursor: str | None = field("Cursor of the first row here; null on an empty page.")
    end_cursor: str | None = field("Cursor of the last row here; null on an empty page.")


@strawberry.type(name="Edge", description="A row in a list, with its cursor.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = field("Where the row lies in this list; for `after` and `before`.")
    node: T = field("The row.")


def _edges(_field: KitField, page: "PageRows", _info: Any) -> list[Any]:
    return [Edge(cursor=page.cursor(row), node=row) for row in page.slice.rows]


def _nodes(_field: KitField, page: "PageRows", _info: Any) -> Sequence[Any]:
    return page.slice.rows


def _page_info(_field: KitField, page: "PageRows", _info: Any) -> PageInfo:
    rows, window = page.slice.rows, page.window
    came_from = window.offset > 0 or (window.before if window.backwards else window.after) is not None
    return PageInfo(
        has_next_page=came_from if window.backwards else page.slice.goes_on,
        has_previous_page=page.slice.goes_on if window.backwards else came_from,
        start_cursor=page.cursor(rows[0]) if rows else None,
        end_cursor=page.cursor(rows[-1]) if rows else None,
    )


def _total_count(_field: KitField, page: "PageRows", _info: Any) -> Awaitable[int]:
    return page.count()


@strawberry.type(name="Connection", description="A page of a list.")
class Page(Generic[T]):
    """Relay's connection, plus the rows themselves and how many there are."""

    edges: list[Edge[T]] = kit_field("The rows with their cursors.", resolve=_edges, size=OF_PAGE)
    nodes: list[T] = kit_field("The rows alone.", resolve=_nodes, size=OF_PAGE)
    page_info: PageInfo = kit_field("Where this page lies.", resolve=_page_info)
    total_count: int = kit_field(
        "Rows in the whole list under the same `where`, whatever the page. Counted only when asked for.",
        resolve=_total_count,
    )


@dataclass(frozen=True)
class PageRows:
    """What a `Page` is answered from."""

    list_name: str
    window: Window
    slice: Slice
    count: Callable[[], Awaitable[int]]

    def cursor(self, row: Any) -> str:
        """The cursor of `row`: the list it is for, and the row's place in the order."""
        values = [plain(getattr(row, key)) for key, _ in self.window.order]
        return base64.urlsafe_b64encode(
            orjson.dumps([signature(self.list_name, self.window.order), *values, row.id])
        ).decode()


def page_arguments(info: NodeInfo) -> list[Any]:
    """The arguments of a list of `info`'s type."""
    made = [
        argument("first", int | None, f"How many rows from the start, 0 to {MAXIMUM}; {DEFAULT} without `last`."),
        argument("after", str | None, "Only rows after this cursor."),
        argument("last", int | None, f"How many rows from the end, 0 to {MAXIMUM}."),
        argument("before", str | None, "Only rows before this cursor."),
        argument("offset", int | None, f"Rows to skip from the start, 0 to {_FARTHEST_OFFSET}; not with `last`."),
    ]
    if info.filter_type is not None:
        made.append(argument("where", info.filter_type | None, "Conditions that all must hold."))
    if info.order_type is not None:
        made.append(
            argument("order_by", list[info.order_type] | None, "Order, most important first; ties by id.")  # type: ignore[name-defined]
        )
    return made


def window_of(info: NodeInfo, list_name: str, default: Order, arguments: dict[str, Any]) -> Window:
    """Check the paging arguments and make them a window."""
    given = {name: value for name, value in arguments.items() if value is not None and value is not UNSET}
    first, last, offset = given.get("first"), given.get("last"), given.get("offset", 0)
    for name in ("first", "last"):
        if name in given and not 0 <= given[name] <= MAXIMUM:
            raise bad_input(f"{name} must be between 0 and {MAXIMUM}", name)
    if first is not None and last is not None:
        raise bad_input("first and last exclude each other", "last")
    if not 0 <= offset <= _FARTHEST_OFFSET or (offset and last is not None):
        raise bad_input(f"offset must be between 0 and {_FARTHEST_OFFSET}, and goes with first only", "offset")
    order = order_of(given.get("order_by"), default)
    if len(order) > LONGEST_LIST:
        raise bad_input(f"orderBy takes at most {LONGEST_LIST} orders", "orderBy")
    conditions = conditions_of(given.get("where"))
    if too_long(conditions):
        raise bad_input(f"in takes at most {LONGEST_LIST} values", "where")
    for _, _, value in conditions:
        refuse_nul("where", *(value if isinstance(value, tuple) else (value,)))
    window = Window(
        order=order,
        where=conditions,
        limit=last if last is not None else DEFAULT if first is None else first,
        offset=offset,
        backwards=last is not None,
    )
    positions: dict[str, Any] = {
        name: _position(given[name], name, signature(list_name, order), info.model, order)
        for name in ("after", "before")
        if name in given
    }
    return replace(window, **positions)


def signature(list_name: str, order: Order) -> str:
    """What a cursor belongs to: a list in an order."""
    return f"{list_name}({','.join(f'{key} {descending:d}' for key, descending in order)})"


def plain(value: Any) -> Any:
    """An order value as a cursor carries it."""
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date


def _position(cursor: str, name: str, signature: str, model: Any, order: Order) -> tuple[Any, ...]:
    """The order values and id in a cursor of this very list."""
    wrong = bad_input(f"{name} is not a cursor of this list in this order", name)
    try:
        found, *values, row_id = orjson.loads(base64.urlsafe_b64decode(cursor))
        refuse_nul(name, *values)
        if found != signature or len(values) != len(order) or type(row_id) is not int or not 0 < row_id <= HIGHEST_ID:
            raise wrong
        kinds = [getattr(model, key).type.python_type for key, _ in order]
        return (*(_typed(kind, value) for kind, value in zip(kinds, values, strict=True)), row_id)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise wrong from error


def _typed(kind: type[Any], value: Any) -> Any:
    """An order value as its column has it; raises for what cannot have come from there."""
    if value is None or type(value) is kind:
        return value
    if issubclass(kind, Enum):
        return kind(value)
    if not issubclass(kind, date) or not isinstance(value, str):  # a datetime is a date
        raise TypeError(value)
    if kind is date:
        return date.fromisoformat(value)
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(value)
    return instant.astimezone(UTC)
