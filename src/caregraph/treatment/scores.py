"""Scores as the scoring engine wants them: the four lines of a row, its total."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from caregraph.scoring import measures

from . import models
from .enums import MeasureKind

MEASURES = {MeasureKind.ORS: measures.ORS, MeasureKind.SRS: measures.SRS}


def lines(score: models.Score) -> list[float]:
    """The four lines in the order of the measure's items."""
    return [getattr(score, item) for item in MEASURES[score.measure].items]


def total(score: models.Score) -> float:
    """The engine's total of one score, 0 to 40."""
    return float(measures.total(MEASURES[score.measure], np.array([lines(score)]))[0])


def of_rows(rows: Sequence[models.Score]) -> list[float]:
    """The engine's totals of scores of either measure, in their order."""
    found: dict[int, float] = {}
    states = [vars(score) for score in rows]  # attributes of mapped rows cost more than the sum
    for kind, measure in MEASURES.items():
        those = [state for state in states if state["measure"] is kind]
        lines = list(map(itemgetter(*measure.items), those))
        values = measures.total(measure, np.array(lines).reshape(-1, 4))
        found.update(zip(map(itemgetter("id"), those), values.tolist(), strict=True))
    return [found[state["id"]] for state in states]
