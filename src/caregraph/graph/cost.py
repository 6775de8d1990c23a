"""What an operation costs, from the schema: 1 per field, and what is in a list as often as the list is long.

An operation is priced once, when it is prepared: what depends on variables (`first`, `@include`) stays open in its
`Price` and is filled in by each request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Any, Protocol

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_introspection_query,
    get_named_type,
    is_composite_type,
    is_introspection_type,
    is_leaf_type,
    parse,
)

from .errors import RequestError
from .fields import OF_PAGE, KitField
from .paging import DEFAULT, MAXIMUM

Values = Mapping[str, Any]

ASSUMED_SIZE = 10
"""Items of a list that says nothing about its size."""
INTROSPECTION = 100_000
"""Cost of the standard introspection query; other introspection in proportion."""


class Factor(Protocol):
    """How often something is answered, known with the variables."""

    def of(self, values: Values) -> int:
        """The number under these coerced variables."""


@dataclass(frozen=True)
class Price:
    """A fixed cost, and costs of parts that are multiplied by something."""

    fixed: int = 0
    parts: "tuple[tuple[Factor | int, Price], ...]" = ()

    def of(self, values: Values) -> int:
        """The cost under these coerced variables."""
        total = self.fixed
        for factor, price in self.parts:
            times = factor if isinstance(factor, int) else factor.of(values)
            if times:
                total += times * price.of(values)
        return total

    def __add__(self, other: "Price") -> "Price":
        return Price(self.fixed + other.fixed, self.parts + other.parts)

    def times(self, factor: Factor | int) -> "Price":
        """This cost, `factor` times."""
        if isinstance(factor, int) and not self.parts:
            return Price(self.fixed * factor)
        return self if factor == 1 else Price(0, ((factor, self),))


@dataclass(frozen=True)
class _PageSize:
    """Rows of a page: what `first` or `last` asks for, but not more than the list is assumed to have."""

    given: tuple[int | str, ...]
    """Numbers, or the variables that hold them; what is out of bounds is refused by the list itself."""
    most: int

    def of(self, values: Values) -> int:
        found = (values.get(given) if isinstance(given, str) else given for given in self.given)
        asked = max((size for size in found if size is not None), default=DEFAULT)
        return max(0, min(asked, self.most))


@dataclass(frozen=True)
class _Length:
    """The length of a list in a variable."""

    variable: str

    def of(self, values: Values) -> int:
        value = values.get(self.variable)
        return len(value) if isinstance(value, list) else 1


@dataclass(frozen=True)
class _Wanted:
    """`@include` or `@skip` by a variable."""

    variable: str
    when: bool

    def of(self, values: Values) -> int:
        return int(bool(values.get(self.variable)) is self.when)


@dataclass
class Pricing:
    """Prices the operations of one valid document."""

    schema: GraphQLSchema
    document: DocumentNode
    introspection: "IntrospectionSizes"
    _fragments: dict[tuple[str, Factor | int], Price] = field(default_factory=dict)

    def prices(self) -> dict[str | None, Price]:
        """The price of each operation, by its name."""
        return {
            one.name.value if one.name else None: self.of(one)
            for one in self.document.definitions
            if isinstance(one, OperationDefinitionNode)
        }

    def of(self, operation: OperationDefinitionNode) -> Price:
        """The price of one operation."""
        root = self.schema.get_root_type(operation.operation)
        return Price() if root is None else self._selections(operation.selection_set, root, 1)

    @cached_property
    def _definitions(self) -> dict[str, FragmentDefinitionNode]:
        found = (one for one in self.document.definitions if isinstance(one, FragmentDefinitionNode))
        return {one.name.value: one for one in found}

    def _selections(self, selections: SelectionSetNode, parent: GraphQLCompositeType, page: Factor | int) -> Price:
        """`page` is the size of the page that `parent` is, if it is one."""
        total = Price()
        for selection in selections.selections:
            price = self._selection(selection, parent, page)
            for directive in selection.directives or ():
                price = price.times(_wanted(directive))
            total += price
        return total

    def _selection(self, selection: SelectionNode, parent: GraphQLCompositeType, page: Factor | int) -> Price:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent, page)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value, page)
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            return self._selections(
                selection.selection_set, self._type(condition.name.value) if condition else parent, page
            )
        return Price()

    def _fragment(self, name: str, page: Factor | int) -> Price:
        key = (name, page)
        if key not in self._fragments:
            definition = self._definitions[name]
            on = self._type(definition.type_condition.name.value)
            self._fragments[key] = self._selections(definition.selection_set, on, page)
        return self._fragments[key]

    def _type(self, name: str) -> GraphQLCompositeType:
        found = self.schema.type_map[name]
        if not is_composite_type(found):
            raise TypeError(f"{name} has no fields")
        return found

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, page: Factor | int) -> Price:
        name = node.name.value
        known = self.schema.get_field(parent, name)
        if known is None or node.selection_set is None:
            return Price(_own_cost(known))
        inside = get_named_type(known.type)
        if is_leaf_type(inside) or not is_composite_type(inside):
            return Price(_own_cost(known))
        if "first" in known.args:
            return Price(_own_cost(known)) + self._selections(node.selection_set, inside, _page_size(node, known))
        within = self._selections(node.selection_set, inside, 1)
        if is_introspection_type(inside):
            within = within.times(self.introspection.size(parent.name, name))
            if not is_introspection_type(parent):  # here introspection begins
                return Price(0, ((_Share(within, self.introspection), Price(1)),))
            return Price(1) + within
        return Price(_own_cost(known)) + within.times(_list_size(node, known, page))


def list_size(known: GraphQLField) -> int | str | None:
    """Items that a list is assumed to have, or the argument that says it; null for a field that is no list."""
    if not _is_list(known):
        return None
    made = made_by_kit(known)
    if made is None:
        return ASSUMED_SIZE
    declared: int | str | None = made.size if made.relation is None else made.relation.size
    return ASSUMED_SIZE if declared is None else declared


def page_size(known: GraphQLField) -> int | None:
    """Rows that a connection is assumed to have at most; null for another field."""
    if "first" not in known.args:
        return None
    made = made_by_kit(known)
    return MAXIMUM if made is None or made.relation is None else int(made.relation.size)


def made_by_kit(known: GraphQLField) -> KitField | None:
    """The kit's field behind one of the schema."""
    made = known.extensions.get("strawberry-definition")
    return made if isinstance(made, KitField) else None


