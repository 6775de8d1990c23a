"""Root fields of assessments, merged from those of their parts."""

from strawberry.tools import merge_types

from . import config_schema, content_schema, instrument_schema, item_schema

Query = merge_types("Query", (content_schema.Query, item_schema.Query, config_schema.Query, instrument_schema.Query))
Mutation = merge_types(
    "Mutation", (content_schema.Mutation, item_schema.Mutation, config_schema.Mutation, instrument_schema.Mutation)
)
