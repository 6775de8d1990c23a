"""The verbs of options: which of them an item needs or forbids, and what its answers freeze."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import select
from strawberry.types.unset import UNSET

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.node import parse_id

from . import models
from .enums import ItemType
from .item_inputs import ItemOptionChange, ItemOptionInput
from .limits import keep_limits
from .positions import arranged
from .rules import held, must_be_editable, must_be_unanswered

MOST_OPTIONS = 100
ANSWERED = "The item has responses: its options can no longer be added, moved or removed"
WITHOUT = {
    ItemType.SHORT_ANSWER: "A short answer has no options",
    ItemType.INSTRUCTION: "An instruction has no options",
}
NEEDS_TEXT = {
    ItemType.MULTIPLE_CHOICE: "An option of a multiple choice needs a text",
    ItemType.MULTIPLE_SELECT: "An option of a multiple select needs a text",
}
NEEDS_VALUE = {
    ItemType.MULTIPLE_CHOICE: "An option of a multiple choice needs a value",
    ItemType.LIKERT_SCALE: "A step of a Likert scale needs a value",
}
UNNUMBERED = "A step of a Likert scale that hides its numbers needs a text"
PLACELESS = "An option needs a position"


@dataclass(frozen=True)
class Change:
    """What to write to an option, null for a new one, and by which argument it came."""

    option: models.ItemOption | None
    values: Mapping[str, Any]
    path: tuple[str, ...]


async def create_option(
    tx: Tx,
    context: Context,
    item: models.Item,
    input: ItemOptionInput,  # noqa: A002
) -> models.ItemOption:
    """Add an option to an item that was never answered (`gloo.item_options.create`)."""
    await _must_take_options(tx, context, item, "itemId")
    (option,) = await write_options(tx, item, [Change(None, as_columns(given(input)), ("input",))])
    return option


async def create_options(
    tx: Tx,
    context: Context,
    item: models.Item,
    input: Annotated[  # noqa: A002
        list[ItemOptionInput], describe("The options to add, at most 100, each with its position.")
    ],
) -> models.Item:
    """Add options to an item that was never answered, all or none (`gloo.item_options.bulk_update`)."""
    await _must_take_options(tx, context, item, "id")
    changes = [Change(None, as_columns(given(one)), ("input", f"{place}")) for place, one in enumerate(input)]
    for one in changes:
        _must_have_place(one)
    await write_options(tx, item, changes)
    return item


async def update_option(
    tx: Tx,
    context: Context,
    option: models.ItemOption,
    input: Changes[ItemOptionInput],  # noqa: A002
) -> models.ItemOption:
    """Change an option (`gloo.item_options.update`).

    Of a Likert scale that was answered only text and value. Answers keep the value that they were given with.
    """
    item = await _item_of(tx, option)
    await held(tx, context.viewer, item)
    await must_be_editable(tx, context, item)
    values = as_columns(input)
    if item.item_type is ItemType.LIKERT_SCALE and values.get("position", option.position) != option.position:
        await must_be_unanswered(tx, item, ANSWERED, "input", "position")
    await write_options(tx, item, [Change(option, values, ("input",))])
    return option


async def delete_option(tx: Tx, context: Context, option: models.ItemOption) -> None:
    """Remove an option of an item that was never answered (`gloo.item_options.delete`)."""
    item = await _item_of(tx, option)
    await _must_take_options(tx, context, item, "id")
    await tx.delete(option)
    await keep_limits(tx, items=[item.id])


async def change_options(tx: Tx, item: models.Item, entries: Sequence[ItemOptionChange]) -> None:
    """Add, change and remove options of an item of one's own as `entries` say."""
    path = ("input", "options")
    if item.item_type in WITHOUT:
        raise Refused(Code.INVALID, WITHOUT[item.item_type], *path)
    await must_be_unanswered(tx, item, ANSWERED, *path)
    standing = {option.id: option for option in await options_of(tx, item)}
    changes = []
    for place, entry in enumerate(entries):
        here = (*path, f"{place}")
        option = None if entry.id in {None, UNSET} else _named(standing, entry, *here)
        change = Change(option, as_columns(given(entry)), here)
        if option is not None and entry.remove is True:
            await tx.delete(option)
            continue
        if option is None and item.item_type is ItemType.MULTIPLE_CHOICE:
            _must_have_place(change)
        changes.append(change)
    await tx.flush()
    await write_options(tx, item, changes)


