"""Link tables: replacing one side of a many-to-many."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete

from caregraph.db.events import ChangeKind, tell
from caregraph.db.session import Tx


async def replace_links(tx: Tx, model: type[Any], other: str, rows: Sequence[Any], **one: int) -> None:
    """Let the row named by `one` (`client_id=7`) be linked to `rows`, by the column `other`, and to nothing else."""
    await tx.execute(delete(model).filter_by(**one))
    tx.add_all(model(**one, **{other: row.id}) for row in rows)
    await tx.flush()
    tell(tx, model, one.values(), ChangeKind.UPDATED)
