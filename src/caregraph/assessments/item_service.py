"""The verbs of items: creating, changing, copying and archiving them."""

from collections.abc import Mapping
from typing import Annotated, Any

from sqlalchemy import select

from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.resource import apply

from . import models
from .enums import ItemType
from .item_inputs import ItemInput, NewItemInput
from .options import UNNUMBERED, change_options, options_of
from .rules import Here, held, must_act_in, must_be_editable, must_be_own

CLONE = "[Clone] "
TEXTLESS = "A multiple choice needs a text"
NOT_LIKERT = "Only for Likert scales"
_OF_LIKERT = {"hide_scale_numbers": "hideScaleNumbers", "display_descending": "displayDescending"}


async def create_item(
    tx: Tx,
    viewer: Viewer,
    input: NewItemInput,  # noqa: A002
    organization_id: Here = None,
) -> models.Item:
    """Create an item with its options (`gloo.items.create`). One that is public can no longer be changed."""
    must_act_in(viewer, organization_id)
    values = given(input)
    options = values.pop("options", None)
    item = models.Item(**{"item_type": ItemType.MULTIPLE_CHOICE, **values}, created_by_id=viewer.user_id)
    _must_hold(item)
    tx.add(item)
    await tx.flush()
    if options:
        await change_options(tx, item, options)
    return item


async def update_item(
    tx: Tx,
    context: Context,
    item: models.Item,
    input: Changes[ItemInput],  # noqa: A002
) -> models.Item:
    """Change an item that is private and in nothing public (`gloo.items.update`).

    Once it is public it can no longer be changed, once it was answered its options stay as they are.
    """
    await held(tx, context.viewer, item)
    await must_be_editable(tx, context, item)
    values: Changes[ItemInput] = Changes(input)
    options = values.pop("options", None)
    apply(item, values)
    _must_hold(item)
    await tx.flush()
    if options:
        await change_options(tx, item, options)
    if item.hide_scale_numbers and not all((one.text or "").strip() for one in await options_of(tx, item)):
        raise Refused(Code.INVALID, UNNUMBERED, "input", "hideScaleNumbers")
    return item


async def clone_item(tx: Tx, viewer: Viewer, item: models.Item) -> models.Item:
    """Copy an item that you may use, with its options and tags (`gloo.items.clone`).

    The copy is your organization's and private, and `[Clone]` stands before its text.
    """
    text = f"{CLONE}{item.text or ''}".rstrip()
    clone = models.Item(**_copied(item, _ITEM), text=text, created_by_id=viewer.user_id)
    tx.add(clone)
    await tx.flush()
    options = await options_of(tx, item)
    tx.add_all(models.ItemOption(**_copied(one, _OPTION), item_id=clone.id) for one in options)
    tags = await tx.scalars(select(models.ItemTag.tag_id).where(models.ItemTag.item_id == item.id))
    tx.add_all(models.ItemTag(item_id=clone.id, tag_id=tag_id) for tag_id in tags)
    await tx.flush()
    return clone


async def archive_item(
    tx: Tx,
    viewer: Viewer,
    item: models.Item,
    archived: Annotated[bool, describe("False takes it out of the archive.")] = True,
) -> models.Item:
    """Put an item of your organization into the archive: lists leave it out, what uses it goes on using it."""
    must_be_own(viewer, item)
    if (item.archived_at is not None) is not archived:
        item.archived_at = now() if archived else None
        await tx.flush()
    return item


def _must_hold(item: models.Item) -> None:
    """Refuse what the form of an item forbids."""
    if item.item_type is ItemType.MULTIPLE_CHOICE and not (item.text or "").strip():
        raise Refused(Code.INVALID, TEXTLESS, "input", "text")
    for column, argument in _OF_LIKERT.items():
        if getattr(item, column) and item.item_type is not ItemType.LIKERT_SCALE:
            raise Refused(Code.INVALID, NOT_LIKERT, "input", argument)


_ITEM = (
    *("item_type", "is_nominal", "hide_scale_numbers", "display_descending", "zero_based_positioning"),
    *("show_randomized", "identifier", "loinc_code"),
)
_OPTION = ("text", "value", "position", "correct", "loinc_code")


def _copied(row: Any, columns: tuple[str, ...]) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in columns}
