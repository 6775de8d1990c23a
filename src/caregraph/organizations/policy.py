"""Who sees which rows of organizations."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import UNSCOPED, ids, rule
from caregraph.graph.errors import RequestError

from . import models


def members(viewer: Viewer) -> ColumnElement[bool]:
    """Everyone who works in the organization."""
    return true() if viewer.may(Permission.CARE) else false()


@rule(models.Organization)
def organizations(viewer: Viewer) -> ColumnElement[bool]:
    """The organizations that one is a member of, whichever the request acts in."""
    if not (viewer.may(Permission.ACCOUNT) or viewer.may(Permission.CARE)):
        return false()
    return models.Organization.id.in_(viewer.organization_ids)


@rule(models.Location)
def locations(viewer: Viewer) -> ColumnElement[bool]:
    """The locations of one's organizations."""
    return true() if viewer.may(Permission.ACCOUNT) or viewer.may(Permission.CARE) else false()


rule(models.Membership, resource="users")(members)


@rule(models.GrantedPermission, resource="users")
def granted_permissions(viewer: Viewer) -> ColumnElement[bool]:
    """Managers see everyone's, others their own."""
    if viewer.may(Permission.MANAGE_ORGANIZATION):
        return true()
    return and_(members(viewer), models.GrantedPermission.user_id == viewer.user_id)


@rule(models.User)
def users(viewer: Viewer) -> ColumnElement[bool]:
    """The users of one's organization; which of their fields is decided field by field."""
    here = models.Membership.organization_id == viewer.organization_id
    return and_(members(viewer), models.User.id.in_(ids(models.Membership.user_id).where(here)))


@rule(models.ApiToken, resource="users")
def api_tokens(viewer: Viewer) -> ColumnElement[bool]:
    """One's own."""
    return and_(members(viewer), models.ApiToken.user_id == viewer.user_id)


@rule(models.Application, resource=UNSCOPED)
def applications(viewer: Viewer) -> ColumnElement[bool]:
    """Superusers see all, a program itself."""
    return _of_application(models.Application.id, viewer)


@rule(models.ApplicationGroup, resource=UNSCOPED)
def application_groups(viewer: Viewer) -> ColumnElement[bool]:
    """As the application."""
    return _of_application(models.ApplicationGroup.application_id, viewer)


@rule(models.AccessToken, resource=UNSCOPED)
def access_tokens(viewer: Viewer) -> ColumnElement[bool]:
    """Superusers see all, a token itself."""
    if viewer.may(Permission.MANAGE_APPLICATIONS):
        return true()
    return models.AccessToken.id == viewer.access_token_id if viewer.may(Permission.APPLICATION) else false()


@rule(models.ApiKey)
def api_keys(viewer: Viewer) -> ColumnElement[bool]:
    """Superusers see all, a program its own."""
    return _of_application(models.ApiKey.application_id, viewer)


@rule(models.SessionToken, resource=UNSCOPED)
def session_tokens(viewer: Viewer) -> ColumnElement[bool]:
    """Programs and superusers open and revoke them, respondents know theirs."""
    if viewer.may(Permission.APPLICATION) or viewer.may(Permission.MANAGE_APPLICATIONS):
        return true()
    if viewer.may(Permission.RESPOND):
        return models.SessionToken.deployment_session_id == viewer.deployment_session_id
    return false()


def _superusers(viewer: Viewer) -> ColumnElement[bool]:
    return true() if viewer.may(Permission.MANAGE_APPLICATIONS) else false()


rule(models.ApplicationSecret, resource=UNSCOPED)(_superusers)
rule(models.UsedAssertion, resource=UNSCOPED)(_superusers)


def _of_application(column: Any, viewer: Viewer) -> ColumnElement[bool]:
    if viewer.may(Permission.MANAGE_APPLICATIONS):
        return true()
    if viewer.may(Permission.APPLICATION) or viewer.may(Permission.APPLICATION_SECRET):
        return column == viewer.application_id  # type: ignore[no-any-return]
    return false()


def managers_only(viewer: Viewer) -> ColumnElement[bool]:
    """What only those who manage the organization see."""
    return true() if viewer.may(Permission.MANAGE_ORGANIZATION) else false()


rule(models.Invitation, resource=UNSCOPED)(managers_only)


@rule(models.FeatureFlag, resource="features")
def feature_flags(viewer: Viewer) -> ColumnElement[bool]:
    """Managers see all, others what is enabled for them."""
    return true() if viewer.may(Permission.MANAGE_ORGANIZATION) else enabled_for(viewer)


rule(models.FeatureUser, resource="features")(members)


def enabled_for(viewer: Viewer) -> ColumnElement[bool]:
    """The features that are enabled for `viewer`: for a program, those that are enabled for everyone."""
    if not (viewer.may(Permission.CARE) or viewer.may(Permission.RESPOND)):
        return false()
    named = ids(models.FeatureUser.feature_flag_id).where(models.FeatureUser.user_id == viewer.user_id)
    return or_(models.FeatureFlag.for_everyone, models.FeatureFlag.id.in_(named))


def is_self_or_superuser(viewer: Viewer, user: models.User) -> bool:
    """Who reads and changes what is personal to a user."""
    return viewer.may(Permission.MANAGE_USERS) or _is_self(viewer, user)


def works_with(viewer: Viewer, user: models.User) -> bool:
    """Who reads what is known of a user at work: those who list users, and the user."""
    return viewer.may(Permission.LIST_USERS) or _is_self(viewer, user)


def _is_self(viewer: Viewer, user: models.User) -> bool:
    return viewer.user_id is not None and viewer.user_id == user.id


def acts_in(viewer: Viewer, organization: models.Organization) -> None:
    """Refuse to list what belongs to another organization: nothing of it is seen, which would look like nothing."""
    if organization.id != viewer.organization_id:
        raise RequestError("BAD_USER_INPUT", "Send X-Organization to read what belongs to another organization")
