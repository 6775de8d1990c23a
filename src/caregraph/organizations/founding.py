"""New organizations: tenants of their own, made from outside of them, with a headquarters and whoever made them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from caregraph.auth.tokens import AUTHENTICATION_FAILED
from caregraph.auth.viewer import GRANTABLE, Identity, Viewer
from caregraph.db import lookups
from caregraph.db.audit import Actor
from caregraph.db.base import table_of
from caregraph.db.constraints import violated
from caregraph.db.session import Database, Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import FORBIDDEN, Code, Refused, RequestError
from caregraph.graph.fields import describe
from caregraph.graph.inputs import given

from . import models
from .enums import Vertical
from .inputs import OrganizationInput
from .places import as_columns

NOT_YOUR_PASSWORD = "Set a password of your own first: somebody else has set the one you have"  # noqa: S105
NO_PASSWORD = "!"  # noqa: S105 no hash: nothing matches it
_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")


async def create_organization(
    context: Context,
    viewer: Viewer,
    input: OrganizationInput,  # noqa: A002
) -> models.Organization:
    """Create an organization with a headquarters of the same name and address (`gloo.organizations.create`).

    You become its superuser with every permission that can be granted, and act in it by `X-Organization`, which you
    have to send from now on if you work elsewhere too. A person without an account gets one where `OPEN_REGISTRATION`
    allows it.
    """
    return await _create(context, viewer, as_columns(given(input)), field="createOrganization")


async def create_organization_for_user(
    context: Context,
    viewer: Viewer,
    vertical: Annotated[Vertical, describe("The sector you work in.")] = Vertical.FAITH,
) -> models.Organization:
    """Create your own individual organization, named after you (`gloo.organizations.create_for_user`).

    There is one for a person, with one headquarters; no location can be added to it. Otherwise as
    `createOrganization`.
    """
    return await _create(context, viewer, {"vertical": vertical}, field="createOrganizationForUser")


async def _create(context: Context, viewer: Viewer, values: Mapping[str, Any], *, field: str) -> models.Organization:
    """An organization with its creator in it; one without a name is made for the creator alone and named so."""
    if viewer.user_id is None and not context.settings.open_registration:
        raise RequestError("FORBIDDEN", FORBIDDEN)
    async with new_tenant(context.database) as (tx, organization_id), context.within_time():
        user_id, full_name = await _creator(tx, context, viewer)
        told = {"organization_id": organization_id, "user_id": user_id, "actor": Actor.USER}
        tx.info["origin"] = context.origin(field, about="Organization", **told)
        if "name" not in values:
            values = {**values, "name": full_name, "individual_creator_id": user_id}
        organization = await found(tx, organization_id, values)
        tx.add(models.Membership(user_id=user_id, is_superuser=True))
        await tx.flush()
        tx.add_all(models.GrantedPermission(user_id=user_id, key=key) for key in GRANTABLE)
    context.viewer = context.viewer.joining(organization_id, user_id=user_id)
    return organization


async def _creator(tx: Tx, context: Context, viewer: Viewer) -> tuple[int, str]:
    """Id and full name of whoever asks, with a new account if there is none."""
    if viewer.user_id is not None:
        person = await joining(tx, context, viewer.user_id)
        return viewer.user_id, person.full_name
    if viewer.identity is None:
        raise RequestError("FORBIDDEN", FORBIDDEN)
    user = await account_for(tx, viewer.identity)
    return user.id, user.full_name


async def joining(tx: Tx, context: Context, user_id: int) -> lookups.Person:
    """The person who asks to work in one more organization.

    Refused with a password that a superuser has set: whoever knows it would get in there too.
    """
    person = await lookups.person(tx.execute, context.database, user_id)
    if person is None:
        raise RequestError("UNAUTHENTICATED", AUTHENTICATION_FAILED)
    if not person.has_own_password:
        raise Refused(Code.CONFLICT, NOT_YOUR_PASSWORD)
    return person


async def account_for(tx: Tx, identity: Identity) -> models.User:
    """A new account for a person whom an identity provider vouches for; a membership must follow in `tx`.

    It has no password: the person goes on signing in where they did.
    """
    user = models.User(
        email=identity.email.casefold(),
        full_name=identity.full_name or identity.email.partition("@")[0],
        password_hash=NO_PASSWORD,
        api_enabled=True,
    )
    tx.add(user)
    try:
        await tx.flush()
    except IntegrityError as error:  # no argument of the caller's is at fault
        violation = violated(error)
        raise (error if violation is None else Refused(Code.CONFLICT, violation.message)) from error
    return user


@asynccontextmanager
async def new_tenant(database: Database) -> AsyncIterator[tuple[Tx, int]]:
    """One transaction inside an organization that is to be, and the id it will have.

    On PostgreSQL a transaction names its tenant when it begins, so the id is taken from the sequence in another one
    before. SQLite has no sequence; there a number is free as long as the transaction that found it is the only writer.
    """
    async with database.writing(Viewer.nobody()) as tx:
        [organization_id] = await next_ids(tx, models.Organization, 1)
        if database.is_sqlite:
            tx.info["viewer"] = Viewer.system(organization_id)
            yield tx, organization_id
            return
    async with database.writing(Viewer.system(organization_id)) as tx:
        yield tx, organization_id


async def found(tx: Tx, organization_id: int, values: Mapping[str, Any]) -> models.Organization:
    """The organization that `tx` was begun for, and its headquarters of the same name and address."""
    organization = models.Organization(id=organization_id, **values)
    tx.add(organization)
    await tx.flush()
    address = {column: getattr(organization, column) for column in models.ADDRESS}
    tx.add(models.Location(name=organization.name, is_headquarters=True, **address))
    await tx.flush()
    return organization


async def next_ids(tx: Tx, model: type[Any], count: int) -> list[int]:
    """Ids for `count` new rows. On SQLite they are free as long as the caller's transaction is the only writer."""
    if tx.get_bind().dialect.name == "postgresql":
        return list(await tx.scalars(_NEXT_IDS, {"name": table_of(model).name, "count": count}))
    # scope: numbers are shared by all tenants
    highest = await tx.scalar(select(func.max(model.id)).execution_options(scoped=True)) or 0
    return list(range(highest + 1, highest + 1 + count))
