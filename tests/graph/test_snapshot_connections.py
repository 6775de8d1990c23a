"""A connection that was left within a transaction never gives its tenant or its rights to the next."""

import asyncio

import pytest
from sqlalchemy import select, text
from sqlalchemy.util import greenlet_spawn

from caregraph.auth.viewer import Viewer
from caregraph.db.direct import Text
from caregraph.db.lookups import SignInLookups
from caregraph.people.models import Client
from factories.people import make_client
from kit import World

NAMES = select(Client.full_name).order_by(Client.id)


@pytest.fixture
async def single(world: World) -> World:
    """The world on one connection, so that the next to ask gets the same one."""
    await make_client(world.user, full_name="Kim")
    await make_client(world.other_user, full_name="Kay")
    await world.restart(pool_size=1)
    return world


async def _names(world: World, viewer: Viewer) -> list[str]:
    snapshot = world.database.snapshot(viewer)
    try:
        return [row[0] for row in await snapshot.rows(Text.of(NAMES, world.database.dialect), {})]
    finally:
        await snapshot.close()


async def test_a_snapshot_has_the_rights_of_the_application_and_one_tenant(single: World) -> None:
    if single.database.is_sqlite:
        return
    snapshot = single.database.snapshot(single.superuser.viewer)
    who = "SELECT current_user, current_setting('app.organization_id'), current_setting('statement_timeout'), current_setting('transaction_read_only'), current_setting('transaction_isolation')"

    (row,) = await snapshot.rows(Text.of(text(who), single.database.dialect), {})
    await snapshot.close()

    assert tuple(row) == ("caregraph_app", "1", "15s", "on", "repeatable read")
    assert await _names(single, single.superuser.viewer) == ["Kim"]
    assert await _names(single, single.other_superuser.viewer) == ["Kay"]
    assert await _names(single, Viewer.nobody()) == []


async def test_plans_are_kept_for_rows_by_their_keys_alone(single: World) -> None:
    if single.database.is_sqlite:
        return
    mode = "SELECT current_setting('plan_cache_mode')"
    ordinary = Text.of(text(mode), single.database.dialect)
    by_keys = Text.of(text(f"{mode} WHERE 1 = ANY(CAST(:keys AS bigint[]))"), single.database.dialect, "keys")
    modes = []

    for statements in ([by_keys, by_keys, ordinary, by_keys], [ordinary, by_keys]):
        snapshot = single.database.snapshot(single.superuser.viewer)
        modes.append([(await snapshot.rows(one, {"keys": [1]}))[0][0] for one in statements])
        await snapshot.close()
    snapshot = single.database.snapshot(single.superuser.viewer)
    await snapshot.rows(by_keys, {"keys": [1]})
    session = await snapshot.session()
    modes.append([(await session.execute(text(mode).execution_options(scoped=True))).scalar_one()])
    await snapshot.close()

    assert modes == [["force_generic_plan"] * 2 + ["auto"] * 2, ["auto"] * 2, ["auto"]]


async def test_the_pool_ends_a_forgotten_transaction(single: World) -> None:
    forgotten = single.database.snapshot(single.superuser.viewer)
    await forgotten.rows(Text.of(NAMES, single.database.dialect), {})
    await greenlet_spawn(forgotten._lent.connection.close)

    async with single.database.engines[-1].connect() as connection:
        if not single.database.is_sqlite:
            row = (await connection.execute(text("SELECT current_user, current_setting('app.organization_id')"))).one()
            assert tuple(row) == ("caregraph_app", "")

    if not single.database.is_sqlite:
        assert await _names(single, single.other_superuser.viewer) == ["Kay"]
        assert await _names(single, Viewer.nobody()) == []
    assert (await single.other_superuser.ask("{ clients { nodes { fullName } } }")).data["clients"]["nodes"] == [
        {"fullName": "Kay"}
    ]


async def test_a_cancelled_read_leaves_nothing_behind(single: World) -> None:
    slow = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        if single.database.is_sqlite
        else "SELECT pg_sleep(1000)"
    )
    snapshot = single.database.snapshot(single.superuser.viewer)
    reading = asyncio.create_task(snapshot.rows(Text.of(text(slow), single.database.dialect), {}))
    await asyncio.sleep(0.2)

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await snapshot.close()

    assert (await single.other_superuser.ask("{ clients { nodes { fullName } } }")).data["clients"]["nodes"] == [
        {"fullName": "Kay"}
    ]
    assert [engine.sync_engine.pool.checkedout() for engine in single.database.engines] == [0] * len(
        single.database.engines
    )


async def test_a_session_sees_the_snapshot_that_plans_read(single: World) -> None:
    snapshot = single.database.snapshot(single.superuser.viewer)
    before = await snapshot.rows(Text.of(NAMES, single.database.dialect), {})
    if single.database.is_sqlite:  # its writer has a connection of its own
        await make_client(single.user, full_name="Later")

    session = await snapshot.session()
    found = list((await session.execute(select(Client.full_name))).scalars())
    await snapshot.close()

    assert [row[0] for row in before if row[0] != "Kay"] == ["Kim"]
    assert found == ["Kim"]


async def test_a_read_cancelled_at_any_moment_leaves_nothing_behind(single: World) -> None:
    text_of = Text.of(NAMES, single.database.dialect)

    for turns in range(25):
        snapshot = single.database.snapshot(single.superuser.viewer)
        reading = asyncio.create_task(snapshot.rows(text_of, {}))
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        await snapshot.close()

        assert await SignInLookups(single.database).account("nobody@example.org") is None
        expected = ["Kim", "Kay"] if single.database.is_sqlite else ["Kay"]
        assert await _names(single, single.other_superuser.viewer) == expected
