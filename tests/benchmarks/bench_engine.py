"""The scoring engine alone, on the demo's courses and on many intakes."""

from datetime import date

import numpy as np

from caregraph.cli.demo.care import dataset
from caregraph.cli.demo.plan import NORTHFIELD_LARGE
from caregraph.scoring import statistics
from caregraph.scoring.statistics import Episodes, Groups, InformantKind, Scores
from caregraph.scoring.trajectories import ORS_DEFAULT_V1, trajectory
from caregraph.treatment.models import Episode, EpisodeClient, OrsScore, Rater, Session, SrsScore

_NOT_ENDED = np.datetime64("NaT")


def trajectories() -> None:
    """1,000 intakes over 1,000 sessions."""
    trajectory(ORS_DEFAULT_V1, np.linspace(0.0, 40.0, 1_000), 1_000)


class Sample:
    """The large organization's care as the columns that the engine takes."""

    def __init__(self, today: date) -> None:
        rows = dataset(NORTHFIELD_LARGE, today, "").rows
        places, episodes = rows[EpisodeClient], rows[Episode]
        of_place = [episodes[place["episode_id"]] for place in places]
        position = {(place["episode_id"], place["client_id"]): row for row, place in enumerate(places)}
        episode = np.array([place["episode_id"] for place in places])
        sessions = np.array([row["episode_id"] for row in rows[Session]])
        days = np.array([row["session_date"] for row in rows[Session]], "datetime64[D]")
        last = np.full(len(episodes), np.datetime64("1970-01-01"))
        np.maximum.at(last, sessions, days)
        counts = np.bincount(sessions, minlength=len(episodes))
        raters = [position[row["episode_id"], row["client_id"]] for row in rows[Rater]]
        self.episodes = Episodes(
            episode=episode,
            client=np.array([place["client_id"] for place in places]),
            age=np.array([np.nan if one["age_at_start"] is None else one["age_at_start"] for one in places]),
            status=np.array([one["status"].value for one in of_place]),
            start=np.array([one["start_date"] for one in of_place], "datetime64[D]"),
            end=np.array([one["end_date"] or _NOT_ENDED for one in of_place], "datetime64[D]"),
            session_count=counts[episode],
            last_session=np.where(counts > 0, last, _NOT_ENDED)[episode],
            rater_count=np.bincount(raters, minlength=len(places)),
        )
        scores = [(0, row) for row in rows[OrsScore]] + [(1, row) for row in rows[SrsScore]]
        self.scores = Scores(
            row=np.array([position[row["episode_id"], row["client_id"]] for _, row in scores]),
            informant=np.array([0 if row["rater_id"] is None else row["rater_id"] + 1 for _, row in scores]),
            measure=np.array([measure for measure, _ in scores]),
            position=np.array([row["session_id"] for _, row in scores]),
            total=np.array([_total(row) for _, row in scores]),
        )
        every = np.arange(len(places))
        self.groups = Groups(
            row=every, kind=np.full(len(places), InformantKind.CLIENT), group=np.zeros_like(every), count=1
        )

    def statistics(self) -> None:
        """Every index over all clients."""
        statistics.indices(self.episodes, self.scores, self.groups)


def _total(row: dict[str, float]) -> float:
    names = ("individually", "interpersonally", "socially", "overall")
    if names[0] not in row:
        names = ("relationship", "goals_and_topics", "approach_or_method", "overall")
    return sum(row[name] for name in names)
