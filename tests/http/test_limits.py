"""Each limit by its setting: what is at the limit runs, what is above it is refused; and what an operation costs."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from graphql import get_introspection_query

from caregraph.graph.node import global_id
from caregraph.settings import InvalidSettingError
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_session
from kit import Answer, World, settings_for

Limited = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def limited(url: str) -> Limited:
    """A server with other limits over the same people."""

    @asynccontextmanager
    async def make(**settings: Any) -> AsyncIterator[World]:
        world = World(url, url, **settings)
        await world.populate()
        yield world
        await world.close()

    return make


async def _cost(world: World, query: str, **variables: Any) -> dict[str, int]:
    """What `extensions.cost` says of an operation that the superuser sends."""
    body = {"query": query, "variables": variables, "extensions": {"cost": True}}
    response = await world.http.post("/graphql", json=body, headers=world.superuser.headers)
    assert "errors" not in response.json()
    cost: dict[str, int] = response.json()["extensions"]["cost"]
    return cost


@pytest.mark.parametrize(
    ("setting", "query", "above", "code", "message"),
    [
        (
            {"maximum_tokens": 7},
            "{ hello { helloFrom } }",
            "{ hello { helloFrom helloFrom helloFrom } }",
            "MAX_TOKENS_LIMIT",
            "A document may have at most 7 tokens",
        ),
        (
            {"maximum_depth": 2},
            "{ hello { helloFrom } ...{ ...{ hello { helloFrom } } } }",
            "{ me { clients { totalCount } } }",
            "MAX_DEPTH_LIMIT",
            "An operation may be at most 2 fields deep",
        ),
        (
            {"maximum_fields": 4},
            "{ ...H a: hello { ...F } } fragment H on Query { hello { ...F } } fragment F on Hello { helloFrom }",
            "{ ...H a: hello { ...F } } fragment H on Query { hello { ...F } } fragment F on Hello { helloFrom __typename }",
            "MAX_FIELDS_LIMIT",
            "An operation may have at most 4 fields",
        ),
        (
            {"maximum_root_fields": 2},
            "{ hello { helloFrom } hello { helloFrom } ...{ me { id } } }",
            "{ hello { helloFrom } me { id } ...{ __typename } }",
            "MAX_ROOT_FIELDS_LIMIT",
            "An operation may have at most 2 root fields",
        ),
        (
            {"maximum_repeats": 2},
            "{ hello { helloFrom ...{ helloFrom } } }",
            "{ hello { helloFrom ...{ helloFrom } ...F } } fragment F on Hello { helloFrom }",
            "MAX_REPEATS_LIMIT",
            "A field may be selected at most 2 times in one place",
        ),
        (
            {"maximum_aliases": 2},
            "{ a: hello { b: helloFrom } }",
            "{ a: hello { ...F } b: hello { ...F } } fragment F on Hello { c: helloFrom }",
            "MAX_ALIASES_LIMIT",
            "An operation may have at most 2 aliases",
        ),
        (
            {"maximum_directives": 1},
            "{ hello @include(if: true) { helloFrom } }",
            "{ hello @include(if: true) { helloFrom @skip(if: false) } }",
            "MAX_DIRECTIVES_LIMIT",
            "An operation may have at most 1 directives",
        ),
        (
            {"maximum_list": 2},
            '{ nodes(ids: ["x", "y"]) { id } }',
            'query($ids: [ID!]! = ["x", "y", "z"]) { nodes(ids: $ids) { id } }',
            "MAX_LIST_LIMIT",
            "A list of input values may have at most 2 values",
        ),
        (
            {"maximum_list": 2},
            '{ clients(where: {fullName: {in: ["x", "y"]}}) { totalCount } }',
            '{ clients(where: {fullName: {in: ["x", "y", "z"]}}) { totalCount } }',
            "MAX_LIST_LIMIT",
            "A list of input values may have at most 2 values",
        ),
        (
            {"maximum_cost": 202},
            "{ clients(first: 100) { nodes { id fullName } } }",
            "{ clients(first: 101) { nodes { id fullName } } }",
            "COST_ESTIMATED_TOO_EXPENSIVE",
            "An operation may cost at most 202, this one costs 204",
        ),
    ],
)
async def test_an_operation_above_a_limit_is_refused(
    limited: Limited, setting: dict[str, int], query: str, above: str, code: str, message: str
) -> None:
    async with limited(**setting) as world:
        below = await world.superuser.ask(query)
        with world.statements() as statements:
            refused = await world.superuser.ask(above)

    assert "errors" not in below.body
    assert refused.error == (code, message)
    assert (refused.status, refused.body.keys()) == (200, {"errors"})
    (limit,) = setting.values()
    assert refused.body["errors"][0]["extensions"].get("limit", limit) == limit
    assert statements == []


async def test_the_refusal_of_a_cost_names_both_numbers(limited: Limited) -> None:
    async with limited(maximum_cost=10) as world:
        answer = await world.superuser.ask("{ clients { nodes { id } } }")

    extensions = {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "cost": {"requested": 102, "limit": 10}}
    assert answer.body["errors"][0]["extensions"] == extensions


@pytest.mark.parametrize(
    ("variables", "code", "message"),
    [
        ({"ids": ["x"] * 3}, "MAX_LIST_LIMIT", "A list of input values may have at most 2 values"),
        (
            {"ids": [], "rest": {"a": {"b": [1, 2, 3]}}},
            "MAX_LIST_LIMIT",
            "A list of input values may have at most 2 values",
        ),
        ({"ids": [["x", "y"], ["z"]]}, "MAX_VARIABLES_LIMIT", "The variables may have at most 5 values"),
        (
            {"ids": [], "a": 1, "b": {"c": {"d": 2, "e": None}}},
            "MAX_VARIABLES_LIMIT",
            "The variables may have at most 5 values",
        ),
    ],
)
async def test_variables_above_a_limit_are_refused(
    limited: Limited, variables: dict[str, Any], code: str, message: str
) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    async with limited(maximum_list=2, maximum_variable_values=5) as world:
        below = await world.superuser.ask(query, ids=["x", "y"], more={"a": 1})
        refused = await world.superuser.ask(query, **variables)

    assert below.data == {"nodes": [None, None]}
    assert refused.error == (code, message)


async def test_fragments_in_a_circle_do_not_validate(world: World) -> None:
    query = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A hello { helloFrom } }"

    answer = await world.nobody.ask(query)

    assert answer.error == ("GRAPHQL_VALIDATION_FAILED", "Cannot spread fragment 'A' within itself via 'B'.")


async def test_the_standard_introspection_query_is_within_every_limit(world: World) -> None:
    everything = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )

    answer = await world.nobody.ask(everything)

    assert len(answer.data["__schema"]["types"]) > 100


async def test_introspection_costs_by_its_size_whatever_the_schema(world: World) -> None:
    assert await _cost(world, get_introspection_query(input_value_deprecation=True, directive_is_repeatable=True)) == {
        "requested": 100_000,
        "limit": 500_000,
        "rows": 0,
        "rowLimit": 50_000,
    }
    assert (await _cost(world, "{ __schema { queryType { name } } }"))["requested"] == 1
    six = " ".join(f"a{one}: __schema {{ ...All }}" for one in range(6))
    query = get_introspection_query()
    body = query[query.index("__schema") + len("__schema") :]
    everything, _, fragments = body.partition("fragment FullType")
    fragment = "fragment All on __Schema " + everything.rpartition("}")[0]

    answer = await world.nobody.ask(f"{{ {six} }} {fragment} fragment FullType{fragments}")

    assert answer.error[0] == "COST_ESTIMATED_TOO_EXPENSIVE"


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ hello { helloFrom apiReference } }", {}, 3),
        ("{ __typename }", {}, 1),
        ("{ clients { totalCount pageInfo { hasNextPage } } }", {}, 4),
        ("{ clients { nodes { id fullName } } }", {}, 1 + 1 + 100 * 2),
        ("{ clients(first: 7) { nodes { id fullName } } }", {}, 1 + 1 + 7 * 2),
        ("{ clients(last: 7) { edges { cursor node { id } } } }", {}, 1 + 1 + 7 * (1 + 2)),
        ("{ clients(first: 0) { totalCount nodes { id } } }", {}, 1 + 1 + 1),
        ("query($n: Int) { clients(first: $n) { nodes { id } } }", {"n": 7}, 1 + 1 + 7),
        ("query($n: Int) { clients(first: $n) { nodes { id } } }", {"n": None}, 1 + 1 + 100),
        ("query($n: Int) { clients(first: $n) { nodes { id } } }", {}, 1 + 1 + 100),
        ("query($n: Int = 7) { clients(first: $n) { nodes { id } } }", {}, 1 + 1 + 7),
        ("query($n: Int = 7) { clients(first: $n) { nodes { id } } }", {"n": 2}, 1 + 1 + 2),
        # A nested page has no more rows than its relation is assumed to have: 3 episodes of a client.
        ("{ clients(first: 2) { nodes { episodes { nodes { id } } } } }", {}, 1 + 1 + 2 * (1 + 1 + 3)),
        ("{ clients(first: 2) { nodes { episodes(first: 5000) { nodes { id } } } } }", {}, 1 + 1 + 2 * (1 + 1 + 3)),
        ("{ clients(first: 2) { nodes { episodes(first: 1) { nodes { id } } } } }", {}, 1 + 1 + 2 * (1 + 1 + 1)),
        # A short list has as many as its relation is assumed to have: 3 labels of a client.
        ("{ clients(first: 2) { nodes { labels { id name } } } }", {}, 1 + 1 + 2 * (1 + 3 * 2)),
        # Lists of scalars cost what one value costs.
        ("{ me { roles } }", {}, 2),
        ('{ nodes(ids: ["x", "y", "z"]) { id } }', {}, 1 + 3),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 4}, 1 + 4),
        (
            "{ ...Q } fragment Q on Query { clients(first: 2) { ...P } } fragment P on ClientConnection { nodes { id } }",
            {},
            4,
        ),
        ("{ hello @skip(if: true) { helloFrom } me @include(if: true) { id } }", {}, 2),
        (
            "query($a: Boolean!) { me { id @include(if: $a) email @skip(if: $a) fullName @skip(if: $a) } }",
            {"a": True},
            2,
        ),
        (
            "query($a: Boolean!) { me { id @include(if: $a) email @skip(if: $a) fullName @skip(if: $a) } }",
            {"a": False},
            3,
        ),
        ("{ organizationStatistics { total { __typename } } }", {}, 500 + 2),
        ("{ scoresTable { sessionDate ors } }", {}, 500 + 2),
        ("{ clients(first: 3) { nodes { scoresTable { ors } } } }", {}, 1 + 1 + 3 * (10 + 1)),
    ],
)
async def test_a_cost_follows_from_the_schema(world: World, query: str, variables: dict[str, Any], cost: int) -> None:
    assert (await _cost(world, query, **variables))["requested"] == cost


async def test_a_cost_is_told_only_when_asked_for(world: World) -> None:
    for extensions in (None, {}, {"cost": False}, {"cost": "true"}, {"cost": 1}):
        response = await world.http.post("/graphql", json={"query": "{ __typename }", "extensions": extensions})

        assert response.json() == {"data": {"__typename": "Query"}}


async def test_wrong_variables_are_told_before_the_cost(world: World) -> None:
    with world.statements() as statements:
        answer = await world.superuser.ask("query($n: Int!) { clients(first: $n) { nodes { id } } }", n="x")

    message = "Variable '$n' has invalid value: Int cannot represent non-integer value: 'x'"
    assert answer.error == ("BAD_USER_INPUT", message)
    assert statements == []


async def _rows(world: World) -> None:
    """Four clients with an episode each, one session, one score."""
    await make_label(world.superuser, "Pilot")
    for name in ("A", "B", "C", "D"):
        client = await make_client(world.superuser, full_name=name)
        episode = await make_episode(world.superuser, client)
        session = await make_session(world.superuser, episode)
        await make_ors(world.superuser, session, client)


NESTED = "{ clients { nodes { fullName episodes { nodes { sessions { nodes { orsScores { total } } } } } } } }"


async def test_rows_that_were_read_are_told(world: World) -> None:
    await _rows(world)

    assert (await _cost(world, NESTED))["rows"] == 16
    assert (await _cost(world, "{ clients { totalCount } }"))["rows"] == 4
    assert (await _cost(world, "{ clients(first: 0) { totalCount } }"))["rows"] == 0
    assert (await _cost(world, "{ me { id } }"))["rows"] == 1


@pytest.mark.parametrize(("execution", "times"), [("loaders", 1), ("compiled", 2)])  # plans leave errors to fields
@pytest.mark.parametrize("most", [3, 7, 8, 11, 15])
async def test_an_operation_that_reads_too_many_rows_is_stopped(
    limited: Limited, most: int, execution: str, times: int
) -> None:
    async with limited(maximum_rows=most, execution=execution) as world:
        await _rows(world)

        with world.statements() as statements:
            answer = await world.superuser.ask(NESTED)

    assert answer.error == ("COST_ACTUAL_TOO_EXPENSIVE", f"An operation may read at most {most} rows")
    assert (answer.status, answer.body["data"]) == (200, None)
    assert len(statements) == times * (most // 4 + 1)


async def test_an_operation_may_read_as_many_rows_as_the_limit(limited: Limited) -> None:
    async with limited(maximum_rows=16) as world:
        await _rows(world)

        answer = await world.superuser.ask(NESTED)

    assert len(answer.data["clients"]["nodes"]) == 4


async def test_a_mutation_that_reads_too_many_rows_is_done(limited: Limited) -> None:
    mutation = (
        "mutation($a: ID!, $b: ID!) {"
        ' a: updateClient(id: $a, input: {fullName: "New"}) { node { fullName episodes { nodes { id } } } errors { code } }'
        ' b: updateClient(id: $b, input: {fullName: "New"}) { node { fullName } errors { code } } }'
    )
    async with limited(maximum_rows=1) as world:
        client = await make_client(world.superuser, full_name="A")
        other = await make_client(world.superuser, full_name="B")
        await make_episode(world.superuser, client)

        ids = {"a": global_id("Client", client.id), "b": global_id("Client", other.id)}
        answer: Answer = await world.superuser.ask(mutation, **ids)
        names = await world.superuser.ask("{ clients(first: 0) { totalCount } }")

    codes = {one["extensions"]["code"] for one in answer.body["errors"]}
    assert codes == {"COST_ACTUAL_TOO_EXPENSIVE"}
    assert answer.body["data"].keys() == {"a", "b"}
    assert names.data == {"clients": {"totalCount": 2}}


async def test_limits_are_above_zero() -> None:
    with pytest.raises(InvalidSettingError) as raised:
        settings_for("sqlite+aiosqlite://", maximum_depth=0)

    assert str(raised.value) == "CAREGRAPH_MAXIMUM_DEPTH must be above 0"
