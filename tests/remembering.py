"""What each application would find out anew is found out once a process: the SQL of a statement, that a document is valid.

Most applications of the tests live for two or three requests, so a third of their time went into this. Neither depends
on anything but the statement or the document, the kind of database, and the schema. What is wrong is found anew.
"""

from collections.abc import Hashable
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, validate
from sqlalchemy import Dialect
from sqlalchemy.util import LRUCache

from caregraph.db.base import Base
from caregraph.db.encryption import keyring_of
from caregraph.db.session import Database
from caregraph.graph import execution

MOST = 4_000


def _kind(dialect: Dialect) -> Hashable:
    """What statements are compiled for: each engine has a dialect of its own, with its keys of encryption in it."""
    return dialect if keyring_of(dialect).keys else dialect.name


class Statements(LRUCache[Any, Any]):
    """Compiled statements, for all engines."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((_kind(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((_kind(key[0]), *key[1:]), value)


STATEMENTS = Statements(MOST)
VALID: LRUCache[Hashable, bool] = LRUCache(MOST)


def share_statements(database: Database) -> None:
    """Let the engines of a database know what those of others have compiled."""
    for engine in {database._reader, database._writer, getattr(database, "_autocommit", database._writer)}:
        engine.sync_engine.update_execution_options(compiled_cache=STATEMENTS)


def share_everywhere() -> None:
    """Let engines know which documents others have found valid, and sessions which writes others have compiled."""
    execution.validate = _validate
    for mapper in Base.registry.mappers:
        vars(mapper)["_compiled_cache"] = STATEMENTS


def _validate(schema: GraphQLSchema, document: DocumentNode, **options: bool) -> list[GraphQLError]:
    assert document.loc is not None
    key = schema, document.loc.source.body, *sorted(options.items())
    errors = [] if key in VALID else validate(schema, document, **options)  # type: ignore[arg-type]
    if not errors:
        VALID[key] = True
    return errors
