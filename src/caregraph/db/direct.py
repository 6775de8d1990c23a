"""Reads on the driver's own connection, below SQLAlchemy's execution: for hot reads whose statement is known.

SQLAlchemy builds and compiles a statement once into a `Text`; after that a read costs little more than the driver.
The connection is the session's, inside its transaction, so tenant and snapshot are the session's too, and whoever
listens to the engine's statements (counters, the timer of SQLite) hears of these as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.ext.asyncio import AsyncSession

from .watch import heard

Process = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Text:
    """A statement as the driver takes it."""

    sql: str
    parameters: tuple[tuple[str, Process | None], ...]
    """Names in the driver's order, each with what makes its value one of the driver's."""
    known: Mapping[str, Any]
    """The driver's values of parameters that were given when the statement was built."""

    @classmethod
    def of(cls, statement: Select[Any], dialect: Dialect, *open_parameters: str) -> "Text":
        """Compile `statement`; values of `open_parameters` are given with each read."""
        compiled: Any = statement.compile(dialect=dialect)
        state = compiled.construct_expanded_state(dict.fromkeys(open_parameters))
        kinds = {name: bind.type for name, bind in compiled.binds.items()}
        process = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in kinds.items()}
        process |= {
            name: process[origin] for origin, names in state.parameter_expansion.items() for name in names
        }
        names = tuple(state.positiontup or ())
        known = {
            name: process[name](value) if process[name] is not None else value
            for name, value in state.parameters.items()
            if name in names and name not in open_parameters
        }
        return cls(state.statement, tuple((name, process[name]) for name in names), known)

    async def rows(self, session: AsyncSession, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows in the transaction of `session`, as the driver gives them."""
        known = self.known
        given = [
            known[name] if name in known else values[name] if process is None else process(values[name])
            for name, process in self.parameters
        ]
        connection = await session.connection()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        with heard(connection.sync_connection, self.sql, given):
            if connection.dialect.name == "postgresql":
                return await driver.fetch(self.sql, *given)  # type: ignore[no-any-return]
            return await driver.execute_fetchall(self.sql, given)  # type: ignore[no-any-return]
