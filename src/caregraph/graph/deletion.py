"""Deleting what others hang on: refused with what stands in the way, or done with everything that goes along."""

from typing import Any

from caregraph.db.dependents import Dependents, delete_with_dependents, dependents
from caregraph.db.session import Tx

from .errors import FORBIDDEN, Code, Refused
from .locking import lock


async def delete_row(tx: Tx, row: Any, *, force: bool, instead: Any = None, forcing: str = "delete them too") -> None:
    """Delete `row` with its dependents if there are none or `force` is set; `forcing` says what that does to them.

    Data of a client whom the viewer does not see are never deleted, and the refusal then says nothing about them.
    """
    await lock(tx, instead or row, name=type(row).__name__)
    found = await dependents(tx, row)
    seen = [one for one in found if one.visible]
    if seen and not force:
        raise Refused(Code.CONFLICT, f"{type(row).__name__} has {listed(seen)}: set force to {forcing}", "force")
    if any(one.is_data and one.total > one.visible for one in found):
        raise Refused(Code.CONFLICT, FORBIDDEN)
    await delete_with_dependents(tx, row, instead=instead)


def listed(found: list[Dependents]) -> str:
    """`2 episodes, 14 sessions and 1 score`."""
    parts = [f"{one.visible} {one.noun if one.visible != 1 else one.noun.removesuffix('s')}" for one in found]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
