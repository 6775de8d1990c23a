"""The subgraph SDL: the API schema, with federation directives derived from what the kit knows of each field.

Nothing is said per type. A type with rows has a key; a type without is a value that any subgraph may return; `needs`
becomes what a router can check early; the sizes of relations and pages become its cost estimate. All of it is advice
to the router: this server decides again, by the credentials of the request. `access` adds `@authenticated` and
`@requiresScopes`, for routers that authenticate callers themselves; `@apollo/gateway` refuses a graph that has them.
"""

import inspect
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import replace
from typing import Any, get_origin

import strawberry
from graphql import (
    ConstDirectiveNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    get_named_type,
    is_leaf_type,
    parse,
    print_ast,
    print_schema,
)

from caregraph.auth.viewer import Permission

from . import roots
from .fields import KitField
from .filters import camel
from .paging import DEFAULT

VERSION = "2.9"
"""The newest that `@theguild/federation-composition`, and so Hive, reads."""

_DIRECTIVES = ("authenticated", "cost", "inaccessible", "key", "listSize", "requiresScopes", "shareable", "tag")
_ACCESS = frozenset({"authenticated", "requiresScopes"})
_ROOTS: Any = roots.Query
_LOCAL = {camel(made.python_name) for made in _ROOTS.__strawberry_definition__.fields}
"""Root fields that speak for one server: `node` takes ids that no gateway can tell apart, `hello` greets."""
_SIGNED_IN = frozenset({Permission.PERSON, Permission.ACCOUNT, Permission.MEMBER, Permission.CARE})
_FUNCTION_WEIGHT = 10
_STATEMENT_WEIGHT = 1


def subgraph_sdl(api: strawberry.Schema, *, access: bool) -> str:
    """The SDL that gateways compose."""
    schema = api._schema  # noqa: SLF001 Strawberry has no public name for it
    document = parse(print_schema(schema), no_location=True)
    definitions = [
        _with_directives(schema, one, access=access) if isinstance(one, ObjectTypeDefinitionNode) else one
        for one in document.definitions
    ]
    printed = print_ast(replace(document, definitions=tuple(definitions)))
    imports = ", ".join(f'"@{name}"' for name in _DIRECTIVES if f" @{name}" in printed)
    link = f'extend schema @link(url: "https://specs.apollo.dev/federation/v{VERSION}", import: [{imports}])'
    return f"{link}\n\n{printed}\n"


def _with_directives(
    schema: GraphQLSchema, node: ObjectTypeDefinitionNode, *, access: bool
) -> ObjectTypeDefinitionNode:
    made: Any = schema.type_map[node.name.value]

    def parsed(texts: Iterable[str]) -> tuple[ConstDirectiveNode, ...]:
        carrier: Any = parse("scalar Carrier " + " ".join(texts), no_location=True).definitions[0]
        return tuple(one for one in carrier.directives or () if access or one.name.value not in _ACCESS)

    fields = tuple(
        replace(one, directives=(*(one.directives or ()), *parsed(_of_field(schema, made, one.name.value))))
        for one in node.fields or ()
    )
    return replace(node, directives=parsed(_of_type(schema, made)), fields=fields)


def scope_of(permission: Permission) -> str:
    """What `@requiresScopes` calls a permission."""
    return f"caregraph:{_word(permission)}"


def _word(permission: Permission) -> str:
    return permission.name.lower().replace("_", "-")


def _of_type(schema: GraphQLSchema, made: GraphQLObjectType) -> Iterator[str]:
    if made in {schema.query_type, schema.mutation_type, schema.subscription_type}:
        return
    if hasattr(_definition(made).origin, "__node__"):
        yield '@key(fields: "id")'
        yield "@authenticated"  # rows exist for the signed-in only, whatever subgraph leads to them
    else:
        yield "@shareable"  # whoever returns a value returns all of it


def _of_field(schema: GraphQLSchema, parent: GraphQLObjectType, name: str) -> Iterator[str]:
    field = parent.fields[name]
    made = _definition(field)
    if not isinstance(made, KitField):
        return
    yield from _access(made)
    if parent is schema.query_type and name in _LOCAL:
        yield "@inaccessible @shareable"  # shareable, or no other Relay subgraph would compose beside this one
    yield from _cost(field, made)


def _access(made: KitField) -> Iterator[str]:
    if made.needs in _SIGNED_IN:
        yield "@authenticated"
    elif made.needs is not None:
        yield f'@requiresScopes(scopes: [["{scope_of(made.needs)}"]]) @tag(name: "{_word(made.needs)}")'
    if made.visible_to is not None:
        yield '@tag(name: "sensitive")'


def _cost(field: GraphQLField, made: KitField) -> Iterator[str]:
    if made.function is not None:
        yield f"@cost(weight: {_FUNCTION_WEIGHT})"
    elif is_leaf_type(get_named_type(field.type)) and _asks_database(made):
        yield f"@cost(weight: {_STATEMENT_WEIGHT})"  # routers take a scalar as free
    size = DEFAULT if made.relation is None else made.relation.size
    if {"first", "last"} <= field.args.keys():
        yield (
            f'@listSize(assumedSize: {size}, slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"],'
            " requireOneSlicingArgument: false)"
        )
    elif made.relation is not None and made.relation.is_plain_list:
        yield f"@listSize(assumedSize: {size})"


def _asks_database(made: KitField) -> bool:
    resolver: Any = made.resolve or (made.base_resolver and made.base_resolver.wrapped_func)
    if resolver is None:
        return False
    answer = inspect.get_annotations(resolver).get("return")
    return inspect.iscoroutinefunction(resolver) or get_origin(answer) is Awaitable


def _definition(made: GraphQLObjectType | GraphQLField) -> Any:
    """What Strawberry made it from."""
    return made.extensions["strawberry-definition"]
