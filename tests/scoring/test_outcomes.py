"""Cut-offs, change categories, zones and alerts: each rule at its edge."""

import numpy as np
import pytest

from caregraph.scoring.measures import AgeBand
from caregraph.scoring.outcomes import (
    AgeCutoffs,
    ChangeCategory,
    OutcomeRules,
    Zone,
    change_categories,
    cutoffs,
    is_nonclinical,
    ors_zones,
    srs_alerts,
)
from caregraph.scoring.trajectories import ORS_DEFAULT_V1, trajectory

RULES = OutcomeRules()
STRICT = OutcomeRules(at_cutoff_is_nonclinical=False)
VENDOR = OutcomeRules(rci=6.0, self_cutoffs=AgeCutoffs(28.0, 28.0, 28.0, 25.0))
NAN = np.nan


@pytest.mark.parametrize(
    ("band", "own", "collateral"),
    [
        (AgeBand.UNDER_6, 32.0, 28.0),
        (AgeBand.AGE_6_12, 32.0, 28.0),
        (AgeBand.AGE_13_17, 28.0, 28.0),
        (AgeBand.ADULT, 25.0, 25.0),
        (AgeBand.UNKNOWN, 25.0, 25.0),
    ],
)
def test_cutoffs(band, own, collateral):
    found = cutoffs(RULES, np.array([band, band]), np.array([False, True]))

    assert found.tolist() == [own, collateral]


def test_cutoffs_are_configurable():
    assert cutoffs(VENDOR, np.array([AgeBand.AGE_6_12]), np.array([False])).tolist() == [28.0]


@pytest.mark.parametrize("band", [-1, 5])
def test_unknown_bands_are_refused(band):
    with pytest.raises(ValueError, match="bands must be values of AgeBand"):
        cutoffs(RULES, np.array([band]), np.array([False]))


@pytest.mark.parametrize(
    ("score", "default", "strict"),
    [(24.9, False, False), (25.0, True, False), (25.1, True, True), (24.9 + 0.1, True, False), (NAN, False, False)],
)
def test_side_of_the_cutoff(score, default, strict):
    scores, cutoff = np.array([score]), np.array([25.0])

    assert is_nonclinical(RULES, scores, cutoff).tolist() == [default]
    assert is_nonclinical(STRICT, scores, cutoff).tolist() == [strict]


@pytest.mark.parametrize(
    ("rules", "first", "last", "category"),
    [
        (RULES, 20.0, 25.0, ChangeCategory.RECOVERED),
        (RULES, 24.9, 29.9, ChangeCategory.RECOVERED),
        (RULES, 25.0, 30.0, ChangeCategory.IMPROVED),
        (RULES, 19.8, 24.8, ChangeCategory.IMPROVED),
        (RULES, 3.2, 8.2, ChangeCategory.IMPROVED),
        (RULES, 8.2, 3.2, ChangeCategory.DETERIORATED),
        (RULES, 20.0, 24.9, ChangeCategory.NO_CHANGE),
        (RULES, 20.0, 15.1, ChangeCategory.NO_CHANGE),
        (RULES, 30.0, 25.0, ChangeCategory.DETERIORATED),
        (RULES, NAN, 25.0, ChangeCategory.UNDEFINED),
        (RULES, 20.0, NAN, ChangeCategory.UNDEFINED),
        (STRICT, 20.0, 25.0, ChangeCategory.IMPROVED),
        (STRICT, 25.0, 30.0, ChangeCategory.RECOVERED),
        (VENDOR, 20.0, 25.0, ChangeCategory.NO_CHANGE),
        (VENDOR, 20.0, 26.0, ChangeCategory.RECOVERED),
    ],
)
def test_change_categories(rules, first, last, category):
    found = change_categories(np.array([first]), np.array([last]), np.array([25.0]), rules)

    assert found.tolist() == [category]


def test_a_missing_cutoff_leaves_the_category_undefined():
    found = change_categories(np.array([10.0]), np.array([30.0]), np.array([NAN]), RULES)

    assert found.tolist() == [ChangeCategory.UNDEFINED]


def test_zones_at_the_limits():
    course = trajectory(ORS_DEFAULT_V1, np.array([20.0]), 2)
    green, red = course.successful[0, 1], course.unsuccessful[0, 1]
    seconds = [green, green - 0.01, red, red - 0.01, red - 1e-12]

    found = ors_zones(np.repeat(np.arange(5), 2), np.array([[20.0, second] for second in seconds]).ravel())

    assert found.zone[::2].tolist() == [Zone.GREY] * 5
    assert found.zone[1::2].tolist() == [Zone.GREEN, Zone.AMBER, Zone.AMBER, Zone.RED, Zone.AMBER]
    assert found.alert[1::2].tolist() == [False, False, False, True, False]
    assert not found.alert[::2].any()


def test_zones_follow_the_ordinal_of_the_score_in_its_series():
    series = np.array([3, 3, 3, 8, 9, 9])
    found = ors_zones(series, np.array([20.0, 16.0, 16.0, 5.0, 10.0, 10.0]))

    assert found.zone.tolist() == [Zone.GREY, Zone.AMBER, Zone.AMBER, Zone.GREY, Zone.GREY, Zone.AMBER]
    assert found.course.expected[:3].round(6).tolist() == [20.0, 23.049733, 24.936857]


@pytest.mark.parametrize(
    ("totals", "below", "dropped"),
    [
        ([36.0], [False], [False]),
        ([35.9], [True], [False]),
        ([40.0, 39.0], [False, False], [False, True]),
        ([40.0, 39.1], [False, False], [False, False]),
        ([38.1, 37.1], [False, False], [False, True]),
        ([32.8, 31.8], [True, True], [False, True]),
        ([36.5, 35.5], [False, True], [False, True]),
        ([39.0, 38.4, 37.8], [False] * 3, [False] * 3),
        ([35.9, 35.8], [True, True], [False, False]),
    ],
)
def test_srs_alerts(totals, below, dropped):
    found = srs_alerts(np.zeros(len(totals), np.int64), np.array(totals))

    assert (found.below_cutoff.tolist(), found.dropped.tolist()) == (below, dropped)


def test_srs_drops_do_not_reach_across_series():
    found = srs_alerts(np.array([1, 1, 2]), np.array([38.0, 40.0, 36.0]))

    assert found.alert.tolist() == [False, False, False]


def test_srs_limits_are_configurable():
    rules = OutcomeRules(srs_cutoff=34.0, srs_drop=2.0)

    assert srs_alerts(np.zeros(3, np.int64), np.array([38.0, 36.5, 34.5]), rules).alert.tolist() == [False, False, True]


def test_no_scores():
    nothing = np.array([], np.int64)

    assert srs_alerts(nothing, np.array([])).alert.shape == (0,)
    assert ors_zones(nothing, np.array([])).zone.shape == (0,)


def test_unsorted_series_are_refused():
    with pytest.raises(ValueError, match="series must be sorted"):
        srs_alerts(np.array([2, 1]), np.array([38.0, 38.0]))


@pytest.mark.parametrize("change", [{"rci": 0.0}, {"reference_sd": -1.0}, {"srs_drop": 0.0}, {"rci": NAN}])
def test_rules_are_checked(change):
    with pytest.raises(ValueError, match="rci, reference_sd and srs_drop must be positive"):
        OutcomeRules(**change)
