"""What can be wrong: with a specification, when it is compiled, and with one score, when it is computed."""

from enum import Enum


class SpecCode(Enum):
    """Why a scoring specification or an expression is refused."""

    SYNTAX = "syntax"
    """An expression that is no arithmetic over numbers and letters."""
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    UNKNOWN_VARIABLE = "unknown_variable"
    DIVISION_BY_ZERO = "division_by_zero"
    """A divisor that is 0 whatever the answers are."""
    CYCLE = "cycle"
    UNKNOWN_KEY = "unknown_key"
    DUPLICATE_KEY = "duplicate_key"
    EMPTY = "empty"
    NUMBER = "number"
    """A number that is not finite or outside its limits."""
    KIND = "kind"
    """A kind of score that its item, scale or domain, its scope or its norm does not go with."""
    OVERLAP = "overlap"
    FORMAT = "format"
    """Data of an instrument file that has another shape."""


class SpecError(ValueError):
    """A specification that cannot be compiled: `message` for people, `path` to the place, `position` in expressions.

    `path` names fields and places in lists, such as `("configs", 3, "expression")`; `position` counts characters
    from 1 and is None outside expressions.
    """

    def __init__(self, code: SpecCode, message: str, *path: str | int, position: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.position = position

    def under(self, *path: str | int) -> "SpecError":
        """Give the same error, told from further out."""
        return SpecError(self.code, self.message, *path, *self.path, position=self.position)

    def __str__(self) -> str:
        place = ".".join(str(part) for part in self.path)
        return f"{place}: {self.message}" if place else self.message


class Problem(Enum):
    """Why one score is undefined."""

    UNANSWERED = "unanswered"
    """Fewer answers, or scores of scales, than its missing-answer rule asks for."""
    OUTSIDE_RANGE = "outside_range"
    """An answer outside the lowest and highest value of its item, which counts as unanswered."""
    MISSING_VARIABLE = "missing_variable"
    DIVISION_BY_ZERO = "division_by_zero"
    NOT_FINITE = "not_finite"
    """A result too large for a number."""
    NO_RESPONDENTS = "no_respondents"
    """A score of a cohort in which nobody has the score it is made of."""
