"""What callers send to create and change items, their options and places, and tags."""

from decimal import Decimal

import strawberry

from caregraph.graph.inputs import LONGEST_TEXT, required, value

from .enums import ItemType, Privacy
from .positions import HIGHEST

LARGEST = 10**12
"""Values and weights are between minus and plus this."""
_DIGITS = 15


def number_problem(number: object) -> str | None:
    """What keeps a decimal from being kept as it is: sums of larger or longer ones would lose digits."""
    if not isinstance(number, Decimal):
        return None
    if abs(number) > LARGEST:
        return f"must be between {-LARGEST} and {LARGEST}"
    return f"must have at most {_DIGITS} digits" if len(number.normalize().as_tuple().digits) > _DIGITS else None


def privacy_problem(privacy: object) -> str | None:
    """What keeps a privacy from being one of an item."""
    return "Only assessments can be limited to verticals" if privacy is Privacy.LIMITED_TO_VERTICALS else None


@strawberry.input(description="A possible answer.")
class ItemOptionInput:
    """`gloo.item_options.create`."""

    text: str | None = value(
        "What is shown, at most 10,000 characters. Needed for `MULTIPLE_CHOICE`, `MULTIPLE_SELECT`, and `LIKERT_SCALE`"
        " with `hideScaleNumbers`.",
        longest=LONGEST_TEXT,
        nullable=True,
    )
    position: int | None = value(
        "Its place among the options, 0 to 1000000. Who has it, and those behind, move down; left out: the end.",
        minimum=0,
        maximum=HIGHEST,
    )
    value: Decimal | None = value(
        "The number that it counts for, at most 15 digits. Needed for `MULTIPLE_CHOICE` and `LIKERT_SCALE`.",
        check=number_problem,
        nullable=True,
    )


@strawberry.input(description="An option to add to an item, to change or to remove.")
class ItemOptionChange(ItemOptionInput):
    """`item_options_attributes` of `gloo.items.update`."""

    id: strawberry.ID | None = value("The option to change or to remove; left out: it is added.", nullable=True)
    remove: bool | None = value("Whether to remove it; false by default. Gloo `_destroy`.", nullable=True)


@strawberry.input(description="An item, but for the form in which it is answered.")
class ItemInput:
    """`gloo.items.update`, with what only lists of the source name."""

    text: str | None = value(
        "What is asked, at most 10,000 characters. Needed for `MULTIPLE_CHOICE`.", longest=LONGEST_TEXT
    )
    privacy: Privacy | None = value(
        "Who else may use it; `PRIVATE` by default, never `LIMITED_TO_VERTICALS`.", check=privacy_problem
    )
    hide_scale_numbers: bool | None = value(
        "Whether the steps of a Likert scale are shown by their texts alone, which each then needs; false by default."
    )
    display_descending: bool | None = value(
        "Whether the steps of a Likert scale are shown from the last to the first; false by default."
    )
    zero_based_positioning: bool | None = value("Whether positions of its options begin at 0; false by default.")
    is_nominal: bool | None = value("Whether the numbers of its options say nothing of more or less; false by default.")
    show_randomized: bool | None = value("Whether its options are shown in an order by chance; false by default.")
    identifier: str | None = value("What its authors call it, at most 200 characters; null for none.")
    loinc_code: str | None = value("Its LOINC code, at most 20 characters; null for none.", longest=20)
    options: list[ItemOptionChange] | None = value(
        "Its options, at most 100: one without `id` is added, one with `id` is changed, with `remove` it goes. Those"
        " that are not named stay. Only while it was never answered; not for `SHORT_ANSWER` and `INSTRUCTION`.",
        nullable=True,
    )


@strawberry.input(description="An item and the form in which it is answered.")
class NewItemInput(ItemInput):
    """`gloo.items.create`."""

    item_type: ItemType | None = value("In which form it is answered, for good; `MULTIPLE_CHOICE` by default.")


@strawberry.input(description="An item's place in an assessment.")
class AssessmentItemInput:
    """`gloo.assessment_items.create`."""

    position: int | None = value(
        "Its place, 0 to 1000000. Who has it, and those behind, move down; left out: the end.",
        minimum=0,
        maximum=HIGHEST,
    )
    required: bool | None = value("Whether it must be answered; true by default.")
    profile_attribute: str | None = value(
        "What of a respondent's profile its answer says, at most 200 characters; null for nothing."
    )


@strawberry.input(description="An item's part in a scale.")
class ItemScaleInput:
    """Gloo shows the weight, and no call that sets it."""

    weight: Decimal | None = value(
        "What its answer is multiplied by, at most 15 digits; 1 by default.", check=number_problem
    )
    is_reversed: bool | None = value(
        "Whether its answer counts as lowest plus highest value minus its own; false by default."
    )
    position: int | None = value(
        "Its place on the scale, 0 to 1000000. Who has it, and those behind, move down; left out: the end.",
        minimum=0,
        maximum=HIGHEST,
    )


@strawberry.input(description="A tag.")
class TagInput:
    """Gloo has tags, and no call that makes them."""

    name: str = required("Name, unique within the organization; at most 200 characters.")
    featured: bool | None = value("Whether it is shown before others; false by default.")
    featured_position: int | None = value(
        "Its place among those that are featured, 0 to 1000000; null for none.", minimum=0, maximum=HIGHEST
    )
