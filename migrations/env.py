"""Runs migrations on the connection that `caregraph.db.migrate` hands over."""

from alembic import context

import caregraph.schema  # noqa: F401 importing the slices fills the metadata
from caregraph.db.base import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
    # Trigram indexes exist where the extension does; no model declares them.
    include_object=lambda _object, name, _kind, _reflected, _compared: not (name or "").startswith("trgm_"),
)
with context.begin_transaction():
    context.run_migrations()
