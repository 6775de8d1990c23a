"""The subscription clients that front ends use — graphql-ws, graphql-sse, Apollo — against the server."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from factories.people import make_client
from factories.treatment import make_episode
from kit import World
from node_tools import node_modules, run_node
from streaming import listening, released, subscribers

SCRIPT = Path(__file__).parent.parent / "node" / "subscriptions.mjs"
CLIENTS = ("graphql-ws", "graphql-sse", "apollo")
CHANGED = """subscription Changed($scope: ListScope! = VISIBLE) {
  episodeChanged(scope: $scope) { change episode { title } }
}"""


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database is enough: the wire is the same on both."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def authority(world: World) -> AsyncIterator[str]:
    await asyncio.to_thread(node_modules)
    async with listening(world.app) as found:
        yield found


def ask(client: str, authority: str, query: str = CHANGED, count: int = 2, **asked: Any) -> asyncio.Task[list[Any]]:
    async def run() -> list[Any]:
        arguments = json.dumps({"query": query, "variables": {}, "count": count, **asked})
        printed = await asyncio.to_thread(run_node, SCRIPT, client, authority, arguments)
        return [json.loads(line) for line in printed.splitlines()]

    return asyncio.create_task(run())


def told(title: str) -> dict[str, Any]:
    return {"change": "CREATED", "episode": {"title": title}}


def bare(value: Any) -> Any:
    """What came, without what Apollo adds for its cache."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if isinstance(value, dict):
        return {key: bare(one) for key, one in value.items() if key != "__typename"}
    return value


@pytest.mark.parametrize("client", CLIENTS)
async def test_events_arrive_and_leaving_ends_them(world: World, authority: str, client: str) -> None:
    own = await make_client(world.user)
    running = ask(client, authority, headers=world.user.headers)
    await subscribers(world, 1, seconds=60)

    for title in ("First", "Second"):
        await make_episode(world.user, own, title=title)

    results = [one for one in bare(await running) if "closed" not in one]
    assert results == [{"data": {"episodeChanged": told(title)}} for title in ("First", "Second")]
    await subscribers(world, 0)
    await released(world)


async def test_a_refusal_reaches_the_program(world: World, authority: str) -> None:
    asked = {"headers": world.user.headers, "variables": {"scope": "ORGANIZATION"}}
    over_socket = await ask("graphql-ws", authority, **asked)
    over_events = await ask("graphql-sse", authority, **asked)
    over_parts = await ask("apollo", authority, **asked)

    refusal = [{"message": "Access denied", "extensions": {"code": "FORBIDDEN"}}]
    for found in (over_socket[0]["thrown"], over_events[0]["errors"], over_parts[0]["errors"]):
        assert [{key: one[key] for key in ("message", "extensions")} for one in found] == refusal


async def test_wrong_credentials_reach_the_program(world: World, authority: str) -> None:
    headers = {**world.user.headers, "X-Api-Token": "wrong"}
    assert {"closed": [4403, "Forbidden"]} in await ask("graphql-ws", authority, headers=headers)
    results = await ask("graphql-sse", authority, headers=headers)
    assert results == [{"thrown": {}}]


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse"])
async def test_queries_go_the_same_way(world: World, authority: str, client: str) -> None:
    results = await ask(client, authority, "{ me { fullName } }", headers=world.user.headers)
    assert results[0] == {"data": {"me": {"fullName": "Ben Borg"}}}


async def test_a_server_that_shuts_down_is_named(world: World, authority: str) -> None:
    sockets, events = (ask(one, authority, headers=world.user.headers) for one in ("graphql-ws", "graphql-sse"))
    await subscribers(world, 2, seconds=60)

    world.app.state.streams.close()

    assert {"closed": [1001, "The server is shutting down"]} in await sockets
    errors = [{"message": "The server is shutting down", "extensions": {"code": "UNAVAILABLE"}}]
    assert await events == [{"errors": errors}]
