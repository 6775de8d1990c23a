"""The signed-in person across all their organizations: the one answer that is not about the one acted in."""

from dataclasses import dataclass
from typing import Any

import strawberry

from caregraph.auth.tokens import AUTHENTICATION_FAILED
from caregraph.auth.viewer import GRANTABLE
from caregraph.db import lookups
from caregraph.db.scope import visible
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.errors import RequestError
from caregraph.graph.fields import field
from caregraph.graph.node import global_id
from caregraph.graph.relations import LONGEST_PLAIN_LIST
from caregraph.graph.scalars import EmailAddress
from caregraph.refs import LocationRef, OrganizationRef

from . import models
from .enums import PermissionKey


async def _organizations(context: Context, _person: Any) -> list[models.Organization]:
    return await _all(context, models.Organization, models.Organization.name)


async def _locations(context: Context, _person: Any) -> list[models.Location]:
    return await _all(context, models.Location, models.Location.name)


async def _all(context: Context, model: type[Any], order: Any) -> list[Any]:
    """Every row that the viewer sees, of a model of which nobody sees many."""
    statement = visible(model, context.viewer).order_by(order, model.id).limit(LONGEST_PLAIN_LIST + 1)
    rows = list((await context.run(statement)).scalars())
    if len(rows) > LONGEST_PLAIN_LIST:
        raise RequestError("LIMIT_EXCEEDED", f"There are more than {LONGEST_PLAIN_LIST} rows: list them page by page")
    context.spend(len(rows))
    context.saw_rows(model, rows)
    return rows


@strawberry.type(description="A permission held in an organization.")
class HeldPermission:
    """Gloo's pair."""

    key: PermissionKey = field("What may be done.")
    organization_id: strawberry.ID = field("Id of the organization where.")


@strawberry.type(description="The signed-in person, in all organizations where they are enabled.")
class CurrentUser:
    """`gloo.users.get_current`."""

    uid: str = field("What the identity provider calls the person; the id of the user where none was used.")
    user_id: strawberry.ID = field("Id of the user, for `user(id:)` in an organization.")
    email: EmailAddress = field("E-mail to sign in with.")
    first_name: str | None = field("First name.")
    last_name: str | None = field("Last name; null if there is only one.")
    organizations: list[OrganizationRef] = computed(
        _organizations, "The organizations where the person works, by name.", size=3
    )
    locations: list[LocationRef] = computed(_locations, "Their locations, by name.", size=10)
    permissions: list[HeldPermission] = field(
        "What the person may do where, by organization and key; a superuser holds every key.", size=10
    )


@dataclass(frozen=True)
class _Source:
    """What a `CurrentUser` is answered from."""

    uid: str
    user_id: str
    email: str
    first_name: str | None
    last_name: str | None
    permissions: list[HeldPermission]


async def current_user(context: Context, _root: Any) -> Any:
    """The signed-in person, whichever organization the request acts in (`gloo.users.get_current`)."""
    viewer = context.viewer
    person = None
    if viewer.user_id is not None:
        person = await lookups.person(context.run, context.database, viewer.user_id)
    if viewer.user_id is None or person is None:
        raise RequestError("UNAUTHENTICATED", AUTHENTICATION_FAILED)
    user_id = global_id("User", viewer.user_id)
    return _Source(
        uid=viewer.identity.subject if viewer.identity is not None else user_id,
        user_id=user_id,
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        permissions=[
            HeldPermission(
                key=PermissionKey[key], organization_id=strawberry.ID(global_id("Organization", one.organization_id))
            )
            for one in sorted(person.memberships, key=lambda one: one.organization_id)
            for key in sorted(GRANTABLE)
            if one.is_superuser or key in one.granted
        ],
    )
