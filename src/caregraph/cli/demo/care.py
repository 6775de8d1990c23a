"""Rows of episodes, raters, sessions and scores: one organization's care as a dataset."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from caregraph.db.base import fold
from caregraph.people.models import Client, ClientLabel, ClientOwner, Label
from caregraph.treatment.enums import EpisodeStatus
from caregraph.treatment.models import Episode, EpisodeClient, EpisodeLabel, OrsScore, Rater, Session, SrsScore
from caregraph.treatment.service import age_in_years

from . import names, people, ratings
from .caseload import Caseload, caseload
from .dataset import Calendar, Dataset, Floats, Ints, Row
from .people import perhaps, pick
from .plan import OrganizationPlan

_ADULT = 18
_NOTABLE_CHANGE = 5.0
_ORS_LINES = ("individually", "interpersonally", "socially", "overall")
_SRS_LINES = ("relationship", "goals_and_topics", "approach_or_method", "overall")


def dataset(plan: OrganizationPlan, today: date, password_hash: str) -> Dataset:
    """Everything of one organization, the same for the same plan and day but for the password."""
    rng = np.random.default_rng(plan.seed)
    calendar = Calendar(today)
    load = caseload(plan, calendar, rng)
    courses = _Courses.of(load, rng)
    clients = people.clients(plan, load, calendar, rng)
    episodes = _episodes(plan, load, courses, clients, calendar, rng)
    rater_place = rng.choice(len(load.place_client), plan.raters)
    rows = people.users(plan, calendar, password_hash) | {
        Label: people.labels(plan, calendar),
        Client: clients,
        ClientOwner: people.owners(plan, rng),
        ClientLabel: people.labelled(plan.clients, "client_id", len(plan.labels), rng),
        Episode: episodes,
        EpisodeClient: _places(load, episodes, clients),
        EpisodeLabel: people.labelled(plan.episodes, "episode_id", len(plan.labels), rng),
        Rater: _raters(rater_place, load, calendar, rng),
        Session: _sessions(load, calendar, rng),
        **_scores(plan, load, courses, rater_place, calendar, rng),
    }
    return Dataset(plan.name, rows)


@dataclass(frozen=True, eq=False)
class _Courses:
    """Totals by place and session ordinal."""

    ors: Floats
    srs: Floats

    @classmethod
    def of(cls, load: Caseload, rng: np.random.Generator) -> "_Courses":
        """Courses as long as the longest episode."""
        shape = len(load.place_client), int(load.session_count.max(initial=1))
        return cls(ratings.ors_courses(*shape, rng), ratings.srs_courses(*shape, rng))


def _episodes(
    plan: OrganizationPlan,
    load: Caseload,
    courses: _Courses,
    clients: list[Row],
    calendar: Calendar,
    rng: np.random.Generator,
) -> list[Row]:
    last = np.maximum(load.session_count - 1, 0)
    change = courses.ors[np.arange(plan.episodes), last] - courses.ors[: plan.episodes, 0]
    is_shared = np.bincount(load.place_episode, minlength=plan.episodes) > 1
    rows = []
    for position, start in enumerate(load.episode_start):
        is_group = not is_shared[position] and rng.random() < 0.05
        born = clients[load.first_client[position]]["birth_date"]
        title = _title(born, calendar.day(start), is_shared=bool(is_shared[position]), is_group=is_group, rng=rng)
        is_open = bool(load.episode_is_active[position]) or rng.random() < 0.03
        rows.append(
            {
                "title": title,
                "start_date": calendar.day(start),
                "end_date": None if is_open else calendar.day(min(load.episode_last[position] + rng.integers(11), 0)),
                "status": EpisodeStatus.ONGOING if is_open else _ending(float(change[position]), rng),
                "phone": perhaps(0.1, people.phone(rng), rng),
                "comment": perhaps(0.12, pick(names.EPISODE_COMMENTS, rng), rng),
                "group_srs": bool(is_group),
                "created_at": calendar.instant(start, int(rng.integers(8 * 60, 12 * 60))),
                "search_text": fold(title),
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


def _raters(place: Ints, load: Caseload, calendar: Calendar, rng: np.random.Generator) -> list[Row]:
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
                "created_at": calendar.instant(start, int(rng.integers(12 * 60, 16 * 60))),
            }
        )
    return rows


def _sessions(load: Caseload, calendar: Calendar, rng: np.random.Generator) -> list[Row]:
    minutes = rng.integers(8 * 60, 17 * 60, len(load.session_day))
    return [
        {
            "episode_id": int(episode),
            "session_date": calendar.day(day),
            "created_at": calendar.instant(day, minute),
        }
        for episode, day, minute in zip(load.session_episode, load.session_day, minutes, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Answers:
    """Filled-in scales, by position; a rater of -1 is the client."""

    session: Ints
    place: Ints
    rater: Ints
    total: Floats

    def take(self, chosen: Ints) -> "_Answers":
        """Only those."""
        return _Answers(self.session[chosen], self.place[chosen], self.rater[chosen], self.total[chosen])

    def __len__(self) -> int:
        return len(self.session)


def _scores(
    plan: OrganizationPlan,
    load: Caseload,
    courses: _Courses,
    rater_place: Ints,
    calendar: Calendar,
    rng: np.random.Generator,
) -> dict[type, list[Row]]:
    """As many scores as planned; what was asked for beyond them is what people left out."""
    ors = _asked(load, courses.ors, rater_place, 0.6, rng)
    srs = _asked(load, courses.srs, rater_place, 0.2, rng)
    seen = ors.rater >= 0
    ors.total[seen] = ratings.as_others_see_it(ors.total[seen], ors.rater[seen], rng)
    is_intake = (load.session_ordinal[ors.session] == 0) & ~seen
    optional = np.flatnonzero(np.concatenate((~is_intake, np.ones(len(srs), np.bool_))))
    left_out = rng.choice(optional, len(ors) + len(srs) - plan.scores, replace=False)
    is_given = np.ones(len(ors) + len(srs), np.bool_)
    is_given[left_out] = False
    given_ors = ors.take(np.flatnonzero(is_given[: len(ors)]))
    given_srs = srs.take(np.flatnonzero(is_given[len(ors) :]))
    return {
        OrsScore: _rows(given_ors, _ORS_LINES, ratings.lines(given_ors.total, 0.9, rng), 0, load, calendar),
        SrsScore: _rows(given_srs, _SRS_LINES, ratings.lines(given_srs.total, 0.4, rng), 50, load, calendar),
    }


def _asked(load: Caseload, totals: Floats, rater_place: Ints, attendance: float, rng: np.random.Generator) -> _Answers:
    """Every session asks each of its clients, and each rater who is there."""
    place, session = _sessions_of(np.arange(len(load.place_client)), load)
    rater, visited = _sessions_of(rater_place, load)
    comes = rng.random(len(rater)) < attendance
    rater, visited = rater[comes], visited[comes]
    places = np.concatenate((place, rater_place[rater]))
    sessions = np.concatenate((session, visited))
    return _Answers(
        session=sessions,
        place=places,
        rater=np.concatenate((np.full(len(place), -1), rater)),
        total=totals[places, load.session_ordinal[sessions]],
    )


def _sessions_of(places: Ints, load: Caseload) -> tuple[Ints, Ints]:
    """All pairs of a position in `places` and a session of that place's episode."""
    first = np.cumsum(load.session_count) - load.session_count
    episodes = load.place_episode[places]
    counts = load.session_count[episodes]
    position = np.repeat(np.arange(len(places)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return position, first[episodes][position] + within


def _rows(
    answers: _Answers, columns: tuple[str, ...], lines: Floats, delay: int, load: Caseload, calendar: Calendar
) -> list[Row]:
    """Rows in the order of sessions. `delay` is the minutes into the session at which the scale is filled in."""
    rows = []
    for position in np.argsort(answers.session, kind="stable"):
        session, place, rater = (int(one[position]) for one in (answers.session, answers.place, answers.rater))
        minute = 9 * 60 + (session * 37) % (7 * 60) + delay
        rows.append(
            {
                "episode_id": int(load.session_episode[session]),
                "session_id": session,
                "client_id": int(load.place_client[place]),
                "rater_id": None if rater < 0 else rater,
                "created_at": calendar.instant(load.session_day[session], minute),
                **dict(zip(columns, lines[position].tolist(), strict=True)),
            }
        )
    return rows
