"""Custom calculations: arithmetic over numbers and single letters, parsed without recursion and never executed as code.

The grammar (FACTS §4): `+ - * / ( )`, unary minus, decimal numbers, letters A-Z and a-z. Whatever else stands in an
expression is refused with its position. A parsed expression is a postfix program, so that evaluation needs a stack
of arrays and no recursion either.
"""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from .arrays import Floats
from .errors import Problem, SpecCode, SpecError

MAXIMUM_LENGTH = 1000
MAXIMUM_DEPTH = 100

T = TypeVar("T")

_NEGATE = "~"
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, _NEGATE: 3}
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<letter>[A-Za-z])|(?P<sign>[-+*/()]))")
_BLANK = re.compile(r"\s*")

_BINARY: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@dataclass(frozen=True)
class Expression:
    """A parsed expression: equal texts are equal expressions."""

    text: str
    program: tuple[float | str, ...] = field(compare=False)
    """Postfix: numbers, letters, and the operators `+ - * /` and `~` for negation."""
    letters: tuple[str, ...] = field(compare=False)
    """The variables, in the order of their first use."""

    def position_of(self, letter: str) -> int:
        """Count the characters up to the first use of a letter, from 1."""
        return self.text.index(letter) + 1


def parse(text: str) -> Expression:
    """Parse an expression of at most 1,000 characters and 100 nested brackets; raises SpecError with the position."""
    return _Parser(text).run()


def evaluate(expression: Expression, values: Mapping[str, Floats]) -> Floats:
    """Compute an expression for all respondents at once; NaN where a variable is, on division by 0 and past 1e308."""
    with np.errstate(all="ignore"):
        found = run(expression, values, constant=np.asarray, divide=_quotient)
        return np.where(np.isfinite(found), found, np.nan)


def problem_of(expression: Expression, values: Mapping[str, float]) -> Problem | None:
    """Tell why an expression has no value for one respondent; None if it has one."""
    if any(math.isnan(values[letter]) for letter in expression.letters):
        return Problem.MISSING_VARIABLE
    zeros: list[float] = []

    def divide(numerator: float, denominator: float) -> float:
        if denominator == 0:
            zeros.append(denominator)
            return math.nan
        return numerator / denominator

    found = run(expression, values, constant=float, divide=divide)
    if zeros:
        return Problem.DIVISION_BY_ZERO
    return None if math.isfinite(found) else Problem.NOT_FINITE


def run(
    expression: Expression, values: Mapping[str, T], *, constant: Callable[[float], T], divide: Callable[[T, T], T]
) -> T:
    """Compute an expression over anything that adds, subtracts and multiplies; `values` has every letter."""
    stack: list[Any] = []
    for step in expression.program:
        if isinstance(step, float):
            stack.append(constant(step))
        elif step == _NEGATE:
            stack.append(-stack.pop())
        elif step in _PRECEDENCE:
            right, left = stack.pop(), stack.pop()
            stack.append(divide(left, right) if step == "/" else _BINARY[step](left, right))
        else:
            stack.append(values[step])
    result: T = stack.pop()
    return result


def _quotient(numerator: Floats, denominator: Floats) -> Floats:
    return numerator / np.where(denominator == 0, np.nan, denominator)


class _Parser:
    """Edsger Dijkstra's shunting yard, with what is constant known while it goes along."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.program: list[float | str] = []
        self.constants: list[float | None] = []
        self.waiting: list[tuple[str, int]] = []
        self.depth = 0
        self.wants_operand = True

    def run(self) -> Expression:
        for kind, text, position in _tokens(self.text):
            if self.wants_operand:
                self._operand(kind, text, position)
            else:
                self._operator(kind, text, position)
        if not self.program:
            raise SpecError(SpecCode.SYNTAX, "The expression is empty", position=1)
        if self.wants_operand:
            raise SpecError(SpecCode.SYNTAX, "The expression ends too early", position=len(self.text) + 1)
        while self.waiting:
            symbol, position = self.waiting.pop()
            if symbol == "(":
                raise SpecError(
                    SpecCode.SYNTAX, f"The bracket at character {position} is not closed", position=position
                )
            self._emit(symbol, position)
        letters = dict.fromkeys(step for step in self.program if isinstance(step, str) and step not in _PRECEDENCE)
        return Expression(self.text, tuple(self.program), tuple(letters))

    def _operand(self, kind: str, text: str, position: int) -> None:
        if kind == "sign" and text == "-":
            self.waiting.append((_NEGATE, position))
        elif kind == "sign" and text == "(":
            self._open(position)
        elif kind == "sign":
            message = f"Expected a number, a letter or a bracket at character {position}, not {text}"
            raise SpecError(SpecCode.SYNTAX, message, position=position)
        else:
            self.wants_operand = False
            self._value(kind, text, position)

    def _value(self, kind: str, text: str, position: int) -> None:
        if kind == "letter":
            self.program.append(text)
            self.constants.append(None)
            return
        number = float(text)
        self._finite(number, position)
        self.program.append(number)
        self.constants.append(number)

    def _open(self, position: int) -> None:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            message = f"At most {MAXIMUM_DEPTH} brackets may be nested, the next opens at character {position}"
            raise SpecError(SpecCode.TOO_DEEP, message, position=position)
        self.waiting.append(("(", position))

    def _operator(self, kind: str, text: str, position: int) -> None:
        if kind == "sign" and text == ")":
            self._close(position)
        elif kind == "sign" and text != "(":
            while self.waiting and _PRECEDENCE.get(self.waiting[-1][0], 0) >= _PRECEDENCE[text]:
                self._emit(*self.waiting.pop())
            self.waiting.append((text, position))
            self.wants_operand = True
        else:
            message = f"Expected one of + - * / at character {position}, not {text}"
            raise SpecError(SpecCode.SYNTAX, message, position=position)

    def _close(self, position: int) -> None:
        while self.waiting and self.waiting[-1][0] != "(":
            self._emit(*self.waiting.pop())
        if not self.waiting:
            message = f"The bracket at character {position} was never opened"
            raise SpecError(SpecCode.SYNTAX, message, position=position)
        self.waiting.pop()
        self.depth -= 1

    def _emit(self, symbol: str, position: int) -> None:
        self.program.append(symbol)
        right = self.constants.pop()
        if symbol == _NEGATE:
            self.constants.append(None if right is None else -right)
            return
        left = self.constants.pop()
        if symbol == "/" and right == 0:
            message = f"Division by zero at character {position}"
            raise SpecError(SpecCode.DIVISION_BY_ZERO, message, position=position)
        if left is None or right is None:
            self.constants.append(None)
            return
        number = left / right if symbol == "/" else _BINARY[symbol](left, right)
        self._finite(number, position)
        self.constants.append(number)

    @staticmethod
    def _finite(number: float, position: int) -> None:
        if not math.isfinite(number):
            message = f"The number at character {position} is too large"
            raise SpecError(SpecCode.NUMBER, message, position=position)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and position from 1 of each token, spaces left out."""
    place, end = 0, len(text.rstrip())
    while place < end:
        if place >= MAXIMUM_LENGTH:
            message = f"An expression has at most {MAXIMUM_LENGTH} characters"
            raise SpecError(SpecCode.TOO_LONG, message, position=MAXIMUM_LENGTH + 1)
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            wrong = _BLANK.match(text, place).end()  # type: ignore[union-attr]
            message = f"Unexpected {text[wrong]!r} at character {wrong + 1}"
            raise SpecError(SpecCode.SYNTAX, message, position=wrong + 1)
        yield found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1
        place = found.end()
