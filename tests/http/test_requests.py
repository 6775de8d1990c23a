"""What a request may look like on the wire: status, code and media type of everything that is refused."""

import gzip
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from caregraph.graph.node import global_id
from factories.people import make_client
from kit import World

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
PREFLIGHT = {"GraphQL-Require-Preflight": "1"}
HELLO = "{ hello { helloFrom } }"
GREETING = {"data": {"hello": {"helloFrom": "Caregraph"}}}


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database is enough: what is refused here never reaches it."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


async def _post(world: World, body: bytes | str, **headers: str) -> httpx.Response:
    return await world.http.post("/graphql", content=body, headers={"content-type": JSON, **_dashed(headers)})


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _assert_refused(response: httpx.Response, status: int, code: str, message: str, answer_as: str = JSON) -> None:
    """A GraphQL error body without `data`, labelled, never stored."""
    assert response.status_code == status
    assert response.headers["content-type"] == f"{answer_as}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    (error,) = response.json()["errors"]
    assert response.json().keys() == {"errors"}
    assert (error["extensions"]["code"], error["message"]) == (code, message)


async def test_an_answer_is_labelled_and_never_stored(world: World) -> None:
    response = await _post(world, json.dumps({"query": HELLO}))

    assert response.status_code == 200
    assert response.json() == GREETING
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is not JSON"),
        (b"null", "The request is not a JSON object"),
        (b"5", "The request is not a JSON object"),
        (b'"x"', "The request is not a JSON object"),
        (b"true", "The request is not a JSON object"),
        (b"[5]", "The request is not a JSON object"),
        (b'[{"query":"{ hello { helloFrom } }"}]', "The request is not a JSON object"),
        (b'{"query":"\xff\xfe"}', "The body is not JSON"),
        (b'{"query":"\\ud800"}', "The body is not JSON"),
        (b'{"query":"{ hello', "The body is not JSON"),
        (b"{'query': 'x'}", "The body is not JSON"),
        (b'{"query":"{ hello { helloFrom } }"} trailing', "The body is not JSON"),
        (b'{"query":NaN}', "The body is not JSON"),
        (b"[" * 100_000, "The body is not JSON"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "The body is not JSON"),
        (b'{"query":' + b"1" * 5_000 + b"}", "The body is not JSON"),
        (gzip.compress(b'{"query":"{ hello { helloFrom } }"}', mtime=0), "The body is not JSON"),
        (b"{}", "query is missing"),
        (b'{"query":null}', "query is missing"),
        (b'{"query":""}', "query is missing"),
        (b'{"query":5}', "query is missing"),
        (b'{"query":["x"]}', "query is missing"),
        (b'{"query":18446744073709551616}', "query is missing"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_malformed_body_is_a_bad_request(world: World, body: bytes, message: str, accept: str) -> None:
    response = await _post(world, body, accept=accept)

    _assert_refused(response, 400, "BAD_REQUEST", message, accept)


@pytest.mark.parametrize("value", [5, True, "x", [{}]])
@pytest.mark.parametrize("name", ["variables", "extensions"])
async def test_variables_and_extensions_are_objects(world: World, name: str, value: Any) -> None:
    response = await _post(world, json.dumps({"query": HELLO, name: value}))

    _assert_refused(response, 400, "BAD_REQUEST", f"{name} is not an object")


@pytest.mark.parametrize("value", [5, False, {}, ["x"]])
async def test_an_operation_name_is_a_string(world: World, value: Any) -> None:
    response = await _post(world, json.dumps({"query": HELLO, "operationName": value}))

    _assert_refused(response, 400, "BAD_REQUEST", "operationName is not a string")


@pytest.mark.parametrize("name", ["variables", "extensions", "operationName", "unknown"])
async def test_what_is_null_or_unknown_is_absent(world: World, name: str) -> None:
    response = await _post(world, json.dumps({"query": HELLO, name: None}))

    assert (response.status_code, response.json()) == (200, GREETING)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
    ],
)
async def test_a_body_of_another_type_is_refused(world: World, content_type: str) -> None:
    response = await _post(world, json.dumps({"query": HELLO}), content_type=content_type)

    _assert_refused(response, 415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json in UTF-8")


async def test_a_body_without_a_type_is_refused(world: World) -> None:
    response = await world.http.post("/graphql", content=json.dumps({"query": HELLO}))

    _assert_refused(response, 415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json in UTF-8")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'application/json; charset="UTF-8"', "APPLICATION/JSON"]
)
async def test_a_body_may_name_its_charset(world: World, content_type: str) -> None:
    response = await _post(world, json.dumps({"query": HELLO}), content_type=content_type)

    assert (response.status_code, response.json()) == (200, GREETING)


async def test_a_compressed_body_is_refused(world: World) -> None:
    response = await _post(world, gzip.compress(json.dumps({"query": HELLO}).encode()), content_encoding="gzip")

    _assert_refused(response, 415, "UNSUPPORTED_MEDIA_TYPE", "Send the body without content encoding")


@pytest.mark.parametrize(
    ("accept", "answered_as"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.8", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};charset=utf-8, {JSON};charset=utf-8;q=0.9", GRAPHQL),
        ("text/html, */*;q=0.1", JSON),
    ],
)
async def test_the_answer_is_of_the_type_that_the_client_likes_best(
    world: World, accept: str | None, answered_as: str
) -> None:
    headers = {"content-type": JSON, **({"accept": accept} if accept else {})}
    request = world.http.build_request("POST", "/graphql", json={"query": HELLO}, headers=headers)
    if accept is None:
        del request.headers["accept"]

    response = await world.http.send(request)

    assert (response.status_code, response.json()) == (200, GREETING)
    assert response.headers["content-type"] == f"{answered_as}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", "image/png, text/*", "nonsense"])
