"""When an answer carries a federated trace. What it says is read by a real gateway in `test_gateways.py`."""

import base64
from typing import Any

import httpx
import pytest

from caregraph.graph.node import global_id
from factories.people import make_client
from kit import World

ASKING = {"apollo-federation-include-trace": "ftv1"}
QUERY = "query ($id: ID!) { client(id: $id) { fullName owners { fullName } } users { totalCount } __typename }"


async def _post(world: World, headers: dict[str, str], row_id: int) -> httpx.Response:
    body = {"query": QUERY, "variables": {"id": global_id("Client", row_id)}}
    return await world.http.post("/graphql", json=body, headers=world.user.headers | headers)


async def test_a_trace_changes_nothing_else_of_an_answer(world: World) -> None:
    client = await make_client(world.user)

    plain = await _post(world, {}, client.id)
    traced = await _post(world, ASKING, client.id)

    body: dict[str, Any] = traced.json()
    trace = base64.b64decode(body.pop("extensions")["ftv1"])
    assert traced.status_code == 200
    assert body == plain.json()
    assert [name for name in (b"client", b"owners", b"users") if name in trace] == [b"client", b"owners", b"users"]
    assert b"fullName" not in trace  # a column takes no time


async def test_a_trace_quotes_no_data_and_no_error(world: World) -> None:
    client = await make_client(world.user, full_name="Canary")

    answer = await _post(world, ASKING, client.id)

    trace = base64.b64decode(answer.json()["extensions"]["ftv1"])
    assert answer.json()["data"]["client"]["fullName"] == "Canary"
    assert answer.json()["errors"][0]["message"] == "Access denied"
    for secret in (b"Canary", b"Access denied", global_id("Client", client.id).encode(), b"Ben"):
        assert secret not in trace
    assert b"<masked>" in trace


@pytest.mark.parametrize("headers", [{}, {"apollo-federation-include-trace": "ftv2"}])
async def test_no_trace_unless_it_is_asked_for(world: World, headers: dict[str, str]) -> None:
    client = await make_client(world.user)

    answer = await _post(world, headers, client.id)

    assert answer.json().keys() == {"data", "errors"}


async def test_no_trace_from_a_server_that_is_no_subgraph(url: str) -> None:
    plain = World(url, url, federation=False)

    answer = await plain.http.post("/graphql", json={"query": "{ hello { helloFrom } }"}, headers=ASKING)
    await plain.close()

    assert answer.json() == {"data": {"hello": {"helloFrom": "Caregraph"}}}
