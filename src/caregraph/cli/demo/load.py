"""Datasets into a database, in bulk: positions become ids, one transaction an organization."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import insert

from caregraph.db.base import Sealed, Searchable, TenantRow, derived
from caregraph.db.encryption import Keyring
from caregraph.db.session import Database
from caregraph.organizations.founding import found, new_tenant, next_ids
from caregraph.organizations.models import User
from caregraph.people.models import Client, Label
from caregraph.treatment.models import Episode, Rater, Session

from .dataset import Dataset, Row

_CHUNK = 5_000
_REFERENCES: dict[str, type[Any]] = {
    "user_id": User,
    "label_id": Label,
    "client_id": Client,
    "episode_id": Episode,
    "session_id": Session,
    "rater_id": Rater,
}
_Ids: TypeAlias = Mapping[type[Any], Sequence[int]]


async def load(database: Database, dataset: Dataset, on_rows: Callable[[int], object]) -> int:
    """Create the dataset's organization with all its rows; its id. `on_rows` hears how many rows went in."""
    async with new_tenant(database) as (tx, organization_id):
        await found(tx, organization_id, {"name": dataset.name})
        ids = {model: await next_ids(tx, model, len(dataset.rows[model])) for model in _REFERENCES.values()}
        for model, rows in dataset.rows.items():
            numbered = _numbered(model, rows, ids, (organization_id, database.keyring))
            for start in range(0, len(rows), _CHUNK):
                chunk = numbered[start : start + _CHUNK]
                # Without nulls in the statement, every pattern of nulls would be a statement of its own.
                await tx.execute(insert(model).execution_options(render_nulls=True), chunk)
                on_rows(len(chunk))
    return organization_id


async def analyze(database: Database) -> None:
    """Tell the planner what a load brought: without it, SQLite reads the whole tenant for a few rows."""
    async with database.engines[-1].begin() as connection:
        if not database.is_sqlite:
            await connection.exec_driver_sql("SET LOCAL ROLE NONE")  # the owner of the tables
        await connection.exec_driver_sql("ANALYZE")


def _numbered(model: type[Any], rows: Sequence[Row], ids: _Ids, home: tuple[int, Keyring]) -> list[Row]:
    """The rows with ids for positions. Bulk inserts pass by what the session sets: tenant and derived columns."""
    organization_id, keyring = home
    tenant = {"organization_id": organization_id} if issubclass(model, TenantRow) else {}
    own: Sequence[Row] = [{"id": one} for one in ids[model]] if model in ids else [{}] * len(rows)
    numbered = [
        {column: _resolved(column, value, ids) for column, value in row.items()} | key | tenant
        for row, key in zip(rows, own, strict=True)
    ]
    if issubclass(model, Searchable | Sealed):
        for row in numbered:
            row.update(derived(model, row, keyring))
    return numbered


def _resolved(column: str, value: Any, ids: _Ids) -> Any:
    return ids[_REFERENCES[column]][value] if column in _REFERENCES and value is not None else value
