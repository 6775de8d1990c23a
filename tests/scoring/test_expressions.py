"""Custom calculations: what they compute, what is refused and where."""

import ast
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caregraph.scoring.errors import Problem, SpecCode, SpecError
from caregraph.scoring.expressions import MAXIMUM_DEPTH, MAXIMUM_LENGTH, evaluate, parse, problem_of

VALUES = {"A": np.array([3.0, 0.0, np.nan]), "B": np.array([4.5, 2.0, 1.0]), "c": np.array([2.0, 2.0, 2.0])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A + B - 5", [2.5, -3.0, np.nan]),
        ("A + B * c", [12.0, 4.0, np.nan]),
        ("(A + B) * c", [15.0, 4.0, np.nan]),
        ("B / c / 2", [1.125, 0.5, 0.25]),
        ("B - c - 1", [1.5, -1.0, -2.0]),
        ("-A * -B", [13.5, 0.0, np.nan]),
        ("--B", [4.5, 2.0, 1.0]),
        ("2 * -c", [-4.0, -4.0, -4.0]),
        ("B / A", [1.5, np.nan, np.nan]),
        ("c / (B - 2)", [0.8, np.nan, -2.0]),
        ("1.5", 1.5),
        (".5 + 0.25", 0.75),
        ("  ( c )  ", [2.0, 2.0, 2.0]),
    ],
)
def test_what_it_computes(text, expected):
    found = evaluate(parse(text), VALUES)

    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "code", "position", "message"),
    [
        ("", SpecCode.SYNTAX, 1, "The expression is empty"),
        ("   ", SpecCode.SYNTAX, 1, "The expression is empty"),
        ("A +", SpecCode.SYNTAX, 4, "The expression ends too early"),
        ("A B", SpecCode.SYNTAX, 3, "Expected one of + - * / at character 3, not B"),
        ("2A", SpecCode.SYNTAX, 2, "Expected one of + - * / at character 2, not A"),
        ("A (B)", SpecCode.SYNTAX, 3, "Expected one of + - * / at character 3, not ("),
        ("A + * B", SpecCode.SYNTAX, 5, "Expected a number, a letter or a bracket at character 5, not *"),
        ("+A", SpecCode.SYNTAX, 1, "Expected a number, a letter or a bracket at character 1, not +"),
        ("A ** 2", SpecCode.SYNTAX, 4, "Expected a number, a letter or a bracket at character 4, not *"),
        ("()", SpecCode.SYNTAX, 2, "Expected a number, a letter or a bracket at character 2, not )"),
        ("(A + B", SpecCode.SYNTAX, 1, "The bracket at character 1 is not closed"),
        ("A + B)", SpecCode.SYNTAX, 6, "The bracket at character 6 was never opened"),
        ("__import__('os')", SpecCode.SYNTAX, 1, "Unexpected '_' at character 1"),
        ("A.real", SpecCode.SYNTAX, 2, "Unexpected '.' at character 2"),
        ("A; B", SpecCode.SYNTAX, 2, "Unexpected ';' at character 2"),
        ("A + ٣", SpecCode.SYNTAX, 5, "Unexpected '٣' at character 5"),
        ("A \u2212 B", SpecCode.SYNTAX, 3, "Unexpected '\u2212' at character 3"),
        ("1e5", SpecCode.SYNTAX, 2, "Expected one of + - * / at character 2, not e"),
        ("A / 0", SpecCode.DIVISION_BY_ZERO, 3, "Division by zero at character 3"),
        ("A / (2 - 4 / 2)", SpecCode.DIVISION_BY_ZERO, 3, "Division by zero at character 3"),
        ("A / -0.0", SpecCode.DIVISION_BY_ZERO, 3, "Division by zero at character 3"),
        ("9" * 400, SpecCode.NUMBER, 1, "The number at character 1 is too large"),
        (f"{'9' * 300} * {'9' * 300}", SpecCode.NUMBER, 302, "The number at character 302 is too large"),
        (
            "(" * 10_000 + "A" + ")" * 10_000,
            SpecCode.TOO_DEEP,
            101,
            "At most 100 brackets may be nested, the next opens at character 101",
        ),
        ("A+" * 5_000 + "A", SpecCode.TOO_LONG, 1001, "An expression has at most 1000 characters"),
        ("-" * 5_000 + "A", SpecCode.TOO_LONG, 1001, "An expression has at most 1000 characters"),
    ],
)
def test_what_is_refused(text, code, position, message):
    with pytest.raises(SpecError) as refused:
        parse(text)

    assert (refused.value.code, refused.value.position, refused.value.message) == (code, position, message)


def test_the_limits_themselves_are_allowed():
    depth = "(" * MAXIMUM_DEPTH + "A" + ")" * MAXIMUM_DEPTH
    long = "A+" * (MAXIMUM_LENGTH // 2 - 1) + "A "

    assert evaluate(parse(depth), {"A": np.array([7.0])}).tolist() == [7.0]
    assert len(long) == MAXIMUM_LENGTH
    assert evaluate(parse(long), {"A": np.array([1.0])}).tolist() == [500.0]


def test_variables_are_told_in_the_order_of_their_use():
    expression = parse("b + A * b - C")

    assert expression.letters == ("b", "A", "C")
    assert expression.position_of("C") == 13


def test_equal_texts_are_equal_expressions():
    assert parse("A + 1") == parse("A + 1")
    assert hash(parse("A + 1")) == hash(parse("A + 1"))
    assert parse("A + 1") != parse("A+1")


def numbers():
    return st.integers(0, 50).map(lambda tenths: str(tenths / 10))


arithmetic = st.recursive(
    st.one_of(numbers(), st.sampled_from("ABC")),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        inner.map(lambda one: f"-{one}"),
    ),
    max_leaves=12,
)


@given(arithmetic, st.lists(st.integers(-9, 9).map(float), min_size=3, max_size=3))
def test_it_means_what_the_same_text_means_in_python(text, values):
    names = dict(zip("ABC", values, strict=True))
    try:
        expression = parse(text)
    except SpecError as error:
        refused = error.code
    else:
        refused = None
    if refused is not None:
        assert refused is SpecCode.DIVISION_BY_ZERO
        return
    try:
        expected = eval(compile(ast.parse(text, mode="eval"), "text", "eval"), {}, names)
    except ZeroDivisionError:
        expected = math.nan

    found = evaluate(expression, {name: np.array([value]) for name, value in names.items()})

    assert np.array_equal(np.broadcast_to(found, 1), [expected], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A + 1", None),
        ("A + N", Problem.MISSING_VARIABLE),
        ("A / Z", Problem.DIVISION_BY_ZERO),
        ("H * H", Problem.NOT_FINITE),
        ("1 / (H * H)", None),
        ("H * H - H * H", Problem.NOT_FINITE),
    ],
)
def test_why_there_is_no_value(text, problem):
    values = {"A": 1.0, "N": math.nan, "Z": 0.0, "H": 1e300}

    assert problem_of(parse(text), values) is problem
    found = evaluate(parse(text), {name: np.array([value]) for name, value in values.items()})
    assert bool(np.isnan(found).any()) == (problem is not None)
