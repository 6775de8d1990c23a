"""SIGTERM on a real process: not ready at once, what runs is finished, what comes late is refused, then the end."""

import asyncio
import signal
from pathlib import Path

import httpx
import pytest
from process import Process, writes_blocked

from caregraph.http.draining import Draining
from kit import World

HELLO = "{ hello { helloFrom } }"
CREATE = 'mutation { createClient(input: {fullName: "In Flight"}) { node { fullName } errors { code } } }'


async def _ask(process: Process, query: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await process.http.post("/graphql", json={"query": query}, headers=headers)


async def _until_ready_says(process: Process, status: int) -> httpx.Response:
    while (response := await process.http.get("/readyz")).status_code != status:
        await asyncio.sleep(0.02)
    return response


async def test_what_runs_is_finished_and_what_comes_late_is_refused(world: World, tmp_path: Path) -> None:
    async with Process(world, tmp_path, shutdown_grace=1.0) as process:
        async with writes_blocked(world):
            in_flight = asyncio.create_task(_ask(process, CREATE, world.superuser.headers))
            await process.until_running()
            process.signal(signal.SIGTERM)

            ready = await _until_ready_says(process, 503)
            in_grace = await _ask(process, HELLO)
            while (late := await _ask(process, HELLO)).status_code == 200:
                await asyncio.sleep(0.05)
            still_running = await process.running()
        answer = await in_flight
        status = await process.ended()

    assert ready.json()["checks"] == {"draining": "failed", "database": "ok", "migrations": "ok"}
    assert (in_grace.status_code, in_grace.headers["connection"]) == (200, "close")
    assert (late.status_code, late.headers["connection"], late.headers["retry-after"]) == (503, "close", "1")
    assert late.json()["errors"][0]["message"] == "The server is shutting down, try again"
    assert still_running == 1
    assert (answer.status_code, answer.json()["data"]["createClient"]["node"]) == (200, {"fullName": "In Flight"})
    assert status == 0, process.said
    assert (await world.counts())["clients"] == 1


async def test_what_does_not_end_is_cut_off_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    async with Process(world, tmp_path, shutdown_grace=0.1, shutdown_timeout=0.3) as process, writes_blocked(world):
        in_flight = asyncio.create_task(_ask(process, CREATE, world.superuser.headers))
        await process.until_running()
        process.signal(signal.SIGTERM)
        status = await process.ended()
        with pytest.raises(httpx.HTTPError):
            (await in_flight).raise_for_status()

    assert status == 0, process.said
    assert "operations are cut off" in process.said
    assert (await world.counts())["clients"] == 0
    assert "Traceback" not in process.said


async def test_an_idle_process_ends_on_interrupt_without_waiting(world: World, tmp_path: Path) -> None:
    async with Process(world, tmp_path, shutdown_grace=1000.0, shutdown_timeout=2000.0) as process:
        children = process.children
        process.signal(signal.SIGINT)

        await process.ended()

    assert "draining" in process.said
    assert children == []


async def test_streams_are_closed_and_one_that_fails_holds_up_none() -> None:
    closed: list[str] = []
    draining = Draining()

    async def fail() -> None:
        raise RuntimeError("stuck")

    async def close() -> None:
        assert (draining.begun, draining.refuses) == (True, True)
        closed.append("closed")

    draining.callbacks += [fail, close]

    await draining.run(grace=0, seconds=10, running=lambda: 0)

    assert closed == ["closed"]
