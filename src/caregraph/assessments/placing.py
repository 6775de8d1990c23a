"""The verbs of items' places: on assessments, and on scales."""

from typing import Annotated, Any

from sqlalchemy import select

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.resource import apply

from . import models
from .enums import Privacy
from .item_inputs import AssessmentItemInput, ItemScaleInput
from .limits import keep_limits
from .options import as_columns
from .positions import arranged
from .rules import held, must_be_editable, must_be_own

NOT_PRIVATE = "Only while the assessment is private"
ON_A_SCALE = "The item is on a scale of this assessment"


async def create_assessment_item(
    tx: Tx,
    context: Context,
    assessment: models.Assessment,
    item: models.Item,
    input: Annotated[AssessmentItemInput | None, describe("Where, and whether it must be answered.")] = None,  # noqa: A002
) -> models.AssessmentItem:
    """Put an item that you may use on an assessment (`gloo.assessment_items.create`)."""
    await held(tx, context.viewer, assessment, "assessmentId")
    await must_be_editable(tx, context, assessment, "assessmentId")
    standing = await _of_assessment(tx, assessment.id)
    if any(one.item_id == item.id for one in standing):
        raise Refused(Code.CONFLICT, "The item is on this assessment already", "itemId")
    values: dict[str, Any] = {} if input is None else given(input)
    place = _arrange(standing, None, values.pop("position", None))
    added = models.AssessmentItem(assessment_id=assessment.id, item_id=item.id, position=place, **values)
    tx.add(added)
    await tx.flush()
    return added


async def update_assessment_item(
    tx: Tx,
    context: Context,
    assessment_item: models.AssessmentItem,
    input: Changes[AssessmentItemInput],  # noqa: A002
) -> models.AssessmentItem:
    """Move an item of an assessment, whatever its privacy (`gloo.assessment_items.update`).

    The rest may change only while the assessment is a private draft; nothing of an item that is on one of its scales.
    """
    must_be_own(context.viewer, assessment_item)
    assessment = await _assessment_of(tx, assessment_item)
    await held(tx, context.viewer, assessment)
    if await _is_on_a_scale(tx, assessment_item):
        raise Refused(Code.CONFLICT, ON_A_SCALE, "id")
    values: Changes[AssessmentItemInput] = Changes(input)
    position = values.pop("position", None)
    for name, argument in (("required", "required"), ("profile_attribute", "profileAttribute")):
        if name in values and values[name] != getattr(assessment_item, name):
            _must_be_private(assessment, "input", argument)
            await must_be_editable(tx, context, assessment, "input", argument)
    apply(assessment_item, values)
    if position is not None:
        standing = await _of_assessment(tx, assessment.id)
        assessment_item.position = _arrange(standing, assessment_item, position)
    await tx.flush()
    return assessment_item


async def delete_assessment_item(tx: Tx, context: Context, assessment_item: models.AssessmentItem) -> None:
    """Take an item off an assessment, which must be a private draft (`gloo.assessment_items.delete`)."""
    must_be_own(context.viewer, assessment_item)
    assessment = await _assessment_of(tx, assessment_item)
    await held(tx, context.viewer, assessment)
    _must_be_private(assessment, "id")
    await must_be_editable(tx, context, assessment)
    await tx.delete(assessment_item)
    await tx.flush()


async def add_to_scale(
    tx: Tx,
    context: Context,
    scale: models.Scale,
    item: models.Item,
    input: Annotated[ItemScaleInput | None, describe("Where and how it counts.")] = None,  # noqa: A002
) -> models.Scale:
    """Put an item that you may use on a scale (`gloo.items.add_to_scale`)."""
    await held(tx, context.viewer, scale)
    await must_be_editable(tx, context, scale)
    standing = await _of_scale(tx, scale.id)
    if any(one.item_id == item.id for one in standing):
        raise Refused(Code.CONFLICT, "The item is on this scale already", "itemId")
    values = {} if input is None else as_columns(given(input))
    place = _arrange(standing, None, values.pop("position", None))
    tx.add(models.ItemScale(scale_id=scale.id, item_id=item.id, position=place, **values))
    await keep_limits(tx, scales=[scale.id])
    return scale


