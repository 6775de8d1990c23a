"""Alpha and omega of scales, and the normal distribution behind percentiles."""

import math

import numpy as np
import pytest

from caregraph.scoring.attainment import goal_attainment_t
from caregraph.scoring.norms import Norm, normal_cdf, percentiles, stanines, t_scores, z_scores
from caregraph.scoring.parts import Item, Scale, ScaleItem
from caregraph.scoring.reliability import cronbach_alpha, omega_total, one_factor, reliability
from caregraph.scoring.spec import ScoringSpec

LOADINGS = np.array([0.8, 0.7, 0.6, 0.5])


def factor_answers(respondents, loadings=LOADINGS):
    """Answers whose correlations are exactly those of one factor, whatever was drawn."""
    random = np.random.default_rng(7)
    drawn = random.normal(size=(respondents, len(loadings)))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn, rowvar=False))).T
    wanted = np.outer(loadings, loadings)
    np.fill_diagonal(wanted, 1.0)
    return white @ np.linalg.cholesky(wanted).T


def test_omega_finds_the_factor():
    answers = factor_answers(200)

    assert omega_total(answers) == pytest.approx(6.76 / 9.02, abs=1e-7)


def test_omega_weighs_items_by_their_spread():
    spread = np.array([1.0, 2.0, 1.0, 0.5])
    common = (LOADINGS * spread).sum() ** 2
    expected = common / (common + ((1 - LOADINGS**2) * spread**2).sum())

    assert omega_total(factor_answers(200) * spread) == pytest.approx(expected, abs=1e-7)


def test_one_factor_points_upwards():
    correlations = np.outer(-LOADINGS, -LOADINGS)
    np.fill_diagonal(correlations, 1.0)

    assert one_factor(correlations) == pytest.approx(LOADINGS, abs=1e-6)


@pytest.mark.parametrize(
    "answers",
    [np.ones((10, 4)), np.eye(4), factor_answers(50)[:, :2], np.full((20, 4), np.nan), np.empty((0, 4))],
    ids=["all alike", "few respondents", "two items", "nobody answered", "nobody"],
)
def test_omega_is_undefined(answers):
    assert math.isnan(omega_total(answers))


@pytest.mark.parametrize("answers", [np.ones((10, 3)), np.ones((1, 3)), np.ones((10, 1)), np.empty((0, 3))])
def test_alpha_is_undefined(answers):
    assert math.isnan(cronbach_alpha(answers))


def test_a_scale_is_looked_at_as_it_is_scored():
    answers = np.round(np.clip(factor_answers(300) + 3, 1, 5), 1)
    shown = answers.copy()
    shown[:, 1] = 6 - shown[:, 1]
    shown[0, 0], shown[1, 2] = np.nan, 9.0
    spec = ScoringSpec(
        tuple(Item(f"q{place}", 1, 5) for place in range(4)),
        (Scale("s", tuple(ScaleItem(f"q{place}", reverse=place == 1) for place in range(4))),),
    )

    found = reliability(spec, "s", shown)

    assert found.respondents == 298
    assert found.alpha == pytest.approx(cronbach_alpha(answers[2:]), abs=1e-12)
    assert found.omega == pytest.approx(omega_total(answers[2:]), abs=1e-9)
    assert 0.6 < found.alpha < found.omega < 0.9
    with pytest.raises(KeyError):
        reliability(spec, "other", shown)


def test_the_normal_distribution():
    z = np.concatenate([np.linspace(-40, 40, 16_001), [-7.0710678118654, -7.0710678118655, 0.0, -0.0]])
    expected = np.array([math.erfc(-one / math.sqrt(2)) / 2 for one in z])

    assert np.abs(normal_cdf(z) - expected).max() < 1e-15
    assert normal_cdf(np.array([-np.inf, np.inf])).tolist() == [0.0, 1.0]
    assert np.isnan(normal_cdf(np.array([np.nan]))).all()
    assert normal_cdf(np.empty(0)).shape == (0,)


def test_scores_in_a_norm():
    z = z_scores(np.array([2.1, np.nan]), Norm(3.0, 1.2))

    assert z[0] == pytest.approx(-0.75)
    assert t_scores(z)[0] == pytest.approx(42.5)
    assert percentiles(z)[0] == pytest.approx(22.662735237686)
    assert stanines(z).tolist() == [4, 0]


@pytest.mark.parametrize(
    ("z", "stanine"),
    [(-3.0, 1), (-1.76, 1), (-1.75, 2), (-0.25, 5), (0.0, 5), (0.25, 6), (1.7499999999999, 9), (9.0, 9)],
)
def test_stanines(z, stanine):
    assert stanines(np.array([z])).tolist() == [stanine]


def test_goals_that_a_person_does_not_have_are_left_out():
    attainments = np.array([[1.0, np.nan], [0.0, 0.0], [np.nan, np.nan], [2.0, -1.0]])
    weights = np.array([[3.0, 1.0], [1.0, 1.0], [1.0, 1.0], [2.0, 1.0]])

    found = goal_attainment_t(attainments, weights)

    assert found[:2] == pytest.approx([60.0, 50.0])
    assert math.isnan(found[2])
    assert found[3] == pytest.approx(50 + 10 * 3 / math.sqrt(0.7 * 5 + 0.3 * 9))
    with pytest.raises(ValueError, match="the correlation of goals is from 0 to 1, not 2"):
        goal_attainment_t(attainments, weights, 2)
