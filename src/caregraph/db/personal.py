"""What of a row names or describes a person, and what becomes of it when the person is erased: declared per model.

A row that stays without what was personal in it is `Erasable`. Numbers, dates of care, labels and who worked with whom
stay, so that no statistic changes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from .base import now

ERASED = "Erased"
"""Stands where something must stand."""


class Personal:
    """Put on a model as `personal`: what its columns become, and which texts stay because they describe nobody."""

    def __init__(self, *, stays: tuple[str, ...] = (), goes: bool = False, **becomes: Any) -> None:
        """`goes`: the row itself is deleted."""
        self.stays = stays
        self.goes = goes
        self.becomes: Mapping[str, Any] = becomes


class Erasable:
    """Rows that are kept without what is personal in them. Nothing may be written into them afterwards."""

    personal: ClassVar[Personal]
    erased_at: Mapped[datetime | None] = mapped_column(default=None)


def erase_row(row: Any) -> None:
    """Take out of a row what is personal."""
    for name, value in row.personal.becomes.items():
        setattr(row, name, value)
    if isinstance(row, Erasable):
        row.erased_at = now()


async def erase_abandoned(
    tx: AsyncSession,
    model: type[Any],
    link: type[Any],
    ways: tuple[Column[Any], Column[Any], type[Any]],
    ids: Sequence[int],
) -> None:
    """Erase those rows of `model` that belong to erased people only.

    `ways` are the column of the link table that leads here, the one that leads to people, and their model.
    """
    here, there, person = ways
    living = select(here).select_from(link).join(person, person.id == there).where(person.erased_at.is_(None))
    mine = select(model).where(
        model.id.in_(ids), model.erased_at.is_(None), model.id.not_in(living.where(here.in_(ids)))
    )
    # Whoever sees them: a person who is hidden from the viewer is a person.
    for row in await tx.scalars(mine.execution_options(scoped=True)):
        erase_row(row)
    await tx.flush()
