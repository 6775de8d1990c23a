"""The first rows of a tenant, which nobody is signed in for: an organization and its accounts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from caregraph.auth.viewer import Viewer
from caregraph.db.base import table_of
from caregraph.db.constraints import violated
from caregraph.db.session import Database, Tx
from caregraph.organizations.models import Membership, Organization, User

_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")


class ProvisionError(Exception):
    """An account cannot be made as asked; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who shall be able to sign in. The e-mail is stored case-folded."""

    email: str
    full_name: str
    password_hash: str
    is_superuser: bool


@asynccontextmanager
async def new_organization(database: Database, name: str) -> AsyncIterator[tuple[Tx, int]]:
    """One transaction inside an organization that exists only if the block ends well, and the organization's id.

    A transaction names its tenant when it begins, so the id is fetched in another one before.
    """
    async with database.writing(Viewer.nobody()) as tx:
        [organization_id] = await next_ids(tx, Organization, 1)
    async with database.writing(Viewer.system(organization_id)) as tx:
        tx.add(Organization(id=organization_id, name=name))
        await tx.flush()
        yield tx, organization_id


async def next_ids(tx: Tx, model: type[Any], count: int) -> list[int]:
    """Ids for `count` new rows. On SQLite they are free as long as the caller's transaction is the only writer."""
    if tx.get_bind().dialect.name == "postgresql":
        return list(await tx.scalars(_NEXT_IDS, {"name": table_of(model).name, "count": count}))
    # scope: numbers are shared by all tenants
    highest = await tx.scalar(select(func.max(model.id)).execution_options(scoped=True)) or 0
    return list(range(highest + 1, highest + 1 + count))


async def create_in_new_organization(database: Database, name: str, account: Account) -> tuple[int, int]:
    """Create an organization with its first account; the ids of the organization and the user."""
    with _refusals():
        async with new_organization(database, name) as (tx, organization_id):
            return organization_id, await _create_user(tx, account)


async def create_in_organization(database: Database, organization_id: int, account: Account) -> int:
    """Create an account in an organization that is there; the user's id."""
    with _refusals():
        async with database.writing(Viewer.system(organization_id)) as tx:
            if await tx.get(Organization, organization_id) is None:
                raise ProvisionError(f"There is no organization {organization_id}")
            return await _create_user(tx, account)


@contextmanager
def _refusals() -> Iterator[None]:
    """What a constraint refuses, in its own words."""
    try:
        yield
    except IntegrityError as error:
        violation = violated(error)
        if violation is None:
            raise
        raise ProvisionError(violation.message) from error


async def _create_user(tx: Tx, account: Account) -> int:
    user = User(
        email=account.email.casefold(),
        full_name=account.full_name,
        password_hash=account.password_hash,
        api_enabled=True,
    )
    tx.add(user)
    await tx.flush()
    tx.add(Membership(user_id=user.id, is_superuser=account.is_superuser))
    await tx.flush()
    return user.id
