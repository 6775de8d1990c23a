"""Who sees which clients."""

from sqlalchemy import ColumnElement, false, true

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import ids, rule
from caregraph.organizations.policy import members

from . import models


@rule(models.Client)
def clients(viewer: Viewer) -> ColumnElement[bool]:
    """Superusers see all clients of the organization, others those they own."""
    if viewer.may(Permission.ORGANIZATION):
        return true()
    if not viewer.may(Permission.CARE):
        return false()
    return models.Client.id.in_(owned_by(viewer.organization_id, viewer.user_id))


def owned_by(organization_id: int | None, user_id: int | None) -> ColumnElement[int]:
    """Ids of the clients whom a user owns, as a sub-select."""
    return ids(models.ClientOwner.client_id).where(  # type: ignore[return-value]
        models.ClientOwner.organization_id == organization_id, models.ClientOwner.user_id == user_id
    )


@rule(models.File)
def files(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    if viewer.may(Permission.ORGANIZATION):
        return true()
    return models.File.client_id.in_(ids(models.Client.id).where(clients(viewer)))


@rule(models.Consent)
def consents(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    if viewer.may(Permission.ORGANIZATION):
        return true()
    return models.Consent.client_id.in_(ids(models.Client.id).where(clients(viewer)))


rule(models.Label)(members)
rule(models.ClientOwner)(members)


@rule(models.ClientLabel)
def client_labels(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return models.ClientLabel.client_id.in_(ids(models.Client.id).where(clients(viewer)))
