"""A client that leaves: its work stops, nothing of it stays, and the connections are whole."""

import asyncio
from typing import Any

import pytest
from slowness import Caller, checked_out, endless
from sqlalchemy import event, text

from factories.people import make_client
from kit import Principal, World

CLIENTS = "{ clients { totalCount nodes { id owners { id } } } }"
CREATE = 'mutation { createClient(input: {fullName: "Left Behind"}) { node { id } errors { code } } }'
TWO = f"mutation {{ one: {CREATE[11:-2]} two: {CREATE[11:-2]} }}"


async def _leave_during(world: World, principal: Principal, query: str, part: str, *, after: int = 0) -> Caller:
    caller = Caller(principal, query)
    with endless(world, part, after=after) as begun:
        request = asyncio.create_task(caller.send())
        await begun.wait()
        caller.leave()
        await request
    return caller


async def _running_endlessly(world: World) -> int:
    """Endless statements that PostgreSQL still runs; none a moment after the last was stopped."""
    if world.database.is_sqlite:
        return 0
    statement = text("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'")
    for _ in range(100):
        if (await world.row(statement))[0] == 0:
            return 0
        await asyncio.sleep(0.05)
    return int((await world.row(statement))[0])


@pytest.mark.parametrize(
    ("query", "part"),
    [(CLIENTS, "FROM clients"), (CLIENTS, "FROM users"), (CLIENTS, "count(")],
    ids=["root", "loader", "count"],
)
async def test_a_read_stops(world: World, query: str, part: str) -> None:
    await make_client(world.superuser)

    caller = await _leave_during(world, world.superuser, query, part)

    assert caller.messages == []
    assert checked_out(world) == 0
    assert await _running_endlessly(world) == 0
    assert (await world.superuser.ask("{ clients { totalCount } }")).data == {"clients": {"totalCount": 1}}


@pytest.mark.parametrize("part", ["INSERT INTO clients", "INSERT INTO client_owners"])
async def test_a_write_stops_and_leaves_nothing(world: World, part: str) -> None:
    before = await world.counts()

    caller = await _leave_during(world, world.superuser, CREATE, part)

    assert caller.messages == []
    assert checked_out(world) == 0
    assert await _running_endlessly(world) == 0
    assert await world.counts() == before
    assert (await world.superuser.ask(CREATE)).data["createClient"]["errors"] == []


async def test_what_was_committed_before_stays_and_what_comes_after_never_begins(world: World) -> None:
    before = await world.counts()

    await _leave_during(world, world.superuser, TWO, "INSERT INTO client_owners", after=1)

    after = await world.counts()
    assert after["clients"] == before["clients"] + 1
    assert after["client_owners"] == before["client_owners"] + 1
    assert checked_out(world) == 0


async def test_a_commit_once_begun_is_whole(world: World) -> None:
    before = await world.counts()
    caller = Caller(world.superuser, TWO)
    engine = world.database.engines[-1].sync_engine

    def leave(_connection: Any) -> None:
        caller.leave()

    event.listen(engine, "commit", leave)
    try:
        await caller.send()
    finally:
        event.remove(engine, "commit", leave)

    after = await world.counts()
    made = after["clients"] - before["clients"]
    assert made in {1, 2}  # the second may have been through before the leaving was heard of
    assert made == 2 or caller.messages == []
    assert after["client_owners"] - before["client_owners"] == made
    assert checked_out(world) == 0


async def test_the_next_on_the_connection_inherits_neither_tenant_nor_role(world: World) -> None:
    await make_client(world.superuser)
    for part in ("FROM clients", "FROM users", "count("):
        await _leave_during(world, world.superuser, CLIENTS, part)
    await _leave_during(world, world.superuser, CREATE, "INSERT INTO client_owners")

    async with world.database.engines[-1].connect() as connection:
        if not world.database.is_sqlite:
            row = (
                await connection.execute(
                    text("SELECT current_user, coalesce(current_setting('app.organization_id', true), '')")
                )
            ).one()
            assert tuple(row) == ("caregraph_app", "")
    answers = await asyncio.gather(*(world.other_superuser.ask(CLIENTS) for _ in range(20)))
    assert [answer.data["clients"]["totalCount"] for answer in answers] == [0] * 20
    assert checked_out(world) == 0


async def test_a_signed_out_client_that_leaves_is_no_matter(world: World) -> None:
    caller = await _leave_during(world, world.superuser, CLIENTS, "api_token")

    assert caller.messages == []
    assert checked_out(world) == 0
