"""Inputs of mutations: their rules as data on the fields, checked before a transaction opens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import strawberry
from strawberry.types.base import has_object_definition
from strawberry.types.unset import UNSET

from .errors import Code, UserError
from .fields import KitField
from .filters import LONGEST_LIST, camel

I = TypeVar("I")  # noqa: E741 an input class

LONGEST_NAME = 200
LONGEST_TEXT = 10_000
NULL_REFUSED = "must not be null"


@dataclass(frozen=True)
class Limits:
    """What a value must satisfy beyond its GraphQL type."""

    minimum: float | None = None
    maximum: float | None = None
    longest: int = LONGEST_NAME
    shortest: int = 0
    blank: bool = False
    message: str | None = None
    nullable: bool = False
    """Whether null may be sent although it is no column's value."""
    check: Callable[[Any], str | None] | None = None
    """What else is wrong with a value, in words; null if nothing is."""

    def problem(self, value: Any) -> str | None:
        """What is wrong with `value`; null if nothing is."""
        found = None
        if isinstance(value, str):
            found = self._text_problem(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = self._number_problem(value)
        return self.check(value) if found is None and self.check is not None else found

    def _text_problem(self, value: str) -> str | None:
        if not self.blank and not value.strip():
            return "must not be empty"
        if "\x00" in value:
            return "must not contain the character U+0000"
        if len(value) < self.shortest:
            return f"must have at least {self.shortest} characters"
        return None if len(value) <= self.longest else f"must have at most {self.longest} characters"

    def _number_problem(self, value: float) -> str | None:
        below = self.minimum is not None and not value >= self.minimum
        above = self.maximum is not None and not value <= self.maximum
        if not (below or above):
            return None
        return self.message or f"must be between {self.minimum:g} and {self.maximum:g}"


class InputField(KitField):
    """A field of an input with its limits."""

    limits: Limits = Limits()

    def __copy__(self) -> "InputField":
        """Limits go along."""
        new = super().__copy__()
        new.limits = self.limits  # type: ignore[attr-defined]
        return new  # type: ignore[return-value]


def value(description: str, *, default: Any = UNSET, **limits: Any) -> Any:
    """A field of an input, absent by default, which may be blank. `limits` are those of `Limits`."""
    made = InputField(description=description, default=default)
    made.limits = Limits(**{"blank": True, **limits})
    return made


def required(description: str, **limits: Any) -> Any:
    """A field of an input that must be given and not be blank."""
    made = InputField(description=description)
    made.limits = Limits(**limits)
    return made


class Changes(dict[str, Any], Generic[I]):
    """What a patch sets, by attribute name: absent fields are absent here, null is null.

    `changes: Changes[ClientInput]` in a service's signature becomes the argument `input: ClientPatch!`.
    """


@cache
def patch_type(cls: type[Any]) -> type[Any]:
    """The patch of an input: the same fields, all optional; only the fields sent change."""
    name = cls.__name__.removesuffix("Input").removesuffix("Patch") + "Patch"
    annotations: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for made in cls.__strawberry_definition__.fields:
        annotation = made.type_annotation.annotation
        annotations[made.python_name] = annotation | None
        fields[made.python_name] = value(made.description)
        fields[made.python_name].limits = made.limits
    patch = type(name, (), {"__annotations__": annotations, **fields})
    description = cls.__strawberry_definition__.description or ""
    return strawberry.input(patch, description=f"Changes: {description} Only the fields sent change.")


def given(source: Any) -> dict[str, Any]:
    """The fields of an input that were sent, by attribute name."""
    return {name: found for name, found in vars(source).items() if found is not UNSET}


def problems(source: Any, path: tuple[str, ...], *, model: type[Any]) -> Iterator[UserError]:
    """Everything wrong with an input and those inside it. Null is for columns of `model` that may be null."""
    for made in source.__strawberry_definition__.fields:
        found = getattr(source, made.python_name)
        if found is UNSET:
            continue
        if has_object_definition(found):
            yield from problems(found, (*path, camel(made.python_name)), model=model)
            continue
        if isinstance(found, list):
            yield from list_problems(found, (*path, camel(made.python_name)), model=model)
        problem = made.limits.problem(found) if found is not None else _null_problem(model, made)
        if problem is not None:
            yield UserError(code=Code.INVALID, message=problem, path=[*path, camel(made.python_name)])


def list_problems(values: list[Any], path: tuple[str, ...], *, model: type[Any]) -> Iterator[UserError]:
    """What is wrong with a list and the inputs in it."""
    if len(values) > LONGEST_LIST:
        yield UserError(code=Code.INVALID, message=f"must have at most {LONGEST_LIST} items", path=list(path))
        return
    for place, one in enumerate(values):
        if has_object_definition(one):
            yield from problems(one, (*path, f"{place}"), model=model)


def _null_problem(model: type[Any], made: Any) -> str | None:
    if made.limits.nullable:
        return None
    column = getattr(model, made.python_name, None)
    return None if column is not None and column.property.columns[0].nullable else NULL_REFUSED
