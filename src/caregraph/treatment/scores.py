"""Scores as the scoring engine wants them: the four lines of a row, its total."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from caregraph.graph.fields import Rowwise
from caregraph.scoring import measures

from . import models
from .enums import MeasureKind

MEASURES = {MeasureKind.ORS: measures.ORS, MeasureKind.SRS: measures.SRS}

_OF_ROWS: dict[type[Any], measures.Measure] = {models.OrsScore: measures.ORS, models.SrsScore: measures.SRS}


def lines(score: models.Score) -> list[float]:
    """The four lines in the order of the measure's items."""
    return [getattr(score, item) for item in MEASURES[score.measure].items]


def total(score: models.Score) -> float:
    """The engine's total of one score, 0 to 40."""
    return float(measures.total(MEASURES[score.measure], np.array([lines(score)]))[0])


def _totals(model: type[models.Score], rows: Sequence[Sequence[float]]) -> list[float]:
    totals: list[float] = measures.total(_OF_ROWS[model], np.array(rows)).tolist()
    return totals


TOTAL = Rowwise(lambda model: _OF_ROWS[model].items, _totals)
"""The engine's totals of scores."""
