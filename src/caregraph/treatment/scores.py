"""Scores as the scoring engine wants them: the four lines of a row, its total."""

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
