"""Queries by chance: whatever the schema allows, with arguments that are right, wrong, foreign or missing."""

import base64
import json
import random
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

DEEPEST = 6
LEFT_OUT = {"url"}  # signed with the time of day
TOLD_OF_ITSELF = {"auditEvents"}  # every operation adds to it

INTS = [0, 1, 1, 2, 2, 3, 3, 50, 50, -1, 6000]
TEXTS = ["Ann", "Shared", "a", "e", "Winter", "", "ada@northfield.example", "\x00", "Ætt"]
DATES = ["2026-01-12", "2026-02-01", "1990-01-01", "2020-02-29"]
INSTANTS = ["2026-01-01T00:00:00+00:00", "2030-01-01T12:30:00.5+02:00"]


@dataclass
class Asked:
    """A query and its variables."""

    text: str
    variables: dict[str, Any]


@dataclass
class Generator:
    """Makes queries; the same seed makes the same ones."""

    schema: GraphQLSchema
    random: random.Random
    ids: list[str]
    cursors: list[str] = field(default_factory=list)
    fitting: list[str] = field(default_factory=list)
    """Cursors of the list whose arguments are made."""

    def query(self) -> Asked:
        """One query of one to three root fields."""
        self.variables: dict[str, tuple[str, Any]] = {}
        self.fragments: list[str] = []
        self.budget = self.random.choice([4, 8, 16])
        self.number = 0
        roots = [
            one
            for name, one in self.schema.query_type.fields.items()  # type: ignore[union-attr]
            if not name.startswith("_") and name not in TOLD_OF_ITSELF
        ]
        names = {id(one): name for name, one in self.schema.query_type.fields.items()}  # type: ignore[union-attr]
        listed = [one for one in roots if _is_composite(one)]
        chosen = [self.random.choice(listed if self.random.random() < 0.9 else roots) for _ in range(self._few(3))]
        fields = [self._field("Query", names[id(one)], one, 1) for one in chosen]
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self.variables.items())
        text = f"query Q{f'({declared})' if declared else ''} {{ {' '.join(fields)} }} {' '.join(self.fragments)}"
        return Asked(text, {name: value for name, (_, value) in self.variables.items()})

    def _few(self, most: int) -> int:
        return self.random.randint(1, most)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _field(self, parent: str, name: str, known: GraphQLField, depth: int) -> str:
        kind = get_named_type(known.type)
        alias = f"{self.random.choice('abcd')}{self._few(99)}: " if self._chance(0.3) or known.args else ""
        arguments = self._arguments(f"{parent}.{_snake(name)}(", known)
        inside = "" if is_leaf_type(kind) else f" {{ {self._selections(kind, depth + 1)} }}"
        return f"{alias}{name}{arguments}{self._directive()}{inside}"

    def _directive(self) -> str:
        if not self._chance(0.1):
            return ""
        value = self._chance(0.6)
        shown = self._variable("Boolean!", value) if self._chance(0.5) else str(value).lower()
        return f" @{self.random.choice(['include', 'skip'])}(if: {shown})"

    def _selections(self, kind: Any, depth: int) -> str:
        found = ["__typename"] if self._chance(0.2) or (is_abstract_type(kind) and self._chance(0.5)) else []
        fields = [] if not hasattr(kind, "fields") else [(n, f) for n, f in kind.fields.items() if n not in LEFT_OUT]
        leaves = [one for one in fields if is_leaf_type(get_named_type(one[1].type))]
        below = [one for one in fields if one not in leaves]
        for name, known in self.random.sample(leaves, min(len(leaves), self._few(4))):
            found.append(self._field(kind.name, name, known, depth))
        if depth < DEEPEST and below and self.budget > 0:
            for name, known in self.random.sample(below, min(len(below), self._few(3))):
                self.budget -= 1
                found.append(self._field(kind.name, name, known, depth))
        if isinstance(kind, GraphQLInterfaceType) and depth < DEEPEST:
            found += [self._inline(one, depth) for one in self.schema.get_possible_types(kind) if self._chance(0.5)]
        elif self._chance(0.15) and depth < DEEPEST:
            found.append(self._inline(kind, depth) if self._chance(0.5) else self._spread(kind, depth))
        return " ".join(found or ["__typename"])

    def _inline(self, kind: Any, depth: int) -> str:
        return f"... on {kind.name}{self._directive()} {{ {self._selections(kind, depth + 1)} }}"

    def _spread(self, kind: Any, depth: int) -> str:
        self.number += 1
        name = f"F{self.number}"
        body = self._selections(kind, depth + 1)
        self.fragments.append(f"fragment {name} on {kind.name} {{ {body} }}")
        return f"...{name}{self._directive()}"

    def _arguments(self, list_name: str, known: GraphQLField) -> str:
        given = []
        self.fitting = [one for one in self.cursors if _list_of(one).startswith(list_name)]
        for name, argument in known.args.items():
            if name in {"after", "before"} and not self.fitting and self._chance(0.9):
                continue
            if isinstance(argument.type, GraphQLNonNull) or self._chance(0.2):
                value = self._value(name, argument.type)
                if value is None and isinstance(argument.type, GraphQLNonNull):
                    continue
                shown = (
                    self._variable(str(argument.type), value) if self._chance(0.4) else _literal(argument.type, value)
                )
                given.append(f"{name}: {shown}")
        return f"({', '.join(given)})" if given else ""

    def _variable(self, kind: str, value: Any) -> str:
        self.number += 1
        name = f"v{self.number}"
        self.variables[name] = (kind, value)
        return f"${name}"

    def _value(self, name: str, kind: Any) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(name, kind.of_type)
        if self._chance(0.05):
            return None
        if isinstance(kind, GraphQLList):
            return [self._value(name, GraphQLNonNull(kind.of_type)) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]
        if isinstance(kind, GraphQLEnumType):
            return self.random.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            chosen = self.random.sample(list(kind.fields.items()), min(len(kind.fields), self._few(2)))
            return {key: self._value(key, one.type) for key, one in chosen}
        return self._scalar(name, kind.name)

    def _scalar(self, name: str, kind: str) -> Any:
        if name in {"after", "before"}:
            return self.random.choice(self.fitting[-20:] or [*self.cursors[-20:], "nonsense"])
        return {
            "Int": lambda: self.random.choice(INTS[:-2] if self._chance(0.95) else INTS),
            "Float": lambda: self.random.choice([0.0, 5.0, 9.9]),
            "Boolean": lambda: self._chance(0.5),
            "ID": lambda: self.random.choice(self.ids),
            "Date": lambda: self.random.choice(DATES),
            "DateTime": lambda: self.random.choice(INSTANTS),
        }.get(kind, lambda: self.random.choice(TEXTS[:-2] if self._chance(0.95) else TEXTS))()


def _list_of(cursor: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(cursor))[0])


def _snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)


def _is_composite(known: GraphQLField) -> bool:
    return not is_leaf_type(get_named_type(known.type))


def _literal(kind: Any, value: Any) -> str:
    if isinstance(kind, GraphQLNonNull):
        return _literal(kind.of_type, value)
    if value is None:
        return "null"
    if isinstance(kind, GraphQLList):
        return f"[{', '.join(_literal(kind.of_type, one) for one in value)}]"
    if isinstance(kind, GraphQLEnumType):
        return str(value)
    if isinstance(kind, GraphQLInputObjectType):
        inside = ", ".join(f"{name}: {_literal(kind.fields[name].type, one)}" for name, one in value.items())
        return f"{{{inside}}}"
    return json.dumps(value)