async def test_a_client_that_likes_neither_type_is_told(world: World, accept: str) -> None:
    response = await _post(world, json.dumps({"query": HELLO}), accept=accept)

    _assert_refused(response, 406, "NOT_ACCEPTABLE", f"This answers {GRAPHQL} or {JSON}")


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        (" ", "GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>."),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nonsense' on type 'Query'."),
        ("{ helo { helloFrom } }", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'helo' on type 'Query'."),
        (
            "{ a: hello { helloFrom } " + "b " * 10_000 + "}",
            "MAX_TOKENS_LIMIT",
            "A document may have at most 5000 tokens",
        ),
    ],
    ids=["unfinished", "blank", "unknown", "misspelt", "long"],
)
async def test_a_document_that_is_wrong_never_runs(
    world: World, query: str, code: str, message: str, accept: str, status: int
) -> None:
    response = await _post(world, json.dumps({"query": query}), accept=accept)

    _assert_refused(response, status, code, message, accept)


def _round_and_round(times: int) -> str:
    return (
        "query($id: ID!) { client(id: $id) "
        + "{ owners { clients(first: 1) { nodes " * times
        + "{ fullName }"
        + " } } }" * times
        + " }"
    )


@pytest.mark.parametrize("times", [7, 100, 400, 1_600])
async def test_a_document_nested_too_deeply_never_runs(world: World, times: int) -> None:
    response = await _post(world, json.dumps({"query": _round_and_round(times), "variables": {"id": "x"}}))

    _assert_refused(response, 200, "MAX_DEPTH_LIMIT", "An operation may be at most 20 fields deep")