async def write_options(tx: Tx, item: models.Item, changes: Sequence[Change]) -> list[models.ItemOption]:
    """Write the options of an item, and give each the place that it wants; the others make room."""
    standing = await options_of(tx, item)
    coming: dict[int, int | None] = {}
    written: dict[int, models.ItemOption] = {}
    for number, change in enumerate(changes, start=1):
        option = change.option or models.ItemOption(item_id=item.id)
        key = option.id if change.option is not None else -number
        for name in change.values.keys() - {"position"}:
            setattr(option, name, change.values[name])
        must_fit(item, option, *change.path)
        written[key] = option
        if change.option is None or "position" in change.values:
            coming[key] = _only_once(coming, change)
    everything = {option.id: option for option in standing} | written
    if len(everything) > MOST_OPTIONS:
        raise Refused(Code.LIMIT, f"An item has at most {MOST_OPTIONS} options", *changes[-1].path)
    places = arranged({option.id: option.position for option in standing}, coming, first=_first(item))
    for key, place in places.items():
        everything[key].position = place
    tx.add_all(written.values())
    await keep_limits(tx, items=[item.id])
    return list(written.values())


async def options_of(tx: Tx, item: models.Item) -> list[models.ItemOption]:
    """The options of an item by position."""
    rows = select(models.ItemOption).where(models.ItemOption.item_id == item.id)
    return list(await tx.scalars(rows.order_by(models.ItemOption.position, models.ItemOption.id)))


def must_fit(item: models.Item, option: models.ItemOption, *path: str) -> None:
    """Refuse an option without what the form of its item needs."""
    if not (option.text or "").strip():
        if item.item_type in NEEDS_TEXT:
            raise Refused(Code.INVALID, NEEDS_TEXT[item.item_type], *path, "text")
        if item.item_type is ItemType.LIKERT_SCALE and item.hide_scale_numbers:
            raise Refused(Code.INVALID, UNNUMBERED, *path, "text")
    if option.value is None and item.item_type in NEEDS_VALUE:
        raise Refused(Code.INVALID, NEEDS_VALUE[item.item_type], *path, "value")


def as_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Input values as columns: numbers as they are kept."""
    columns = {name: one for name, one in values.items() if name not in {"id", "remove"}}
    return {name: float(one) if isinstance(one, Decimal) else one for name, one in columns.items()}


async def _must_take_options(tx: Tx, context: Context, item: models.Item, path: str) -> None:
    await held(tx, context.viewer, item, path)
    await must_be_editable(tx, context, item, path)
    if item.item_type in WITHOUT:
        raise Refused(Code.INVALID, WITHOUT[item.item_type], path)
    await must_be_unanswered(tx, item, ANSWERED, path)


async def _item_of(tx: Tx, option: models.ItemOption) -> models.Item:
    return (await tx.scalars(select(models.Item).where(models.Item.id == option.item_id))).one()


def _named(standing: Mapping[int, models.ItemOption], entry: ItemOptionChange, *path: str) -> models.ItemOption:
    kind, row_id = parse_id(entry.id or "") or ("", 0)
    if kind != "ItemOption" or row_id not in standing:
        raise Refused(Code.NOT_FOUND, "ItemOption not found", *path, "id")
    return standing[row_id]


def _only_once(coming: Mapping[int, int | None], change: Change) -> int | None:
    """The place that a change wants, which no other of them wants."""
    position: int | None = change.values.get("position")
    if position is not None and position in coming.values():
        raise Refused(Code.INVALID, "Another option of the list has this position", *change.path, "position")
    return position


def _must_have_place(change: Change) -> None:
    if change.values.get("position") is None:
        raise Refused(Code.INVALID, PLACELESS, *change.path, "position")


def _first(item: models.Item) -> int:
    return 0 if item.zero_based_positioning else 1
