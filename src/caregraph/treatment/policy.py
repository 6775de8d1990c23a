"""Who sees which rows of treatment: what hangs on a client is seen as the client."""

from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import UNSCOPED, ids, rule
from caregraph.people.policy import of_seen_clients, sees_all_clients

from . import models


@rule(models.EpisodeClient, resource="episodes")
def episode_clients(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return of_seen_clients(models.EpisodeClient.client_id, viewer)


@rule(models.Episode)
def episodes(viewer: Viewer) -> ColumnElement[bool]:
    """Seen when one of its clients is."""
    if sees_all_clients(viewer):
        return true()
    return models.Episode.id.in_(_episode_ids(viewer))


@rule(models.EpisodeLabel, resource="episodes")
def episode_labels(viewer: Viewer) -> ColumnElement[bool]:
    """As the episode."""
    if sees_all_clients(viewer):
        return true()
    return models.EpisodeLabel.episode_id.in_(_episode_ids(viewer))


@rule(models.Session)
def sessions(viewer: Viewer) -> ColumnElement[bool]:
    """As the episode."""
    if sees_all_clients(viewer):
        return true()
    return models.Session.episode_id.in_(_episode_ids(viewer))


@rule(models.Rater)
def raters(viewer: Viewer) -> ColumnElement[bool]:
    """As the rated client: on a shared episode one does not see the raters of another's client."""
    return of_seen_clients(models.Rater.client_id, viewer)


@rule(models.Score)
def scores(viewer: Viewer) -> ColumnElement[bool]:
    """As the scored client."""
    return of_seen_clients(models.Score.client_id, viewer)


@rule(models.CalculatorPlan, resource=UNSCOPED)
def calculator_plans(viewer: Viewer) -> ColumnElement[bool]:
    """The plan whose credentials were sent; superusers see all."""
    if viewer.may(Permission.MANAGE_APPLICATIONS):
        return true()
    if not viewer.may(Permission.CALCULATE):
        return false()
    return models.CalculatorPlan.id == viewer.calculator_plan_id


def _episode_ids(viewer: Viewer) -> ColumnElement[int]:
    here = models.EpisodeClient.organization_id == viewer.organization_id
    return ids(models.EpisodeClient.episode_id).where(and_(here, episode_clients(viewer)))  # type: ignore[return-value]
