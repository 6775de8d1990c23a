"""The steps of a score form a tree whose numbers are those of the other functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caregraph.scoring.explain import explain_ors, explain_srs
from caregraph.scoring.measures import ORS, SRS, age_bands, total
from caregraph.scoring.outcomes import OutcomeRules, change_categories, cutoffs, is_nonclinical, ors_zones, srs_alerts

RULES = OutcomeRules()
LINES = ["line.individually", "line.interpersonally", "line.socially", "line.overall"]
tenths = st.integers(0, 100).map(lambda n: n / 10)
four_lines = st.lists(tenths, min_size=4, max_size=4)
totals = st.lists(st.integers(0, 400).map(lambda n: n / 10), max_size=6)
ages = st.one_of(st.none(), st.integers(0, 90).map(float))


def by_key(steps):
    return {step.key: step for step in steps}


def assert_is_tree(steps):
    keys = [step.key for step in steps]
    assert len(set(keys)) == len(keys)
    assert [step.key for step in steps if step.parent is None] == ["total"]
    for position, step in enumerate(steps[1:], 1):
        assert step.parent in keys[:position], step
    assert all(step.label and step.rule and step.source for step in steps)


@given(four_lines, ages, st.booleans(), totals)
def test_ors_values_are_those_of_the_other_functions(items, age, collateral, earlier):
    steps = explain_ors(items, age=age, collateral=collateral, earlier=earlier)
    found = {key: step.value for key, step in by_key(steps).items()}

    score = total(ORS, np.array([items]))
    band = age_bands(np.array([np.nan if age is None else age]))
    cutoff = cutoffs(RULES, band, np.array([collateral]))
    history = np.array([*earlier, *score])
    zones = ors_zones(np.zeros(len(history), np.int64), history)
    assert_is_tree(steps)
    assert found["total"] == score[0]
    assert [found[key] for key in LINES] == items
    assert (found["cutoff"], found["cutoff.age"]) == (cutoff[0], age)
    assert found["nonclinical"] == is_nonclinical(RULES, score, cutoff)[0]
    assert (found["zone"], found["alert"]) == (zones.zone[-1], zones.alert[-1])
    assert found["zone.successful"] == zones.course.successful[-1]
    assert found["zone.unsuccessful"] == zones.course.unsuccessful[-1]
    assert found["expected"] == zones.course.expected[-1]
    assert (found["intake"], found["ordinal"]) == (history[0], len(history))
    assert found["intake.above_range"] == (history[0] > 32)
    assert ("change" in found) == bool(earlier)
    if earlier:
        assert found["change"] == history[-1] - history[0]
        assert found["change.category"] == change_categories(history[:1], score, cutoff, RULES)[0]


@given(four_lines, totals)
def test_srs_values_are_those_of_the_other_functions(items, earlier):
    steps = explain_srs(items, earlier=earlier)
    found = {key: step.value for key, step in by_key(steps).items()}

    history = np.array([*earlier, *total(SRS, np.array([items]))])
    alerts = srs_alerts(np.zeros(len(history), np.int64), history)
    assert_is_tree(steps)
    assert found["total"] == history[-1]
    assert (found["alert"], found["alert.below_cutoff"]) == (alerts.alert[-1], alerts.below_cutoff[-1])
    assert found["cutoff"] == 36.0
    if earlier:
        assert (found["alert.dropped"], found["previous"]) == (alerts.dropped[-1], history[-2])
    else:
        assert "alert.dropped" not in found


def test_steps_say_which_rules_and_versions_they_come_from():
    found = by_key(explain_ors([5.0, 5.0, 5.0, 5.0], age=10.0, collateral=False, earlier=[14.0]))

    assert found["measure"].rule == "ors version 1"
    assert found["model"].rule == "ors-default-v1"
    assert found["cutoff"].rule == "for the client, by age at intake"
    assert found["cutoff.age"].rule == "age band: 6 to 12"
    assert found["nonclinical"].rule == "1 if the total is at or above the cut-off"
    assert found["alert"].rule == "1 if the zone is red; it is green"
    assert found["change.category"].rule == "improved; 0 recovered, 1 improved, 2 no change, 3 deteriorated"
    assert found["zone.successful"].rule == "31.0% quantile around the expected ORS; zones start with the second score"


def test_without_a_known_history_there_is_no_trajectory():
    steps = explain_ors([5.0, 5.0, 5.0, 5.0], age=None, collateral=True)

    assert [step.key for step in steps] == ["total", *LINES, "measure", "nonclinical", "cutoff", "cutoff.age"]
    assert by_key(steps)["cutoff"].rule == "for a collateral rater, by age at intake"


@pytest.mark.parametrize("items", [[5.0, None, 5.0, 5.0], [5.0, 10.1, 5.0, 5.0]])
def test_an_invalid_score_has_no_total_and_no_judgement(items):
    ors = by_key(explain_ors(items, age=30.0, collateral=False, earlier=[20.0]))
    srs = by_key(explain_srs(items, earlier=[38.0]))

    assert (ors["total"].value, ors["nonclinical"].value) == (None, None)
    assert ors["line.interpersonally"].value == items[1]
    assert "zone" not in ors
    assert srs["total"].value is None
    assert "alert" not in srs


def test_other_rules_show_in_the_steps():
    rules = OutcomeRules(at_cutoff_is_nonclinical=False, rci=6.0)

    found = by_key(explain_ors([6.25] * 4, age=40.0, collateral=False, rules=rules, earlier=[20.0]))

    assert found["nonclinical"].rule == "1 if the total is above the cut-off"
    assert found["nonclinical"].value == 0.0
    assert found["change"].rule == "reliable from 6 points either way"
    assert found["change.category"].value == 2.0
