"""PostgreSQL's own rules, under everything else: they hold with the session's filter off, and for SQL by hand."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from caregraph.auth.secrets import token_hash
from caregraph.auth.viewer import Viewer
from caregraph.db import lookups
from caregraph.db.base import Base, SharedRow, TenantRow, table_of
from caregraph.db.session import APP_ROLE, Database
from caregraph.organizations.models import Organization, User
from kit import World, settings_for
from tenancy.two_towns import make_harbor, make_northfield

pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)

TENANT_MODELS = [
    one.class_ for one in Base.registry.mappers if issubclass(one.class_, TenantRow) and one.inherits is None
]
TENANT_TABLES = sorted(table_of(model).name for model in TENANT_MODELS)
GUARDED = [*TENANT_TABLES, "organizations", "users", "api_tokens"]
LOOK_UPS = {
    *("caregraph_api_token", "caregraph_calculator", "caregraph_account"),
    *("caregraph_application", "caregraph_bearer", "caregraph_session_token", "caregraph_invitation"),
    *("caregraph_identified", "caregraph_person", "caregraph_works_elsewhere", "caregraph_used_elsewhere"),
    "caregraph_others",
}
FUNCTIONS = {*LOOK_UPS, "caregraph_last_membership", "caregraph_organization_ids"}


async def _one(world: World, viewer: Viewer, sql: str) -> Any:
    async with world.database.read_session(viewer) as session:
        return (await session.execute(text(sql))).one()


async def _all(world: World, viewer: Viewer, sql: str) -> list[Any]:
    async with world.database.read_session(viewer) as session:
        return list((await session.execute(text(sql))).scalars())


async def _towns(world: World) -> None:
    await make_northfield(world)
    await make_harbor(world)


WHO = """
SELECT current_user, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole,
    EXISTS (SELECT FROM pg_tables WHERE tableowner = current_user),
    pg_has_role(current_user, (SELECT tableowner FROM pg_tables WHERE tablename = 'clients'), 'MEMBER')
