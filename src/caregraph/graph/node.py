"""Nodes: types that describe rows, their global ids, and what of them can be filtered and ordered."""

import base64
import binascii
import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import strawberry
from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition
from strawberry.types.lazy_type import LazyType

from .errors import FORBIDDEN, RequestError
from .fields import KitField, kit_field
from .filters import filter_type, order_type

T = TypeVar("T", bound=type[Any])

HIGHEST_ID = 2**63 - 1


def global_id(type_name: str, row_id: int) -> str:
    """The opaque id of a row anywhere in the graph."""
    return base64.urlsafe_b64encode(f"{type_name}:{row_id}".encode()).decode().rstrip("=")


def parse_id(text: str) -> tuple[str, int] | None:
    """Type name and row id behind a global id; null for anything that is not one."""
    try:
        name, _, number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        row_id = int(number)
    except (ValueError, binascii.Error):
        return None
    canonical = 0 < row_id <= HIGHEST_ID and global_id(name, row_id) == text
    return (name, row_id) if canonical else None


def row_id_of(type_name: str) -> Callable[[str], int | None]:
    """A reader of global ids of one type; it answers null for any other text."""

    def read(text: str) -> int | None:
        parsed = parse_id(text)
        return parsed[1] if parsed is not None and parsed[0] == type_name else None

    return read


def own_id(_field: KitField, row: Any, info: Any) -> str:
    """The global id of a row."""
    return global_id(info._raw_info.parent_type.name, row.id)  # noqa: SLF001 the concrete type of an interface


@strawberry.interface(description="Anything with an id of its own.")
class Node:
    """Rows that `node(id:)` finds."""

    id: strawberry.ID = kit_field("Opaque id, unique in the whole graph and stable.", resolve=own_id)


class OnlyId:
    """A row that may be changed but not read: its id is told, any other field is refused."""

    def __init__(self, row_id: int) -> None:
        """`row_id` in the table of the type in whose place this stands."""
        self.id = row_id

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python asks what kind of object this is
            raise AttributeError(name)
        raise RequestError("FORBIDDEN", FORBIDDEN)


class NodeInfo:
    """What the kit knows of a node type."""

    def __init__(self, cls: type[Any], model: type[Any], where: tuple[Any, ...], order_by: tuple[Any, ...]) -> None:
        """`where` and `order_by` are the whitelisted columns, each indexed (a test reads the indexes)."""
        self.name = cls.__name__
        self.model = model
        self.where = where
        self.order_by = order_by

    @cached_property
    def filter_type(self) -> type[Any] | None:
        """The input type of `where:`."""
        return filter_type(self.name, self.where) if self.where else None

    @cached_property
    def order_type(self) -> Any:
        """The enum of `orderBy:`."""
        return order_type(self.name, self.order_by) if self.order_by else None

    def row_id(self, text: str) -> int | None:
        """The row id behind a global id of this type; null for any other."""
        return row_id_of(self.name)(text)


def node(
    model: type[Any], *, where: tuple[Any, ...] = (), order_by: tuple[Any, ...] = (), abstract: bool = False
) -> Callable[[T], T]:
    """Make a class the GraphQL type of `model`'s rows; `abstract` makes it an interface of several."""

    def decorate(cls: T) -> T:
        cls.__node__ = NodeInfo(cls, model, where, order_by)
        if abstract:
            return strawberry.interface(cls, description=inspect.getdoc(cls))
        # Rows are sources: without this a type that implements an interface refuses them.
        cls.is_type_of = classmethod(lambda own, row, _info: isinstance(row, (own, model, OnlyId)))
        return strawberry.type(cls, description=inspect.getdoc(cls))

    return decorate


def bare_type(annotated: Any) -> Any:
    """The class inside list, optional, lazy and page wrappers."""
    while isinstance(annotated, StrawberryList | StrawberryOptional | LazyType):
        annotated = annotated.resolve_type() if isinstance(annotated, LazyType) else annotated.of_type
    return annotated


def node_info(made: KitField) -> NodeInfo:
    """The node type that a field leads to, directly, in a list, a page or a payload."""
    target = bare_type(made.type)
    while not hasattr(target, "__node__"):
        if not has_object_definition(target) or not target.__strawberry_definition__.type_var_map:
            raise TypeError(f"field {made.python_name} does not lead to a node type")
        target = bare_type(next(iter(target.__strawberry_definition__.type_var_map.values())))
    info: NodeInfo = target.__node__
    return info
