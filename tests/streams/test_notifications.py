"""Events between processes, by PostgreSQL's LISTEN and NOTIFY. One process serves SQLite: there is nothing between."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from caregraph.db.events import ChangeKind, Event
from caregraph.graph.node import global_id
from factories.people import make_client
from factories.treatment import make_episode
from kit import World
from streaming import eventually, listening, open_socket, subscribers

pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
CHANGED = "subscription { episodeChanged { change episodeId episode { comment clients { fullName } } } }"

RECORDS = """
import asyncio, json, os, sys
import httpx
from caregraph.app import create_app
from caregraph.settings import Settings

async def main(query, variables, headers):
    app = create_app(Settings.from_environment())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://other") as client:
        answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    print(answer.text)
    await app.state.database.close()

asyncio.run(main(*json.loads(sys.stdin.read())))
"""


@pytest.fixture
async def authority(world: World) -> AsyncIterator[str]:
    async with listening(world.app) as found:
        yield found


async def test_what_another_process_commits_is_told_here(world: World, authority: str) -> None:
    client = await make_client(world.user, full_name="Kim")
    create = """mutation ($id: ID!) {
      createEpisode(clientId: $id, input: {title: "Far", startDate: "2026-01-05"}) { node { id } errors { code } }
    }"""
    request = json.dumps([create, {"id": global_id("Client", client.id)}, world.user.headers])
    environment = {**os.environ, "CAREGRAPH_DATABASE_URL": world.settings.database_url, "PYTHONPATH": "src"}
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)

        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", RECORDS],
            input=request,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

        made = json.loads(done.stdout)["data"]["createEpisode"]["node"]["id"]
        event = {"change": "CREATED", "episodeId": made, "episode": {"comment": None, "clients": [{"fullName": "Kim"}]}}
        assert await socket.receive() == {"type": "next", "id": "1", "payload": {"data": {"episodeChanged": event}}}


async def test_notifications_name_nobody(world: World) -> None:
    heard: list[str] = []
    engine = create_async_engine(world.settings.database_url)
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.add_listener("caregraph_events", lambda *notified: heard.append(notified[3]))
        client = await make_client(world.user, full_name="Canary")
        episode = await make_episode(world.user, client, title="Canary", comment="Canary")
        await eventually(lambda: heard)
        await driver.reset()
    await engine.dispose()
    assert heard == [f'[1,"Episode",{episode.id},"CREATED",[{client.id}]]']


async def test_a_lost_database_connection_is_said_and_found_again(world: World, authority: str) -> None:
    client = await make_client(world.user)
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)

        async with world._admin.connect() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            assert (await connection.execute(text(ended))).scalars().all() == [True]

        error = {"message": "Events may have been missed: subscribe again", "extensions": {"code": "EVENTS_LOST"}}
        assert await socket.receive() == {"type": "error", "id": "1", "payload": [error]}
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)
        episode = await make_episode(world.user, client)
        told = await socket.receive()
        assert told["payload"]["data"]["episodeChanged"]["episodeId"] == global_id("Episode", episode.id)


async def test_an_event_is_short_enough_to_be_told(url: str) -> None:
    """PostgreSQL refuses 8000 bytes, and with them the commit."""
    event = Event(1, "Episode", 2, ChangeKind.DELETED, tuple(range(10**18, 10**18 + 300)))
    assert Event.decode(event.encode()) == event
    wide = Event(1, "Episode", 2, ChangeKind.DELETED, tuple(range(10**18, 10**18 + 500)))
    assert wide.encode() == '[1,"Episode",2,"DELETED",[]]'
