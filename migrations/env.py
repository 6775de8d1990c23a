"""Runs migrations on the connection that `caregraph.db.migrate` hands over."""

from typing import Any

from alembic import context

import caregraph.schema  # noqa: F401 importing the slices fills the metadata
from caregraph.db.base import Base



def compared(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Whether models and database should agree on something."""
    if (name or "").startswith("trgm_"):  # trigram indexes exist where the extension does; no model declares them
        return False
    # SQLite does not tell ON DELETE of a key that came with an added column.
    added = kind == "foreign_key_constraint" and item.column_keys == ["individual_creator_id"]
    return not (added and connection.dialect.name == "sqlite")


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
    include_object=compared,
)
with context.begin_transaction():
    context.run_migrations()
