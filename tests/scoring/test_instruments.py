"""The library of instruments, and what a check finds in a file."""

from importlib.resources import files

import numpy as np
import pytest

from caregraph.scoring import instruments as library
from caregraph.scoring.engine import score
from caregraph.scoring.instruments import Sureness, check, instrument, instruments
from caregraph.scoring.instruments.checking import is_loinc, problems
from caregraph.scoring.parts import ScoreKind

SHIPPED = [
    "audit_c",
    "ces_d",
    "dass_21",
    "gad_2",
    "gad_7",
    "k10",
    "k6",
    "pc_ptsd_5",
    "pcl_5",
    "phq_15",
    "phq_2",
    "phq_4",
    "phq_9",
]
NEUTRAL = ["core_10", "goal_attainment", "ors", "srs"]
TEXT = (files(library) / "gad_7.toml").read_text("utf-8")


def test_the_library():
    assert [one.key for one in instruments()] == sorted(SHIPPED + NEUTRAL)
    assert [one.key for one in instruments() if one.text_is_shipped] == SHIPPED
    assert instrument("phq_9") is instrument("phq_9")
    for unknown in ("who_5", "../phq_9", ""):
        with pytest.raises(KeyError):
            instrument(unknown)


@pytest.mark.parametrize("one", instruments(), ids=lambda one: one.key)
def test_an_instrument_is_scored_as_its_vectors_say(one):
    assert list(problems(one)) == []
    assert len(one.vectors) >= 3
    assert one.source
    assert one.licence.notice
    assert [(item.key, item.minimum, item.maximum) for item in one.items] == [
        (item.key, item.minimum, item.maximum) for item in one.spec.items
    ]
    assert (one.spec.key, one.spec.version) == (one.key, one.version)


@pytest.mark.parametrize("key", NEUTRAL)
def test_wording_that_may_not_be_shipped_is_left_out(key):
    one = instrument(key)

    assert one.text_sureness is None
    assert one.instruction == ""
    assert all(len(item.text.split()) <= 4 for item in one.items)


def test_answers_are_those_of_the_options():
    for one in instruments():
        for item in one.items:
            values = [option.value for option in item.options]
            assert len(set(values)) == len(values)
            assert bool(values) == (one.key not in {"ors", "srs"})


def test_phq_9_in_detail():
    one = instrument("phq_9")

    assert one.items[0].text == "Little interest or pleasure in doing things"
    assert [item.code for item in one.items] == (
        ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
    )
    assert [(option.value, option.text, option.code) for option in one.items[8].options] == [
        (0, "Not at all", "LA6568-5"),
        (1, "Several days", "LA6569-3"),
        (2, "More than half the days", "LA6570-1"),
        (3, "Nearly every day", "LA6571-9"),
    ]
    assert (one.panel_code, one.score_codes) == ("44249-1", (("total", "44261-6"),))
    assert [(flag.item, flag.at_least) for flag in one.flags] == [("q9", 1)]
    assert [(change.points, change.sureness) for change in one.reliable_changes] == [(6, Sureness.FROM_MEMORY)]
    assert [(cutoff.at_least, cutoff.sureness) for cutoff in one.cutoffs] == [(10, Sureness.SECONDARY)]
    assert one.ranges_sureness == (("total", Sureness.FROM_MEMORY),)
    assert [(one.start, one.end, one.label) for one in one.spec.config("total").ranges] == [
        (0, 4, "minimal"),
        (5, 9, "mild"),
        (10, 14, "moderate"),
        (15, 19, "moderately severe"),
        (20, 27, "severe"),
    ]


def test_goal_attainment_is_a_kind_of_its_own():
    assert instrument("goal_attainment").spec.config("t").kind is ScoreKind.GOAL_ATTAINMENT


def test_every_instrument_scores_many_people_at_once():
    random = np.random.default_rng(3)
    for one in instruments():
        answers = np.stack(
            [random.choice([option.value for option in item.options] or [0.0, 2.5, 10.0], 500) for item in one.items],
            axis=1,
        )
        for column in score(one.spec, answers).values():
            assert not np.isnan(column.score).any()
            if column.config.ranges:
                assert (column.band >= 0).all()


