"""What callers send to record answers."""

from decimal import Decimal

import strawberry

from caregraph.graph.inputs import LONGEST_TEXT, required
from caregraph.graph.inputs import value as optional
from caregraph.graph.scalars import Json


@strawberry.input(description="An answer to one item: options, a number that an option stands for, or text.")
class AnswerInput:
    """Which of them is taken says the item's type."""

    item_id: strawberry.ID = required("Id of an item of the assessment, once.")
    item_option_ids: list[strawberry.ID] | None = optional(
        "Ids of the options that were chosen: one, of `MULTIPLE_SELECT` items at least one."
    )
    value: Decimal | None = optional("Instead of the id of an option the number that it stands for.")
    text: str | None = optional("The answer to a `SHORT_ANSWER`, at most 10000 characters.", longest=LONGEST_TEXT)


@strawberry.input(description="One person's answers to an assessment.")
class AnswerSetInput:
    """`welkin.assessment_responses.create`, and answers item by item."""

    answers: list[AnswerInput] | None = optional("Answers item by item.")
    model: Json | None = optional(
        "Answers as another system has them: kept as they are. Of an object whose keys are ids or identifiers of the"
        " assessment's items those answers are recorded that the items have: numbers that options stand for, lists of"
        " them, text."
    )
    title: str | None = optional("What the sender calls it, at most 200 characters.")
    spec_name: str | None = optional("What the sender calls the assessment, at most 200 characters.")
    spec_version: str | None = optional("Which version of it the sender means, at most 200 characters.")
