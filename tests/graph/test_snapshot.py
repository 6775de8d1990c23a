"""A query sees one state of the world, on one connection, whatever others write meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from caregraph.graph.context import Context
from factories.people import make_client, make_label
from factories.treatment import make_episode
from kit import World

QUERY = "{ clients { totalCount nodes { fullName episodes { totalCount nodes { title labels { name } } } } } }"


@pytest.fixture(params=["compiled", "loaders"], autouse=True)
async def execution(world: World, request: pytest.FixtureRequest) -> None:
    await world.restart(execution=request.param)


def _before_reads(monkeypatch: pytest.MonkeyPatch, hook: Callable[[str], Awaitable[None]]) -> None:
    """Call `hook` with the SQL of every read of a query before it is sent."""
    read, run = Context.read, Context.run_unscoped

    async def first_read(self: Context, text: Any, values: Any) -> Any:
        await hook(text.sql)
        return await read(self, text, values)

    async def first_run(self: Context, statement: Any) -> Any:
        await hook(str(statement))
        return await run(self, statement)

    monkeypatch.setattr(Context, "read", first_read)
    monkeypatch.setattr(Context, "run_unscoped", first_run)


async def test_a_row_written_between_two_levels_is_not_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await make_client(world.user, full_name="Kim")
    await make_episode(world.user, client, title="First")
    reads = 0

    async def write(_sql: str) -> None:
        nonlocal reads
        reads += 1
        if reads in {2, 3}:  # after the clients have been read
            label = await make_label(world.superuser, f"Label {reads}")
            await make_episode(world.user, client, title="Later", labels=(label,))

    _before_reads(monkeypatch, write)

    during = await world.user.ask(QUERY)
    after = await world.user.ask(QUERY)

    assert during.data["clients"]["nodes"] == [
        {"fullName": "Kim", "episodes": {"totalCount": 1, "nodes": [{"title": "First", "labels": []}]}}
    ]
    episodes = after.data["clients"]["nodes"][0]["episodes"]
    assert (episodes["totalCount"], len(episodes["nodes"])) == (3, 3)


async def test_a_row_deleted_between_a_page_and_its_count_is_still_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await make_client(world.user, full_name="Kim")
    episode = await make_episode(world.user, client, title="First")

    async def delete(sql: str) -> None:
        if "GROUP BY" in sql:
            async with world.writing(world.user) as tx:
                await tx.delete(episode)

    _before_reads(monkeypatch, delete)

    answer = await world.user.ask(QUERY)

    episodes = answer.data["clients"]["nodes"][0]["episodes"]
    assert episodes == {"totalCount": 1, "nodes": [{"title": "First", "labels": []}]}
    assert (await world.counts())["episodes"] == 0


async def test_a_query_takes_one_connection(world: World) -> None:
    for name in ("Ann", "Bo"):
        await make_episode(world.user, await make_client(world.user, full_name=name))
    engine = world.database.engines[0].sync_engine
    most = 0

    def remember(*_: Any) -> None:
        nonlocal most
        most = max(most, engine.pool.checkedout())

    from sqlalchemy import event

    event.listen(engine, "before_cursor_execute", remember)
    try:
        answer = await world.user.ask(f"{{ a: clients {{ totalCount }} b: episodes {{ totalCount }} {QUERY[1:]}")
    finally:
        event.remove(engine, "before_cursor_execute", remember)

    assert answer.data["a"] == {"totalCount": 2}
    assert most == 1
    assert engine.pool.checkedout() == 0


async def test_operations_at_the_same_time_do_not_share_a_snapshot(world: World) -> None:
    await make_client(world.user, full_name="Ben's")
    await make_client(world.other_user, full_name="Otto's")
    query = "{ clients { nodes { fullName } } }"

    answers = await asyncio.gather(*(one.ask(query) for _ in range(10) for one in (world.user, world.other_user)))

    names = [answer.data["clients"]["nodes"] for answer in answers]
    assert names == [[{"fullName": "Ben's"}], [{"fullName": "Otto's"}]] * 10


async def test_a_failed_query_gives_its_connection_back(world: World) -> None:
    await make_client(world.user)

    for _ in range(15):  # more than the pool has
        answer = await world.user.ask("{ clients { nodes { episodes(first: -1) { totalCount } } } }")
        assert answer.error == ("BAD_USER_INPUT", "first must be between 0 and 5000")

    assert [engine.sync_engine.pool.checkedout() for engine in world.database.engines] == [0] * len(
        world.database.engines
    )


async def test_an_error_that_cancels_its_siblings_leaves_other_fields_their_connection(world: World) -> None:
    """The count is under way when the page beside it fails."""
    await make_episode(world.user, await make_client(world.user))
    query = "{ users { totalCount nodes { clients(first: 1, last: 1) { totalCount } } } organizationStatistics { total { nClients } } }"

    answers = [await world.superuser.ask(query) for _ in range(10)]

    assert {answer.error for answer in answers} == {("BAD_USER_INPUT", "first and last exclude each other")}
    assert [answer.body["data"]["organizationStatistics"] for answer in answers] == [{"total": {"nClients": 1}}] * 10
