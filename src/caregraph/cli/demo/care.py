"""Rows of episodes, raters, sessions and scores: one organization's care as a dataset."""

from datetime import date

import numpy as np

from caregraph.people.models import Client, ClientLabel, ClientOwner, Label
from caregraph.treatment.enums import EpisodeStatus
from caregraph.treatment.models import Episode, EpisodeClient, EpisodeLabel, Rater, Session
from caregraph.treatment.service import age_in_years

from . import names, people
from .caseload import Caseload, caseload
from .dataset import Calendar, Dataset, Ints, Row
from .people import happens, perhaps, pick
from .plan import OrganizationPlan
from .scores import Courses, scores

_ADULT = 18
_NOTABLE_CHANGE = 5.0


def dataset(plan: OrganizationPlan, today: date, password_hash: str) -> Dataset:
    """Everything of one organization, the same for the same plan and day but for the password."""
    rng = np.random.default_rng(plan.seed)
    calendar = Calendar(today)
    load = caseload(plan, calendar, rng)
    courses = Courses.of(load, rng)
    clients = people.clients(plan, load, rng)
    episodes = _episodes(plan, load, courses, clients, rng)
    rater_place = rng.choice(len(load.place_client), plan.raters)
    rows = people.users(plan, calendar, password_hash) | {
        Label: people.labels(plan, calendar),
        Client: clients,
        ClientOwner: people.owners(plan, rng),
        ClientLabel: people.labelled(plan.clients, "client_id", len(plan.labels), rng),
        Episode: episodes,
        EpisodeClient: _places(load, episodes, clients),
        EpisodeLabel: people.labelled(plan.episodes, "episode_id", len(plan.labels), rng),
        Rater: _raters(rater_place, load, rng),
        Session: _sessions(load, rng),
        **scores(plan, load, courses, rater_place, rng),
    }
    return Dataset(plan.name, rows)


def _episodes(
    plan: OrganizationPlan, load: Caseload, courses: Courses, clients: list[Row], rng: np.random.Generator
) -> list[Row]:
    last = np.maximum(load.session_count - 1, 0)
    change = courses.ors[np.arange(plan.episodes), last] - courses.ors[: plan.episodes, 0]
    is_shared = np.bincount(load.place_episode, minlength=plan.episodes) > 1
    rows = []
    for position, start in enumerate(load.episode_start):
        is_group = not bool(is_shared[position]) and happens(0.05, rng)
        born = clients[load.first_client[position]]["birth_date"]
        title = _title(born, load.calendar.day(start), is_shared=bool(is_shared[position]), is_group=is_group, rng=rng)
        is_open = bool(load.episode_is_active[position]) or happens(0.03, rng)
        last_day = load.calendar.day(min(load.episode_last[position] + rng.integers(11), 0))
        rows.append(
            {
                "title": title,
                "start_date": load.calendar.day(start),
                "end_date": None if is_open else last_day,
                "status": EpisodeStatus.ONGOING if is_open else _ending(float(change[position]), rng),
                "phone": perhaps(0.1, people.phone(rng), rng),
                "comment": perhaps(0.12, pick(names.EPISODE_COMMENTS, rng), rng),
                "group_srs": is_group,
                "created_at": load.calendar.instant(start, int(rng.integers(8 * 60, 12 * 60))),
            }
        )
    return rows


def _title(born: date | None, start: date, *, is_shared: bool, is_group: bool, rng: np.random.Generator) -> str:
    age = age_in_years(born, start)
    titles = names.ADULT_TITLES if age is None or age >= _ADULT else names.CHILD_TITLES
    return pick(names.GROUP_TITLES if is_group else names.SHARED_TITLES if is_shared else titles, rng)


def _ending(change: float, rng: np.random.Generator) -> EpisodeStatus:
    """Who gained leaves in agreement or with effect; who did not, more often without."""
    endings = (
        EpisodeStatus.TERMINATED_NO_EFFECT,
        EpisodeStatus.TERMINATED_WITH_EFFECT,
        EpisodeStatus.TERMINATED_MUTUAL_AGREEMENT,
    )
    shares = (0.05, 0.5, 0.45) if change >= _NOTABLE_CHANGE else (0.55, 0.12, 0.33)
    return endings[rng.choice(len(endings), p=shares)]


def _places(load: Caseload, episodes: list[Row], clients: list[Row]) -> list[Row]:
    return [
        {
            "episode_id": int(episode),
            "client_id": int(client),
            "age_at_start": age_in_years(clients[client]["birth_date"], episodes[episode]["start_date"]),
        }
        for episode, client in zip(load.place_episode, load.place_client, strict=True)
    ]


def _raters(place: Ints, load: Caseload, rng: np.random.Generator) -> list[Row]:
    domains = ("example.com", "example.net", "example.org")
    rows = []
    for position, where in enumerate(place):
        given = pick(names.GIVEN_FEMALE + names.GIVEN_MALE, rng)
        relation = pick(names.RATER_RELATIONS, rng)
        start = load.episode_start[load.place_episode[where]]
        rows.append(
            {
                "episode_id": int(load.place_episode[where]),
                "client_id": int(load.place_client[where]),
                "full_name": f"{given} {pick(names.FAMILY, rng)}",
                "email": perhaps(0.75, f"rater{position + 1}@{pick(domains, rng)}", rng),
                "comment": perhaps(0.8, f"{relation}.", rng),
                "created_at": load.calendar.instant(start, int(rng.integers(12 * 60, 16 * 60))),
            }
        )
    return rows


def _sessions(load: Caseload, rng: np.random.Generator) -> list[Row]:
    minutes = rng.integers(8 * 60, 17 * 60, len(load.session_day))
    return [
        {
            "episode_id": int(episode),
            "session_date": load.calendar.day(day),
            "created_at": load.calendar.instant(day, minute),
        }
        for episode, day, minute in zip(load.session_episode, load.session_day, minutes, strict=True)
    ]
