"""Checks an instrument against itself: its own vectors, its codes, and numbers that no score can reach."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from caregraph.scoring.bands import NO_BAND
from caregraph.scoring.engine import Column, score
from caregraph.scoring.errors import SpecError
from caregraph.scoring.possible import possible_ranges

from .model import Instrument, Vector
from .reading import read

TOLERANCE = 1e-6
"""In points: what the rules print is rounded."""

_LOINC = re.compile(r"([0-9]+)-([0-9])")
_ANSWER = re.compile(r"LA[0-9]+-[0-9]")


@dataclass(frozen=True)
class Checked:
    """What was found in a file."""

    instrument: Instrument | None
    """None if it cannot be read."""
    problems: tuple[str, ...]


def check_file(file: Path) -> Checked:
    """Read an instrument and run its vectors; raises OSError where there is no such file."""
    try:
        instrument = read(file.read_text("utf-8"))
    except UnicodeDecodeError:
        return Checked(None, ("This is no UTF-8 text",))
    except SpecError as error:
        return Checked(None, (str(error),))
    return Checked(instrument, tuple(problems(instrument)))


def problems(instrument: Instrument) -> Iterator[str]:
    """Tell what in an instrument contradicts itself."""
    if not instrument.vectors:
        yield "There are no vectors that show that it is scored as published"
    for place, vector in enumerate(instrument.vectors):
        yield from (f"vectors.{place}: {problem}" for problem in _misses(instrument, vector))
    yield from _unseen(instrument)
    for code in _codes(instrument):
        if not is_loinc(code):
            yield f"{code} is no LOINC code: its check digit is wrong"
    yield from _out_of_reach(instrument)


def is_loinc(code: str) -> bool:
    """Whether a code is a number with its check digit (modulus 10, Luhn), such as 44261-6, or one of an answer."""
    if _ANSWER.fullmatch(code):
        return True
    found = _LOINC.fullmatch(code)
    if found is None:
        return False
    digits = [int(digit) for digit in reversed(found[1])]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::2]]
    return (sum(doubled) + sum(digits[1::2]) + int(found[2])) % 10 == 0


def _misses(instrument: Instrument, vector: Vector) -> Iterator[str]:
    columns = score(instrument.spec, np.array([vector.answers]))
    for key, expected in vector.scores:
        found = float(columns[key].score[0])
        if not (math.isnan(found) if math.isnan(expected) else abs(found - expected) <= TOLERANCE):
            yield f"{key} is {found:g}, not {expected:g}"
    for key, label in vector.ranges:
        found_label = _label(columns[key])
        if found_label != label:
            yield f"{key} is in the range {found_label!r}, not {label!r}"


def _label(column: Column) -> str:
    place = int(column.band[0])
    return "" if place == NO_BAND else column.config.ranges[place].label


def _unseen(instrument: Instrument) -> Iterator[str]:
    seen = {key for vector in instrument.vectors for key, _ in vector.scores}
    for config in instrument.spec.configs:
        if instrument.vectors and config.key not in seen:
            yield f"No vector shows the score {config.key!r}"


def _codes(instrument: Instrument) -> Iterator[str]:
    given = [instrument.panel_code, *(code for _, code in instrument.score_codes)]
    for item in instrument.items:
        given += [item.code, *(option.code for option in item.options)]
    yield from (code for code in dict.fromkeys(given) if code)


def _out_of_reach(instrument: Instrument) -> Iterator[str]:
    reach = possible_ranges(instrument.spec)
    named = [(one.score, one.at_least, "The cut-off") for one in instrument.cutoffs]
    for config in instrument.spec.configs:
        named += [(config.key, bound, "The bound") for one in config.ranges for bound in (one.start, one.end)]
    for key, value, what in named:
        low, high = reach[key].minimum, reach[key].maximum
        if (low is not None and value < low - TOLERANCE) or (high is not None and value > high + TOLERANCE):
            yield f"{what} {value:g} of {key!r} is out of reach: it goes from {low} to {high}"
