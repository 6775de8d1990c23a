"""The model of FACTS §2.5: worked values, its properties over all intakes, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caregraph.scoring.trajectories import (
    ORS_DEFAULT_V1,
    TrajectoryModel,
    at,
    expected_end,
    intake_above_range,
    service_target,
    trajectory,
)

MODEL = ORS_DEFAULT_V1
intakes = st.lists(st.floats(0, 40), min_size=1, max_size=20).map(np.array)
sessions = st.integers(1, 60)


def values(course):
    return np.stack([course.expected, course.successful, course.unsuccessful])


# Intake, session, expected, successful, unsuccessful: the table of FACTS §2.6.
WORKED = [
    (5.0, 2, 10.74, 8.45, 5.59),
    (10.0, 3, 17.84, 14.28, 9.43),
    (15.0, 4, 22.90, 19.02, 13.13),
    (20.0, 1, 20.00, 20.00, 20.00),
    (20.0, 6, 27.27, 23.58, 17.30),
    (25.0, 10, 30.57, 27.39, 21.39),
    (30.0, 15, 33.30, 30.75, 25.50),
    (35.01, 25, 35.96, 34.24, 30.36),
]


@pytest.mark.parametrize(("intake", "session", "expected", "successful", "unsuccessful"), WORKED)
def test_worked_values(intake, session, expected, successful, unsuccessful):
    course = trajectory(MODEL, np.array([intake]), session)

    assert values(course)[:, 0, -1].round(2).tolist() == [expected, successful, unsuccessful]


@given(intakes, sessions, sessions)
def test_a_shorter_course_is_the_start_of_a_longer_one(x, shorter, longer):
    shorter, longer = sorted((shorter, longer))

    assert np.array_equal(values(trajectory(MODEL, x, longer))[..., :shorter], values(trajectory(MODEL, x, shorter)))


@given(intakes, sessions)
def test_a_course_does_not_depend_on_its_neighbours(x, n):
    together = values(trajectory(MODEL, x, n))
    alone = np.concatenate([values(trajectory(MODEL, x[i : i + 1], n)) for i in range(len(x))], axis=1)

    assert np.array_equal(together, alone)


@given(intakes, sessions)
def test_bounds_order_and_start(x, n):
    course = trajectory(MODEL, x, n)

    assert values(course).min() >= 0
    assert values(course).max() <= 40
    assert np.array_equal(values(course)[..., 0], np.stack([x] * 3))
    assert np.all(course.unsuccessful[:, 1:] < course.successful[:, 1:])
    assert np.all(course.successful[:, 1:] < course.expected[:, 1:])


@given(st.floats(0, 39.9), st.floats(0.05, 40), sessions)
def test_rises_with_the_intake(low, step, n):
    course = values(trajectory(MODEL, np.array([low, min(low + step, 40.0)]), n))

    assert np.all(course[:, 1] > course[:, 0])


@given(intakes)
def test_converges_to_the_service_target(x):
    course = trajectory(MODEL, x, 100)

    assert course.expected[:, -1] == pytest.approx(expected_end(MODEL, x), abs=1e-9)
    assert course.successful[:, -1] == pytest.approx(service_target(MODEL, x), abs=1e-9)


@settings(max_examples=25)
@given(intakes, st.integers(1, 40))
def test_at_is_one_column_of_the_course(x, n):
    column = at(MODEL, x, np.full(len(x), n))

    assert values(column) == pytest.approx(values(trajectory(MODEL, x, n))[..., -1], abs=1e-12)


def test_group_median_lies_on_both_sides_of_the_expected_course():
    model = MODEL.as_group_median()
    course = trajectory(model, np.array([20.0]), 12)

    assert (model.version, model.green_quantile, model.red_quantile) == ("ors-default-v1-group-median", 0.655, 0.155)
    assert np.all(course.successful[0, 1:] > course.expected[0, 1:])
    assert np.all(course.unsuccessful[0, 1:] < course.expected[0, 1:])


def test_a_thousand_courses_of_a_thousand_sessions_take_one_call():
    course = trajectory(MODEL, np.linspace(0, 40, 1000), 1000)

    assert course.successful.shape == (1000, 1000)


def test_no_intakes():
    assert trajectory(MODEL, np.array([]), 3).expected.shape == (0, 3)


def test_intake_above_range():
    assert intake_above_range(MODEL, np.array([32.0, 32.1])).tolist() == [False, True]


@pytest.mark.parametrize("intake", [-0.1, 40.1, np.nan, np.inf, -np.inf])
def test_intakes_outside_the_scale_are_refused(intake):
    with pytest.raises(ValueError, match="intakes must be numbers from 0 to 40"):
        trajectory(MODEL, np.array([20.0, intake]), 3)


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (0, "sessions must be from 1 to 1000, not 0"),
        (-3, "sessions must be from 1 to 1000, not -3"),
        (1001, "sessions must be from 1 to 1000, not 1001"),
        (2.0, "sessions must be a whole number, not 2.0"),
        (True, "sessions must be a whole number, not True"),
        ("3", "sessions must be a whole number, not '3'"),
    ],
)
def test_session_counts_are_checked(count, message):
    with pytest.raises(ValueError, match=message):
        trajectory(MODEL, np.array([20.0]), count)


@pytest.mark.parametrize("ordinal", [0, 0.5, np.nan])
def test_ordinals_are_checked(ordinal):
    with pytest.raises(ValueError, match="session ordinals must be 1 or more"):
        at(MODEL, np.array([20.0]), np.array([ordinal]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"green_quantile": 0.05}, "quantiles must satisfy 0 < red <= green < 1"),
        ({"red_quantile": 0.0}, "quantiles must satisfy 0 < red <= green < 1"),
        ({"rate": 0.0}, "rate and maximum must be positive and end_spread not negative"),
        ({"end_spread": -0.1}, "rate and maximum must be positive and end_spread not negative"),
        ({"end_slope": -0.1}, "expected end-points must rise and stay within 0 and 40"),
        ({"end_slope": 1.0}, "expected end-points must rise and stay within 0 and 40"),
    ],
)
def test_parameters_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TrajectoryModel(), **change)
