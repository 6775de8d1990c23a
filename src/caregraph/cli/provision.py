"""The first rows of a tenant, which nobody is signed in for: an organization and its accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from caregraph.auth.viewer import Viewer
from caregraph.db.constraints import violated
from caregraph.db.session import Database, Tx
from caregraph.organizations.founding import found, new_tenant
from caregraph.organizations.models import Membership, Organization, User


class ProvisionError(Exception):
    """An account cannot be made as asked; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who shall be able to sign in. The e-mail is stored case-folded."""

    email: str
    full_name: str
    password_hash: str
    is_superuser: bool


async def create_in_new_organization(database: Database, name: str, account: Account) -> tuple[int, int]:
    """Create an organization with its first account; the ids of the organization and the user."""
    with _refusals():
        async with new_tenant(database) as (tx, organization_id):
            await found(tx, organization_id, {"name": name})
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
        password_is_own=True,
        api_enabled=True,
    )
    tx.add(user)
    await tx.flush()
    tx.add(Membership(user_id=user.id, is_superuser=account.is_superuser))
    await tx.flush()
    return user.id
