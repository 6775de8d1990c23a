"""Erased rows take nothing in any more, however the change and the erasure meet."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from caregraph.db.personal import Erasable
from caregraph.db.session import Tx

from .errors import Code, Refused


def refuse_erased(row: Erasable, argument: str) -> None:
    """Refuse when `row` is erased."""
    if row.erased_at is not None:
        raise _refusal(row, argument)


async def refuse_erased_meanwhile(tx: Tx, rows: Sequence[tuple[str, Any]]) -> None:
    """Refuse at the end of a transaction what began before an erasure; from now on erasures wait for it to commit.

    SQLite has one writer at a time, so there nothing comes between.
    """
    if tx.get_bind().dialect.name == "sqlite":
        return
    await tx.flush()
    for argument, row in rows:
        model: Any = type(row)
        here = model.id == row.id
        statement = select(model.erased_at).where(here).with_for_update(read=True, key_share=True)
        erased_at = await tx.scalar(statement.execution_options(scoped=True))  # a row that was just loaded
        if erased_at is not None and row.erased_at is None:
            raise _refusal(row, argument)


def _refusal(row: Erasable, argument: str) -> Refused:
    return Refused(Code.CONFLICT, f"{type(row).__name__} was erased", argument)
