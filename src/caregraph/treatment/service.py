"""The verbs of treatment: episodes, who is on them, raters, sessions and scores."""

from datetime import date
from typing import Annotated, Any, TypeVar

from sqlalchemy import ColumnElement, func, select

from caregraph.auth.viewer import Viewer
from caregraph.db.base import table_of
from caregraph.db.dependents import delete_orphans
from caregraph.db.session import Tx
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.links import replace_links
from caregraph.graph.locking import lock
from caregraph.graph.resource import apply
from caregraph.people.consents import note_approval
from caregraph.people.inputs import ClientInput
from caregraph.people.models import Client, Label

from . import models
from .inputs import EpisodeInput, OrsScoreInput, RaterInput, SessionInput, SrsScoreInput

S = TypeVar("S", bound=models.Score)
Force = Annotated[bool, describe("Delete with everything that is on it.")]


async def update_client(tx: Tx, viewer: Viewer, client: Client, input: Changes[ClientInput]) -> Client:  # noqa: A002
    """Change a client. Only the fields sent change (`fit.clients.update`)."""
    approved = client.gdpr_approval
    apply(client, input)
    note_approval(tx, viewer, client, before=approved)
    await tx.flush()
    if "birth_date" in input:
        await _keep_ages(tx, models.EpisodeClient.client_id == client.id)
    return client


async def create_episode(tx: Tx, client: Client, input: EpisodeInput) -> models.Episode:  # noqa: A002
    """Create an episode for a client (`fit.episodes.create`)."""
    episode = models.Episode(**given(input))
    tx.add(episode)
    await tx.flush()
    await _join(tx, episode, client)
    return episode


async def update_episode(tx: Tx, episode: models.Episode, input: Changes[EpisodeInput]) -> models.Episode:  # noqa: A002
    """Change an episode. Only the fields sent change (`fit.episodes.update`)."""
    apply(episode, input)
    await tx.flush()
    if "start_date" in input:
        await _keep_ages(tx, models.EpisodeClient.episode_id == episode.id)
    return episode


async def delete_episode(tx: Tx, episode: models.Episode, force: Force = False) -> None:
    """Delete an episode. Refused while it has clients, raters, sessions or scores, unless forced.

    `fit.episodes.delete`. An episode always has a client, so only `force` deletes it. Refused even so while it holds
    raters or scores of a client whom you do not see.
    """
    await delete_row(tx, episode, force=force)


async def set_episode_labels(
    tx: Tx,
    episode: models.Episode,
    labels: Annotated[list[Label], describe("Ids of all labels from now on; an empty list removes all.")],
) -> models.Episode:
    """Replace an episode's labels. FIT filters by them and has no call that sets them; this is it."""
    await replace_links(tx, models.EpisodeLabel, "label_id", labels, episode_id=episode.id)
    return episode


async def add_client(tx: Tx, episode: models.Episode, client: Client) -> models.Episode:
    """Put one more client on an episode (`fit.episodes.add_client`). `CONFLICT` when already there."""
    await lock(tx, episode)  # clients join and leave one after the other
    if await _place(tx, episode.id, client.id) is not None:
        raise Refused(Code.CONFLICT, "The client is already on this episode", "clientId")
    await _join(tx, episode, client)
    return episode


async def remove_client(
    tx: Tx,
    episode: models.Episode,
    client: Client,
    force: Annotated[bool, describe("Also when the client has scores there; they go along.")] = False,
) -> models.Episode:
    """Take a client off an episode, with the client's raters there (`fit.episodes.remove_client`).

    Refused while the client has scores there, unless forced. The last client's leaving deletes the episode; `node` is
    then null.
    """
    await lock(tx, episode)  # clients join and leave one after the other
    place = await _place(tx, episode.id, client.id, with_for_update=True)
    if place is None:
        raise Refused(Code.NOT_FOUND, "The client is not on this episode", "clientId")
    there = (models.Score.episode_id == episode.id, models.Score.client_id == client.id)
    scores = await tx.scalar(select(func.count()).select_from(models.Score).where(*there))
    if scores and not force:
        noun = "score" if scores == 1 else "scores"
        raise Refused(
            Code.CONFLICT, f"Client has {scores} {noun} on this episode: set force to delete them too", "force"
        )
    await tx.delete(place)
    await tx.flush()
    links = table_of(models.EpisodeClient)
    await delete_orphans(tx, table_of(models.Episode), links.c.episode_id, [episode.id])
    return episode


async def create_rater(tx: Tx, episode: models.Episode, client: Client, input: RaterInput) -> models.Rater:  # noqa: A002
    """Create a collateral rater of one client on one episode (`fit.raters.create`)."""
    await _must_be_on(tx, episode.id, client.id, "clientId")
    rater = models.Rater(episode_id=episode.id, client_id=client.id, **given(input))
    tx.add(rater)
    await tx.flush()
    return rater


