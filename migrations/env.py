"""Runs migrations on the connection that `caregraph.db.migrate` hands over."""

from functools import partial

from alembic import context

import caregraph.schema  # noqa: F401 importing the slices fills the metadata
from caregraph.db.base import Base
from caregraph.db.migrate import is_declared

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
    include_object=partial(is_declared, connection.dialect.name),
)
with context.begin_transaction():
    context.run_migrations()
