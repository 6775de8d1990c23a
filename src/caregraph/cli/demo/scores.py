"""Rows of scores: what clients and raters filled in, and what they left out."""

from dataclasses import dataclass

import numpy as np

from caregraph.treatment.models import OrsScore, SrsScore

from . import ratings
from .caseload import Caseload
from .dataset import Floats, Ints, Row
from .plan import OrganizationPlan

_ORS_LINES = ("individually", "interpersonally", "socially", "overall")
_SRS_LINES = ("relationship", "goals_and_topics", "approach_or_method", "overall")


@dataclass(frozen=True, eq=False)
class Courses:
    """Totals by place and session ordinal."""

    ors: Floats
    srs: Floats

    @classmethod
    def of(cls, load: Caseload, rng: np.random.Generator) -> "Courses":
        """Courses as long as the longest episode."""
        shape = len(load.place_client), int(load.session_count.max(initial=1))
        return cls(ratings.ors_courses(*shape, rng), ratings.srs_courses(*shape, rng))


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


def scores(
    plan: OrganizationPlan,
    load: Caseload,
    courses: Courses,
    rater_place: Ints,
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
        OrsScore: _rows(given_ors, _ORS_LINES, ratings.lines(given_ors.total, 0.9, rng), 0, load),
        SrsScore: _rows(given_srs, _SRS_LINES, ratings.lines(given_srs.total, 0.4, rng), 50, load),
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


def _rows(answers: _Answers, columns: tuple[str, ...], lines: Floats, delay: int, load: Caseload) -> list[Row]:
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
                "created_at": load.calendar.instant(load.session_day[session], minute),
                **dict(zip(columns, lines[position].tolist(), strict=True)),
            }
        )
    return rows
