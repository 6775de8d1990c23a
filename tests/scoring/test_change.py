"""Reliable change, cut-offs, effect sizes and lines where the golden vectors do not look."""

import math

import numpy as np
import pytest

from caregraph.scoring.change import (
    Better,
    Norm,
    clinical_cutoffs,
    effect_sizes,
    least_squares,
    rci_threshold,
    reliable_change,
    sem,
)
from caregraph.scoring.grouping import Grouping


# FACTS §1.2: the reliabilities that the figures in use correspond to.
@pytest.mark.parametrize(("reliability", "points"), [(0.95, 4.96), (0.93, 5.87), (0.90, 7.01), (0.83, 9.14)])
def test_reliable_change_of_the_ors(reliability, points):
    assert round(rci_threshold(8.0, reliability), 2) == points


def test_cutoff_of_the_ors_in_miller_2003():
    found = clinical_cutoffs(Norm(19.6, 8.7), Norm(28.0, 6.8))

    assert round(found.c, 1) == 24.3


def test_cutoffs_of_populations_without_spread():
    found = clinical_cutoffs(Norm(20.0, 0.0), Norm(30.0, 0.0), Better.LOWER)

    assert (found.a, found.b) == (20.0, 30.0)
    assert math.isnan(found.c)


def test_change_without_error_of_measurement_is_undefined():
    assert np.isnan(reliable_change(np.array([1.0]), np.array([2.0]), 8.0, 1.0)).all()


@pytest.mark.parametrize(("sd", "reliability"), [(-1.0, 0.9), (8.0, 1.1), (8.0, -0.1), (math.nan, 0.9)])
def test_impossible_norms_are_refused(sd, reliability):
    with pytest.raises(ValueError, match="sd must not be negative and reliability must be from 0 to 1"):
        sem(sd, reliability)


def test_effect_sizes_of_several_groups():
    grouping = Grouping(np.array([2, 0, 2, 0]), 3)
    first, last = np.array([10.0, 14.0, 12.0, 14.0]), np.array([16.0, 20.0, 20.0, 22.0])

    found = effect_sizes(grouping, first, last, 8.0)

    assert found.n.tolist() == [2, 0, 2]
    assert found.es_ref_sd[[0, 2]].tolist() == [0.875, 0.875]
    assert np.isnan(found.es_ref_sd[1])
    assert np.isnan(found.es_pre_sd[:2]).all()
    assert found.es_pre_sd[2] == pytest.approx(7 / math.sqrt(2))
    assert found.es_pre_sd_hedges[2] == 0.0
    assert np.isnan(found.es_av[:2]).all()
    assert found.es_av[2] == pytest.approx(7 / ((math.sqrt(2) + math.sqrt(8)) / 2))


def test_a_loss_of_two_pairs_is_corrected_to_plain_zero():
    found = effect_sizes(Grouping.single(2), np.array([20.0, 22.0]), np.array([10.0, 13.0]), 8.0)

    assert found.es_pre_sd[0] < 0
    assert math.copysign(1, found.es_pre_sd_hedges[0]) == 1


def test_a_line_through_equal_scores_is_undefined():
    line = least_squares(np.array([5.0, 5.0]), np.array([1.0, 2.0]))

    assert all(math.isnan(value) for value in (line.slope, line.intercept, line.correlation, line.residual_sd))


def test_a_line_through_two_points_has_no_residual_spread():
    line = least_squares(np.array([0.0, 10.0]), np.array([1.0, 6.0]))

    assert (line.slope, line.intercept, line.correlation) == (0.5, 1.0, 1.0)
    assert math.isnan(line.residual_sd)
