"""Named filters that several slices share: text search, equality of encrypted values, labels by name."""

from typing import Any

from sqlalchemy import ColumnElement, select

from caregraph.db import encryption
from caregraph.db.base import fold

from .context import Context
from .errors import bad_input, refuse_nul
from .filters import LONGEST_LIST

LONGEST_SEARCH = 200


def contains(model: type[Any], term: str | None) -> ColumnElement[bool] | None:
    """Rows whose search text contains `term`, in any case; null without a term."""
    if not term:
        return None
    _check(term, "search")
    return model.search_text.contains(fold(term), autoescape=True)  # type: ignore[no-any-return]


def equals(context: Context, index: Any, text: str, argument: str) -> ColumnElement[bool]:
    """Rows whose encrypted value equals `text`, by the column of its blind index; none for a text without content."""
    _check(text, argument)
    return encryption.equals(index, text, context.database.keyring, context.viewer.organization_id)


def _check(text: str, argument: str) -> None:
    if len(text) > LONGEST_SEARCH:
        raise bad_input(f"{argument} takes at most {LONGEST_SEARCH} characters", argument)
    refuse_nul(argument, text)


async def named(context: Context, model: type[Any], names: list[str], argument: str) -> list[int]:
    """Ids of the rows of `model` with exactly these names; an unknown name is the caller's mistake."""
    if len(names) > LONGEST_LIST:
        raise bad_input(f"{argument} takes at most {LONGEST_LIST} names", argument)
    refuse_nul(argument, *names)
    wanted = dict.fromkeys(names)
    if not wanted:
        return []
    found = await context.run_unscoped(select(model.name, model.id).where(model.name.in_(wanted)))
    by_name: dict[str, int] = {name: row_id for name, row_id in found}  # noqa: C416 rows, not pairs
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise bad_input(f"There is no {model.__name__.lower()} named {unknown[0]!r}", argument)
    return list(by_name.values())
