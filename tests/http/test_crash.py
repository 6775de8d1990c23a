"""kill -9 during writes: whatever was acknowledged is there, and nothing is there by half."""

import asyncio
import itertools
import signal
from pathlib import Path

import httpx
from process import Process
from sqlalchemy import select

from caregraph.graph.node import parse_id
from caregraph.people import models
from kit import World

CREATE = "mutation C($name: String!) { createClient(input: {fullName: $name}) { node { id } errors { code } } }"
WRITERS = 8
ENOUGH = 60


async def _write(process: Process, world: World, names: "itertools.count[int]", acknowledged: dict[str, str]) -> None:
    while True:
        name = f"Client {next(names)}"
        try:
            response = await process.http.post(
                "/graphql", json={"query": CREATE, "variables": {"name": name}}, headers=world.superuser.headers
            )
        except httpx.HTTPError:
            return
        acknowledged[response.json()["data"]["createClient"]["node"]["id"]] = name


async def test_kill_loses_no_acknowledged_write(world: World, tmp_path: Path) -> None:
    acknowledged: dict[str, str] = {}
    names = itertools.count()
    for _ in range(3):
        enough = len(acknowledged) + ENOUGH
        async with Process(world, tmp_path) as process:
            writers = [asyncio.create_task(_write(process, world, names, acknowledged)) for _ in range(WRITERS)]
            while len(acknowledged) < enough:
                await asyncio.sleep(0.005)
            process.signal(signal.SIGKILL)
            assert await process.ended() == -signal.SIGKILL
            await asyncio.gather(*writers)

    async with world.database.read_session(world.superuser.viewer) as session:
        stored = {row.id: row.full_name for row in (await session.execute(select(models.Client))).scalars()}
        owned = list((await session.execute(select(models.ClientOwner.client_id))).scalars())
    assert len(acknowledged) >= 3 * ENOUGH
    for global_id, name in acknowledged.items():
        parsed = parse_id(global_id)
        assert parsed is not None
        assert stored[parsed[1]] == name
    assert sorted(owned) == sorted(stored)
    assert len(stored) - len(acknowledged) <= 3 * WRITERS
