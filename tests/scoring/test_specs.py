"""A specification is checked when it is made, and every mistake is named with its place."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from caregraph.scoring.bands import NO_BAND, ResultRange, bands
from caregraph.scoring.engine import invalid, score
from caregraph.scoring.errors import SpecCode, SpecError
from caregraph.scoring.grouping import Grouping
from caregraph.scoring.norms import NO_STANINE, Norm
from caregraph.scoring.parts import (
    Domain,
    Item,
    MissingRule,
    Scale,
    ScaleItem,
    Scope,
    ScoreConfig,
    ScoreKind,
    Variable,
)
from caregraph.scoring.possible import PossibleRange, possible_ranges
from caregraph.scoring.spec import ScoringSpec

ITEMS = (Item.of_options("q1", (0, 1, 2, 3)), Item.of_options("q2", (0, 1, 2, 3)), Item("q3", 1, 5))
SCALES = (
    Scale("mood", (ScaleItem("q1"), ScaleItem("q2", reverse=True))),
    Scale("all", tuple(map(ScaleItem, ("q1", "q2", "q3")))),
)
DOMAINS = (Domain("life", ("mood", "all")),)
MOOD = ScoreConfig("mood sum", "mood", ScoreKind.SUM)
NAN = np.nan


def made(*configs, items=ITEMS, scales=SCALES, domains=DOMAINS):
    return ScoringSpec(items, scales, domains, configs)


def custom(key, expression, scope=None, of="mood", **letters):
    variables = tuple(Variable(*pair) for pair in letters.items())
    return ScoreConfig(key, of, ScoreKind.CUSTOM_CALCULATION, expression=expression, variables=variables, scope=scope)


def ranges(*bounds):
    return tuple(ResultRange(start, end, f"{start}-{end}") for start, end in bounds)


@pytest.mark.parametrize(
    ("make", "code", "path", "message"),
    [
        (lambda: made(items=()), SpecCode.EMPTY, ("items",), "There are no items"),
        (
            lambda: made(items=(*ITEMS, Item("q1", 0, 1))),
            SpecCode.DUPLICATE_KEY,
            ("items", 3),
            "The key 'q1' is used twice",
        ),
        (
            lambda: made(scales=(*SCALES, Scale("q1", (ScaleItem("q2"),)))),
            SpecCode.DUPLICATE_KEY,
            ("scales", 2),
            "The key 'q1' is used twice",
        ),
        (lambda: made(MOOD, MOOD), SpecCode.DUPLICATE_KEY, ("configs", 1), "The key 'mood sum' is used twice"),
        (
            lambda: made(items=(Item("q1", 3, 0),), scales=(), domains=()),
            SpecCode.NUMBER,
            ("items", 0),
            "The lowest answer is above the highest: 3 and 0",
        ),
        (
            lambda: made(items=(Item("q1", 0, NAN),), scales=(), domains=()),
            SpecCode.NUMBER,
            ("items", 0, "maximum"),
            "The maximum of an answer is a number of at most 1e+15 either way",
        ),
        (
            lambda: made(items=(Item("q1", 0, 3, (0, 4)),), scales=(), domains=()),
            SpecCode.NUMBER,
            ("items", 0, "values", 1),
            "4 is outside 0 to 3",
        ),
        (
            lambda: made(scales=(*SCALES, Scale("empty", ()))),
            SpecCode.EMPTY,
            ("scales", 2, "items"),
            "There are no items",
        ),
        (
            lambda: made(scales=(*SCALES, Scale("bad", (ScaleItem("q1"), ScaleItem("q9"))))),
            SpecCode.UNKNOWN_KEY,
            ("scales", 2, "items", 1),
            "There is no item 'q9'",
        ),
        (
            lambda: made(scales=(*SCALES, Scale("bad", (ScaleItem("q1"), ScaleItem("q1"))))),
            SpecCode.DUPLICATE_KEY,
            ("scales", 2, "items", 1),
            "'q1' is in it twice",
        ),
        (
            lambda: made(scales=(*SCALES, Scale("bad", (ScaleItem("q1", float("inf")),)))),
            SpecCode.NUMBER,
            ("scales", 2, "items", 0),
            "A weight is a number of at most 1e+15 either way",
        ),
        (
            lambda: made(domains=(Domain("life", ("mood", "work")),)),
            SpecCode.UNKNOWN_KEY,
            ("domains", 0, "scales", 1),
            "There is no scale 'work'",
        ),
        (
            lambda: made(ScoreConfig("x", "nothing", ScoreKind.SUM)),
            SpecCode.UNKNOWN_KEY,
            ("configs", 0, "of"),
            "There is no item, scale or domain 'nothing'",
        ),
        (
            lambda: made(MOOD, ScoreConfig("x", "q1", ScoreKind.SUM)),
            SpecCode.KIND,
            ("configs", 1, "kind"),
            "The kind sum does not go with 'q1'",
        ),
        (
            lambda: made(ScoreConfig("x", "mood", ScoreKind.RAW_VALUE)),
            SpecCode.KIND,
            ("configs", 0, "kind"),
            "The kind raw_value does not go with 'mood'",
        ),
        (
            lambda: made(ScoreConfig("x", "life", ScoreKind.GOAL_ATTAINMENT)),
            SpecCode.KIND,
            ("configs", 0, "kind"),
            "Goal attainment is scored over the items of a scale",
        ),
        (
            lambda: made(replace(MOOD, scope=Scope.COHORT)),
            SpecCode.KIND,
            ("configs", 0, "kind"),
            "Only custom calculations have an expression, variables and a scope of their own",
        ),
        (
            lambda: made(replace(MOOD, norm=Norm(1, 0))),
            SpecCode.NUMBER,
            ("configs", 0, "norm"),
            "A norm needs a mean and a standard deviation above 0",
        ),
        (
            lambda: made(MOOD, replace(custom("x", "A", A="mood sum"), norm=Norm(1, 1))),
            SpecCode.KIND,
            ("configs", 1, "norm"),
            "A custom calculation takes no norm",
        ),
        (
            lambda: made(replace(MOOD, missing=MissingRule(share=0))),
            SpecCode.NUMBER,
            ("configs", 0, "missing"),
            "A share of answers is above 0 and at most 1, not 0",
        ),
        (
            lambda: made(replace(MOOD, missing=MissingRule(count=3))),
            SpecCode.NUMBER,
            ("configs", 0, "missing"),
            "Of 2 parts 1 to 2 can be required, not 3",
        ),
        (
            lambda: made(replace(MOOD, decimals=10)),
            SpecCode.NUMBER,
            ("configs", 0, "decimals"),
            "Scores are rounded to 0 to 9 decimals",
        ),
        (
            lambda: made(
                ScoreConfig("x", "s", ScoreKind.MEAN),
                scales=(*SCALES, Scale("s", (ScaleItem("q1", -1), ScaleItem("q2")))),
            ),
            SpecCode.NUMBER,
            ("configs", 0, "of"),
            "A mean or a prorated score needs weights of 0 or more, and one above 0, in 's'",
        ),
        (
            lambda: made(replace(MOOD, ranges=ranges((0, 4), (3, 6)))),
            SpecCode.OVERLAP,
            ("configs", 0, "ranges", 1),
            "3 to 6 overlaps 0 to 4",
        ),
        (
            lambda: made(replace(MOOD, ranges=ranges((4, 0)))),
            SpecCode.NUMBER,
            ("configs", 0, "ranges", 0),
            "A range starts at or before its end: 4 to 0",
        ),
        (
            lambda: made(MOOD, custom("x", "A + B", A="mood sum")),
            SpecCode.UNKNOWN_VARIABLE,
            ("configs", 1, "expression"),
            "There is no variable B, used at character 5",
        ),
        (
            lambda: made(MOOD, custom("x", "__import__", A="mood sum")),
            SpecCode.SYNTAX,
            ("configs", 1, "expression"),
            "Unexpected '_' at character 1",
        ),
        (
            lambda: made(custom("x", "A", A="nothing")),
            SpecCode.UNKNOWN_KEY,
            ("configs", 0, "variables", 0),
            "There is no score 'nothing'",
        ),
        (
            lambda: made(MOOD, custom("x", "A", Ab="mood sum")),
            SpecCode.SYNTAX,
            ("configs", 1, "variables", 0),
            "A variable is a single letter, not 'Ab'",
        ),
        (
            lambda: made(MOOD, custom("x", "A", Scope.COHORT, A="mood sum")),
            SpecCode.KIND,
            ("configs", 1, "variables", 0),
            "A is a score of respondents: a calculation for a cohort needs scores of cohorts",
        ),
        (
            lambda: made(custom("x", "A + 1", A="x")),
            SpecCode.CYCLE,
            ("configs", 0),
            "Scores need each other in a circle: 'x' → 'x'",
        ),
        (
            lambda: made(MOOD, custom("x", "A", A="y"), custom("y", "A", A="z"), custom("z", "A", A="x")),
            SpecCode.CYCLE,
            ("configs", 1),
            "Scores need each other in a circle: 'x' → 'y' → 'z' → 'x'",
        ),
        (
            lambda: made(ScoreConfig("x", "life", ScoreKind.SUM, parts=("nothing",))),
            SpecCode.UNKNOWN_KEY,
            ("configs", 0, "parts", 0),
            "There is no score 'nothing'",
        ),
        (
            lambda: made(
                ScoreConfig("a", "mood", ScoreKind.AVERAGE_OF_SUMS),
                ScoreConfig("x", "life", ScoreKind.SUM, parts=("a",)),
            ),
            SpecCode.KIND,
            ("configs", 1, "parts", 0),
            "'a' is a score of a cohort: a domain adds scores of respondents",
        ),
        (
            lambda: made(ScoreConfig("a > each", "mood", ScoreKind.SUM)),
            SpecCode.FORMAT,
            ("configs", 0),
            "A key must not contain ' > '",
        ),
    ],
)
def test_what_is_refused(make, code, path, message):
    with pytest.raises(SpecError) as refused:
        make()

    found = refused.value
    if code is SpecCode.CYCLE:
        assert found.path[0] == "configs"
        assert set(found.message.split("'")[1::2]) == set(message.split("'")[1::2])
        assert found.message.startswith("Scores need each other in a circle: ")
    else:
        assert (found.path, found.message) == (path, message)
        assert str(found) == f"{'.'.join(map(str, path))}: {message}"
    assert found.code is code


def test_a_long_chain_of_calculations_is_no_recursion():
    chain = [custom(f"c{place}", "A + 1", A=f"c{place - 1}") for place in range(1, 3000)]
    spec = made(replace(MOOD, key="c0"), *chain)

    assert score(spec, np.array([[1.0, 1.0, 1.0]]))["c2999"].score.tolist() == [3.0 + 2999]
    assert possible_ranges(spec)["c2999"] == PossibleRange(2999.0, 3005.0)


def test_a_specification_is_a_value():
    one, other = made(MOOD), made(replace(MOOD))

    assert one == other
    assert {one: 1}[other] == 1
    assert made(replace(MOOD, multiplier=2.0)) != one
    with pytest.raises(FrozenInstanceError):
        one.version = "2"


def test_domains_add_the_first_plain_score_of_each_scale():
    spec = made(
        custom("first", "A", A="mood sum"),
        MOOD,
        ScoreConfig("domain sum", "life", ScoreKind.SUM),
        ScoreConfig("domain mean", "life", ScoreKind.MEAN),
        ScoreConfig("chosen", "life", ScoreKind.SUM, parts=("mood sum", "first")),
    )

    found = score(spec, np.array([[3.0, 1.0, 5.0], [3.0, 1.0, NAN]]))

    # mood is 3 + (3 - 1); the scale of all three has no score of its own: its sum 9 and its mean 3.
    assert np.array_equal(found["domain sum"].score, [14.0, NAN], equal_nan=True)
    assert np.array_equal(found["domain mean"].score, [4.0, NAN], equal_nan=True)
    assert found["chosen"].score.tolist() == [10.0, 10.0]


def test_scores_of_cohorts():
    spec = made(
        MOOD,
        ScoreConfig("average", "mood", ScoreKind.AVERAGE_OF_SUMS),
        ScoreConfig("mean answer", "q3", ScoreKind.MEAN_OF_RAW_VALUES),
        ScoreConfig("sum of answers", "q3", ScoreKind.SUM_OF_RAW_VALUES),
        custom("above", "A - B", A="mood sum", B="average"),
        custom("ratio", "A / B", Scope.COHORT, A="average", B="mean answer"),
    )
    answers = np.array([[0.0, 3.0, 1.0], [3.0, 0.0, 3.0], [1.0, 1.0, NAN], [NAN, 1.0, NAN]])

    found = score(spec, answers, cohorts=Grouping(np.array([0, 0, 1, 2]), 4))

    assert np.array_equal(found["average"].score, [3.0, 3.0, NAN, NAN], equal_nan=True)
    assert np.array_equal(found["mean answer"].score, [2.0, NAN, NAN, NAN], equal_nan=True)
    assert np.array_equal(found["sum of answers"].score, [4.0, NAN, NAN, NAN], equal_nan=True)
    assert np.array_equal(found["above"].score, [-3.0, 3.0, 0.0, NAN], equal_nan=True)
    assert np.array_equal(found["ratio"].score, [1.5, NAN, NAN, NAN], equal_nan=True)


def test_nobody_is_a_cohort_without_scores():
    spec = made(MOOD, ScoreConfig("average", "mood", ScoreKind.AVERAGE_OF_MEANS))

    found = score(spec, np.empty((0, 3)))

    assert found["mood sum"].score.shape == found["mood sum"].band.shape == (0,)
    assert np.isnan(found["average"].score).tolist() == [True]


def test_an_answer_out_of_range_counts_as_none():
    spec = made(MOOD, replace(MOOD, key="prorated", missing=MissingRule(share=0.5)))

    found = score(spec, np.array([[2.0, 4.0, 1.0], [2.0, -1.0, 1.0], [np.inf, 1.0, 1.0]]))

    assert np.isnan(found["mood sum"].score).all()
    assert found["prorated"].score.tolist() == [4.0, 4.0, 4.0]


def test_answers_that_no_option_has():
    answers = np.array([[0.0, 1.5, 1.5], [4.0, NAN, 0.5]])

    assert invalid(made(MOOD), answers).tolist() == [[False, True, False], [True, False, True]]


def test_answers_are_not_changed():
    answers = np.array([[1.0, 7.0, NAN]])

    score(made(MOOD), answers)

    assert np.array_equal(answers, [[1.0, 7.0, NAN]], equal_nan=True)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (1, 3, 1)])
def test_answers_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"answers must have the shape \(n, 3\), not "):
        score(made(MOOD), np.zeros(shape))


def test_cohorts_of_another_length_are_refused():
    with pytest.raises(ValueError, match="2 respondents cannot be in 3 places of cohorts"):
        score(made(MOOD), np.zeros((2, 3)), cohorts=Grouping.single(3))


def test_there_is_no_negative_zero():
    spec = made(replace(MOOD, multiplier=-2.0), custom("minus", "-A", A="mood sum"), custom("none", "0 * -1"))

    found = score(spec, np.array([[0.0, 3.0, 1.0]]))

    assert [str(float(column.score[0])) for column in found.values()] == ["0.0", "0.0", "0.0"]


def test_a_score_without_a_norm_stands_nowhere():
    column = score(made(MOOD), np.array([[1.0, 1.0, 1.0]]))["mood sum"]

    assert np.isnan([*column.z, *column.t, *column.percentile]).all()
    assert column.stanine.tolist() == [NO_STANINE]
    assert column.band.tolist() == [NO_BAND]


@pytest.mark.parametrize(
    ("bounds", "values", "expected"),
    [
        ([(0, 4), (5, 9)], [-0.1, 0, 4, 4.9, 5, 9, 9.1, NAN], [-1, 0, 0, 0, 1, 1, -1, -1]),
        ([(5, 9), (0, 4)], [4.9, 5], [1, 0]),
        ([(0, 5), (5, 10)], [4.9, 5, 10], [0, 1, 1]),
        ([(0, 4), (10, 14)], [4, 4.5, 7, 10, 14], [0, -1, -1, 1, 1]),
        ([(0, 4.9), (5, 9.9)], [4.95, 5], [0, 1]),
        ([(0, 0.2), (0.8, 1)], [0.2, 0.5, 0.8], [0, -1, 1]),
        ([(0, 0), (1, 5)], [0, 0.5, 1], [0, 0, 1]),
        ([(0, 4), (5, 9), (20, 30)], [9, 9.5, 12, 20], [1, -1, -1, 2]),
        ([(0, 14), (15, 20)], [15 - 1e-12], [1]),
        ([], [1.0], [-1]),
    ],
)
def test_ranges(bounds, values, expected):
    assert bands(ranges(*bounds)).of(np.array(values, np.float64)).tolist() == expected


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_halves_are_rounded_up(decimals):
    unit = 10.0**-decimals
    item = Item("q1", -5 * unit, 5 * unit)
    spec = made(
        ScoreConfig("half", "s", ScoreKind.SUM, multiplier=0.5, decimals=decimals),
        items=(item,),
        scales=(Scale("s", (ScaleItem("q1"),)),),
        domains=(),
    )

    found = score(spec, np.array([[unit], [3 * unit], [-unit], [-3 * unit]]))["half"].score

    assert np.allclose(found / unit, [1.0, 2.0, 0.0, -1.0], rtol=0, atol=1e-6)


def test_possible_ranges():
    rules = {
        "plain": ScoreConfig("plain", "all", ScoreKind.SUM),
        "mean": ScoreConfig("mean", "all", ScoreKind.MEAN),
        "minus": replace(MOOD, key="minus", multiplier=-2.0),
        "prorated": ScoreConfig("prorated", "all", ScoreKind.SUM, MissingRule(share=0.5)),
        "difference": custom("difference", "A - B", A="plain", B="mood"),
        "nothing": custom("nothing", "A - A", A="plain"),
        "product": custom("product", "A * B", A="minus", B="plain"),
        "shared": custom("shared", "A / (B + 1)", A="plain", B="mood"),
        "boundless": custom("boundless", "A / B", A="plain", B="mood"),
        "total": ScoreConfig("total", "q3", ScoreKind.SUM_OF_RAW_VALUES),
        "mood": replace(MOOD, key="mood"),
    }

    found = {key: (one.minimum, one.maximum) for key, one in possible_ranges(made(*rules.values())).items()}

    assert found == {
        "plain": (1.0, 11.0),
        "mean": (0.333333333333, 3.66666666667),
        "minus": (-12.0, 0.0),
        # With two of three answers 5 and 3 stand for a third of 4, so it can come to 12.
        "prorated": (0.0, 12.0),
        # The first item is in both and cancels out: from 0 + 1 - 3 to 3 + 3 + 5 - 3.
        "difference": (-2.0, 8.0),
        "nothing": (0.0, 0.0),
        "product": (-132.0, 0.0),
        "shared": (0.142857142857, 11.0),
        "boundless": (None, None),
        "total": (1.0, None),
        "mood": (0.0, 6.0),
    }