@pytest.mark.parametrize(
    ("code", "right"),
    [("44261-6", True), ("44261-5", False), ("102012-2", True), ("LA6568-5", True), ("44261", False), ("x-1", False)],
)
def test_loinc_codes(code, right):
    assert is_loinc(code) is right


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("scores = { total = 16 }", "scores = { total = 15 }", "vectors.0: total is 16, not 15"),
        (
            'ranges = { total = "mild" }',
            'ranges = { total = "severe" }',
            "vectors.1: total is in the range 'mild', not 'severe'",
        ),
        ("answers = [3, 2, 2, 3, 1, 2, 3]", "answers = [3, 2]", "vectors.0.answers: There are 7 items, not 2"),
        (
            "answers = [3, 2, 2, 3, 1, 2, 3]",
            "answers = [3, 2, 2, 3, 1, 2, 4]",
            "vectors.0.answers.6: 4 is no answer to 'q7'",
        ),
        ("scores = { total = 16 }", "scores = { sum = 16 }", "vectors.0.scores: There is no score 'sum'"),
        ('code = "70274-6"', 'code = "70274-5"', "70274-5 is no LOINC code: its check digit is wrong"),
        ("end = 21", "end = 22", "The bound 22 of 'total' is out of reach: it goes from 0.0 to 21.0"),
        ("at_least = 8", "at_least = 80", "The cut-off 80 of 'total' is out of reach: it goes from 0.0 to 21.0"),
        ("start = 5,", "start = 3,", "configs.0.ranges.1: 3 to 9 overlaps 0 to 4"),
        (
            'kind = "sum"',
            'kind = "total"',
            "scores.0.kind: Expected one of: raw_value, mean_of_raw_values, sum_of_raw_values, sum, ",
        ),
        ('kind = "sum"', 'kind = "raw_value"', "configs.0.kind: The kind raw_value does not go with 'total_scale'"),
        ('items = ["q1",', 'items = ["q9",', "scales.0.items.0: There is no item 'q9'"),
        ('items = ["q1",', 'reversed = ["q9"]\nitems = ["q1",', "scales.0.reversed: 'q9' is not an item of this scale"),
        (
            'sureness = "from memory"',
            'sureness = "certain"',
            "Expected one of: confirmed, secondary source, from memory",
        ),
        ('text = "shipped"', 'text = "copied"', "text: Expected one of: shipped, neutral"),
        ('text = "Trouble relaxing"', "text = 5", "items.3.text: Expected a text"),
        ("{ value = 0,", '{ value = "0",', "options.0.value: Expected a number"),
        ("higher_is_better = false", "higher_is_better = 0", "higher_is_better: Expected true or false"),
        ("required_share = 0.8", "required_count = 0.8", "scores.0.required_count: Expected a whole number"),
        (
            "required_share = 0.8",
            "required_share = 2",
            "configs.0.missing: A share of answers is above 0 and at most 1, not 2",
        ),
        ("required_share = 0.8", "required_shore = 0.8", "scores.0.required_shore: There is no such field"),
        ('key = "gad_7"', "", "key: Expected a text"),
        ('key = "gad_7"', 'key = "gad_7', "This is no TOML: "),
        ('key = "gad_7"', f"key = {'[' * 5000}", "This is no TOML: "),
        ('key = "gad_7"', 'key = "gad_7"\nextra = 1', "extra: There is no such field"),
        ('score = "total"', 'score = "sum"', "cutoffs.0.score: There is no score 'sum'"),
        ("[[vectors]]", "[[unknown]]", "unknown: There is no such field"),
    ],
)
def test_what_a_check_finds(tmp_path, old, new, found):
    assert old in TEXT
    file = tmp_path / "one.toml"
    file.write_text(TEXT.replace(old, new), "utf-8")

    told = check(file).problems

    assert [problem for problem in told if found in problem], told


def test_a_file_without_vectors_shows_nothing(tmp_path):
    file = tmp_path / "one.toml"
    file.write_text(TEXT[: TEXT.index("[[vectors]]")], "utf-8")

    assert check(file).problems == ("There are no vectors that show that it is scored as published",)


def test_a_score_that_no_vector_shows(tmp_path):
    file = tmp_path / "one.toml"
    extra = '[[scores]]\nkey = "mean"\nof = "total_scale"\nkind = "mean"\n\n[[cutoffs]]'
    file.write_text(TEXT.replace("[[cutoffs]]", extra), "utf-8")

    assert check(file).problems == ("No vector shows the score 'mean'",)


def test_a_file_of_bytes(tmp_path):
    file = tmp_path / "one.toml"
    file.write_bytes(b"\xff\xfe")

    assert check(file).problems == ("This is no UTF-8 text",)
    assert check(file).instrument is None


def test_a_file_may_have_everything_that_scores_can_have(tmp_path):
    file = tmp_path / "one.toml"
    file.write_text(
        """
        key = "own"
        name = "Own"
        title = "Of our own"
        version = "3"
        language = "en"
        text = "neutral"
        higher_is_better = true
        source = "us"
        [licence]
        status = "ours"
        notice = "ours"
        source = "us"
        sureness = "confirmed"
        [[items]]
        key = "a"
        text = "First"
        minimum = 0
        maximum = 10
        [[items]]
        key = "b"
        text = "Second"
        minimum = 0
        maximum = 10
        [[scales]]
        key = "both"
        items = ["a", "b"]
        weights = { a = 2 }
        [[scores]]
        key = "mean"
        of = "both"
        kind = "mean"
        norm = { mean = 5, sd = 2, source = "a survey" }
        [[scores]]
        key = "extra"
        of = "both"
        kind = "custom_calculation"
        expression = "M * 10"
        variables = { M = "mean" }
        scope = "individual"
        [[vectors]]
        answers = [6, 3]
        scores = { mean = 5, extra = 50 }
        """,
        "utf-8",
    )

    found = check(file)

    assert found.problems == ()
    assert found.instrument.spec.config("mean").norm.source == "a survey"
