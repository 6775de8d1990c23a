"""The verbs of answer sets: recording what somebody answered, scoring it again, deleting it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import Code, Refused
from caregraph.graph.inputs import LONGEST_TEXT, given
from caregraph.graph.locking import lock
from caregraph.graph.node import row_id_of
from caregraph.people.models import Client

from . import models
from .answer_inputs import AnswerInput, AnswerSetInput
from .answer_models import AnswerSet, ItemResponse
from .enums import AnswerSource, ItemType, PublicationStatus
from .scored import score_sets

_item_id, _option_id = row_id_of("Item"), row_id_of("ItemOption")


async def create_answer_set(
    tx: Tx,
    assessment: models.Assessment,
    client: Client,
    input: AnswerSetInput,  # noqa: A002
) -> AnswerSet:
    """Record a client's answers to a published assessment, and score them.

    `welkin.assessment_responses.create`, there with `model` alone. The set is complete once every item that must be
    answered is.
    """
    if assessment.status is not PublicationStatus.PUBLISHED:
        raise Refused(Code.CONFLICT, "The assessment is not published", "assessmentId")
    if assessment.archived_at is not None:
        raise Refused(Code.CONFLICT, "The assessment is archived", "assessmentId")
    values = given(input)
    answers = values.pop("answers", [])
    form = await _form(tx, assessment.id)
    responses = [*_answered(form, answers), *_understood(form, values.get("model"), _named(answers))]
    answer_set = AnswerSet(
        assessment_id=assessment.id,
        assessment_version=assessment.version,
        client_id=client.id,
        source=AnswerSource.DEFAULT if values.get("model") is None else AnswerSource.IMPORTED,
        completed_at=now() if form.is_complete({one.item_id for one in responses}) else None,
        **values,
    )
    tx.add(answer_set)
    await tx.flush()
    for one in responses:
        one.answer_set_id, one.client_id, one.source_type = answer_set.id, client.id, answer_set.source
    tx.add_all(responses)
    await tx.flush()
    await score_sets(tx, assessment.id, [answer_set])
    return answer_set


async def score_answer_set(tx: Tx, answer_set: AnswerSet) -> AnswerSet:
    """Score answers again, by the rules as they are now. Scores that these do not make any more go."""
    await lock(tx, answer_set, name="Answer set")
    await score_sets(tx, answer_set.assessment_id, [answer_set])
    return answer_set


async def delete_answer_set(tx: Tx, answer_set: AnswerSet) -> None:
    """Delete an answer set with its answers and scores."""
    await delete_row(tx, answer_set, force=True)


@dataclass(eq=False)
class _Form:
    """The items of an assessment with their options."""

    items: dict[int, models.Item]
    required: set[int]
    options: dict[int, list[models.ItemOption]] = field(default_factory=lambda: defaultdict(list))

    def is_complete(self, answered: set[int]) -> bool:
        """Whether every item that must be answered is, and any at all."""
        return bool(answered) and self.required <= answered


async def _form(tx: Tx, assessment_id: int) -> _Form:
    of_assessment = models.AssessmentItem.assessment_id == assessment_id
    places = list(await tx.scalars(select(models.AssessmentItem).where(of_assessment)))
    ids = [place.item_id for place in places]
    items = {row.id: row for row in await tx.scalars(select(models.Item).where(models.Item.id.in_(ids)))}
    asked = {one for one, item in items.items() if item.item_type is not ItemType.INSTRUCTION}
    form = _Form(items, asked & {place.item_id for place in places if place.required})
    options = select(models.ItemOption).where(models.ItemOption.item_id.in_(ids)).order_by(models.ItemOption.id)
    for option in await tx.scalars(options):
        form.options[option.item_id].append(option)
    return form


def _named(answers: list[AnswerInput]) -> set[int | None]:
    return {_item_id(answer.item_id) for answer in answers}


def _answered(form: _Form, answers: list[AnswerInput]) -> Iterator[ItemResponse]:
    """Answers item by item; whatever does not fit is refused."""
    seen: set[int] = set()
    for place, answer in enumerate(answers):
        path = ("input", "answers", str(place))
        item = form.items.get(_item_id(answer.item_id) or 0)
        if item is None:
            raise Refused(Code.NOT_FOUND, "Item not found", *path, "itemId")
        if item.id in seen:
            raise Refused(Code.INVALID, "The item is answered twice", *path, "itemId")
        seen.add(item.id)
        yield from _of_item(form, item, given(answer), path)


def _of_item(form: _Form, item: models.Item, answer: dict[str, Any], path: tuple[str, ...]) -> list[ItemResponse]:
    _must_be_taken(item, answer, path)
    if item.item_type is ItemType.SHORT_ANSWER:
        return [ItemResponse(item_id=item.id, text=answer["text"])]
    options = form.options[item.id]
    if "value" in answer:
        chosen = [one for one in options if one.value == float(answer["value"])][:1]
        if not chosen:
            raise Refused(Code.INVALID, "No option of the item stands for this number", *path, "value")
    else:
        by_id = {one.id: one for one in options}
        ids = list(dict.fromkeys(_option_id(text) for text in answer["item_option_ids"]))
        chosen = [by_id[one] for one in ids if one in by_id]
        if len(chosen) < len(ids):
            raise Refused(Code.NOT_FOUND, "ItemOption not found", *path, "itemOptionIds")
        _must_be_enough(item, len(chosen), path)
    return _responses(item, chosen)


def _must_be_taken(item: models.Item, answer: dict[str, Any], path: tuple[str, ...]) -> None:
    """By its type an item takes options or the number of one, text, or nothing."""
    takes = {
        ItemType.INSTRUCTION: ("no answer", ()),
        ItemType.SHORT_ANSWER: ("text", ("text",)),
    }.get(item.item_type, ("itemOptionIds or value", ("item_option_ids", "value")))
    sent = [name for name in ("item_option_ids", "value", "text") if name in answer]
    if len(sent) != 1 or sent[0] not in takes[1]:
        raise Refused(Code.INVALID, f"An item of the type {item.item_type.name} takes {takes[0]}", *path)


def _must_be_enough(item: models.Item, count: int, path: tuple[str, ...]) -> None:
    if item.item_type is ItemType.MULTIPLE_SELECT and not count:
        raise Refused(Code.INVALID, "At least one option must be chosen", *path, "itemOptionIds")
    if item.item_type is not ItemType.MULTIPLE_SELECT and count != 1:
        raise Refused(Code.INVALID, "Exactly one option must be chosen", *path, "itemOptionIds")


def _responses(item: models.Item, chosen: list[models.ItemOption]) -> list[ItemResponse]:
    return [ItemResponse(item_id=item.id, item_option_id=one.id, value=one.value) for one in chosen]


def _understood(form: _Form, model: Any, named: set[int | None]) -> Iterator[ItemResponse]:
    """What another system's answers say of items that are not answered one by one; the rest stays in `model` alone."""
    if not isinstance(model, dict):
        return
    by_key = {item.identifier: item for item in form.items.values() if item.identifier is not None}
    seen = set(named)
    for key, answer in model.items():
        item = by_key.get(key) or form.items.get(_item_id(key) or 0)
        if item is None or item.id in seen:
            continue
        seen.add(item.id)
        yield from _in_model(form, item, answer)


def _in_model(form: _Form, item: models.Item, answer: Any) -> list[ItemResponse]:
    """The responses that an answer of another system comes to; none where the item has no such answer."""
    if item.item_type is ItemType.SHORT_ANSWER:
        fits = isinstance(answer, str) and answer.strip() and "\x00" not in answer and len(answer) <= LONGEST_TEXT
        return [ItemResponse(item_id=item.id, text=answer)] if fits else []
    numbers = answer if isinstance(answer, list) and item.item_type is ItemType.MULTIPLE_SELECT else [answer]
    chosen = []
    for number in dict.fromkeys(_number(one) for one in numbers):
        found = next((one for one in form.options[item.id] if one.value is not None and one.value == number), None)
        if found is None:
            return []
        chosen.append(found)
    return _responses(item, chosen)


def _number(answer: Any) -> float | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal):
        return None
    return float(answer)
