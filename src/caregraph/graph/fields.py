"""The field class of the kit: a field that carries, as data, what it needs and how it is answered."""

import copy
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument, StrawberryArgumentAnnotation
from strawberry.types.field import StrawberryField
from strawberry.types.unset import UNSET

from caregraph.auth.viewer import Permission, Viewer

R = TypeVar("R")
Resolve = Callable[..., Any]
MayRead = Callable[[Viewer, Any], bool]
Guard = Callable[[Viewer, Any], None]

OF_PAGE = "of page"
"""Size of the lists in a connection: the page's."""


@dataclass(frozen=True)
class Rowwise:
    """A value computed of nothing but some columns of a row, for many rows of a model at once."""

    names: Callable[[type[Any]], Sequence[str]]
    """The attributes that it is computed of, by model."""
    of: Callable[[type[Any], Sequence[Sequence[Any]]], Sequence[Any]]
    """The values for rows of a model: of each row what `names` says."""


_ADDED = (
    "needs",
    "guard",
    "visible_to",
    "relation",
    "start",
    "rowwise",
    "resolve",
    "waits",
    "make_arguments",
    "action",
    "function",
    "key",
    "cost",
    "size",
)


class KitField(StrawberryField):
    """A field answered by `resolve(field, source, info, **arguments)`, which `waits` if it has to be waited for.

    `needs` is the permission it asks for, `guard` refuses by the row that it is asked of, `visible_to` decides per
    row whether a sensitive value is shown, `relation` says how it reaches other rows, `start` which rows a root field
    begins with, `rowwise` answers many rows at once, `cost` what it takes by itself and `size` how many items its list
    is assumed to have, or the name of the list argument that says it. They are data: descriptions, limits, tests and a
    compiled execution read them.
    """

    needs: Permission | None = None
    guard: Guard | None = None
    visible_to: MayRead | None = None
    relation: Any = None
    start: Any = None
    rowwise: Rowwise | None = None
    resolve: Resolve | None = None
    waits: bool = False
    make_arguments: Callable[["KitField"], Sequence[StrawberryArgument]] | None = None
    action: Any = None
    function: Any = None
    key: Any = None
    cost: int = 1
    size: int | str | None = None

    def __copy__(self) -> "KitField":
        """Strawberry copies fields of generic types; what the kit added goes along."""
        new = super().__copy__()
        for name in _ADDED:
            setattr(new, name, getattr(self, name))
        return new

    @property
    def is_basic_field(self) -> bool:
        """Whether the row's attribute is the answer."""
        return self.resolve is None and super().is_basic_field

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """Made when the schema is built: by then every type that they mention exists."""
        if self._arguments is None and self.make_arguments is not None:
            self._arguments = list(self.make_arguments(self))
        return super().arguments

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Answer the field for one source row."""
        if self.resolve is None:
            return super().get_result(source, info, args, kwargs)
        if self.waits:
            return Later(partial(self.resolve, self, source, info, **kwargs))
        return self.resolve(self, source, info, **kwargs)


class Later:
    """An answer that is not begun before somebody waits for it: an operation may end with fields that nobody does."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """`begin` makes what to wait for, once."""
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._begin().__await__()


def kit_field(
    description: str,
    *,
    resolve: Resolve,
    arguments: Callable[[KitField], Sequence[StrawberryArgument]] | None = None,
    **data: Any,
) -> Any:
    """A field made by the kit; `data` are attributes of `KitField`."""
    made = KitField(description=description)
    made.resolve, made.waits = resolve, iscoroutinefunction(resolve)
    made.make_arguments = arguments or (lambda _field: ())
    for name, value in data.items():
        setattr(made, name, value)
    made.init = made.compare = made.repr = False
    return made


def field(description: str, *, visible_to: MayRead | None = None, size: int | None = None, **options: Any) -> Any:
    """A column of the row; `size` is how many items a list is assumed to have.

    With `visible_to` the value is null for viewers to whom it returns false; the field must be nullable.
    """
    if visible_to is not None:
        return kit_field(description, resolve=_sensitive, visible_to=visible_to)
    made = KitField(description=description, **options)
    made.size = size
    return made


def method(description: str) -> Callable[[Callable[..., R]], R]:
    """Decorate a method of a type into a field; its `self` is the row."""
    made: Any = KitField(description=description)
    return made  # type: ignore[no-any-return]


def rowwise(computation: Rowwise, description: str) -> Any:
    """A value computed of nothing but the row."""
    return kit_field(description, resolve=_of_one_row, rowwise=computation)


def _of_one_row(made: KitField, row: Any, _info: Any) -> Any:
    if made.rowwise is None:
        return None
    model = type(row)
    return made.rowwise.of(model, [[getattr(row, name) for name in made.rowwise.names(model)]])[0]


def member(value: Any, description: str) -> Any:
    """A member of a coded enum; `value` is what is stored."""
    return strawberry.enum_value(value, description=description)


def _sensitive(made: KitField, row: Any, info: Any) -> Any:
    shown = made.visible_to is not None and made.visible_to(info.context.viewer, row)
    return getattr(row, made.python_name) if shown else None


def argument(name: str, annotation: Any, description: str, default: Any = UNSET) -> StrawberryArgument:
    """An argument of a kit-made field. A name that Python reserves is written with `_` behind it."""
    return StrawberryArgument(
        python_name=name,
        graphql_name=name.removesuffix("_") if name.endswith("_") else None,
        type_annotation=StrawberryAnnotation(annotation),
        description=description,
        default=copy.copy(default),
    )


def describe(description: str) -> Any:
    """Say what a parameter of a service means, beside its type."""
    return StrawberryArgumentAnnotation(description=description)
