"""`caregraph serve --workers`: one address, several processes, and one command that looks after them."""

import asyncio
import contextlib
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from process import Process, writes_blocked
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine

from caregraph.cli.serving import supervising
from caregraph.graph.node import global_id
from factories.people import make_client
from kit import World, settings_for
from streaming import open_socket

HELLO = "query fit_root_hello { hello { helloFrom } }"
CREATE = 'mutation { createClient(input: {fullName: "In Flight"}) { node { fullName } errors { code } } }'
UPLOAD = """mutation($client: ID!, $file: Upload!) { uploadFile(clientId: $client, file: $file) { node { url } } }"""
NOBODY = "redis://127.0.0.1:1/0"
"""Where no store is: each worker counts for itself, after it was said that all should."""

Counts = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Workers(Process):
    """A server of two workers, numbered from 1."""

    def __init__(self, world: World, folder: Path, **settings: object) -> None:
        super().__init__(world, folder, **{"workers": 2, "rate_limit_url": NOBODY, **settings})

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.until(2)
        return self

    async def __aexit__(self, *_: object) -> None:
        for pid in filter(is_there, self.pids.values()):
            os.kill(pid, signal.SIGKILL)
        await super().__aexit__()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What the log says."""
        return [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]

    @property
    def pids(self) -> dict[int, int]:
        """The process that serves at each place."""
        return {line["worker"]: line["pid"] for line in self.lines if line["message"] == "a worker serves"}

    async def until(self, begun: int) -> None:
        """So many workers have begun to serve since the start."""
        while sum(line["message"] == "a worker serves" for line in self.lines) < begun:
            await asyncio.sleep(0.02)

    @contextlib.contextmanager
    def only(self, number: int) -> Iterator[None]:
        """In the block the other does nothing."""
        other = self.pids[3 - number]
        os.kill(other, signal.SIGSTOP)
        yield
        os.kill(other, signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def at(self, number: int) -> AsyncIterator[httpx.AsyncClient]:
        """A connection to one of them."""
        async with httpx.AsyncClient(base_url=self.http.base_url, timeout=60) as http:
            with self.only(number):
                await http.get("/livez")
            yield http


async def ask(http: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return await http.post("/graphql", json={"query": query}, headers=headers)


async def counted(http: httpx.AsyncClient) -> Counts:
    """What `/metrics` tells."""
    text = (await http.get("/metrics")).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(counts: Counts, name: str, **labels: str) -> float:
    return counts.get((name, frozenset(labels.items())), 0.0)


def hellos(counts: Counts) -> tuple[float, ...]:
    """How often it was said, in each of the ways in which that is counted."""
    seconds = "caregraph_operation_seconds"
    return (
        value(counts, "caregraph_operations_total", operation="fit_root_hello", kind="query"),
        value(counts, f"{seconds}_count", operation="fit_root_hello"),
        value(counts, f"{seconds}_bucket", operation="fit_root_hello", le="30.0"),
        value(counts, "caregraph_operation_statements_count", operation="fit_root_hello"),
    )


def is_there(pid: int) -> bool:
    """Whether it is still one of ours; of one that has ended nobody knows the command."""
    try:
        return b"caregraph.cli" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def temporary() -> Iterator[Path]:
    """The folder in which servers make theirs: with a short name, since there are sockets in it."""
    with tempfile.TemporaryDirectory(prefix="cg-", dir="/tmp") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture
async def spans(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """What is asked of somebody who takes the spans of servers."""
    asked: list[str] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length: ")[1].split()[0]))
        asked.append(head.splitlines()[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{host}:{port}")
        yield asked


@pytest.fixture(scope="module")
async def northfield(kept_postgresql: str, superuser: AsyncEngine) -> AsyncIterator[World]:
    world = World(kept_postgresql, superuser)
    await world.populate()
    yield world
    await world.close()


@pytest.fixture(scope="module")
async def workers(
    northfield: World, tmp_path_factory: pytest.TempPathFactory, temporary: Path
) -> AsyncIterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    async with Workers(northfield, folder, files_url=folder / "files", shutdown_grace=0.1) as process:
        yield process


async def test_each_answers_and_tells_what_all_have_counted(workers: Workers) -> None:
    async with workers.at(1) as one, workers.at(2) as two:
        before = await counted(one)
        said = [(await ask(http, HELLO)).status_code for http in (one, one, one, two, two)]

        told = [await counted(one), await counted(two)]
        with workers.only(2):
            in_time = await counted(two)  # the other has a second to answer

    assert said == [200] * 5
    assert [hellos(counts) for counts in (*told, in_time)] == [tuple(count + 5 for count in hellos(before))] * 3
    assert [value(counts, "caregraph_workers") for counts in (*told, in_time)] == [2, 2, 1]
    for counts in told:
        assert value(counts, "caregraph_pool_connections", pool="all", state="size") == 20
        assert value(counts, "caregraph_operations_running") == 0
        assert all(value(counts, "process_resident_memory_bytes", worker=one) > 0 for one in ("1", "2"))
        lags = [count for (name, _), count in counts.items() if name == "caregraph_event_loop_lag_seconds"]
        assert len(lags) == 1


async def test_connections_that_come_at_once_are_shared(workers: Workers) -> None:
    shares = [await _shares(workers, 32) for _ in range(3)]

    assert min(map(min, shares)) >= 10, shares


async def _shares(workers: Workers, count: int) -> list[float]:
    """How many of so many connections each has."""
    port = workers.http.base_url.port
    before = await counted(workers.http)
    opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(count)))
    await asyncio.gather(*(_alive(reader, writer) for reader, writer in opened))
    after = await counted(workers.http)
    for _, writer in opened:
        writer.close()
        await writer.wait_closed()
    name = "process_open_fds"
    return [value(after, name, worker=worker) - value(before, name, worker=worker) for worker in ("1", "2")]


async def _alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /livez HTTP/1.1\r\nHost: caregraph.test\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_link_that_one_has_signed_is_good_for_the_other(workers: Workers, northfield: World) -> None:
    client_id = global_id("Client", (await make_client(northfield.superuser)).id)
    operations = {"query": UPLOAD, "variables": {"client": client_id, "file": None}}
    async with workers.at(1) as one, workers.at(2) as two:
        answer = await one.post(
            "/graphql",
            data={"operations": json.dumps(operations), "map": '{"0": ["variables.file"]}'},
            files={"0": ("letter.pdf", b"%PDF-1.7 hello", "application/pdf")},
            headers={**northfield.superuser.headers, "GraphQL-Require-Preflight": "1"},
        )
        fetched = await two.get(answer.json()["data"]["uploadFile"]["node"]["url"])

    assert (fetched.status_code, fetched.content) == (200, b"%PDF-1.7 hello")


async def test_a_subscriber_of_one_hears_what_the_other_commits(workers: Workers, northfield: World) -> None:
    client_id = global_id("Client", (await make_client(northfield.superuser)).id)
    create = f'mutation {{ createEpisode(clientId: "{client_id}", input: {{title: "A", startDate: "2026-01-05"}}) {{ node {{ id }} }} }}'
    async with contextlib.AsyncExitStack() as stack:
        two = await stack.enter_async_context(workers.at(2))
        with workers.only(1):
            authority = workers.http.base_url.netloc.decode()
            socket = await stack.enter_async_context(open_socket(authority, northfield.superuser))
        await socket.subscribe("1", "subscription { episodeChanged { change } }")
        heard = asyncio.create_task(socket.receive())
        while not heard.done():  # it may not listen yet
            await ask(two, create, northfield.superuser.headers)
            await asyncio.wait({heard}, timeout=0.1)

    assert heard.result() == {
        "id": "1",
        "type": "next",
        "payload": {"data": {"episodeChanged": {"change": "CREATED"}}},
    }


async def test_one_that_is_killed_is_replaced_while_the_other_answers(workers: Workers) -> None:
    killed, spared = workers.pids[1], workers.pids[2]
    async with workers.at(1) as one, workers.at(2) as two:
        await ask(one, HELLO)
        before = await counted(two)
        os.kill(killed, signal.SIGKILL)
        answers = []
        while workers.pids[1] == killed:
            answers.append((await ask(two, HELLO)).status_code)
        async with workers.at(1) as new:
            answers.append((await ask(new, HELLO)).status_code)
            after = await counted(new)

    assert set(answers) == {200}
    assert hellos(after) == tuple(count + len(answers) for count in hellos(before))
    lasting = [key for key in before if key[0].endswith(("_total", "_count", "_sum", "_bucket"))]
    assert [key for key in lasting if after[key] < before[key]] == []
    assert value(after, "caregraph_worker_replacements_total") == 1
    assert value(after, "caregraph_workers") == 2
    (line,) = [one for one in workers.lines if one["message"] == "a worker has ended, another takes its place"]
    assert (line["level"], line["worker"], line["pid"], line["status"]) == ("error", 1, killed, -signal.SIGKILL)
    assert workers.pids[2] == spared


async def test_when_their_parent_is_killed_they_end(workers: Workers, temporary: Path) -> None:
    pids = workers.pids.values()
    used = list(temporary.iterdir())

    workers.signal(signal.SIGKILL)

    while any(map(is_there, pids)):
        await asyncio.sleep(0.02)
    assert [line["message"] for line in workers.lines].count("draining") == 2
    assert (len(used), list(temporary.iterdir())) == (1, [])


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_all_finish_what_runs(world: World, tmp_path: Path, temporary: Path, spans: list[str]) -> None:
    async with Workers(world, tmp_path, shutdown_grace=0.2) as process:
        pids = list(process.pids.values())
        async with process.at(1) as one, process.at(2) as two:
            async with writes_blocked(world):
                in_flight = [asyncio.create_task(ask(http, CREATE, world.superuser.headers)) for http in (one, two)]
                while await process.running() < 2:
                    await asyncio.sleep(0.02)
                used = list(temporary.iterdir())
                process.signal(signal.SIGTERM)
                for pid in pids:  # as service managers do
                    os.kill(pid, signal.SIGTERM)
                while (late := await ask(process.http, HELLO)).status_code == 200:
                    await asyncio.sleep(0.02)
            answers = [await one for one in in_flight]
        status = await process.ended()

    assert [one.json()["data"]["createClient"]["node"] for one in answers] == [{"fullName": "In Flight"}] * 2
    assert late.json()["errors"][0]["message"] == "The server is shutting down, try again"
    assert status == 0, process.said
    assert (len(used), list(temporary.iterdir())) == (1, [])
    assert spans.count("post /v1/traces http/1.1") >= 2
    assert [pid for pid in pids if is_there(pid)] == []
    assert (await world.counts())["clients"] == 2


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_second_signal_ends_them_at_once(world: World, tmp_path: Path) -> None:
    async with Workers(world, tmp_path, shutdown_grace=1000.0, shutdown_timeout=2000.0) as process:
        pids = list(process.pids.values())
        async with process.at(1) as one, writes_blocked(world):
            in_flight = asyncio.create_task(ask(one, CREATE, world.superuser.headers))
            await process.until_running()
            process.signal(signal.SIGTERM)
            while [line["message"] for line in process.lines].count("draining") < 2:
                await asyncio.sleep(0.02)
            process.signal(signal.SIGTERM)
            status = await process.ended()
            with pytest.raises(httpx.HTTPError):
                (await in_flight).raise_for_status()

    assert status == 0, process.said
    assert "killed" not in process.said
    assert [pid for pid in pids if is_there(pid)] == []
    assert (await world.counts())["clients"] == 0


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_one_that_cannot_begin_ends_all(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("too-long-for-a-socket" * 5)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    process = Process(world, tmp_path, workers=2, rate_limit_url=NOBODY)
    process.begin()

    status = await process.ended()

    assert status == 1
    assert '"message":"a worker could not begin to serve"' in process.said
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"database_url": "sqlite+aiosqlite:///here.sqlite", "rate_limit_url": NOBODY},
            "Several workers need PostgreSQL: on SQLite subscribers hear only of changes made by their own process",
        ),
        (
            {"database_url": "postgresql+asyncpg://here/there"},
            "Several workers need a store in which they count rate limits together, or each would grant all of them: set CAREGRAPH_RATE_LIMIT_URL to a Redis or Valkey",
        ),
        ({"database_url": "postgresql+asyncpg://here/there", "rate_limit_url": NOBODY}, None),
    ],
)
def test_what_several_cannot_share_is_told(settings: dict[str, str], reason: str | None) -> None:
    url = settings.pop("database_url")

    assert supervising.obstacle(settings_for(url, workers=2, **settings)) == reason