@pytest.mark.parametrize("times", [1, 6])
async def test_a_deep_document_is_answered(world: World, times: int) -> None:
    client = await make_client(world.user, full_name="Kim")
    body = {"query": _round_and_round(times), "variables": {"id": global_id("Client", client.id)}}

    response = await _post(world, json.dumps(body), **world.user.headers)

    assert response.status_code == 200
    found = response.json()["data"]["client"]
    for _ in range(times):
        ((owner,),) = found.values()
        (found,) = owner["clients"]["nodes"]
    assert found == {"fullName": "Kim"}


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "Variable '$id' has invalid value: Expected a value of non-null type 'ID!' to be provided."),
        ({"id": None}, "Variable '$id' has invalid value: Expected value of non-null type 'ID!' not to be None."),
    ],
)
async def test_variables_that_do_not_fit_are_bad_input(
    world: World, variables: dict[str, Any], message: str, accept: str, status: int
) -> None:
    body = {"query": "query($id: ID!) { client(id: $id) { id } }", "variables": variables}

    response = await _post(world, json.dumps(body), accept=accept)

    _assert_refused(response, status, "BAD_USER_INPUT", message, accept)


@pytest.mark.parametrize(
    ("value", "shown"),
    [({}, "{}"), (["x", "y"], "['x', 'y']"), (1.5, "1.5"), (True, "True"), ([[[[["deep"]]]]], "[[[...]]]")],
)
async def test_a_variable_of_another_type_is_bad_input(world: World, value: Any, shown: str) -> None:
    body = {"query": "query($id: ID!) { client(id: $id) { id } }", "variables": {"id": value}}

    response = await _post(world, json.dumps(body), **world.user.headers)

    message = f"Variable '$id' has invalid value: ID cannot represent value: {shown}"
    _assert_refused(response, 200, "BAD_USER_INPUT", message)


async def test_an_integer_beyond_32_bits_is_bad_input(world: World) -> None:
    body = {"query": "query($first: Int) { clients(first: $first) { totalCount } }", "variables": {"first": 2**31}}

    response = await _post(world, json.dumps(body), **world.user.headers)

    _assert_refused(
        response,
        200,
        "BAD_USER_INPUT",
        "Variable '$first' has invalid value: Int cannot represent non 32-bit signed integer value: 2147483648",
    )


TWO = "query A { hello { helloFrom } } query B { hello { apiReference } }"


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        (TWO, None, "The document has several operations: send operationName"),
        (TWO, "C", "The document has no operation named 'C'"),
        (HELLO, "A", "The document has no operation named 'A'"),
    ],
)
async def test_the_operation_to_run_is_named(
    world: World, query: str, name: str | None, message: str, accept: str, status: int
) -> None:
    response = await _post(world, json.dumps({"query": query, "operationName": name}), accept=accept)

    _assert_refused(response, status, "OPERATION_RESOLUTION_FAILURE", message, accept)


async def test_an_operation_is_chosen_by_its_name(world: World) -> None:
    response = await _post(world, json.dumps({"query": TWO, "operationName": "B"}))

    assert response.json() == {"data": {"hello": {"apiReference": "/"}}}


async def test_a_document_of_fragments_alone_has_nothing_to_run(world: World) -> None:
    response = await _post(world, json.dumps({"query": "fragment F on Hello { helloFrom }"}), accept=GRAPHQL)

    assert response.status_code == 400
    assert response.json().keys() == {"errors"}
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_query_goes_by_get(world: World) -> None:
    parameters = {
        "query": "query Q($id: ID!) { client(id: $id) { id } } query R { hello { helloFrom } }",
        "variables": '{"id": "x"}',
        "operationName": "Q",
        "extensions": "{}",
    }

    response = await world.http.get("/graphql", params=parameters, headers=world.user.headers)

    assert (response.status_code, response.json()) == (200, {"data": {"client": None}})
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "query is missing"),
        ({"query": ""}, "query is missing"),
        ({"query": HELLO, "variables": "{"}, "variables is not JSON"),
        ({"query": HELLO, "variables": "[]"}, "variables is not an object"),
        ({"query": HELLO, "extensions": "5"}, "extensions is not an object"),
        ({"query": HELLO, "extensions": "x"}, "extensions is not JSON"),
    ],
)
async def test_a_malformed_query_string_is_a_bad_request(
    world: World, parameters: dict[str, str], message: str
) -> None:
    response = await world.http.get("/graphql", params=parameters, headers=PREFLIGHT)

    _assert_refused(response, 400, "BAD_REQUEST", message)


