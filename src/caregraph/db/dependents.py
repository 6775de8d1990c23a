"""What stands in the way of a delete, read from foreign keys: no slice has to know the later ones.

A foreign key made by `tenant_key(blocks={"session_id": "scores"})` says under which noun its rows block the row they
point at.
From the row to delete, tables are visited breadth first along cascading keys; each is counted once, by its shortest
way. `carries` leads through a link table to rows that go with their last link.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKeyConstraint, Table, delete, func, select

from .base import table_of
from .changes import note
from .events import ChangeKind, tell
from .keys import children, model_of, referred
from .personal import Erasable, erase_abandoned
from .session import Tx


@dataclass(frozen=True)
class Dependents:
    """Rows of one kind that would go too: how many the viewer sees, and how many there are."""

    noun: str
    visible: int
    total: int
    is_data: bool
    """Whether the rows say something themselves, and not only that two others belong together."""


@dataclass(frozen=True)
class Reached:
    """Rows that go along with a row: of which table, under which noun if they stand in the way of deleting it."""

    table: Table
    condition: ColumnElement[bool]
    noun: str | None
    carried_by: Column[Any] | None = None
    """The column of the link table that leads to rows which go with their last link, and may have others now."""


async def dependents(tx: Tx, row: Any) -> list[Dependents]:
    """Everything that blocks deleting `row`, in the order of its distance."""
    found = []
    for reached in reach(table_of(type(row)), row):
        if reached.noun is None:
            continue
        model = model_of(reached.table)
        same_tenant = model.organization_id == tenant_of(tx)
        count = select(func.count()).select_from(model).where(reached.condition, same_tenant)
        total = await tx.scalar(_all(count))
        if total:
            found.append(Dependents(reached.noun, await tx.scalar(count) or 0, total, "id" in reached.table.c))
    return found


def reach(table: Table, row: Any) -> Iterator[Reached]:
    """Everything that hangs on `row` of `table`, nearest first."""
    queue: deque[tuple[Table, Any]] = deque([(table, [row.id])])
    seen = {table}
    while queue:
        parent, parent_ids = queue.popleft()
        for child, column, noun, carried in children(parent):
            if child in seen:
                continue
            seen.add(child)
            condition = column.in_(parent_ids)
            yield Reached(child, condition, noun)
            if carried is not None:
                target, ids = referred(carried).table, select(carried).where(condition).correlate(None)
                if target not in seen:
                    seen.add(target)
                    yield Reached(target, target.c.id.in_(ids), None, carried)
                queue.append((target, ids))
            elif "id" in child.c:
                queue.append((child, select(child.c.id).where(condition).correlate(None)))


def carried_ways(carried: Column[Any]) -> tuple[Column[Any], Column[Any], type[Any]]:
    """A link table's column to what goes with its last link, the column of whom it is linked by, and their model."""
    names = (name for key in carried.table.foreign_key_constraints for name in _carries(key, carried.name))
    by = carried.table.c[next(names)]
    return carried, by, model_of(referred(by).table)


def _carries(key: ForeignKeyConstraint, column: str) -> list[str]:
    return [name for name, other in key.info.get("carries", {}).items() if other == column]


async def delete_with_dependents(tx: Tx, row: Any, *, instead: Any = None) -> None:
    """Delete `row`, or `instead` of it the row that stands for it here, and whatever loses its last link by that.

    What merely hangs on the row goes by the database's own cascades. Rows that may lose their last link are locked
    first: two transactions that each remove one of two links must not leave the row behind.
    """
    carried = [await _carried(tx, *way, [row.id]) for way in _carrying(table_of(type(row)))]
    await tx.delete(instead or row)
    await tx.flush()
    if instead is not None:
        note(tx.sync_session, row, ChangeKind.DELETED)
    for target, link, ids in carried:
        await delete_orphans(tx, target, link, ids)


async def delete_orphans(tx: Tx, target: Table, link: Column[Any], ids: Sequence[int]) -> None:
    """Delete those rows of `target` that no row of the link table points at any more."""
    model = model_of(target)
    linked = select(link).where(link.in_(ids)).correlate(None)
    orphans = list(await tx.scalars(_all(select(model.id).where(model.id.in_(ids), model.id.not_in(linked)))))
    tell(tx, model, ids, ChangeKind.UPDATED)
    tell(tx, model, orphans, ChangeKind.DELETED)
    if issubclass(model, Erasable) and issubclass((ways := carried_ways(link))[2], Erasable):
        await erase_abandoned(tx, model, model_of(link.table), ways, ids)  # whoever is left may have been erased
    if not orphans:
        return
    further = [await _carried(tx, *way, orphans) for way in _carrying(target)]
    await tx.execute(_all(delete(model).where(model.id.in_(orphans))))
    for next_target, next_link, next_ids in further:
        await delete_orphans(tx, next_target, next_link, next_ids)


def _carrying(parent: Table) -> Iterator[tuple[Column[Any], Column[Any]]]:
    """The link columns that point at `parent`, each with the one that points at what goes with its last link."""
    for _child, column, _noun, carried in children(parent):
        if carried is not None:
            yield column, carried


async def _carried(
    tx: Tx, column: Column[Any], carried: Column[Any], parents: Sequence[int]
) -> tuple[Table, Column[Any], list[int]]:
    target = referred(carried).table
    model, link = model_of(target), model_of(column.table)
    ids = select(carried).where(column.in_(parents), link.organization_id == tenant_of(tx))
    locked = await tx.scalars(_all(select(model.id).where(model.id.in_(ids)).order_by(model.id).with_for_update()))
    return target, carried, list(locked)


def tenant_of(tx: Tx) -> int | None:
    """The organization that a transaction works in."""
    organization_id: int | None = tx.info["viewer"].organization_id
    return organization_id


def _all(statement: Any) -> Any:
    """Within the tenant, whoever sees the rows: keys never leave it."""
    return statement.execution_options(scoped=True)
