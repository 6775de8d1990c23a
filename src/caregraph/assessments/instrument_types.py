"""GraphQL types of the library of instruments. Their sources are the engine's own."""

import enum
from typing import Any

import strawberry

from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.fields import field, member, method
from caregraph.refs import AssessmentRef
from caregraph.scoring import instruments as library
from caregraph.scoring.parts import ScoreConfig
from caregraph.scoring.possible import possible_ranges

from . import models
from .instruments import InstalledByKey, is_installable


@strawberry.enum(description="How well a published fact was checked before it went into the library.")
class Sureness(enum.Enum):
    """The engine's."""

    CONFIRMED = member("confirmed", "Read in the publisher's own page or the paper's own abstract.")
    SECONDARY_SOURCE = member("secondary source", "Read in what others write about it.")
    FROM_MEMORY = member("from memory", "Known from the literature, not read again: check before you rely on it.")


def _sureness(one: library.Sureness) -> Sureness:
    return Sureness(one.value)


@strawberry.type(description="On what terms the text of an instrument may be used.")
class InstrumentLicence:
    """A source of this type is the engine's `Licence`."""

    status: str = field("In a few words, such as `public domain`.")
    notice: str = field("The notice to show with the instrument.")
    source: str = field("Where this is said.")
    codes: str = field("The notice that goes with LOINC codes; empty without any.")

    @method("How well it was checked.")
    def sureness(self: library.Licence) -> Sureness:
        """The engine's."""
        return _sureness(self.sureness)


@strawberry.type(description="An answer that can be chosen.")
class InstrumentOption:
    """A source of this type is the engine's `Choice`."""

    value: float = field("The number that it counts for.")
    text: str = field("What is shown.")

    @method("Its LOINC answer code, if it has one.")
    def loinc_code(self: library.Choice) -> str | None:
        """Null instead of empty."""
        return self.code or None


@strawberry.type(description="A question of an instrument.")
class InstrumentItem:
    """A source of this type is the engine's `InstrumentItem`."""

    key: str = field("Its name within the instrument; the `identifier` of the item that it becomes.")
    text: str = field("What is asked; a neutral name where the wording may not be passed on.")
    minimum: float = field("The lowest answer.")
    maximum: float = field("The highest answer.")
    options: list[InstrumentOption] = field(
        "Its possible answers; empty where every number from lowest to highest is one.", size=5
    )

    @method("Its LOINC code, if it has one.")
    def loinc_code(self: library.InstrumentItem) -> str | None:
        """Null instead of empty."""
        return self.code or None


@strawberry.type(description="A band of scores with a name, as it was published.")
class InstrumentRange:
    """A source of this type is the engine's `ResultRange`."""

    start: float = field("The lowest score in it.")
    end: float = field("The highest score in it; between it and the next range nothing is left out.")
    label: str = field("What such a score is called.")


@strawberry.type(description="A score from which on something holds.")
class InstrumentCutoff:
    """A source of this type is the engine's `Cutoff`."""

    at_least: float = field("The lowest score for which it holds.")
    label: str = field("What holds.")

    @method("How well it was checked.")
    def sureness(self: library.Cutoff) -> Sureness:
        """The engine's."""
        return _sureness(self.sureness)


@strawberry.type(description="How many points a score must change, either way, to be more than error of measurement.")
class InstrumentReliableChange:
    """A source of this type is the engine's `ReliableChange`."""

    points: float = field("Points.")
    source: str = field("Where this is said.")

    @method("How well it was checked.")
    def sureness(self: library.ReliableChange) -> Sureness:
        """The engine's."""
        return _sureness(self.sureness)


@strawberry.type(description="An answer that somebody should look at, whatever the score is.")
class InstrumentFlag:
    """A source of this type is the engine's `Flag`."""

    item: str = field("Key of the item.")
    at_least: float = field("The lowest answer to look at.")
    label: str = field("What it may mean.")