async def delete_rater(tx: Tx, rater: models.Rater, force: Force = False) -> None:
    """Delete a rater. Refused while there are scores, unless forced (`fit.raters.delete`)."""
    await delete_row(tx, rater, force=force)


async def create_session(tx: Tx, episode: models.Episode, input: SessionInput) -> models.Session:  # noqa: A002
    """Create a session on an episode (`fit.sessions.create`)."""
    session = models.Session(episode_id=episode.id, **given(input))
    tx.add(session)
    await tx.flush()
    return session


async def delete_session(tx: Tx, session: models.Session, force: Force = False) -> None:
    """Delete a session. Refused while there are scores, unless forced (`fit.sessions.delete`)."""
    await delete_row(tx, session, force=force)


async def create_client_ors_score(
    tx: Tx,
    session: models.Session,
    client: Client,
    input: OrsScoreInput,  # noqa: A002
) -> models.OrsScore:
    """Record a client's own ORS on a session, once (`fit.ors_scores.create_client`)."""
    return await _record(tx, models.OrsScore(**given(input)), session, client.id)


async def create_rater_ors_score(
    tx: Tx,
    session: models.Session,
    rater: models.Rater,
    input: OrsScoreInput,  # noqa: A002
) -> models.OrsScore:
    """Record a rater's ORS of the client on a session, once (`fit.ors_scores.create_rater`)."""
    _must_belong(session, rater)
    return await _record(tx, models.OrsScore(**given(input)), session, rater.client_id, rater.id)


async def create_client_srs_score(
    tx: Tx,
    session: models.Session,
    client: Client,
    input: SrsScoreInput,  # noqa: A002
) -> models.SrsScore:
    """Record a client's own SRS on a session, once (`fit.srs_scores.create_client`)."""
    return await _record(tx, models.SrsScore(**given(input)), session, client.id)


async def create_rater_srs_score(
    tx: Tx,
    session: models.Session,
    rater: models.Rater,
    input: SrsScoreInput,  # noqa: A002
) -> models.SrsScore:
    """Record a rater's SRS on a session, once (`fit.srs_scores.create_rater`)."""
    _must_belong(session, rater)
    return await _record(tx, models.SrsScore(**given(input)), session, rater.client_id, rater.id)


async def delete_ors_score(tx: Tx, score: models.OrsScore) -> None:
    """Delete an ORS score (`fit.ors_scores.delete`)."""
    await delete_row(tx, score, force=True)


async def delete_srs_score(tx: Tx, score: models.SrsScore) -> None:
    """Delete an SRS score (`fit.srs_scores.delete`)."""
    await delete_row(tx, score, force=True)


async def _record(tx: Tx, score: S, session: models.Session, client_id: int, rater_id: int | None = None) -> S:
    await _must_be_on(tx, session.episode_id, client_id, "clientId" if rater_id is None else "raterId")
    score.episode_id, score.session_id = session.episode_id, session.id
    score.client_id, score.rater_id = client_id, rater_id
    tx.add(score)
    await tx.flush()
    return score


async def _place(tx: Tx, episode_id: int, client_id: int, **lock: Any) -> models.EpisodeClient | None:
    return await tx.get(models.EpisodeClient, (episode_id, client_id), **lock)


async def _must_be_on(tx: Tx, episode_id: int, client_id: int, argument: str) -> None:
    """The client stays on the episode until what is recorded now is there: leaving waits for it."""
    place = await _place(tx, episode_id, client_id, with_for_update={"read": True, "key_share": True})
    if place is None:
        raise Refused(Code.INVALID, "The client is not on this episode", argument)


def _must_belong(session: models.Session, rater: models.Rater) -> None:
    if rater.episode_id != session.episode_id:
        raise Refused(Code.INVALID, "The rater does not belong to this session's episode", "raterId")


async def _join(tx: Tx, episode: models.Episode, client: Client) -> None:
    tx.add(
        models.EpisodeClient(
            episode_id=episode.id,
            client_id=client.id,
            age_at_start=age_in_years(client.birth_date, episode.start_date),
        )
    )
    await tx.flush()


async def _keep_ages(tx: Tx, where: ColumnElement[bool]) -> None:
    """Statistics read the age from the place on the episode: it follows a corrected birth or start date."""
    rows = await tx.execute(
        select(models.EpisodeClient, Client.birth_date, models.Episode.start_date)
        .join(Client, Client.id == models.EpisodeClient.client_id)
        .join(models.Episode, models.Episode.id == models.EpisodeClient.episode_id)
        .where(where, Client.erased_at.is_(None))  # an erased client's age stays as it is
        .execution_options(scoped=True)  # also places whose other end the viewer does not see
    )
    for place, birth_date, start_date in rows:
        place.age_at_start = age_in_years(birth_date, start_date)
    await tx.flush()


def age_in_years(birth_date: date | None, on: date) -> int | None:
    """Completed years; null without a birth date or before it."""
    if birth_date is None or birth_date > on:
        return None
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))
