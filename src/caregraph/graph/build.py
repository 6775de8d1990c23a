"""What is checked once, when the schema is built."""

from typing import Any

import strawberry
from strawberry.types.base import StrawberryObjectDefinition

from .fields import KitField
from .relations import check_relation

_ROOTS = {
    "Query": "Reading. A row that is not there, or not yours, is null.",
    "Mutation": "Changing. Each field is a transaction of its own: a refused one changes nothing and names why.",
    "Subscription": "Following what changes, as it is committed. What you do not see, you do not hear of.",
}


def describe_roots(*roots: type[Any]) -> None:
    """Root types are merged from the slices' parts, so their descriptions are put here."""
    for root in roots:
        definition: StrawberryObjectDefinition = root.__strawberry_definition__
        definition.description = _ROOTS[definition.name]


def kit_fields(schema: strawberry.Schema) -> list[KitField]:
    """Every field of the schema that the kit made."""
    definitions = (entry.definition for entry in schema.schema_converter.type_map.values())
    return [
        made
        for definition in definitions
        if isinstance(definition, StrawberryObjectDefinition)
        for made in definition.fields
        if isinstance(made, KitField)
    ]


def check(schema: strawberry.Schema) -> None:
    """Resolve every declared relation, so that a wrong one fails now and not in a request."""
    for made in kit_fields(schema):
        if made.relation is not None:
            check_relation(made.relation)
