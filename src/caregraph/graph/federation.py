"""What makes the graph a subgraph: `_service`, and `_entities`, which builds nothing from a gateway's words.

A representation is a type name and an id. Both are looked up like any `node`, by the one loader that carries tenant
and rule; every other field of a representation is ignored, so a forged one is harmless.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, NewType, Union

import strawberry
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.scalar import ScalarDefinition

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ScopeTooSmallError

from .context import Context
from .errors import RequestError, bad_input, demand, limited
from .fields import KitField, argument, field, kit_field
from .loaders import RowById
from .node import NodeInfo

Representation = NewType("Representation", object)

SCALARS: dict[object, ScalarDefinition] = {
    Representation: strawberry.scalar(
        name="_Any",
        description="A reference to an entity: an object with `__typename` and `id`. Its other fields are ignored.",
        parse_value=lambda value: value,
        serialize=lambda value: value,
    )
}


@strawberry.type(name="_Service", description="This graph as a subgraph.")
class Service:
    """The specification's answer to a gateway that composes."""

    sdl: str | None = field("The subgraph in the schema definition language, with its federation directives.")


def entity_types(schema: strawberry.Schema) -> list[type[Any]]:
    """The types whose rows have ids of their own, by name."""
    definitions = (entry.definition for entry in schema.schema_converter.type_map.values())
    found = [
        one.origin
        for one in definitions
        if isinstance(one, StrawberryObjectDefinition) and not one.is_interface and hasattr(one.origin, "__node__")
    ]
    return sorted(found, key=lambda cls: cls.__node__.name)


def query_part(entities: Sequence[type[Any]], sdl: str) -> type[Any]:
    """The root fields of the federation specification, over `entities`."""
    described = strawberry.union("_Entity", description="Whatever has an id of its own.")
    entity: Any = Annotated[Union[tuple(entities)], described]  # noqa: UP007 the members are known at run time only
    infos = {cls.__node__.name: cls.__node__ for cls in entities}
    part = type(
        "FederationQuery",
        (),
        {
            "__annotations__": {"service": Service, "entities": list[entity | None]},
            "service": kit_field(
                "The subgraph as gateways compose it, for anyone who may read the schema.",
                resolve=lambda *_: Service(sdl=sdl),
                graphql_name="_service",
            ),
            "entities": kit_field(
                "Rows by type and id, for gateways; null where `node` is. A representation that is no reference is an "
                f"error in its place.\n\nNeeds: {Permission.CARE.value}.",
                resolve=partial(_entities, infos),
                arguments=lambda _made: [
                    argument("representations", list[Representation], "References, at most `MAXIMUM_ENTITIES`.")
                ],
                needs=Permission.CARE,
                size="representations",
                graphql_name="_entities",
            ),
        },
    )
    return strawberry.type(part)


async def _entities(
    infos: dict[str, NodeInfo], made: KitField, _source: object, info: Any, *, representations: list[Any]
) -> list[Any]:
    context: Context = info.context
    demand(context.viewer, made.needs)
    most = context.settings.maximum_entities
    if len(representations) > most:
        raise RequestError("LIMIT_EXCEEDED", f"representations takes at most {most} entities")
    # Loads asked for at the same time are one batch per type. An error that is returned stands in its own place.
    return list(await asyncio.gather(*(_load(infos, one, context) for one in representations)))


async def _load(infos: dict[str, NodeInfo], representation: Any, context: Context) -> Any:
    if not isinstance(representation, dict):
        return _malformed("A representation must be an object")
    name, text = representation.get("__typename"), representation.get("id")
    if not isinstance(name, str) or name not in infos:
        return _malformed("__typename must name an entity")
    if not isinstance(text, str):
        return _malformed("id must be a text")
    row_id = infos[name].row_id(text)
    if row_id is None:
        return None
    try:
        return await context.load(RowById(infos[name].model), row_id)
    except ScopeTooSmallError as error:
        return limited(error)


def _malformed(message: str) -> RequestError:
    return bad_input(message, "representations")
