"""An explanation names everything that made a score, and nobody else's answers."""

import numpy as np
import pytest

from caregraph.scoring.engine import score
from caregraph.scoring.errors import Problem
from caregraph.scoring.grouping import Grouping
from caregraph.scoring.instruments import instrument
from caregraph.scoring.norms import Norm
from caregraph.scoring.parts import Domain, Item, MissingRule, Scale, ScaleItem, ScoreConfig, ScoreKind, Variable
from caregraph.scoring.replay import recompute
from caregraph.scoring.spec import ScoringSpec
from caregraph.scoring.steps import Operation
from caregraph.scoring.tree import explain

NAN = np.nan
ITEMS = (Item("q1", 0, 3, label="First"), Item("q2", 0, 3))
SCALE = Scale("s", (ScaleItem("q1"), ScaleItem("q2", 2.0, reverse=True)))
SUM = ScoreConfig("sum", "s", ScoreKind.SUM, MissingRule(share=0.5), 2.0, 1, norm=Norm(10, 4, "a survey"), label="Sum")
AVERAGE = ScoreConfig("average", "s", ScoreKind.AVERAGE_OF_SUMS)
CALCULATED = ScoreConfig(
    "calculated",
    "s",
    ScoreKind.CUSTOM_CALCULATION,
    expression="A / (B - 9)",
    variables=(Variable("A", "sum"), Variable("B", "average")),
)
SPEC = ScoringSpec(ITEMS, (SCALE,), (), (SUM, AVERAGE, CALCULATED), "example", "4")


def told(answers, key, **places):
    return explain(SPEC, np.array(answers), key, **places)


def shown(steps):
    return [(step.key, step.parent, step.value) for step in steps]


def test_the_tree_of_a_score():
    steps = told([[1.0, 1.0]], "sum")

    assert shown(steps) == [
        ("score:sum", None, 10.0),
        ("z:sum", "score:sum", 0.0),
        ("t:sum", "z:sum", 50.0),
        ("percentile:sum", "z:sum", 50.0),
        ("stanine:sum", "z:sum", 5.0),
        ("score:sum > before it was rounded", "score:sum", 10.0),
        ("score:sum > before it was rounded > before it was multiplied", "score:sum > before it was rounded", 5.0),
        ("answer:q1", "score:sum > before it was rounded > before it was multiplied", 1.0),
        ("reversed:q2", "score:sum > before it was rounded > before it was multiplied", 2.0),
        ("answer:q2", "reversed:q2", 1.0),
    ]
    assert [step.rule for step in steps if step.key.startswith(("score", "z", "answer", "reversed"))] == [
        "rounded halves up, decimals: 1",
        "(score - 10) / 4, mean and standard deviation of the norm",
        "times 2",
        "sum of 2 answers, weights 1 and 2, prorated for those left out; undefined with fewer than 1",
        "0 to 3",
        "3 less the answer",
        "0 to 3",
    ]
    assert {step.label for step in steps} >= {"Sum", "First", "q2", "z", "T", "Percentile rank", "Stanine"}
    assert {step.source for step in steps} == {"example version 4", "a survey"}


def test_the_range_of_a_score_is_a_step():
    one = instrument("phq_9")

    steps = {step.key: step for step in explain(one.spec, np.array([[1.0] * 9]), "total")}

    assert steps["band:total"].value == 1.0
    assert steps["band:total"].operation is Operation.BAND
    assert steps["band:total"].rule.startswith("0 minimal, 0 to 4; 1 mild, 5 to 9; ")
    assert steps["score:total"].label == "PHQ-9 total"
    assert steps["answer:q9"].label == "Thoughts that you would be better off dead or of hurting yourself in some way"


@pytest.mark.parametrize(
    ("answers", "key", "respondent", "problem"),
    [
        ([[NAN, NAN]], "sum", 0, Problem.UNANSWERED),
        ([[NAN, 1.0]], "average", 0, Problem.NO_RESPONDENTS),
        ([[NAN, 1.0]], "calculated", 0, Problem.MISSING_VARIABLE),
        ([[3.0, 0.0], [NAN, NAN]], "calculated", 0, Problem.DIVISION_BY_ZERO),
        ([[3.0, 0.0], [NAN, NAN]], "calculated", 1, Problem.MISSING_VARIABLE),
        ([[3.0, 1.0]], "calculated", 0, None),
    ],
)
def test_why_there_is_no_score(answers, key, respondent, problem):
    first = told(answers, key, respondent=respondent)[0]

    assert first.problem is problem
    assert (first.value is None) == (problem is not None)


def test_an_answer_out_of_range_is_told():
    step = next(step for step in told([[1.0, 7.0]], "sum") if step.key == "answer:q2")

    assert (step.value, step.problem) == (None, Problem.OUTSIDE_RANGE)
    assert step.rule == "0 to 3; 7 is outside and counts as not answered"


def test_a_cohort_is_explained_without_the_answers_of_others():
    answers = [[1.0, 1.0], [3.0, 0.0], [0.0, 3.0], [NAN, 2.0]]
    cohorts = Grouping(np.array([0, 0, 1, 0]), 2)

    steps = told(answers, "calculated", respondent=0, cohorts=cohorts)

    average = next(step for step in steps if step.key == "score:average")
    assert (average.value, average.numbers, average.operands) == (7.0, (14.0, 2.0), ())
    assert average.rule == "mean over the 2 respondents of the cohort who have the score"
    assert [step.value for step in steps if step.operation is Operation.ANSWER] == [1.0, 1.0]


def test_a_score_of_a_cohort_alone_shows_no_answer():
    steps = told([[1.0, 1.0], [3.0, 0.0]], "average", respondent=1)

    assert shown(steps) == [("score:average", None, 7.0)]


def test_prorating_is_computed_again_to_the_last_bit():
    """9 of 7 is no power of two: multiplying before dividing would round another way."""
    items = tuple(Item(f"q{place}", 0, 10) for place in range(9))
    scale = Scale("s", tuple(ScaleItem(item.key) for item in items))
    spec = ScoringSpec(items, (scale,), (), (ScoreConfig("sum", "s", ScoreKind.SUM, MissingRule(count=7)),))
    answers = np.random.default_rng(5).integers(0, 101, (200, 9)) / 10
    answers[:, :2] = NAN

    scores = score(spec, answers)["sum"].score

    again = [recompute(explain(spec, answers, "sum", respondent=place))["score:sum"] for place in range(200)]
    assert again == scores.tolist()
    assert again == [sum(row[2:], 0.0) * (9 / 7) for row in answers.tolist()]


def test_a_number_used_twice_stands_once():
    one = ScoreConfig("one", "s", ScoreKind.SUM)
    chain = [one] + [
        ScoreConfig(
            f"c{place}",
            "s",
            ScoreKind.CUSTOM_CALCULATION,
            expression="A + B",
            variables=(Variable("A", before), Variable("B", before)),
        )
        for place, before in enumerate(["one", *(f"c{place}" for place in range(39))])
    ]
    spec = ScoringSpec(ITEMS, (SCALE,), (Domain("d", ("s",)),), tuple(chain))

    steps = explain(spec, np.array([[1.0, 1.0]]), "c39")

    assert steps[0].value == 5.0 * 2**40
    assert len(steps) == 40 + 1 + 3


def test_an_unknown_score_has_no_explanation():
    with pytest.raises(KeyError):
        told([[1.0, 1.0]], "other")
