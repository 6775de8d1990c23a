"""Scores as columns: a row per session and informant, with both totals side by side, for charts and data frames."""

from datetime import date
from typing import Annotated

import strawberry

from caregraph.db.scope import demand_read
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.node import row_id_of
from caregraph.graph.tables import Table, column
from caregraph.people.lists import ListScope, owned_clients
from caregraph.people.models import Client

from . import models
from .series import NONE, Wanted


@strawberry.type(
    description="Scores as parallel lists, one value per row. A row is what one informant scored on one session: the"
    " client, or a collateral rater about the client. Rows are ordered by session date, then by the ids of session and"
    " client; the client's own come before those of raters, which are by id. A list of ids that your credentials may"
    " not read is null, with an error. As many scores are read as an operation may read rows; above that it is stopped."
)
class ScoresTable:
    """A source of this type is a `Table`. Only the lines that are asked for are read."""

    row_count: int = column("How many rows there are.")
    session_id: list[strawberry.ID] | None = column("The session.", of=models.Session)
    session_date: list[date] | None = column("Day of the session.", of=models.Session)
    episode_id: list[strawberry.ID] | None = column("The episode.", of=models.Episode)
    client_id: list[strawberry.ID] | None = column("The client who is scored.", of=Client)
    rater_id: list[strawberry.ID | None] | None = column(
        "The collateral rater who filled it in; null: the client.", of=models.Rater
    )
    ors: list[float | None] | None = column("Total of the ORS, 0 to 40; null without one.")
    srs: list[float | None] | None = column("Total of the SRS, 0 to 40; null without one.")
    ors_individually: list[float | None] | None = column("ORS: personal well-being, 0 to 10.")
    ors_interpersonally: list[float | None] | None = column("ORS: family and close relationships, 0 to 10.")
    ors_socially: list[float | None] | None = column("ORS: work, school, friendships, 0 to 10.")
    ors_overall: list[float | None] | None = column("ORS: general sense of well-being, 0 to 10.")
    srs_relationship: list[float | None] | None = column("SRS: relationship with the therapist, 0 to 10.")
    srs_goals_and_topics: list[float | None] | None = column("SRS: agreement on goals and topics, 0 to 10.")
    srs_approach_or_method: list[float | None] | None = column("SRS: fit of the approach or method, 0 to 10.")
    srs_overall: list[float | None] | None = column("SRS: the session as a whole, 0 to 10.")


From = Annotated[date | None, describe("Only sessions on or after this day.")]
To = Annotated[date | None, describe("Only sessions on or before this day.")]


async def of_client(context: Context, client: Client, *, from_: From = None, to: To = None) -> Table:
    """The client's scores as columns, of all episodes."""
    return _table(context, Wanted(from_, to, parent="client_id"), client.id)


async def of_episode(context: Context, episode: models.Episode, *, from_: From = None, to: To = None) -> Table:
    """The episode's scores as columns, of the clients that you may see and their raters."""
    return _table(context, Wanted(from_, to, parent="episode_id"), episode.id)


async def of_all(
    context: Context,
    _root: None,
    *,
    from_: From = None,
    to: To = None,
    scope: Annotated[ListScope, describe("Whose scores; all that you may see by default.")] = ListScope.VISIBLE,
    user_id: Annotated[
        strawberry.ID | None, describe("With `OWNED`: of this user's clients; yours by default.")
    ] = None,
    client_id: Annotated[strawberry.ID | None, describe("Only of this client.")] = None,
    episode_id: Annotated[strawberry.ID | None, describe("Only of this episode.")] = None,
) -> Table:
    """Scores as columns, for dashboards and data frames; also served at `/exports/scores`."""
    owned_clients(context.viewer, scope, user_id)  # refuses what does not go together
    wanted = Wanted(
        from_,
        to,
        scope,
        _id("User", user_id),
        client_id=_row_id("Client", client_id),
        episode_id=_row_id("Episode", episode_id),
    )
    return _table(context, wanted)


def _id(type_name: str, text: str | None) -> str | None:
    """The id again, short whatever was sent: statements are kept by it."""
    return text if text is None or row_id_of(type_name)(text) else ""


def _row_id(type_name: str, text: str | None) -> int | None:
    return None if text is None else row_id_of(type_name)(text) or NONE


def _table(context: Context, wanted: Wanted, parent: int | None = None) -> Table:
    demand_read(models.Score, context.viewer)
    demand_read(models.Session, context.viewer)
    return Table(wanted, parent)
