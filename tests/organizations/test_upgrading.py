"""Users from before there were first and last names get them when the database is upgraded."""

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from caregraph.db import migrate
from caregraph.db.session import Database
from kit import settings_for

NAMES = {"Ada May King": ("Ada May", "King"), "Plato": ("Plato", None), " Ben  Borg ": ("Ben", "Borg"), "": ("", None)}
INSERT = text(
    "INSERT INTO users (email, full_name, password_hash, api_enabled, gdpr_approval, screen_lock_after_score,"
    " search_text, created_at, updated_at, gender) VALUES (:email, :full_name, '!', true, false, false, '',"
    " CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 0)"
)


async def test_names_of_users_who_are_there_are_split(url: str) -> None:
    database = Database(settings_for(url))
    before = ScriptDirectory.from_config(migrate._config()).get_revision("2026_11_25_orgs").down_revision
    owner = [] if database.is_sqlite else [text("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")]

    def older(connection: Connection) -> None:
        command.downgrade(migrate._config(connection), before)
        for statement in owner:
            connection.execute(statement)
        people = [{"email": f"{n}@x.example", "full_name": name} for n, name in enumerate(NAMES)]
        connection.execute(INSERT, people)

    def found(connection: Connection) -> dict[str, tuple[str | None, str | None]]:
        rows = connection.execute(text("SELECT full_name, first_name, last_name FROM users")).all()
        connection.execute(text("DELETE FROM users"))
        return {row.full_name: (row.first_name, row.last_name) for row in rows}

    try:
        await migrate._on_connection(database, older)
        await migrate.upgrade(database)
        assert await migrate.differences(database) == []
        assert await migrate._on_connection(database, found) == NAMES
    finally:
        await migrate.upgrade(database)
        await database.close()