async def update_item_scale(
    tx: Tx,
    context: Context,
    item_scale: models.ItemScale,
    input: Changes[ItemScaleInput],  # noqa: A002
) -> models.ItemScale:
    """Change how an item counts on a scale, and where it stands."""
    must_be_own(context.viewer, item_scale)
    scale = (await tx.scalars(select(models.Scale).where(models.Scale.id == item_scale.scale_id))).one()
    await held(tx, context.viewer, scale)
    await must_be_editable(tx, context, scale)
    values = as_columns(input)
    position = values.pop("position", None)
    apply(item_scale, Changes(values))
    if position is not None:
        item_scale.position = _arrange(await _of_scale(tx, scale.id), item_scale, position)
    await keep_limits(tx, scales=[scale.id])
    return item_scale


async def remove_from_scale(tx: Tx, context: Context, scale: models.Scale, item: models.Item) -> models.Scale:
    """Take an item off a scale; it stays on the scale's assessments (`gloo.items.remove_from_scale`)."""
    await held(tx, context.viewer, scale)
    await must_be_editable(tx, context, scale)
    found = next((one for one in await _of_scale(tx, scale.id) if one.item_id == item.id), None)
    if found is None:
        raise Refused(Code.NOT_FOUND, "The item is not on this scale", "itemId")
    await tx.delete(found)
    await keep_limits(tx, scales=[scale.id])
    return scale


def _arrange(standing: list[Any], moving: Any | None, position: int | None) -> int:
    """Let those who stand make room; the place of `moving`, or of one that is new."""
    rows = {one.id: one for one in standing}
    key = 0 if moving is None else moving.id
    places = arranged({one.id: one.position for one in standing}, {key: position})
    for row_id, row in rows.items():
        row.position = places[row_id]
    return places[key]


async def _of_assessment(tx: Tx, assessment_id: int) -> list[models.AssessmentItem]:
    of_it = models.AssessmentItem.assessment_id == assessment_id
    rows = select(models.AssessmentItem).where(of_it)
    return list(await tx.scalars(rows.order_by(models.AssessmentItem.position, models.AssessmentItem.id)))


async def _of_scale(tx: Tx, scale_id: int) -> list[models.ItemScale]:
    rows = select(models.ItemScale).where(models.ItemScale.scale_id == scale_id)
    return list(await tx.scalars(rows.order_by(models.ItemScale.position, models.ItemScale.id)))


async def _assessment_of(tx: Tx, place: models.AssessmentItem) -> models.Assessment:
    return (await tx.scalars(select(models.Assessment).where(models.Assessment.id == place.assessment_id))).one()


def _must_be_private(assessment: models.Assessment, *path: str) -> None:
    if assessment.privacy is not Privacy.PRIVATE:
        raise Refused(Code.CONFLICT, NOT_PRIVATE, *path)


async def _is_on_a_scale(tx: Tx, place: models.AssessmentItem) -> bool:
    """Whether the item counts in a scale of the assessment, also by way of a domain."""
    directly = select(models.AssessmentScale.scale_id).where(
        models.AssessmentScale.assessment_id == place.assessment_id
    )
    topics = select(models.AssessmentDomain.domain_id).where(
        models.AssessmentDomain.assessment_id == place.assessment_id
    )
    by_domain = select(models.DomainScale.scale_id).where(models.DomainScale.domain_id.in_(topics))
    of_it = models.ItemScale.scale_id.in_(directly) | models.ItemScale.scale_id.in_(by_domain)
    found = select(models.ItemScale.id).where(models.ItemScale.item_id == place.item_id, of_it)
    return (await tx.scalars(found.limit(1))).first() is not None
