"""Link tables: replacing one side of a many-to-many."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, select

from caregraph.db.base import table_of
from caregraph.db.events import ChangeKind, tell
from caregraph.db.keys import model_of, referred
from caregraph.db.session import Tx


async def replace_links(tx: Tx, model: type[Any], other: str, rows: Sequence[Any], **one: int) -> None:
    """Let the row named by `one` (`client_id=7`) be linked to `rows`, by the column `other`, and to nothing else.

    The row is locked: of two at once each replaces the whole, one after the other.
    """
    await tx.execute(_the_one(model, **one).with_for_update())
    await tx.execute(delete(model).filter_by(**one))
    tx.add_all(model(**one, **{other: row.id}) for row in rows)
    await tx.flush()
    tell(tx, model, one.values(), ChangeKind.UPDATED)


def _the_one(model: type[Any], **one: int) -> Select[Any]:
    """Selects the row that a link's key leads to."""
    ((column, row_id),) = one.items()
    target = model_of(referred(table_of(model).c[column]).table)
    return select(target.id).where(target.id == row_id)