async def test_empty_parameters_are_absent(world: World) -> None:
    parameters = {"query": HELLO, "variables": "", "operationName": "", "extensions": ""}

    response = await world.http.get("/graphql", params=parameters, headers=PREFLIGHT)

    assert (response.status_code, response.json()) == (200, GREETING)


async def test_a_mutation_does_not_go_by_get(world: World) -> None:
    await make_client(world.user)
    before = await world.counts()
    mutation = 'mutation { createClient(input: {fullName: "By GET"}) { node { id } } }'

    response = await world.http.get("/graphql", params={"query": mutation}, headers=world.user.headers)

    _assert_refused(response, 405, "METHOD_NOT_ALLOWED", "Only queries go by GET")
    assert response.headers["allow"] == "POST"
    assert await world.counts() == before


async def test_the_named_operation_decides_what_goes_by_get(world: World) -> None:
    document = 'query A { hello { helloFrom } } mutation B { createClient(input: {fullName: "x"}) { node { id } } }'

    read = await world.http.get("/graphql", params={"query": document, "operationName": "A"}, headers=PREFLIGHT)
    changed = await world.http.get("/graphql", params={"query": document, "operationName": "B"}, headers=PREFLIGHT)

    assert (read.status_code, read.json()) == (200, GREETING)
    _assert_refused(changed, 405, "METHOD_NOT_ALLOWED", "Only queries go by GET")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(world: World, method: str) -> None:
    response = await world.http.request(method, "/graphql")

    _assert_refused(response, 405, "METHOD_NOT_ALLOWED", "GraphQL takes GET and POST")
    assert response.headers["allow"] == "GET, POST"


@pytest.fixture
async def small(url: str) -> AsyncIterator[World]:
    """A server that takes bodies of 100 bytes."""
    world = World(url, url, maximum_body=100)
    yield world
    await world.close()


async def test_a_body_may_have_as_many_bytes_as_the_limit(small: World) -> None:
    body = json.dumps({"query": HELLO}).encode().ljust(100)

    response = await _post(small, body)

    assert (response.status_code, response.json()) == (200, GREETING)


async def test_a_larger_body_is_refused(small: World) -> None:
    response = await _post(small, json.dumps({"query": HELLO}).encode().ljust(101))

    _assert_refused(response, 413, "PAYLOAD_TOO_LARGE", "The body may have 100 bytes")
    assert response.headers["connection"] == "close"


async def test_a_larger_body_of_undeclared_length_is_refused(small: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 10

    response = await small.http.post("/graphql", content=chunks(), headers={"content-type": JSON})

    _assert_refused(response, 413, "PAYLOAD_TOO_LARGE", "The body may have 100 bytes")


@pytest.mark.parametrize("length", ["abc", "1e3"])
async def test_a_length_that_is_no_number_is_a_bad_request(world: World, length: str) -> None:
    response = await _post(world, json.dumps({"query": HELLO}), content_length=length)

    _assert_refused(response, 400, "BAD_REQUEST", "content-length is not a number")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Email": "ben@northfield.example"},
        {"X-Api-Token": "wrong"},
        {"X-Api-Email": "ben@northfield.example", "X-Api-Token": "wrong"},
        {"X-Calculator-Email": "calc@northfield.example", "X-Calculator-Token": "wrong"},
    ],
)
async def test_wrong_credentials_are_refused_before_anything_runs(world: World, headers: dict[str, str]) -> None:
    response = await _post(world, json.dumps({"query": HELLO}), **headers)

    _assert_refused(response, 401, "UNAUTHENTICATED", "Authentication failed")


async def test_two_kinds_of_credentials_at_once_are_refused(world: World) -> None:
    response = await _post(world, json.dumps({"query": HELLO}), **world.user.headers, **world.calculator.headers)

    _assert_refused(response, 401, "UNAUTHENTICATED", "Authentication failed")