def _own_cost(known: GraphQLField | None) -> int:
    made = made_by_kit(known) if known is not None else None
    return 1 if made is None else made.cost


def _is_list(known: GraphQLField) -> bool:
    kind = known.type.of_type if isinstance(known.type, GraphQLNonNull) else known.type
    return isinstance(kind, GraphQLList)


def _list_size(node: FieldNode, known: GraphQLField, page: Factor | int) -> Factor | int:
    size = list_size(known)
    if size is None:
        return 1
    if size == OF_PAGE:
        return page
    if isinstance(size, int):
        return size
    value = _argument(node, size)
    if isinstance(value, VariableNode):
        return _Length(value.name.value)
    return len(value.values) if isinstance(value, ListValueNode) else 1


def _page_size(node: FieldNode, known: GraphQLField) -> Factor | int:
    most = page_size(known) or 0
    given: list[int | str] = []
    for value in (_argument(node, "first"), _argument(node, "last")):
        if isinstance(value, VariableNode):
            given.append(value.name.value)
        elif isinstance(value, IntValueNode):
            given.append(int(value.value))
    return _PageSize(tuple(given), most) if given else min(DEFAULT, most)


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((one.value for one in node.arguments or () if one.name.value == name), None)


def _wanted(directive: DirectiveNode) -> Factor | int:
    name = directive.name.value
    if name not in {"include", "skip"}:
        return 1
    (argument,) = directive.arguments or ()
    value, when = argument.value, name == "include"
    if isinstance(value, VariableNode):
        return _Wanted(value.name.value, when)
    return int(value.value is when) if isinstance(value, BooleanValueNode) else 1


class IntrospectionSizes:
    """How long the lists of introspection are in this schema, on average; counted when introspection is first asked."""

    def __init__(self, schema: GraphQLSchema) -> None:
        """Count nothing yet."""
        self._schema = schema

    def size(self, parent: str, name: str) -> int:
        """The average length of an introspective list; 1 for another field."""
        return self._sizes.get(name, 1) if parent.startswith("__") else 1

    @cached_property
    def standard(self) -> int:
        """Fields that the standard introspection query asks for."""
        document = parse(get_introspection_query(input_value_deprecation=True, directive_is_repeatable=True))
        (price,) = Pricing(self._schema, document, self).prices().values()
        ((share, _),) = price.parts
        return share.price.of({}) if isinstance(share, _Share) else 1

    @cached_property
    def _sizes(self) -> dict[str, int]:
        types = self._schema.type_map.values()
        fields = [one for kind in types for one in getattr(kind, "fields", {}).values()]
        return {
            "types": len(types),
            "directives": len(self._schema.directives),
            "fields": _average(len(getattr(kind, "fields", ())) for kind in types),
            "args": _average(len(getattr(one, "args", ())) for one in fields),
            "enumValues": _average(len(getattr(kind, "values", ())) for kind in types),
        }


@dataclass(frozen=True)
class _Share:
    """Introspection, as a part of what the standard query costs."""

    price: Price
    whole: IntrospectionSizes

    def of(self, values: Values) -> int:
        return ceil(self.price.of(values) * INTROSPECTION / self.whole.standard)


def _average(lengths: Iterable[int]) -> int:
    found = [one for one in lengths if one]
    return max(1, round(sum(found) / len(found))) if found else 1


def too_expensive(cost: int, limit: int) -> RequestError:
    """The refusal of an operation that costs more than `limit`."""
    message = f"An operation may cost at most {limit}, this one costs {cost}"
    return RequestError("COST_ESTIMATED_TOO_EXPENSIVE", message, cost={"requested": cost, "limit": limit})
