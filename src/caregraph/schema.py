"""The one schema: the slices merged, the kit's root fields added."""

import strawberry
from graphql import GraphQLSchema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types.execution import ExecutionContext

from caregraph.assessments import schema as assessments
from caregraph.graph import federation, roots
from caregraph.graph.build import check, describe_roots
from caregraph.graph.scalars import SCALARS
from caregraph.graph.subgraph import subgraph_sdl
from caregraph.organizations import schema as organizations
from caregraph.people import schema as people
from caregraph.treatment import schema as treatment
from caregraph.treatment.types import OrsScore, SrsScore

Query = merge_types("Query", (roots.Query, organizations.Query, people.Query, assessments.Query, treatment.Query))
Mutation = merge_types("Mutation", (organizations.Mutation, people.Mutation, assessments.Mutation, treatment.Mutation))
Subscription = merge_types("Subscription", (treatment.Subscription,))


class Schema(strawberry.Schema):
    """Strawberry's schema, silent: errors are logged where they are masked, without the values of a request."""

    def process_errors(self, errors: list[object], execution_context: ExecutionContext | None = None) -> None:  # type: ignore[override]
        """Leave logging to `graph/errors.py`."""


def build() -> Schema:
    """Build and check the API schema."""
    return _built(Query)


def build_subgraph(*, access: bool) -> Schema:
    """The API schema and the fields through which gateways reach it; `access` as in `subgraph_sdl`."""
    api = build()
    part = federation.query_part(federation.entity_types(api), subgraph_sdl(api, access=access))
    return _built(merge_types("Query", (Query, part)))


def _built(query: type) -> Schema:
    describe_roots(query, Mutation, Subscription)
    schema = Schema(
        query=query,
        mutation=Mutation,
        subscription=Subscription,
        types=(OrsScore, SrsScore),
        config=StrawberryConfig(scalar_map=SCALARS | federation.SCALARS),
    )
    check(schema)
    return schema


def core(schema: Schema) -> GraphQLSchema:
    """The graphql-core schema inside."""
    return schema._schema  # noqa: SLF001 Strawberry has no public name for it


def api_sdl(schema: Schema) -> str:
    """What `schema.graphql` holds."""
    return print_schema(core(schema)) + "\n"
