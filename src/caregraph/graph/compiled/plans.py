"""From the selections of a request to plans: which rows are read, which loop makes their answers, what is below them.

What is selected is found out by graphql-core's own collecting of fields, so aliases, fragments, merged fields, type
conditions, `@include` and `@skip` are its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    get_argument_values,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)
from sqlalchemy import Column
from sqlalchemy import inspect as mapped
from strawberry.types.arguments import convert_arguments

from caregraph.graph.cost import made_by_kit
from caregraph.graph.fields import KitField, Rowwise
from caregraph.graph.node import own_id

from . import below
from .leaves import leaf, no_answer, read_as
from .loops import Build, Loop, choosing
from .pages import Page
from .statements import Read

Details = list[Any]
"""The fields of one response name, as graphql-core collects them."""


class UnplannableError(Exception):
    """A selection that graphql-core executes."""


@dataclass(eq=False)
class Shape:
    """How rows of one object type are answered."""

    model: type[Any]
    kind: GraphQLObjectType
    build: Build
    children: tuple["below.Child", ...]
    source: Callable[[Any], list[Any]] | None
    """Makes rows as resolvers know them, where something below or beside asks for them."""


@dataclass(eq=False)
class Level:
    """How rows of one model are answered, by object type where there are several."""

    read: Read
    shapes: dict[Any, Shape]
    """By what the discriminator holds; the only one under null."""
    discriminator: int | None = None
    build: Build | None = None
    """The loop of all shapes, where none needs anything but the rows."""


class Planner:
    """Makes the plans of one operation. They are kept for others with the same document."""

    def __init__(self, executor: Any, dialect: Any, wholes: dict[type[Any], Read]) -> None:
        """`wholes` are the reads by id, shared by all plans of a database."""
        self.executor = executor
        self.dialect = dialect
        self._wholes = wholes

    def whole(self, model: type[Any]) -> Read:
        """The read by id of a model."""
        if model not in self._wholes:
            self._wholes[model] = Read.whole(model)
        return self._wholes[model]

    def level(self, kind: Any, details: Details, read: Read) -> Level:
        """How the rows of `read` are answered as `kind`, an object type or an interface."""
        if is_object_type(kind):
            return Level(read, {None: self._shape(kind, details, read, Loop(self.dialect))})
        if not is_abstract_type(kind):
            raise UnplannableError(kind)
        mapper = mapped(read.model)
        if mapper.polymorphic_on is None:
            raise UnplannableError(kind)
        column = mapper.local_table.c[mapper.polymorphic_on.key]
        stored = column.type.dialect_impl(self.dialect).bind_processor(self.dialect)
        shapes, loops = {}, {}
        constants: dict[str, Any] = {}
        for one in self.executor.schema.get_possible_types(kind):
            model = model_of(one)
            if not issubclass(model, read.model):
                raise UnplannableError(kind)
            identity = mapped(model).polymorphic_identity
            key = stored(identity) if stored else identity
            loops[key] = Loop(self.dialect, constants)
            shapes[key] = self._shape(one, details, read, loops[key])
        place = read.place(column)
        needs_rows_alone = not any(one.children or one.source for one in shapes.values())
        return Level(read, shapes, place, choosing(loops, place, no_answer) if needs_rows_alone else None)

    def arguments(self, known: GraphQLField, node: FieldNode) -> dict[str, Any]:
        """The arguments of a field as its resolver is given them."""
        made = made_by_kit(known)
        if made is None or not known.args:
            return {}
        executor = self.executor
        values = get_argument_values(known, node, executor.variable_values, None, executor.hide_suggestions)
        converter = executor.converter
        return convert_arguments(
            values, made.arguments, scalar_registry=converter.scalar_registry, config=converter.config
        )

    def fields(self, kind: GraphQLObjectType, details: Details) -> dict[str, Details]:
        """What is selected of an object type, by response name."""
        return self.executor.collect_subfields(kind, details).grouped_field_set  # type: ignore[no-any-return]

    def _shape(self, kind: GraphQLObjectType, details: Details, read: Read, loop: Loop) -> Shape:
        model = model_of(kind)
        shaping = _Shaping(self, kind, model, read, loop)
        for response_name, chosen in self.fields(kind, details).items():
            shaping.add(response_name, chosen)
        source = _sources(model, read, self.dialect) if shaping.needs_source else None
        return Shape(model, kind, loop.compiled(), tuple(shaping.children), source)


@dataclass
class _Shaping:
    """One loop in the making."""

    planner: Planner
    kind: GraphQLObjectType
    model: type[Any]
    read: Read
    loop: Loop

    def __post_init__(self) -> None:
        self.children: list[below.Child] = []
        self.needs_source = False

    def add(self, response_name: str, details: Details) -> None:
        """The entry of one response name."""
        node = details[0].node
        if node.name.value == "__typename":
            self.loop.add(response_name, repr(self.kind.name))
            return
        known = self.planner.executor.schema.get_field(self.kind, node.name.value)
        if known is None:
            return
        made = made_by_kit(known)
        expression = None if made is None else self._expression(made, known, details)
        self.loop.add(response_name, expression or self._hole(known, details))

    def _expression(self, made: KitField, known: GraphQLField, details: Details) -> str | None:
        if made.needs is not None or made.guard is not None:
            return None  # who may ask is looked at for each row
        if made.resolve is own_id:
            return below.id_of(self.loop, self.kind.name)
        if made.relation is not None:
            return self._related(made, known, details)
        kind = get_named_type(known.type)
        return self._leaf(made, known) if is_leaf_type(kind) and not is_list(known.type) else None

    def _leaf(self, made: KitField, known: GraphQLField) -> str | None:
        if made.visible_to is not None:
            return self._sensitive(made, known)
        if made.is_basic_field:
            return self._column(made, known)
        if made.rowwise is not None:
            return self._rowwise(made.rowwise, known)
        return self._method(made, known)

    def _rowwise(self, computation: Rowwise, known: GraphQLField) -> str:
        attributes = mapped(self.model).column_attrs
        columns = [attributes[name].columns[0] for name in computation.names(self.model)]
        take = _taking(columns, self.read, self.planner.dialect)
        of = partial(computation.of, self.model)
        self.children.append(below.OfColumns(take, of, below.all_written(known.type)))
        return self.loop.own()

    def _column(self, made: KitField, known: GraphQLField) -> str | None:
        attribute = mapped(self.model).column_attrs.get(made.python_name)
        if attribute is None:
            return None
        column: Any = attribute.columns[0]
        if not isinstance(column, Column):  # looked up for each row
            raise UnplannableError(made.python_name)
        nullable = not isinstance(known.type, GraphQLNonNull)
        kind: Any = get_named_type(known.type)
        return leaf(self.loop, kind, column, f"r[{self.read.place(column)}]", nullable=nullable)

    def _sensitive(self, made: KitField, known: GraphQLField) -> str | None:
        value = self._column(made, known)
        if value is None:
            return None
        self._ask_for_sources()
        shown = self.loop.once(f"{self.loop.constant(made.visible_to)}(viewer, s)")
        return f"({value} if {shown} else None)"

    def _method(self, made: KitField, known: GraphQLField) -> str | None:
        """A method of nothing but the row, called without graphql-core around it."""
        resolver = made.base_resolver
        if resolver is None or resolver.is_async or resolver.info_parameter or made.arguments or made.extensions:
            return None
        if resolver.self_parameter is None or resolver.root_parameter or resolver.parent_parameter:
            return None
        self._ask_for_sources()
        write, function = below.written(known.type), resolver.wrapped_func
        return f"{self.loop.constant(write)}({self.loop.constant(function)}(s))"

    def _related(self, made: KitField, known: GraphQLField, details: Details) -> str:
        relation = made.relation
        target: Any = get_named_type(known.type)
        answers = self.loop.child()
        if relation.is_one:
            column = mapped(self.model).column_attrs[relation.key].columns[0]
            place = self.read.place(column)
            level = self.planner.level(target, details, self.planner.whole(relation.target.model))
            self.children.append(below.ToOne(level, place))
            return f"{answers}[r[{place}]]" if isinstance(known.type, GraphQLNonNull) else f"{answers}.get(r[{place}])"
        read = Read(relation.target.model, repeats=relation.link.child_column is not None)
        if relation.is_plain_list:
            self.children.append(below.ToList(relation, read, self.planner.level(target, details, read)))
            return f"{answers}.get(r[0], {self.loop.constant([])})"
        orders = [*(column.key for column in relation.target.order_by), *(key for key, _ in relation.order)]
        page = Page.of(self.planner, target, details, read, orders)
        window = below.Windowed(made, known, details[0].node)
        self.children.append(below.ToPage(relation, read, page, window))
        return f"{answers}[r[0]]"

    def _hole(self, known: GraphQLField, details: Details) -> str:
        """Whatever else there is: graphql-core executes it for each row, all rows at once, and loaders batch."""
        self._ask_for_sources(loop=False)
        self.children.append(below.Hole(self.kind, known, details))
        return f"{self.loop.child()}[r[0]]"

    def _ask_for_sources(self, *, loop: bool = True) -> None:
        self.needs_source = True
        self.loop.needs_source = self.loop.needs_source or loop


def model_of(kind: GraphQLObjectType) -> type[Any]:
    """The model whose rows a node type describes."""
    definition = kind.extensions.get("strawberry-definition")
    info = getattr(getattr(definition, "origin", None), "__node__", None)
    if info is None:
        raise UnplannableError(kind)
    model: type[Any] = info.model
    return model


def is_list(kind: Any) -> bool:
    """Whether a type is a list, null or not."""
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return hasattr(inner, "of_type")


def _taking(columns: Sequence[Column[Any]], read: Read, dialect: Any) -> Callable[[Any], Sequence[Any]]:
    """Makes the values of some columns of a row, as resolvers know them."""
    taken = [(read.place(column), read_as(column, dialect)) for column in columns]
    if len(taken) > 1 and not any(process for _, process in taken):
        return itemgetter(*(place for place, _ in taken))
    return lambda row: [row[place] if process is None else process(row[place]) for place, process in taken]


def _sources(model: type[Any], read: Read, dialect: Any) -> Callable[[Any], list[Any]]:
    """Makes instances of `model` that hold every column and belong to no session: read, never written."""
    loop = Loop(dialect)
    for attribute in mapped(model).column_attrs:
        column: Any = attribute.columns[0]
        value = f"r[{read.place(column)}]"
        process = read_as(column, dialect)
        loop.add(attribute.key, value if process is None else f"{loop.constant(process)}({value})")
    values = loop.compiled()

    def sources(rows: Any) -> list[Any]:
        made = []
        for one in values(rows, None, None, ()):
            source = object.__new__(model)
            source.__dict__ = one
            made.append(source)
        return made

    return sources
