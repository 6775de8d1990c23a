"""Deleting what others hang on: refused with what stands in the way, or done with everything that goes along."""

from typing import Any

from sqlalchemy import select

from caregraph.db.dependents import Dependents, delete_with_dependents, dependents
from caregraph.db.session import Tx

from .errors import FORBIDDEN, Code, Refused


async def delete_row(tx: Tx, row: Any, *, force: bool, instead: Any = None, forcing: str = "delete them too") -> None:
    """Delete `row` with its dependents if there are none or `force` is set; `forcing` says what that does to them.

    What the viewer cannot see is never deleted by force, and the refusal then says nothing about it.
    """
    await _lock(tx, instead or row, name=type(row).__name__)
    found = await dependents(tx, row)
    if any(one.total > one.visible for one in found):
        raise Refused(Code.CONFLICT, FORBIDDEN)
    if found and not force:
        raise Refused(Code.CONFLICT, f"{type(row).__name__} has {listed(found)}: set force to {forcing}", "force")
    await delete_with_dependents(tx, row, instead=instead)


async def _lock(tx: Tx, row: Any, *, name: str) -> None:
    """Whatever is being hung on the row is there before it is counted; what comes later finds no row to hang on."""
    model = type(row)
    if await tx.scalar(select(model.id).where(model.id == row.id).with_for_update()) is None:
        raise Refused(Code.NOT_FOUND, f"{name} not found", "id")


def listed(found: list[Dependents]) -> str:
    """`2 episodes, 14 sessions and 1 score`."""
    parts = [f"{one.visible} {one.noun if one.visible != 1 else one.noun.removesuffix('s')}" for one in found]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
