"""Empties a database of PostgreSQL between tests and puts its first rows back, in a few milliseconds.

TRUNCATE makes new files for each table and index, written or not, which takes longer than most tests.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from caregraph.db.base import Base

WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"
SEQUENCES = """
    SELECT seqrelid::regclass::text AS name, pg_sequence_last_value(seqrelid) AS value
    FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""
RESTART = f"SELECT setval(name::regclass, 1, false) FROM ({SEQUENCES}) AS used"


class Emptied:
    """The tables of one database, through one connection of its superuser."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._fill = ""
        names = [table.name for table in Base.metadata.sorted_tables]
        # Whoever still writes for the test before is waited for.
        self._lock = f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE"
        self._look = "SELECT " + ", ".join(f"EXISTS (SELECT FROM {name}) AS {name}" for name in names)

    async def clear(self) -> None:
        """No rows, and ids from 1 on."""
        run = self._connection.exec_driver_sql
        for statement in ("BEGIN", self._lock, WITHOUT_TRIGGERS):
            await run(statement)
        written = await self._written()
        for name in written:
            await run(f"DELETE FROM {name}")
        await run(RESTART)
        await run("COMMIT")
        if written:  # else rows would come to lie in the gaps of earlier ones, in another order
            await run(f"VACUUM {', '.join(written)}")

    async def keep(self) -> None:
        """Remember the rows of now."""
        statements = []
        for name in await self._written():
            rows = await self._connection.scalar(text(f"SELECT json_agg(one)::text FROM {name} AS one"))
            quoted = rows.replace("'", "''")
            statements.append(
                f"INSERT INTO {name} OVERRIDING SYSTEM VALUE"
                f" SELECT * FROM json_populate_recordset(NULL::{name}, '{quoted}')"
            )
        for name, value in await self._connection.execute(text(SEQUENCES)):
            statements.append(f"SELECT setval('{name}', {value})")
        self._fill = "; ".join(["BEGIN", WITHOUT_TRIGGERS, *statements, "COMMIT"])

    async def fill(self) -> None:
        """Put the rows back into empty tables."""
        raw = await self._connection.get_raw_connection()
        await raw.driver_connection.execute(self._fill)

    async def _written(self) -> list[str]:
        found = (await self._connection.exec_driver_sql(self._look)).one()._asdict()
        return [name for name, is_written in found.items() if is_written]
