"""Random specifications against the slow reference, and every score computed again from its own explanation."""

import os

import numpy as np
import pytest

from caregraph.scoring.engine import score
from caregraph.scoring.parts import ScoreKind
from caregraph.scoring.possible import possible_ranges
from caregraph.scoring.replay import recompute
from caregraph.scoring.tree import explain
from scoring.random_specs import case
from scoring.slow_scoring import Meaning, Slow

SPECS = int(os.environ.get("CAREGRAPH_SCORING_SPECS", "2000"))
BATCHES = 10


def as_floats(values):
    return np.array([np.nan if value is None else value for value in values])


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_engine_agrees_with_the_slow_reference(batch):
    for seed in range(batch, SPECS, BATCHES):
        one = case(seed)

        found = score(one.spec, one.answers, cohorts=one.cohorts)

        slow = Slow(one.plain, one.rows, one.cohort_of, one.cohorts.count)
        for key, config in one.plain["configs"].items():
            expected = slow.score(key)
            assert_close(found[key].score, as_floats(expected), (seed, key))
            meanings = [Meaning(None if np.isnan(value) else value, config) for value in found[key].score.tolist()]
            for name in ("z", "t", "percentile"):
                values = as_floats([getattr(meaning, name) for meaning in meanings])
                assert_close(getattr(found[key], name), values, (seed, key, name))
            assert found[key].stanine.tolist() == [meaning.stanine for meaning in meanings], (seed, key)
            assert found[key].band.tolist() == [meaning.band for meaning in meanings], (seed, key)


def assert_close(found, expected, where):
    assert found.shape == expected.shape, where
    close = np.isclose(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert close.all(), (where, found, expected)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_score_computed_again_from_its_tree_has_the_same_bits(batch):
    for seed in range(batch, SPECS, BATCHES):
        one = case(seed)
        key = list(one.plain["configs"])[seed % len(one.plain["configs"])]
        respondent = seed % len(one.rows)

        column = score(one.spec, one.answers, cohorts=one.cohorts)[key]
        steps = explain(one.spec, one.answers, key, respondent=respondent, cohorts=one.cohorts)

        place = one.cohort_of[respondent] if column.config.is_cohort else respondent
        again = recompute(steps)
        assert steps[0].key == f"score:{key}"
        assert steps[0].parent is None
        assert bits(again[steps[0].key]) == bits(column.score[place]), (seed, key)
        assert (steps[0].value is None) == (steps[0].problem is not None), (seed, key)
        for step in steps:
            assert bits(again[step.key]) == bits(step.value), (seed, key, step)
        if column.config.norm is not None:
            for name in ("z", "t", "percentile"):
                assert bits(again[f"{name}:{key}"]) == bits(getattr(column, name)[place]), (seed, key, name)


def bits(value):
    return None if value is None or np.isnan(value) else np.float64(value).tobytes()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_score_is_outside_its_possible_range(batch):
    for seed in range(batch, SPECS, BATCHES):
        one = case(seed)
        ranges = possible_ranges(one.spec)

        for key, column in score(one.spec, one.answers, cohorts=one.cohorts).items():
            values = column.score[~np.isnan(column.score)]
            low, high = ranges[key].minimum, ranges[key].maximum
            assert low is None or np.all(values >= low - 1e-9 - 1e-9 * abs(low)), (seed, key, low, values)
            assert high is None or np.all(values <= high + 1e-9 + 1e-9 * abs(high)), (seed, key, high, values)


def test_one_respondent_gets_the_same_bits_as_many():
    compared = 0
    for seed in range(60):
        one = case(seed)
        many = score(one.spec, np.repeat(one.answers, 5000, axis=0))

        for key, column in score(one.spec, one.answers[:1]).items():
            if not any(config.is_cohort for config in one.spec.configs):
                assert bits(many[key].score[0]) == bits(column.score[0])
                assert bits(many[key].score[4999]) == bits(column.score[0])
                assert bits(many[key].percentile[4999]) == bits(column.percentile[0])
                compared += 1

    assert compared > 50


def test_the_specifications_have_every_kind_of_score():
    kinds = {(config.kind, config.is_cohort) for seed in range(200) for config in case(seed).spec.configs}

    assert {kind for kind, _ in kinds} == set(ScoreKind)
    assert {(ScoreKind.CUSTOM_CALCULATION, True), (ScoreKind.CUSTOM_CALCULATION, False)} <= kinds