class _Score:
    """A score config of an instrument with what is published about its scores."""

    def __init__(self, whole: library.Instrument, config: ScoreConfig) -> None:
        self.key, self.label = config.key, config.label
        self.ranges = list(config.ranges)
        self.loinc_code = dict(whole.score_codes).get(config.key)
        self.cutoffs = [one for one in whole.cutoffs if one.score == config.key]
        self.reliable_change = next((one for one in whole.reliable_changes if one.score == config.key), None)
        sure = dict(whole.ranges_sureness).get(config.key)
        self.ranges_sureness = None if sure is None else _sureness(sure)
        scale = next((one for one in whole.spec.scales if one.key == config.of), None)
        self.items = [] if scale is None else [one.item for one in scale.items]
        self.answers_needed = config.missing.required(len(self.items))
        possible = possible_ranges(whole.spec)[config.key]
        self.minimum, self.maximum = possible.minimum, possible.maximum


@strawberry.type(description="A score of an instrument, and what its numbers mean.")
class InstrumentScore:
    """A source of this type is a `_Score`."""

    key: str = field("Its name within the instrument.")
    label: str = field("What it is called; the name of the score config that it becomes.")
    loinc_code: str | None = field("Its LOINC code, if it has one.")
    items: list[str] = field("Keys of the items that it is made of.", size=10)
    answers_needed: int = field("How many of them must be answered; it is prorated for the others.")
    minimum: float | None = field("The lowest possible score.")
    maximum: float | None = field("The highest possible score.")
    ranges: list[InstrumentRange] = field("Bands of scores, lowest first; empty where none are published.", size=5)
    ranges_sureness: Sureness | None = field("How well the bands were checked; null without any.")
    cutoffs: list[InstrumentCutoff] = field("Cut-offs, as published.", size=2)
    reliable_change: InstrumentReliableChange | None = field("Reliable change; null where none is known.")


async def scores(_context: Context, one: library.Instrument) -> list[Any]:
    """Its scores, and what they mean."""
    return [_Score(one, config) for config in one.spec.configs]


async def installed(context: Context, one: library.Instrument) -> Any:
    """Your organization's assessment that was installed from it, archived or not; null: it is not installed."""
    return await context.load(InstalledByKey(), one.key)


@strawberry.type(
    description="A questionnaire with published scoring, from the server's library: the same for every organization."
)
class Instrument:
    """A source of this type is the engine's `Instrument`."""

    key: str = field("Its name for `installInstrument`, such as `phq_9`.")
    name: str = field("What people call it, such as `PHQ-9`.")
    title: str = field("Its full name.")
    version: str = field("Version of the library's file.")
    language: str = field("Language of its texts, BCP 47.")
    text_is_shipped: bool = field("Whether items have their published wording; else they have neutral names.")
    higher_is_better: bool = field("Whether a higher score is a better one.")
    source: str = field("The publication that it is scored by.")
    instruction: str = field("What is said before the items; empty without.")
    note: str = field("What else to know of its scoring; empty without.")
    licence: InstrumentLicence = field("On what terms it may be used.")
    items: list[InstrumentItem] = field("Its questions in their order.", size=10)
    flags: list[InstrumentFlag] = field("Answers that somebody should look at.", size=1)
    scores: list[InstrumentScore] = computed(scores, size=2)
    installed: AssessmentRef | None = computed(installed)

    @method("LOINC code of the whole, if it is known.")
    def loinc_code(self: library.Instrument) -> str | None:
        """Null instead of empty."""
        return self.panel_code or None

    @method("How well the wording was checked; null where it is not shipped.")
    def text_sureness(self: library.Instrument) -> Sureness | None:
        """The engine's."""
        return None if self.text_sureness is None else _sureness(self.text_sureness)

    @method("Whether `installInstrument` takes it; the ORS and the SRS are recorded in sessions instead.")
    def is_installable(self: library.Instrument) -> bool:
        """By its items."""
        return is_installable(self)


async def of_library(_context: Context, _root: None) -> list[Any]:
    """The instruments of the server's library by key, with their scoring, licences and sources."""
    return list(library.instruments())


async def of_assessment(_context: Context, assessment: models.Assessment) -> Any:
    """The instrument of the library that it was installed from, with its licence and cut-offs; null: none."""
    known = {one.key: one for one in library.instruments()}
    return known.get(assessment.instrument_key or "")
