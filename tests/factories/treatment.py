"""Episodes and everything on them."""

from datetime import date
from typing import Any

from caregraph.people.models import Client, Label
from caregraph.treatment import models
from caregraph.treatment.service import age_in_years
from kit import Principal


async def make_episode(
    principal: Principal, *clients: Client, labels: tuple[Label, ...] = (), **overrides: Any
) -> models.Episode:
    """An episode of `clients`."""
    async with principal.world.writing(principal) as tx:
        episode = models.Episode(**{"title": "Course of care", "start_date": date(2026, 1, 5), **overrides})
        tx.add(episode)
        await tx.flush()
        for client in clients:
            age = age_in_years(client.birth_date, episode.start_date)
            tx.add(models.EpisodeClient(episode_id=episode.id, client_id=client.id, age_at_start=age))
        for label in labels:
            tx.add(models.EpisodeLabel(episode_id=episode.id, label_id=label.id))
    return episode


async def make_rater(principal: Principal, episode: models.Episode, client: Client, **overrides: Any) -> models.Rater:
    """Someone who rates `client` on `episode`."""
    async with principal.world.writing(principal) as tx:
        rater = models.Rater(**{"full_name": "Robin Rater", **overrides}, episode_id=episode.id, client_id=client.id)
        tx.add(rater)
    return rater


async def make_session(principal: Principal, episode: models.Episode, day: date = date(2026, 1, 5)) -> models.Session:
    """A session of `episode`."""
    async with principal.world.writing(principal) as tx:
        session = models.Session(episode_id=episode.id, session_date=day)
        tx.add(session)
    return session


async def make_ors(
    principal: Principal, session: models.Session, client: Client, *lines: float, rater: models.Rater | None = None
) -> models.OrsScore:
    """An ORS of four lines, each 5 unless given."""
    names = ("individually", "interpersonally", "socially", "overall")
    return await _make(principal, models.OrsScore(**_lines(names, lines)), session, client, rater)


async def make_srs(
    principal: Principal, session: models.Session, client: Client, *lines: float, rater: models.Rater | None = None
) -> models.SrsScore:
    """An SRS of four lines, each 5 unless given."""
    names = ("relationship", "goals_and_topics", "approach_or_method", "overall")
    return await _make(principal, models.SrsScore(**_lines(names, lines)), session, client, rater)


def _lines(names: tuple[str, ...], lines: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(names, lines or (5.0,) * 4, strict=True))


async def _make(principal: Principal, score: Any, session: models.Session, client: Client, rater: Any) -> Any:
    score.episode_id, score.session_id, score.client_id = session.episode_id, session.id, client.id
    score.rater_id = rater.id if rater is not None else None
    async with principal.world.writing(principal) as tx:
        tx.add(score)
    return score
