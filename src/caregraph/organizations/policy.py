"""Who sees which rows of organizations."""

from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import ids, rule

from . import models


def members(viewer: Viewer) -> ColumnElement[bool]:
    """Everyone who works in the organization."""
    return true() if viewer.may(Permission.CARE) else false()


@rule(models.Organization)
def organizations(viewer: Viewer) -> ColumnElement[bool]:
    """Superusers see their own organization (`fit.agencies.get_mine`)."""
    if not viewer.may(Permission.ORGANIZATION):
        return false()
    return models.Organization.id == viewer.organization_id


rule(models.Membership)(members)


@rule(models.User)
def users(viewer: Viewer) -> ColumnElement[bool]:
    """The users of one's organization; which of their fields is decided field by field."""
    here = models.Membership.organization_id == viewer.organization_id
    return and_(members(viewer), models.User.id.in_(ids(models.Membership.user_id).where(here)))


@rule(models.ApiToken)
def api_tokens(viewer: Viewer) -> ColumnElement[bool]:
    """Tokens of the users one sees."""
    return models.ApiToken.user_id.in_(ids(models.User.id).where(users(viewer)))


def is_self_or_superuser(viewer: Viewer, user: models.User) -> bool:
    """Who reads and changes what is personal to a user."""
    return viewer.may(Permission.MANAGE_USERS) or (viewer.user_id is not None and viewer.user_id == user.id)
