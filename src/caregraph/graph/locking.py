"""Holding a row still while a verb looks at what hangs on it."""

from typing import Any

from sqlalchemy import select

from caregraph.db.session import Tx

from .errors import Code, Refused


async def lock(tx: Tx, row: Any, *, name: str | None = None) -> None:
    """Lock `row` until the transaction ends; refuse if it is gone. `name` says what it is for people.

    Whatever is just being hung on the row is there before it is looked at; what comes later finds no row to hang on.
    """
    model = type(row)
    if await tx.scalar(select(model.id).where(model.id == row.id).with_for_update()) is None:
        raise Refused(Code.NOT_FOUND, f"{name or model.__name__} not found", "id")
