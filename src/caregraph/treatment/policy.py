"""Who sees which rows of treatment: what hangs on a client is seen as the client."""

from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import ids, rule
from caregraph.people.models import Client
from caregraph.people.policy import clients

from . import models


def _own_client(model: type[models.Rater | models.Score | models.EpisodeClient], viewer: Viewer) -> ColumnElement[bool]:
    if viewer.may(Permission.ORGANIZATION):
        return true()
    here = Client.organization_id == viewer.organization_id
    return model.client_id.in_(ids(Client.id).where(here, clients(viewer)))


@rule(models.EpisodeClient)
def episode_clients(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return _own_client(models.EpisodeClient, viewer)


@rule(models.Episode)
def episodes(viewer: Viewer) -> ColumnElement[bool]:
    """Seen when one of its clients is."""
    if viewer.may(Permission.ORGANIZATION):
        return true()
    return models.Episode.id.in_(_episode_ids(viewer))


@rule(models.EpisodeLabel)
def episode_labels(viewer: Viewer) -> ColumnElement[bool]:
    """As the episode."""
    if viewer.may(Permission.ORGANIZATION):
        return true()
    return models.EpisodeLabel.episode_id.in_(_episode_ids(viewer))


@rule(models.Session)
def sessions(viewer: Viewer) -> ColumnElement[bool]:
    """As the episode."""
    if viewer.may(Permission.ORGANIZATION):
        return true()
    return models.Session.episode_id.in_(_episode_ids(viewer))


@rule(models.Rater)
def raters(viewer: Viewer) -> ColumnElement[bool]:
    """As the rated client: on a shared episode one does not see the raters of another's client."""
    return _own_client(models.Rater, viewer)


@rule(models.Score)
def scores(viewer: Viewer) -> ColumnElement[bool]:
    """As the scored client."""
    return _own_client(models.Score, viewer)


@rule(models.CalculatorPlan)
def calculator_plans(viewer: Viewer) -> ColumnElement[bool]:
    """The plan whose credentials were sent."""
    if not viewer.may(Permission.CALCULATE):
        return false()
    return models.CalculatorPlan.id == viewer.calculator_plan_id


def _episode_ids(viewer: Viewer) -> ColumnElement[int]:
    here = models.EpisodeClient.organization_id == viewer.organization_id
    return ids(models.EpisodeClient.episode_id).where(and_(here, episode_clients(viewer)))  # type: ignore[return-value]
