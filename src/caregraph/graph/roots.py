"""The root fields that every graph has: a node by its id, and a greeting."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ScopeTooSmallError

from .context import Context
from .errors import bad_input, demand, limited
from .fields import KitField, argument, field, kit_field
from .loaders import RowById
from .node import Node, parse_id

MOST_NODES = 100


@dataclass(frozen=True)
class ByAnyId:
    """A root field that answers rows of any type by the ids in one argument."""

    argument: str

    def texts(self, arguments: Mapping[str, Any]) -> list[str]:
        """The ids that are asked for."""
        asked = arguments[self.argument]
        if isinstance(asked, str):
            return [asked]
        if len(asked) > MOST_NODES:
            raise bad_input(f"ids takes at most {MOST_NODES} ids", "ids")
        return list(asked)


async def _load(text: str, info: Any) -> Any:
    context: Context = info.context
    parsed = parse_id(text)
    definition: Any = info.schema.get_type_by_name(parsed[0]) if parsed is not None else None
    known = getattr(getattr(definition, "origin", None), "__node__", None)
    if parsed is None or known is None or definition.is_interface:
        return None
    try:
        return await context.load(RowById(known.model), parsed[1])
    except ScopeTooSmallError as error:
        return limited(error)  # an error that is returned stands in its own place


async def _node(made: KitField, _source: object, info: Any, *, id: str) -> Any:  # noqa: A002 the argument's name
    demand(info.context.viewer, made.needs)
    return await _load(id, info)


async def _nodes(made: KitField, _source: object, info: Any, *, ids: list[str]) -> list[Any]:
    demand(info.context.viewer, made.needs)
    return list(await asyncio.gather(*(_load(text, info) for text in made.start.texts({"ids": ids}))))


@strawberry.type(description="Who answers.")
class Hello:
    """`fit.root.hello`."""

    hello_from: str = field("Name of the server.")
    api_reference: str = field("Where its manual is: the playground at `/`, whose explorer shows the whole schema.")


@strawberry.type(description="A field of a type, as a query can select it.")
class SelectableField:
    """`charitylog.workers.list_selectable_fields` and its like."""

    name: str = field("Name of the field.")
    description: str = field("What it means, in which unit and range, and who may read it.")


async def _selectable(made: KitField, _source: object, info: Any, *, type: str) -> list[SelectableField] | None:  # noqa: A002
    demand(info.context.viewer, made.needs)
    definition: Any = info.schema.get_type_by_name(type)
    if not hasattr(getattr(definition, "origin", None), "__node__"):
        return None
    fields = info.schema._schema.type_map[type].fields  # noqa: SLF001 Strawberry has no public name for it
    return [SelectableField(name=name, description=one.description) for name, one in sorted(fields.items())]


@strawberry.type
class Query:
    """Reading anything."""

    hello: Hello | None = kit_field(
        "A greeting, for anyone: the server is up (`fit.root.hello`).",
        resolve=lambda *_: Hello(hello_from="Caregraph", api_reference="/"),
    )
    node: Node | None = kit_field(
        f"Any row by id; null for one that is not there or not yours.\n\nNeeds: {Permission.CARE.value}.",
        resolve=_node,
        start=ByAnyId("id"),
        arguments=lambda _made: [argument("id", strawberry.ID, "Id of a node.")],
        needs=Permission.CARE,
    )
    nodes: list[Node | None] | None = kit_field(
        f"Rows by id, in the order asked for, null where `node` is.\n\nNeeds: {Permission.CARE.value}.",
        resolve=_nodes,
        start=ByAnyId("ids"),
        arguments=lambda _made: [argument("ids", list[strawberry.ID], f"Ids of nodes, at most {MOST_NODES}.")],
        needs=Permission.CARE,
        size="ids",
    )
    selectable_fields: list[SelectableField] | None = kit_field(
        "The fields of a type with an id, by name, also where introspection is off; null for any other type"
        f" (`charitylog.workers.list_selectable_fields`).\n\nNeeds: {Permission.CARE.value}.",
        resolve=_selectable,
        arguments=lambda _made: [argument("type", str, "Name of the type, such as `User`.")],
        needs=Permission.CARE,
        size=30,
    )
