"""Erasing a person: the row itself and everything that hangs on it, read from foreign keys as deletions are."""

from typing import Any

from sqlalchemy import select

from .base import table_of
from .dependents import carried_ways, reach, tenant_of
from .keys import model_of
from .personal import Personal, erase_abandoned, erase_row
from .session import Tx


async def erase(tx: Tx, row: Any) -> None:
    """Take out of `row`, and of its dependents, what is personal. What it shares with others stays while they do."""
    shared = []
    for reached in reach(table_of(type(row)), row):
        model = model_of(reached.table)
        personal: Personal | None = getattr(model, "personal", None)
        if personal is None:
            continue
        same_tenant = model.organization_id == tenant_of(tx)
        statement = select(model).where(reached.condition, same_tenant).order_by(model.id).with_for_update()
        # Whoever sees them: nothing of an erased person is left behind.
        rows = (await tx.scalars(statement.execution_options(scoped=True))).all()
        if reached.carried_by is not None:
            shared.append((model, reached.carried_by, [one.id for one in rows]))
        elif personal.goes:
            for one in rows:
                await tx.delete(one)
        else:
            for one in rows:
                erase_row(one)
    erase_row(row)
    await tx.flush()
    for model, link, ids in shared:
        await erase_abandoned(tx, model, model_of(link.table), carried_ways(link), ids)
