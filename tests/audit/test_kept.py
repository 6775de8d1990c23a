"""The database takes entries and gives none up, whoever asks, and takes them for one's own organization only."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from audit.entries import everything
from caregraph.auth.viewer import Viewer
from caregraph.db import changes
from caregraph.db.audit import Actor, Kind, Origin, entry, insertion
from caregraph.db.trail import Trail
from caregraph.people.models import Client
from kit import World

CHANGES = [
    "UPDATE audit_events SET kind = 'READ'",
    "UPDATE audit_events SET organization_id = 2 WHERE id = 1",
    "DELETE FROM audit_events",
    "DELETE FROM audit_events WHERE id = 1",
]


@pytest.mark.parametrize("sql", CHANGES)
async def test_the_server_cannot_change_entries(world: World, sql: str) -> None:
    before = await everything(world)

    with pytest.raises(DBAPIError, match=r"never changed or deleted|permission denied for table audit_events"):
        async with world.database.writing(Viewer.system(1)) as tx:
            await tx.execute(text(sql))

    assert await everything(world) == before != []


@pytest.mark.parametrize("sql", [*CHANGES, "TRUNCATE audit_events"])
async def test_neither_can_who_owns_the_table(world: World, url: str, sql: str) -> None:
    if world.database.is_sqlite and sql.startswith("TRUNCATE"):
        sql = "DELETE FROM audit_events WHERE true"
    before = await everything(world)
    owner = create_async_engine(url)

    try:
        with pytest.raises(DBAPIError, match="audit events are never changed or deleted"):
            async with owner.begin() as connection:
                await connection.execute(text(sql))
    finally:
        await owner.dispose()

    assert await everything(world) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_the_server_s_role_may_read_and_add_only(world: World) -> None:
    rights = """
        SELECT privilege FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER']) privilege
        WHERE has_table_privilege('caregraph_app', 'audit_events', privilege)
    """
    async with world.database.read_session(Viewer.nobody()) as session:
        assert list(await session.scalars(text(rights))) == ["SELECT", "INSERT"]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("mine", "theirs"), [(1, 2), (1, None), (None, 1)])
async def test_an_entry_is_taken_for_ones_own_organization_only(
    world: World, mine: int | None, theirs: int | None
) -> None:
    planted = entry(Origin(organization_id=theirs, actor=Actor.SYSTEM), Kind.READ)
    before = await everything(world)

    with pytest.raises(DBAPIError, match="violates row-level security policy"):
        async with world.database.writing(Viewer(organization_id=mine)) as tx:
            await tx.execute(insertion(), [planted])

    assert await everything(world) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_an_entry_by_itself_is_of_the_tenant_that_it_names(world: World) -> None:
    """And only for itself: the next statement on the connection has no tenant."""
    await world.restart(pool_size=1)
    before = await everything(world)

    await Trail(world.database).write(entry(Origin(organization_id=2, actor=Actor.SYSTEM), Kind.READ, clients=[7]))

    (written,) = (await everything(world))[len(before) :]
    assert (written["organization_id"], written["client_ids"]) == (2, [7])
    async with world.database.engines[0].connect() as connection:
        here = "SELECT current_user, coalesce(current_setting('app.organization_id', true), '')"
        assert tuple((await connection.execute(text(here))).one()) == ("caregraph_app", "")
        with pytest.raises(DBAPIError, match="violates row-level security policy"):
            await connection.execute(insertion(), [entry(Origin(organization_id=2, actor=Actor.SYSTEM), Kind.READ)])


async def test_what_is_undone_is_not_on_record(world: World) -> None:
    before = await everything(world), await world.counts()

    async def fail_after_writing() -> None:
        async with world.writing(world.superuser) as tx:
            tx.add(Client(full_name="Kim"))
            await tx.run_sync(changes.record)
            raise LookupError

    with pytest.raises(LookupError):
        await fail_after_writing()

    assert (await everything(world), await world.counts()) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_change_and_its_entry_are_of_one_transaction(world: World) -> None:
    """So no crash can come between them."""
    answer = await world.user.ask('mutation { createClient(input: {fullName: "Kim"}) { node { id } } }')

    assert answer.data["createClient"]["node"] is not None
    of_client = await world.row(text("SELECT xmin::text FROM clients"))
    of_entry = await world.row(text("SELECT xmin::text FROM audit_events WHERE fields = '[\"createClient\"]'"))
    assert of_client == of_entry