FROM pg_roles WHERE rolname = current_user
"""


async def test_work_is_done_by_a_role_that_owns_nothing(world: World) -> None:
    expected = (APP_ROLE, False, False, False, False, False, False)

    for viewer in (Viewer.nobody(), world.user.viewer):
        assert tuple(await _one(world, viewer, WHO)) == expected
        async with world.database.writing(viewer) as tx:
            assert tuple((await tx.execute(text(WHO))).one()) == expected


async def test_a_transaction_names_its_organization_and_no_other(world: World) -> None:
    named = "SELECT current_setting('app.organization_id', true)"

    assert await _one(world, Viewer.system(2), named) == ("2",)
    assert await _one(world, Viewer.nobody(), named) == ("",)


async def test_reads_are_read_only_snapshots(world: World) -> None:
    shown = await _one(
        world,
        world.user.viewer,
        "SELECT current_setting('transaction_read_only'), current_setting('transaction_isolation'),"
        " current_setting('statement_timeout')",
    )

    assert shown == ("on", "repeatable read", "15s")


async def test_without_an_organization_no_row_is_there(world: World) -> None:
    await _towns(world)
    filled = await world.counts(audit=True)
    assert [name for name in GUARDED if not filled[name]] == []

    counts = {name: await _one(world, Viewer.nobody(), f"SELECT count(*) FROM {name}") for name in GUARDED}

    assert counts == dict.fromkeys(GUARDED, (0,))


async def test_every_table_of_a_tenant_is_guarded_even_from_its_owner(world: World) -> None:
    of_tables = """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    """
    policies = """
        SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies
        WHERE schemaname = current_schema() ORDER BY tablename, policyname
    """
    async with world.database.read_session(Viewer.nobody()) as session:
        guarded = dict((await session.execute(text(of_tables))).all())
        rows = (await session.execute(text(policies))).all()

    assert sorted(name for name, is_guarded in guarded.items() if is_guarded) == sorted(GUARDED)
    assert guarded.keys() - GUARDED == {
        *("alembic_version", "sign_in_attempts", "file_garbage", "outgoing_mails", "encryption_keys")
    }
    here = "(organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::bigint)"
    tenant = {row.tablename: tuple(row)[2:] for row in rows if row.policyname == "tenant"}
    assert {name: tenant[name] for name in TENANT_TABLES} == dict.fromkeys(
        TENANT_TABLES, ("PERMISSIVE", [APP_ROLE], "ALL", here, None)
    )
    for_the_app = {(row.tablename, row.policyname) for row in rows if APP_ROLE in row.roles}
    assert for_the_app == {
        *((name, "tenant") for name in (*TENANT_TABLES, "organizations", "api_tokens")),
        ("audit_events", "nobody"),
        *((name, "members") for name in ("organizations", "locations")),
        *((table_of(model).name, "shared") for model in TENANT_MODELS if issubclass(model, SharedRow)),
        *(("users", f"tenant_{verb}") for verb in ("select", "insert", "update", "delete")),
    }
    assert not [row for row in rows if "public" in row.roles]


async def test_with_the_session_s_filter_off_only_ones_own_rows_come_back(world: World) -> None:
    await _towns(world)

    for organization_id in (1, 2):
        viewer = Viewer.system(organization_id)
        for model in TENANT_MODELS:
            statement = select(model).execution_options(scoped=True)
            async with world.database.read_session(viewer) as session:
                found = {row.organization_id for row in await session.scalars(statement)}
            assert found == {organization_id}, model
            by_hand = await _all(world, viewer, f"SELECT DISTINCT organization_id FROM {table_of(model).name}")
            assert by_hand == [organization_id], model
        async with world.database.read_session(viewer) as session:
            organizations = await session.scalars(select(Organization.id).execution_options(scoped=True))
            users = await session.scalars(select(User.email).execution_options(scoped=True))
            assert list(organizations) == [organization_id]
            domain = "northfield" if organization_id == 1 else "harbor"
            assert {email.partition("@")[2] for email in users} == {f"{domain}.example"}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO labels (name, organization_id, created_at) VALUES ('Planted', 2, now())",
        "UPDATE labels SET organization_id = 2",
        "UPDATE clients SET organization_id = 2 WHERE full_name = 'HIDDEN Zoe'",
        "UPDATE memberships SET organization_id = 2, is_superuser = true",
        "INSERT INTO organizations (id, name, created_at) VALUES (3, 'Third', now())",
        "UPDATE organizations SET id = 3",
        "INSERT INTO api_tokens (user_id, token_hash, created_at) VALUES (5, 'planted', now())",
    ],
)
async def test_writing_into_another_organization_is_refused_by_the_database(world: World, sql: str) -> None:
    await _towns(world)
    before = await world.counts()

    with pytest.raises(
        DBAPIError, match=r"violates row-level security policy|violates foreign key constraint"
    ) as caught:
        async with world.database.writing(Viewer.system(1)) as tx:
            await tx.execute(text(sql))

    assert "row-level security" in str(caught.value) or "UPDATE organizations" in sql or "clients" in sql
    assert await world.counts() == before


async def test_rows_of_another_organization_are_neither_changed_nor_deleted(world: World) -> None:
    await _towns(world)
    before = await world.counts()
    names = "SELECT full_name FROM clients WHERE organization_id = 2"

    async with world.database.writing(Viewer.system(1)) as tx:
        assert (await tx.execute(text("UPDATE clients SET full_name = 'x' WHERE organization_id = 2"))).rowcount == 0
        assert (await tx.execute(text("DELETE FROM clients WHERE organization_id <> 1"))).rowcount == 0
        assert (await tx.execute(text("DELETE FROM users WHERE email LIKE '%harbor%'"))).rowcount == 0
        assert (await tx.execute(text("DELETE FROM api_tokens WHERE user_id IN (4, 5)"))).rowcount == 0
        assert (await tx.execute(text("DELETE FROM organizations WHERE id = 2"))).rowcount == 0

    assert await world.counts() == before
    assert await _all(world, Viewer.system(2), names) == ["HIDDEN Kay"]


async def test_a_row_cannot_hang_on_one_of_another_organization(world: World) -> None:
    await make_northfield(world)
    harbor = await make_harbor(world)

    with pytest.raises(IntegrityError, match="fk_client_owners_organization_id_client_id"):
        async with world.database.writing(Viewer.system(1)) as tx:
            await tx.execute(
                text("INSERT INTO client_owners (client_id, user_id, organization_id) VALUES (:client, 1, 1)"),
                {"client": harbor.kay.id},
            )


async def test_the_app_cannot_switch_its_guard_off(world: World) -> None:
    for sql in (
        "ALTER TABLE clients DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE clients NO FORCE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON clients TO PUBLIC USING (true)",
        "DROP POLICY tenant ON clients",
        "TRUNCATE clients CASCADE",
        "CREATE TABLE mine (id int)",
        "ALTER ROLE caregraph_app BYPASSRLS",
        "DELETE FROM alembic_version",
    ):
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied"):
            async with world.database.writing(Viewer.system(1)) as tx:
                await tx.execute(text(sql))


async def test_row_security_cannot_be_evaded_by_its_setting(world: World) -> None:
    """Switched off, statements fail instead of showing everything."""
    await _towns(world)

    async def evade() -> None:
        async with world.database.read_session(Viewer.system(1)) as session:
            await session.execute(text("SET LOCAL row_security = off"))
            await session.execute(text("SELECT full_name FROM clients"))

    with pytest.raises(DBAPIError, match=r"would be affected by row-level security"):
        await evade()


async def _left_behind(database: Database) -> tuple[str, str]:
    """Role and tenant of the pool's connection outside of any session."""
    async with database.engines[0].connect() as connection:
        found = await connection.execute(
            text("SELECT current_user, coalesce(current_setting('app.organization_id', true), '')")
        )
        return tuple(found.one())  # type: ignore[return-value]


