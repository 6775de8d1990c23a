"""What callers send to say how things are scored."""

from decimal import Decimal

import strawberry

from caregraph.graph.inputs import LONGEST_TEXT, required, value
from caregraph.scoring.compiling import LARGEST, SMALLEST_SD
from caregraph.scoring.expressions import MAXIMUM_LENGTH

from .enums import PublicationStatus, ScoreScope, ScoreType

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _number_problem(number: Decimal) -> str | None:
    return None if abs(number) <= LARGEST else f"must be between {-LARGEST:g} and {LARGEST:g}"


def _deviation_problem(number: Decimal) -> str | None:
    if number <= 0:
        return "The standard deviation must be above 0"
    return None if SMALLEST_SD <= number <= LARGEST else f"must be between {SMALLEST_SD:g} and {LARGEST:g}"


def _share_problem(number: Decimal) -> str | None:
    return None if 0 < number <= 1 else "The share must be above 0 and at most 1"


def _letter_problem(text: str) -> str | None:
    return None if len(text) == 1 and text in _LETTERS else "A variable is one letter from A to Z"


@strawberry.input(description="How an item, a scale or a domain is scored.")
class ScoreConfigInput:
    """`gloo.item_score_configs.create`, `gloo.scale_score_configs.create`, `gloo.domain_score_configs.create`."""

    name: str = required("Name, at most 200 characters.")
    description: str = required("Description, at most 10000 characters.", longest=LONGEST_TEXT)
    score_type: ScoreType = required(
        "How it makes a number of answers: one of the types of an item, a scale or a domain, or"
        " `CUSTOM_CALCULATION`. Frozen once published."
    )
    minimum_answered_share: Decimal | None = value(
        "The share of answers, above 0 and at most 1, from which missing ones are prorated; null, the default: none"
        " may be missing. Frozen once published.",
        check=_share_problem,
    )


@strawberry.input(description="How an item, a scale or a domain is scored, and whether that is published.")
class ScoreConfigPatch:
    """`gloo.item_score_configs.update`, `gloo.scale_score_configs.update`, `gloo.domain_score_configs.update`."""

    name: str | None = value("Name, at most 200 characters.", blank=False)
    description: str | None = value("Description, at most 10000 characters.", blank=False, longest=LONGEST_TEXT)
    score_type: ScoreType | None = value("How it makes a number of answers; frozen once published.")
    status: PublicationStatus | None = value("`PUBLISHED` puts it in use; it never becomes a draft again.")
    minimum_answered_share: Decimal | None = value(
        "The share of answers, above 0 and at most 1, from which missing ones are prorated; null: none may be"
        " missing. Frozen once published.",
        check=_share_problem,
    )


@strawberry.input(description="An expression over other scores.")
class CustomCalculationPatch:
    """`gloo.custom_calculations.update`."""

    expression: str | None = value(
        f"Arithmetic over letters of its variables and numbers, such as `A + B - 5`: `+ - * / ( )`, at most"
        f" {MAXIMUM_LENGTH} characters and 100 nested brackets. Null takes it away.",
        longest=LONGEST_TEXT,
    )
    score_scope: ScoreScope | None = value("Whose number it makes.")


@strawberry.input(description="A letter of a custom calculation.")
class CalculationVariableInput:
    """The source has variables and no call that creates them."""

    name: str = required("One letter from A to Z that the calculation does not have yet.", check=_letter_problem)


@strawberry.input(description="A letter of a custom calculation, and what it stands for.")
class CalculationVariablePatch:
    """`gloo.calculation_variables.update`."""

    name: str | None = value("One letter from A to Z.", check=_letter_problem, blank=False)
    score_config_id: strawberry.ID | None = value("Id of the score config that gives its number.")


@strawberry.input(description="The people that a score is compared with.")
class PercentileRankConfigInput:
    """`gloo.percentile_rank_configs.create_for_item_score_config` and its like for scales and domains."""

    standard_deviation: Decimal = required("Their standard deviation, above 0.", check=_deviation_problem)
    mean: Decimal = required("Their mean.", check=_number_problem)


@strawberry.input(description="A stretch of the scores of a scale or a domain, with a name.")
class ResultRangeInput:
    """The source has result ranges and no call that creates them."""

    name: str = required("What such a score is called, at most 200 characters.")
    description: str = required("What it means, at most 10000 characters.", longest=LONGEST_TEXT)
    range_start: Decimal = required("Where it begins; this score is in it.", check=_number_problem)
    range_end: Decimal = required(
        "Where it ends, above its start; this score is in the next range, or in the last one.", check=_number_problem
    )
