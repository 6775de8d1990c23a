"""What pages of other sites may do, what errors suggest, and what can be turned off."""

from typing import Any

import httpx
import pytest

from caregraph.http.cross_site import origin_allowed
from kit import World, settings_for

GRAPHQL = "application/graphql-response+json"
GREETING = {"data": {"hello": {"helloFrom": "Caregraph"}}}
HELLO = "{ hello { helloFrom } }"
APP = "https://app.example"
REFUSED = (
    "Send one of the headers GraphQL-Require-Preflight, Apollo-Require-Preflight, X-Request-Id, Authorization,"
    " X-Api-…, X-Calculator-…, or Accept: application/graphql-response+json"
)


def _world(**settings: Any) -> World:
    """What is sent here needs no database."""
    return World("sqlite+aiosqlite:///nowhere", "sqlite+aiosqlite:///nowhere", **settings)


async def _get(world: World, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.http.get("/graphql", params={"query": HELLO}, headers=named)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": "application/json"},
        {"accept": "*/*"},
        {"content_type": "text/plain"},
        {"cookie": "a=b"},
        {"graphql_require_preflight": ""},
        {"accept": GRAPHQL, "sec_fetch_site": "cross-site"},
        {"accept": GRAPHQL, "sec_fetch_site": "same-site"},
    ],
)
async def test_a_get_that_any_page_could_have_sent_is_refused(headers: dict[str, str]) -> None:
    response = await _get(_world(), **headers)

    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": REFUSED, "extensions": {"code": "PREFLIGHT_REQUIRED"}}]}


@pytest.mark.parametrize(
    "headers",
    [
        {"graphql_require_preflight": "1"},
        {"apollo_require_preflight": "true"},
        {"x_request_id": "7"},
        {"accept": GRAPHQL},
        {"accept": f"application/json;q=0.5, {GRAPHQL}"},
        {"accept": GRAPHQL, "sec_fetch_site": "same-origin"},
        {"accept": GRAPHQL, "sec_fetch_site": "none"},
        {"graphql_require_preflight": "1", "sec_fetch_site": "cross-site"},
    ],
)
async def test_a_get_that_only_a_client_can_have_sent_is_answered(headers: dict[str, str]) -> None:
    response = await _get(_world(), **headers)

    assert (response.status_code, response.json()) == (200, GREETING)


