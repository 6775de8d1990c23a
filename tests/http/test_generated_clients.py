"""Other people's generators read `schema.graphql`; the clients that they make run against the real server."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from browser import serving
from caregraph.app import create_app
from caregraph.graph.node import global_id
from caregraph.operations import operations
from factories.people import make_client
from factories.treatment import make_episode
from kit import World
from node_tools import run_node
from python_tools import python_with

TOP = Path(__file__).parents[2]
SCHEMA = TOP / "schema.graphql"
ARIADNE = "ariadne-codegen==0.19.0"

pytestmark = pytest.mark.timeout(600)  # the first one installs
only_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
async def endpoint(world: World) -> AsyncIterator[str]:
    """The address of the server over `world`'s database: the same application, on an event loop of its own."""
    with serving(create_app(world.settings)) as base:
        yield f"{base}/graphql"


@only_sqlite
async def test_graphql_codegen_makes_a_typescript_client(world: World, endpoint: str) -> None:
    kim = await make_client(world.user, full_name="Kim", birth_date=date(1990, 5, 1))
    await make_episode(world.user, kim, title="First course")
    kimi = await make_client(world.user, full_name="Kimi")
    await make_client(world.user, full_name="Lou")

    documents = str(TOP / "src/caregraph/operations/**/*.graphql")
    answer = await _node("typescript.mjs", str(SCHEMA), documents, endpoint, json.dumps(world.user.headers))

    assert answer == {
        "operations": 1 + len(operations()),
        "count": 2,
        "names": ["Kimi", "Kim"],
        "nodes": [
            {
                "id": global_id("Client", kimi.id),
                "fullName": "Kimi",
                "birthDate": None,
                "gender": "UNKNOWN",
                "episodes": {"nodes": [], "pageInfo": {"hasNextPage": False}},
            },
            {
                "id": global_id("Client", kim.id),
                "fullName": "Kim",
                "birthDate": "1990-05-01",
                "gender": "UNKNOWN",
                "episodes": {"nodes": [{"title": "First course"}], "pageInfo": {"hasNextPage": False}},
            },
        ],
    }


QUERIES = """
query Clients($where: ClientFilter) {
  clients(where: $where, orderBy: [FULL_NAME_ASC]) { totalCount nodes { id fullName birthDate } }
}
query AnyNode($id: ID!) { node(id: $id) { __typename id ... on Client { fullName owners { fullName } } } }
mutation CreateClient($input: ClientInput!) {
  createClient(input: $input) { node { id fullName gender } errors { code message path } }
}
"""
CLIENT = """
import asyncio, json, sys
from caregraph_client import Client, ClientFilter, ClientInput, StringFilter
from caregraph_client.enums import Gender

async def main(url, headers):
    async with Client(url, headers=headers) as client:
        made = await client.create_client(ClientInput(full_name="Kim", gender=Gender.FEMALE))
        refused = await client.create_client(ClientInput(full_name=" "))
        found = await client.clients(where=ClientFilter(full_name=StringFilter(eq="Kim")))
        node = await client.any_node(id=found.clients.nodes[0].id)
    answers = [made, refused, found, node]
    print(json.dumps([one.model_dump(mode="json", by_alias=True) for one in answers]))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
"""


@only_sqlite
async def test_ariadne_codegen_makes_a_python_client(world: World, endpoint: str, tmp_path: Path) -> None:
    answers = await asyncio.to_thread(_ariadne, tmp_path, endpoint, world.user.headers)

    made, refused, found, node = answers
    kim = made["createClient"]["node"]
    assert made == {"createClient": {"node": {"id": kim["id"], "fullName": "Kim", "gender": "FEMALE"}, "errors": []}}
    assert refused == {
        "createClient": {
            "node": None,
            "errors": [{"code": "INVALID", "message": "must not be empty", "path": ["input", "fullName"]}],
        }
    }
    assert found == {"clients": {"totalCount": 1, "nodes": [{"id": kim["id"], "fullName": "Kim", "birthDate": None}]}}
    assert node == {
        "node": {
            "__typename": "Client",
            "id": kim["id"],
            "fullName": "Kim",
            "owners": [{"fullName": "Ben Borg"}],
        }
    }


def _ariadne(folder: Path, endpoint: str, headers: dict[str, str]) -> Any:
    """Generate a client in `folder`, run it, and give what it prints."""
    python = python_with(ARIADNE)
    shutil.copy(SCHEMA, folder)
    (folder / "queries.graphql").write_text(QUERIES)
    (folder / "client.py").write_text(CLIENT)
    (folder / "pyproject.toml").write_text(
        "[tool.ariadne-codegen]\n"
        'schema_path = "schema.graphql"\nqueries_path = "queries.graphql"\ntarget_package_name = "caregraph_client"\n'
    )
    _python(folder, python.with_name("ariadne-codegen"))
    return json.loads(_python(folder, python, "client.py", endpoint, json.dumps(headers)))


def _python(folder: Path, program: Path, *args: str) -> str:
    ran = subprocess.run([str(program), *args], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


async def test_graphql_eslint_finds_nothing_that_is_not_argued() -> None:
    answer = await _node("lint.mjs", str(SCHEMA))

    assert answer["found"] == []
    assert (answer["files"], answer["accepted"]) == (1, 10)
    assert {
        "naming-convention",
        "relay-arguments",
        "relay-connection-types",
        "relay-edge-types",
        "relay-page-info",
    } <= set(answer["rules"])


async def _node(script: str, *args: str) -> Any:
    return json.loads(await asyncio.to_thread(run_node, script, *args))
