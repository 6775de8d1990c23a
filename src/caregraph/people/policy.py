"""Who sees which clients."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import ids, rule
from caregraph.organizations.policy import members

from . import models


@rule(models.Client)
def clients(viewer: Viewer) -> ColumnElement[bool]:
    """Superusers and applications see all of the organization, tokens of groups those in them, users their own."""
    if not viewer.may(Permission.CARE):
        return false()
    if viewer.group_ids is not None:
        return models.Client.id.in_(in_groups(viewer.organization_id, viewer.group_ids))
    if viewer.may(Permission.ORGANIZATION):
        return true()
    return models.Client.id.in_(owned_by(viewer.organization_id, viewer.user_id))


def owned_by(organization_id: int | None, user_id: int | None) -> ColumnElement[int]:
    """Ids of the clients whom a user owns, as a sub-select."""
    return ids(models.ClientOwner.client_id).where(  # type: ignore[return-value]
        models.ClientOwner.organization_id == organization_id, models.ClientOwner.user_id == user_id
    )


def in_groups(organization_id: int | None, group_ids: tuple[int, ...]) -> ColumnElement[int]:
    """Ids of the clients in any of some groups, as a sub-select."""
    return ids(models.ClientGroup.client_id).where(  # type: ignore[return-value]
        models.ClientGroup.organization_id == organization_id, models.ClientGroup.group_id.in_(group_ids)
    )


def of_seen_clients(column: ColumnElement[int] | Any, viewer: Viewer) -> ColumnElement[bool]:
    """The rule of what hangs on one client, by the column with its id: seen as the client."""
    if sees_all_clients(viewer):
        return true()
    here = models.Client.organization_id == viewer.organization_id
    return column.in_(ids(models.Client.id).where(here, clients(viewer)))


def sees_all_clients(viewer: Viewer) -> bool:
    """Whether no client of the organization is hidden from the viewer."""
    return viewer.may(Permission.ORGANIZATION) and viewer.group_ids is None


@rule(models.File)
def files(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return of_seen_clients(models.File.client_id, viewer)


@rule(models.Consent)
def consents(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return of_seen_clients(models.Consent.client_id, viewer)


rule(models.Label)(members)
rule(models.ClientOwner, resource="clients")(members)


@rule(models.ClientLabel, resource="clients")
def client_labels(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return of_seen_clients(models.ClientLabel.client_id, viewer)


@rule(models.Group)
def groups(viewer: Viewer) -> ColumnElement[bool]:
    """Everyone sees the organization's groups; credentials of groups only theirs."""
    if viewer.group_ids is not None:
        return models.Group.id.in_(viewer.group_ids)
    return members(viewer)


@rule(models.ClientGroup, resource="clients")
def client_groups(viewer: Viewer) -> ColumnElement[bool]:
    """As the client and the group."""
    seen = of_seen_clients(models.ClientGroup.client_id, viewer)
    return seen if viewer.group_ids is None else and_(seen, models.ClientGroup.group_id.in_(viewer.group_ids))


@rule(models.UserGroup, resource="groups")
def user_groups(viewer: Viewer) -> ColumnElement[bool]:
    """As the group."""
    if viewer.group_ids is not None:
        return models.UserGroup.group_id.in_(viewer.group_ids)
    return members(viewer)
