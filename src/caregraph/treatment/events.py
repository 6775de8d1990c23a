"""Subscriptions of treatment: scores, what asks for attention about them, and episodes, as they change."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, or_, select

from caregraph.auth.viewer import Permission
from caregraph.db.events import Event
from caregraph.db.scope import criterion, demand_read, ids
from caregraph.graph.context import Context
from caregraph.graph.errors import bad_input
from caregraph.graph.feeds import ChangeKind, Watch
from caregraph.graph.fields import describe, field
from caregraph.graph.loaders import RowById
from caregraph.graph.node import global_id, parse_id
from caregraph.people.lists import ListScope, owned_clients
from caregraph.people.models import Client
from caregraph.refs import EpisodeRef, ScoreRef

from . import charts, models
from .enums import Alert

_SCORES = frozenset({"OrsScore", "SrsScore"})

Scope = Annotated[ListScope, describe("Whose clients; all that you may see by default.")]
UserId = Annotated[strawberry.ID | None, describe("With `OWNED`: this user's clients; yours by default.")]
ClientId = Annotated[strawberry.ID | None, describe("Only this client.")]
Payload = Callable[["_Narrowed", Context, Event], Awaitable[Any]]


@strawberry.type(description="A score was recorded, changed or deleted.")
class ScoreEvent:
    """What `sessionScored` tells."""

    change: ChangeKind = field("What happened.")
    score_id: strawberry.ID = field("Id of the score.")
    score: ScoreRef | None = field("The score as it is now; null when it was deleted.")


@strawberry.type(description="A score that was recorded or changed asks for attention.")
class AlertEvent:
    """What `clientAlert` tells."""

    alerts: list[Alert] = field("What asks for attention, at least one.")
    score: ScoreRef = field("The score; `client`, `session` and `episode` hang on it.")


@strawberry.type(description="An episode, or what is on it, changed.")
class EpisodeEvent:
    """What `episodeChanged` tells."""

    change: ChangeKind = field("What happened.")
    episode_id: strawberry.ID = field("Id of the episode.")
    episode: EpisodeRef | None = field("The episode as it is now; null when it was deleted.")


async def session_scored(
    context: Context, *, scope: Scope = ListScope.VISIBLE, user_id: UserId = None, client_id: ClientId = None
) -> Watch:
    """Scores as they are recorded, changed and deleted, each after its commit.

    Scores that go with a deleted session, rater or episode are not told one by one: `episodeChanged` tells of that.
    """
    demand_read(models.Score, context.viewer)
    return _Narrowed.of(context, scope, user_id, client_id).watch(_SCORES, _score)


async def client_alert(
    context: Context, *, scope: Scope = ListScope.VISIBLE, user_id: UserId = None, client_id: ClientId = None
) -> Watch:
    """Alerts of scores, as they are recorded or changed: off track, below the cut-off, dropped.

    Told of the score itself; a score put in before others may change what is said about those.
    """
    demand_read(models.Score, context.viewer)
    return _Narrowed.of(context, scope, user_id, client_id).watch(_SCORES, _alert)


async def episode_changed(
    context: Context, *, scope: Scope = ListScope.VISIBLE, user_id: UserId = None, client_id: ClientId = None
) -> Watch:
    """Episodes as they come, change and go; a change of their clients, labels, raters or sessions is one of theirs.

    A deletion is told to superusers and to those who see a client that was on the episode.
    """
    demand_read(models.Episode, context.viewer)
    return _Narrowed.of(context, scope, user_id, client_id).watch({"Episode"}, _episode)


@dataclass(frozen=True)
class _Narrowed:
    """Whose events a subscription asks for."""

    owned: Any
    client_id: int | None

    @classmethod
    def of(cls, context: Context, scope: ListScope, user_id: str | None, client_id: str | None) -> "_Narrowed":
        """As the arguments say; a client who is not there or not visible never has an event."""
        parsed = None if client_id is None else parse_id(client_id)
        if client_id is not None and (parsed is None or parsed[0] != "Client"):
            raise bad_input("clientId is not the id of a client", "clientId")
        return cls(owned_clients(context.viewer, scope, user_id), parsed and parsed[1])

    def watch(self, type_names: frozenset[str] | set[str], payload: Payload) -> Watch:
        """Follow changes of rows of these types."""

        def concerns(event: Event) -> bool:
            if event.type_name not in type_names:
                return False
            # A score names its one client; the clients of an episode are asked of the database.
            return self.client_id is None or type_names != _SCORES or self.client_id in event.through

        return Watch(concerns, partial(payload, self))

    async def reaches(self, context: Context, event: Event, *more: ColumnElement[bool]) -> bool:
        """Whether the event is about a client who is visible and asked for; `more` are clients besides those named."""
        is_everyone = self.owned is None and self.client_id is None
        if is_everyone and (not event.is_deletion or context.viewer.may(Permission.ORGANIZATION)):
            return True  # a row that is still there was itself read as the viewer
        found = select(Client.id).where(criterion(Client, context.viewer), or_(Client.id.in_(event.through), *more))
        if self.owned is not None:
            found = found.where(Client.id.in_(self.owned))
        if self.client_id is not None:
            found = found.where(Client.id == self.client_id)
        return (await context.run(found.limit(1))).first() is not None


async def _score(narrowed: _Narrowed, context: Context, event: Event) -> ScoreEvent | None:
    score = None if event.is_deletion else await _visible_score(context, event)
    if not (event.is_deletion or score) or not await narrowed.reaches(context, event):
        return None
    return ScoreEvent(change=_change(event), score_id=_id(event), score=score)


async def _alert(narrowed: _Narrowed, context: Context, event: Event) -> AlertEvent | None:
    score = None if event.is_deletion else await _visible_score(context, event)
    if score is None or not await narrowed.reaches(context, event):
        return None
    alerts = await charts.alerts(context, score)
    return AlertEvent(alerts=alerts, score=score) if alerts else None


async def _episode(narrowed: _Narrowed, context: Context, event: Event) -> EpisodeEvent | None:
    episode = None if event.is_deletion else await context.load(RowById(models.Episode), event.row_id)
    place = models.EpisodeClient
    here = (place.organization_id == context.viewer.organization_id, place.episode_id == event.row_id)
    on_it = Client.id.in_(ids(place.client_id).where(*here))
    if not (event.is_deletion or episode) or not await narrowed.reaches(context, event, on_it):
        return None
    return EpisodeEvent(change=_change(event), episode_id=_id(event), episode=episode)


async def _visible_score(context: Context, event: Event) -> Any:
    return await context.load(RowById(models.Score), event.row_id)


def _change(event: Event) -> ChangeKind:
    return ChangeKind(event.change.value)


def _id(event: Event) -> strawberry.ID:
    return strawberry.ID(global_id(event.type_name, event.row_id))
