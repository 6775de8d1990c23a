"""What an instrument is: a questionnaire with published scoring, and how sure we are of each part of it."""

from dataclasses import dataclass
from enum import Enum

from caregraph.scoring.spec import ScoringSpec


class Sureness(Enum):
    """How well a published fact was checked before it went into a file."""

    CONFIRMED = "confirmed"
    """Read in the publisher's own page or the paper's own abstract."""
    SECONDARY = "secondary source"
    """Read in what others write about it."""
    FROM_MEMORY = "from memory"
    """Known from the literature, not read again: check the paper before you rely on it."""


@dataclass(frozen=True)
class Licence:
    """On what terms the text may be used."""

    status: str
    notice: str
    source: str
    sureness: Sureness
    codes: str = ""
    """The notice that goes with LOINC codes."""


@dataclass(frozen=True)
class Choice:
    """An answer that can be chosen."""

    value: float
    text: str
    code: str = ""
    """LOINC answer code."""


@dataclass(frozen=True)
class InstrumentItem:
    """A question; its wording is neutral where the licence does not let it be shipped."""

    key: str
    text: str
    options: tuple[Choice, ...]
    """Empty where every number from minimum to maximum is an answer."""
    minimum: float
    maximum: float
    code: str = ""
    """LOINC code."""
    note: str = ""


@dataclass(frozen=True)
class Cutoff:
    """A score from which on something holds."""

    score: str
    """Key of a score config."""
    at_least: float
    label: str
    sureness: Sureness


@dataclass(frozen=True)
class ReliableChange:
    """How many points a score must change, either way, to be more than error of measurement."""

    score: str
    points: float
    sureness: Sureness
    source: str


@dataclass(frozen=True)
class Flag:
    """An answer that somebody should look at, whatever the score is."""

    item: str
    at_least: float
    label: str


@dataclass(frozen=True)
class Vector:
    """Answers, and the scores and ranges that the published rule gives for them, worked out by hand."""

    answers: tuple[float, ...]
    """In the order of the items; NaN is no answer."""
    scores: tuple[tuple[str, float], ...]
    """By key of the config; NaN is undefined."""
    ranges: tuple[tuple[str, str], ...]
    """Label of the range by key of the config; empty where there is none."""


@dataclass(frozen=True)
class Instrument:
    """A questionnaire that an organization can install."""

    key: str
    name: str
    title: str
    version: str
    language: str
    text_is_shipped: bool
    """Whether items have their published wording; else their texts are neutral names."""
    text_sureness: Sureness | None
    """Of the wording; None where it is not shipped."""
    higher_is_better: bool
    source: str
    instruction: str
    note: str
    panel_code: str
    """LOINC code of the whole; empty if none is known."""
    licence: Licence
    items: tuple[InstrumentItem, ...]
    """In the order of `spec.items`, with the same keys."""
    spec: ScoringSpec
    score_codes: tuple[tuple[str, str], ...]
    """LOINC code by key of the score config, where one is known."""
    ranges_sureness: tuple[tuple[str, Sureness], ...]
    """Of the result ranges, by key of the score config."""
    cutoffs: tuple[Cutoff, ...]
    reliable_changes: tuple[ReliableChange, ...]
    flags: tuple[Flag, ...]
    vectors: tuple[Vector, ...]
