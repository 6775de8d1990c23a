"""Types of columns: series told as parallel lists, a field per list.

Whatever selects several of them at once, through aliases, fragments or `@include`, asks their loader once, for all of
them and for nothing else. graphql-core does not complete a `Column` value by value: what it holds is right by its
construction, and the encoder writes it.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from graphql import GraphQLResolveInfoHelpers
from sqlalchemy import ColumnElement, Select
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from caregraph.db.columns import Array, Columnar
from caregraph.db.scope import demand_read, scoped
from caregraph.db.session import Database

from .columns import Column
from .compiled.bounded import Bounded
from .compiled.statements import Statements
from .context import Context, Loader
from .fields import KitField, kit_field

MOST_STATEMENTS = 1000


class Table:
    """A source of a type of columns: whom to ask for them, and of what."""

    def __init__(self, loader: Loader, parent: Any = None) -> None:
        """`loader` answers pairs of `parent` and a column's name."""
        self.loader = loader
        self.parent = parent


def column(description: str, *, of: type[Any] | None = None) -> Any:
    """A column, or a number about them all. With `of`, credentials must be allowed to read rows of that model."""
    return kit_field(description, resolve=_resolve, key=of)


def _resolve(made: KitField, source: Table, info: Any) -> Any:
    if made.key is not None:
        demand_read(made.key, info.context.viewer)
    return info.context.load(source.loader, (source.parent, made.python_name))


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, but columns stay what they are, and what an operation made goes when it ends."""

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """Made when asked for: kept, they would hold the executor that holds them, until garbage is collected."""
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, made: GraphQLResolveInfoHelpers) -> None:
        """graphql-core sets them; they are let go."""

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, *more: Any
    ) -> Any:
        """A column as it is, any other list value by value."""
        if isinstance(result, Column):
            return result
        return super().complete_list_value(return_type, field_details_list, info, path, result, *more)


class ColumnReads:
    """Reads columns in an operation's snapshot; statements that come again are built once for each viewer."""

    def __init__(self, database: Database) -> None:
        """No statement yet."""
        self._statements = Statements(database)
        self._dialect = database.dialect
        self._known: Bounded[Columnar] = Bounded(MOST_STATEMENTS)

    def among(self, column: Any) -> ColumnElement[bool]:
        """`column` is one of the parameter `keys`, whose value `keys` makes."""
        return self._statements.among(column)

    def keys(self, keys: list[int]) -> Any:
        """The value of the parameter `keys`."""
        return self._statements.keys(keys)

    async def read(
        self, context: Context, key: Hashable, statement: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> list[Array]:
        """The columns of a statement that carries its visibility; `key` tells it from all others of the same viewer."""
        own = (key, context.viewer)
        known = self._known.get(own)
        if known is None:
            known = Columnar.of(statement(), self._dialect, *values)
            self._known.put(own, known)
        return known.arrays(await context.read(known.text, values))

    async def read_unscoped(self, context: Context, statement: Select[Any]) -> list[Array]:
        """The columns of a hand-written statement: the visibility of every table in it is added."""
        made = Columnar.of(scoped(statement, context.viewer), self._dialect)
        return made.arrays(await context.read(made.text, {}))
