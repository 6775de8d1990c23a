"""Which users a list of them shows: the filters that the source systems have for coaches and workers."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, or_, true

from caregraph.db.scope import criterion, ids
from caregraph.graph.context import Context
from caregraph.graph.errors import bad_input
from caregraph.graph.fields import describe
from caregraph.graph.filters import LONGEST_LIST
from caregraph.graph.node import row_id_of
from caregraph.graph.scalars import EmailAddress, PhoneNumber
from caregraph.graph.search import contains
from caregraph.organizations.models import Membership, User
from caregraph.organizations.profiles import NO_PHONE, international
from caregraph.organizations.types import Role

from . import models


async def users_found(
    context: Context,
    *,
    search: Annotated[str | None, describe("Text in full name or e-mail, in any case.")] = None,
    email: Annotated[EmailAddress | None, describe("With this e-mail, in any case; together with `phone`: or.")] = None,
    phone: Annotated[
        PhoneNumber | None, describe("With this telephone number and its country code; together with `email`: or.")
    ] = None,
    group_ids: Annotated[
        list[strawberry.ID] | None, describe("In one of these groups, at most 100. Fitbit `filter[groups]`.")
    ] = None,
    role: Annotated[Role | None, describe("With this role.")] = None,
) -> ColumnElement[bool] | None:
    """`fit.users.list_agency`, `fitbit.coaches.list`, Welkin's find; all that is given must hold."""
    conditions = [contains(User, search), _reached_by(email, phone)]
    if group_ids is not None:
        if len(group_ids) > LONGEST_LIST:
            raise bad_input(f"groupIds takes at most {LONGEST_LIST} ids", "groupIds")
        wanted = [row_id for text in group_ids if (row_id := row_id_of("Group")(text)) is not None]
        here = criterion(models.UserGroup, context.viewer)
        conditions.append(User.id.in_(ids(models.UserGroup.user_id).where(here, models.UserGroup.group_id.in_(wanted))))
    if role is not None:
        here = Membership.organization_id == context.viewer.organization_id
        conditions.append(User.id.in_(ids(Membership.user_id).where(here, getattr(Membership, role.value))))
    return and_(true(), *(one for one in conditions if one is not None))


def _reached_by(email: str | None, phone: str | None) -> ColumnElement[bool] | None:
    either = []
    if email is not None:
        either.append(User.email == email.casefold())
    if phone is not None:
        number = international(phone)
        if number is None:
            raise bad_input(f"phone {NO_PHONE}", "phone")
        either.append(User.phone == number)
    return or_(*either) if either else None
