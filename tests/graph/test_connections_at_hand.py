"""Connections that were just used are taken again without asking the pool: never one that is not as good as new."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from audit.entries import written
from caregraph.db.audit import Actor, Kind, Origin, entry
from caregraph.db.direct import Text
from caregraph.db.lent import Lent
from caregraph.db.trail import Trail
from kit import World

CLIENTS = "{ clients { totalCount } }"


async def _one(world: World) -> Any:
    """The driver's connection that is lent for a statement, given back."""
    lent = world.database.lent()
    assert [tuple(row) for row in await lent.rows(Text.of(text("SELECT 1"), world.database.dialect), {})] == [(1,)]
    driver = lent.driver
    await lent.close()
    return driver


def _in_use(world: World) -> int:
    return sum(engine.sync_engine.pool.checkedout() for engine in world.database.engines)


async def test_the_connection_used_last_is_the_next(world: World) -> None:
    first = await _one(world)

    assert _in_use(world) == 0
    assert await _one(world) is first
    async with world.database.engines[0].connect() as connection:
        assert (await connection.get_raw_connection()).driver_connection is first
        assert _in_use(world) == 1
        assert await _one(world) is not first


async def test_whoever_waits_for_the_pool_comes_before_the_next_at_hand(world: World) -> None:
    await world.restart(pool_size=1)
    engine, lent = world.database.engines[0], world.database.lent()
    await lent.rows(Text.of(text("SELECT 1"), world.database.dialect), {})

    async def wait() -> Any:
        async with engine.connect() as connection:
            return (await connection.get_raw_connection()).driver_connection

    waiting = asyncio.create_task(wait())
    while not engine.sync_engine.pool.waiting:
        await asyncio.sleep(0)
    driver = lent.driver
    await lent.close()

    assert await waiting is driver
    assert _in_use(world) == 0


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_connection_cut_at_hand_is_replaced_also_for_what_cannot_be_sent_twice(world: World) -> None:
    driver = await _one(world)

    await world.row(text(f"SELECT pg_terminate_backend({driver.get_server_pid():d}, 1000)"))
    while not driver.is_closed():
        await asyncio.sleep(0)
    async with written(world) as found:
        await Trail(world.database).write(entry(Origin(organization_id=1, actor=Actor.SYSTEM), Kind.READ, clients=[7]))

    assert [one["client_ids"] for one in found] == [[7]]
    assert await _one(world) is not driver
    assert (await world.superuser.ask(CLIENTS)).data == {"clients": {"totalCount": 0}}


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_transaction_is_never_kept_at_hand(world: World) -> None:
    """Whatever begins one without saying so: the pool ends it."""
    await world.restart(pool_size=1)
    lent = world.database.lent()
    await lent.rows(Text.of(text("SELECT 1"), world.database.dialect), {})
    await lent.driver.execute("BEGIN; SELECT set_config('app.organization_id', '1', true)")
    await lent.close()

    again = world.database.lent()
    rows = await again.rows(
        Text.of(text("SELECT current_setting('app.organization_id', true)"), world.database.dialect), {}
    )
    assert not again.driver.is_in_transaction()
    await again.close()

    assert rows[0][0] in {None, ""}


async def test_a_closed_database_leaves_no_connection_at_hand(world: World) -> None:
    await world.restart(pool_size=2)
    database = world.database
    lents = [database.lent(), database.lent()]
    for lent in lents:
        await lent.rows(Text.of(text("SELECT 1"), database.dialect), {})
    drivers = [lent.driver for lent in lents]
    await asyncio.gather(*map(Lent.close, lents))

    await database.close()

    assert [_is_closed(one) for one in drivers] == [True, True]


def _is_closed(driver: Any) -> bool:
    return bool(driver.is_closed()) if hasattr(driver, "is_closed") else driver._connection is None