async def test_the_next_user_of_a_connection_inherits_neither_role_nor_tenant(world: World, url: str) -> None:
    await _towns(world)
    database = Database(settings_for(url, pool_size=1))
    count = text("SELECT count(*) FROM clients")

    async def fail() -> None:
        async with database.writing(Viewer.system(1)) as tx:
            await tx.execute(count)
            raise LookupError

    async def break_off() -> None:
        async with database.writing(Viewer.system(1)) as tx:
            await tx.execute(text("SELECT 1 / 0"))

    async def sleep() -> None:
        async with database.writing(Viewer.system(1)) as tx:
            await tx.execute(text("SELECT pg_sleep(30)"))

    async def read() -> None:
        async with database.read_session(Viewer.system(1)) as session:
            await session.execute(count)

    async def cancel() -> None:
        task = asyncio.create_task(sleep())
        await asyncio.sleep(0.3)
        task.cancel()
        await task

    try:
        for work, raised in (
            (fail, LookupError),
            (break_off, DBAPIError),
            (cancel, asyncio.CancelledError),
            (read, None),
        ):
            if raised is None:
                await work()
            else:
                with pytest.raises(raised):
                    await work()
            assert await _left_behind(database) == (APP_ROLE, "")
            async with database.read_session(Viewer.nobody()) as session:
                assert await session.scalar(count) == 0
            async with database.read_session(Viewer.system(2)) as session:
                assert await session.scalar(count) == 1
    finally:
        await database.close()


async def test_the_functions_that_pass_the_rules_are_the_listed_ones(world: World) -> None:
    functions = """
        SELECT p.proname, p.proconfig IS NOT NULL, has_function_privilege('public', p.oid, 'EXECUTE'),
            has_function_privilege('caregraph_app', p.oid, 'EXECUTE'), p.prosrc
        FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace AND p.prosecdef
    """
    async with world.database.read_session(Viewer.nobody()) as session:
        rows = (await session.execute(text(functions))).all()

    assert {row[0] for row in rows} == FUNCTIONS
    assert {name for name in FUNCTIONS if name in (lookups.__doc__ or "")} == FUNCTIONS - {"caregraph_last_membership"}
    assert {(row[0], row[1], row[2]) for row in rows} == {(name, True, False) for name in FUNCTIONS}
    assert {row[0] for row in rows if row[3]} == LOOK_UPS


async def test_a_look_up_answers_for_the_one_secret_asked_for(world: World) -> None:
    await _towns(world)

    for sql in (
        "SELECT count(*) FROM caregraph_api_token('%', '%')",
        "SELECT count(*) FROM caregraph_api_token('ben@northfield.example', '')",
        "SELECT count(*) FROM caregraph_calculator('calc@northfield.example', '%')",
        "SELECT count(*) FROM caregraph_account('%@northfield.example')",
        "SELECT count(*) FROM caregraph_identified('%@northfield.example', now())",
        "SELECT count(*) FROM caregraph_identified('', now())",
        "SELECT count(*) FROM caregraph_application('%')",
        "SELECT count(*) FROM caregraph_bearer('%')",
        "SELECT count(*) FROM caregraph_session_token('%')",
        "SELECT count(*) FROM caregraph_invitation('%')",
        *(f"SELECT count(*) FROM caregraph_others('{kind}')" for kind in ("assessments", "items", "score_configs")),
    ):
        assert await _one(world, Viewer.nobody(), sql) == (0,)
    account = await _one(world, Viewer.nobody(), "SELECT * FROM caregraph_account('ben@northfield.example')")
    assert account == (world.user.row_id, "!", True, 1)
    secret = token_hash("cga_HIDDEN-program")
    token = await _one(world, Viewer.nobody(), f"SELECT * FROM caregraph_bearer('{secret}')")
    assert token == (1, 1, "all", True, "1", 1, "all")
    secret = token_hash("cgd_HIDDEN-program")
    session = await _one(world, Viewer.nobody(), f"SELECT * FROM caregraph_session_token('{secret}')")
    assert session == (1, 1)