@pytest.mark.parametrize("header", ["X-Api-Email", "X-Calculator-Token", "Authorization"])
async def test_credentials_count_whether_they_are_right_or_not(header: str) -> None:
    response = await _world().http.get("/graphql", params={"query": "{"}, headers={header: "x"})

    assert response.json()["errors"][0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


async def _preflight(world: World, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-email,x-api-token",
    }
    return await world.http.options("/graphql", headers=headers)


async def test_no_other_site_may_call_by_default() -> None:
    world = _world()

    asked = await _preflight(world, APP)
    sent = await world.http.post("/graphql", json={"query": HELLO}, headers={"Origin": APP})

    assert asked.status_code == 405
    assert not [name for name in (*asked.headers, *sent.headers) if name.startswith("access-control")]


async def test_allowed_sites_may_call() -> None:
    world = _world(allowed_origins=f"https://other.example/, {APP}")

    asked = await _preflight(world, APP)
    sent = await world.http.post("/graphql", json={"query": HELLO}, headers={"Origin": APP})

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == APP
    assert asked.headers["access-control-allow-methods"] == "GET, POST"
    assert asked.headers["access-control-max-age"] == "600"
    assert {"X-Api-Email", "X-Api-Token", "X-Organization", "Authorization"} <= set(
        asked.headers["access-control-allow-headers"].split(", ")
    )
    assert "access-control-allow-credentials" not in asked.headers
    assert (sent.json(), sent.headers["access-control-allow-origin"]) == (GREETING, APP)
    assert sent.headers["vary"] == "Origin"


async def test_sites_that_are_not_allowed_stay_out() -> None:
    world = _world(allowed_origins=APP)

    asked = await _preflight(world, "https://evil.example")
    sent = await world.http.post("/graphql", json={"query": HELLO}, headers={"Origin": "https://evil.example"})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in sent.headers


@pytest.mark.parametrize(
    ("allowed", "origin", "host", "may"),
    [
        ("", None, "caregraph.example", True),
        ("", "https://caregraph.example", "caregraph.example", True),
        ("", "http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("", "https://Caregraph.example", "caregraph.EXAMPLE", True),
        ("", "http://127.0.0.1:8001", "127.0.0.1:8000", False),
        ("", APP, "caregraph.example", False),
        ("", "null", "caregraph.example", False),
        ("", "null", None, False),
        ("", "", "", False),
        ("", "caregraph.example", "caregraph.example", False),
        (APP, APP, "caregraph.example", True),
        (f" {APP}/ ,https://b.example", "HTTPS://APP.example", "caregraph.example", True),
        (APP, "https://app.example.evil.example", "caregraph.example", False),
        (APP, "http://app.example", "caregraph.example", False),
        (APP, "https://app.example:444", "caregraph.example", False),
        ("*", "https://evil.example", "caregraph.example", True),
    ],
)
def test_a_connection_comes_from_here_or_from_an_allowed_site(
    allowed: str, origin: str | None, host: str | None, may: bool
) -> None:
    settings = settings_for("sqlite+aiosqlite://", allowed_origins=allowed)

    assert origin_allowed(settings, origin, host) is may


MISSPELT = [
    ("{ helo { helloFrom } }", {}),
    ("{ hello { helloFro } }", {}),
    ("{ hello }", {}),
    ("{ clients(frst: 1) { totalCount } }", {}),
    ("{ ... on Clint { id } }", {}),
    ("query($a: Clint) { me { id } }", {}),
    ("fragment F on Quer { me { id } } { ...F }", {}),
    ("{ clients(scope: VISIBL) { totalCount } }", {}),
    ('{ clients(scope: "VISIBLE") { totalCount } }', {}),
    ('{ clients(where: {fullNam: {eq: "x"}}) { totalCount } }', {}),
    ("{ hello @includ(if: true) { helloFrom } }", {}),
    ("{ hello @include(iff: true) { helloFrom } }", {}),
    ("query($s: ListScope!) { clients(scope: $s) { totalCount } }", {"s": "VISIBL"}),
    ("query($w: ClientFilter!) { clients(where: $w) { totalCount } }", {"w": {"fullNam": {"eq": "x"}}}),
    ("query($w: [ClientOrder!]) { clients(orderBy: $w) { totalCount } }", {"w": ["FULL_NAME_AS"]}),
    ('{ node(id: "x") { fullName } }', {}),
]


@pytest.mark.parametrize(("query", "variables"), MISSPELT)
async def test_nothing_is_suggested(query: str, variables: dict[str, Any]) -> None:
    response = await _world().http.post("/graphql", json={"query": query, "variables": variables})

    assert response.json()["errors"]
    assert "Did you mean" not in response.text


@pytest.mark.parametrize(
    ("number", "suggestion"),
    [
        (0, "'hello'"),
        (1, "'helloFrom'"),
        (2, "'hello { ... }'"),
        (3, "'first' or 'last'"),
        (7, "the enum value 'VISIBLE'"),
        (13, "'fullName'"),
    ],
)
async def test_suggestions_help_in_development(number: int, suggestion: str) -> None:
    query, variables = MISSPELT[number]

    response = await _world(development=True).http.post("/graphql", json={"query": query, "variables": variables})

    (error,) = response.json()["errors"]
    assert f"Did you mean {suggestion}" in error["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        '{ a: __type(name: "Client") { name } }',
        "{ ...F } fragment F on Query { ...{ __schema { types { name } } } }",
        "{ hello { helloFrom } __schema { nonsense } }",
    ],
)
async def test_introspection_can_be_turned_off(query: str) -> None:
    response = await _world(introspection=False).http.post("/graphql", json={"query": query})

    message = "Introspection is off: __schema and __type cannot be selected"
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "INTROSPECTION_DISABLED"}}]}


async def test_type_names_are_told_without_introspection() -> None:
    world = _world(introspection=False)

    response = await world.http.post("/graphql", json={"query": "{ __typename hello { __typename } }"})

    assert response.json() == {"data": {"__typename": "Query", "hello": {"__typename": "Hello"}}}


@pytest.mark.parametrize(
    ("query", "variables", "status", "code"),
    [
        ("{", {}, 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", {}, 422, "GRAPHQL_VALIDATION_FAILED"),
        ("query($id: ID!) { node(id: $id) { id } }", {}, 422, "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", {}, 422, "OPERATION_RESOLUTION_FAILURE"),
        ("{ " + "hello { helloFrom } " * 30 + "}", {}, 400, "MAX_REPEATS_LIMIT"),
    ],
)
async def test_what_does_not_validate_may_have_a_status_of_its_own(
    query: str, variables: dict[str, Any], status: int, code: str
) -> None:
    world = _world(validation_status=422)

    answer = await world.http.post(
        "/graphql", json={"query": query, "variables": variables}, headers={"accept": GRAPHQL}
    )
    plain = await world.http.post("/graphql", json={"query": query, "variables": variables})

    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == code
    assert plain.status_code == 200


@pytest.mark.parametrize("directive", ["@defer", "@stream(initialCount: 0)"])
async def test_answers_are_never_delivered_in_parts(directive: str) -> None:
    query = f"{{ hello {{ ... {directive} {{ helloFrom }} }} }}"

    response = await _world().http.post("/graphql", json={"query": query})

    name = directive.partition("(")[0]
    assert response.json()["errors"][0]["message"] == f"Unknown directive '{name}'."
    assert "data" not in response.json()
