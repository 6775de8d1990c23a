"""The subgraph SDL: the API schema with directives that follow from the kit's data."""

import re
from typing import Any

import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, parse, print_ast, visit
from graphql.language import REMOVE, Visitor

from caregraph import schema
from caregraph.auth.viewer import Permission
from caregraph.graph.build import kit_fields
from caregraph.graph.federation import entity_types
from caregraph.graph.subgraph import scope_of, subgraph_sdl

API = schema.build()
SDL = subgraph_sdl(API, access=True)
PAGED = (
    '@listSize(assumedSize: {}, slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"],'
    " requireOneSlicingArgument: false)"
)


def _types() -> dict[str, Any]:
    return {one.name.value: one for one in parse(SDL).definitions[1:]}  # type: ignore[attr-defined]


def _directives(path: str) -> str:
    type_name, _, field_name = path.partition(".")
    node = _types()[type_name]
    if field_name:
        (node,) = (one for one in node.fields if one.name.value == field_name)
    return " ".join(print_ast(one) for one in node.directives or ())


def test_it_is_the_api_schema_with_directives() -> None:
    class Without(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> Any:
            return None if node.name.value == "specifiedBy" else REMOVE

    _link, *definitions = parse(SDL).definitions
    stripped = [print_ast(visit(one, Without())) for one in definitions]

    assert SDL.startswith(
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@authenticated", "@cost",'
        ' "@inaccessible", "@key", "@listSize", "@requiresScopes", "@shareable", "@tag"])\n\n'
    )
    assert stripped == [print_ast(one) for one in parse(schema.api_sdl(API)).definitions]
    assert not re.search(r"\b_(Any|Entity|Service|entities|service)\b", schema.api_sdl(API))


@pytest.mark.parametrize(
    ("path", "directives"),
    [
        ("Client", '@key(fields: "id") @authenticated'),
        ("Client.fullName", ""),
        ("Client.owners", "@listSize(assumedSize: 2)"),
        ("Client.episodes", PAGED.format(3)),
        ("Client.scoresBySession", "@cost(weight: 10)"),
        ("ClientConnection", "@shareable"),
        ("ClientConnection.totalCount", "@cost(weight: 1)"),
        ("PageInfo", "@shareable"),
        ("UserError", "@shareable"),
        ("Node", ""),
        ("Score", ""),
        ("Score.alerts", ""),
        ("OrsScore.alerts", "@cost(weight: 10)"),
        ("User.locale", '@tag(name: "sensitive")'),
        ("User.roles", "@cost(weight: 1)"),
        ("Query", ""),
        ("Query.client", "@authenticated"),
        ("Query.clients", f"@authenticated {PAGED.format(100)}"),
        ("Query.node", "@authenticated @inaccessible @shareable"),
        ("Query.hello", "@inaccessible @shareable"),
        ("Query.organization", "@authenticated @cost(weight: 10)"),
        (
            "Query.users",
            '@requiresScopes(scopes: [["caregraph:list-users"]]) @tag(name: "list-users") ' + PAGED.format(100),
        ),
        ("Mutation", ""),
        ("Mutation.authenticate", ""),
        ("Mutation.createClient", "@authenticated"),
        ("Mutation.createLabel", '@requiresScopes(scopes: [["caregraph:manage-labels"]]) @tag(name: "manage-labels")'),
        ("DateTime", '@specifiedBy(url: "https://scalars.graphql.org/andimarek/date-time")'),
    ],
)
def test_directives_follow_from_the_data_of_the_kit(path: str, directives: str) -> None:
    assert _directives(path) == directives


def test_without_access_it_says_everything_else() -> None:
    without = subgraph_sdl(API, access=False)

    stripped = re.sub(r' @(authenticated|requiresScopes\(scopes: \[\["[^"]+"\]\]\))', "", SDL)
    assert without == stripped.replace('"@authenticated", ', "").replace('"@requiresScopes", ', "")


def test_every_type_with_rows_has_a_key_and_no_other() -> None:
    keyed = [name for name, node in _types().items() if any(one.name.value == "key" for one in node.directives or ())]

    assert sorted(keyed) == [cls.__node__.name for cls in entity_types(API)]


def test_scopes_are_the_permissions_beyond_signing_in() -> None:
    scopes = set(re.findall(r'scopes: \[\["([^"]+)"\]\]', SDL))

    asked = {made.needs for made in kit_fields(API)} - {
        None,
        Permission.PERSON,
        Permission.ACCOUNT,
        Permission.MEMBER,
        Permission.CARE,
    }
    assert scopes == {scope_of(one) for one in asked}
    assert "caregraph:organization" in scopes


def test_every_entity_has_a_look_up_by_id() -> None:
    query = API._schema.query_type
    assert query is not None
    found = {
        one.type.name
        for one in query.fields.values()
        if isinstance(one.type, GraphQLObjectType) and _is_id(one.args.get("id"))
    }

    assert found == {cls.__node__.name for cls in entity_types(API)}


def _is_id(argument: Any) -> bool:
    kind = getattr(argument, "type", None)
    assert not isinstance(kind, GraphQLList)
    return getattr(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, "name", None) == "ID"
