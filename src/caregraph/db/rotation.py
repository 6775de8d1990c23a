"""Writes what is stored under an earlier key, or under none, anew under the first, beside a running server.

A batch is a transaction in one organization, whose rows are locked: what the server changes meanwhile is not lost.
What is under the first key already is left alone, so an interrupted rotation goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, bindparam, func, or_, select, type_coerce, update

from caregraph.auth.viewer import Viewer

from . import keyuse
from .base import Base, derived, derived_from, table_of
from .encryption import MARK, Encrypted, Keyring
from .lookups import organization_ids
from .session import Database, Tx

_AT_ONCE = 500

OnRows = Callable[[str, int, int], object]
"""Hears of which table rows were written, how many just were, and how many it was about in all."""


@dataclass(frozen=True)
class Rotated:
    """What a rotation did."""

    rows: int
    left: int
    """Rows that somebody stored under another key meanwhile."""


async def rotate(database: Database, on_rows: OnRows) -> Rotated:
    """Bring every row under the first key, and forget the others unless something is left under them."""
    await database.check_keys()
    organizations = await organization_ids(database)
    rows = 0
    for model in sealed_models():
        name = table_of(model).name
        total = sum([await _stale_count(database, model, one) for one in organizations])
        on_rows(name, 0, total)
        for one in organizations:
            rows += await _rotate_rows(database, model, one, lambda count: on_rows(name, count, total))  # noqa: B023 called at once
    left = sum([await _stale_count(database, model, one) for model in sealed_models() for one in organizations])
    if not left:
        async with database.writing(Viewer.nobody()) as tx:
            await keyuse.strike_out(tx, database.keyring)
    return Rotated(rows, left)


def sealed_models() -> list[type[Any]]:
    """Models with encrypted columns, by the names of their tables."""
    models = [mapper.class_ for mapper in Base.registry.mappers if mapper.inherits is None]
    return sorted(filter(_sealed_columns, models), key=lambda model: table_of(model).name)


def _sealed_columns(model: type[Any]) -> list[Any]:
    return [column for column in table_of(model).c if isinstance(column.type, Encrypted)]


async def _stale_count(database: Database, model: type[Any], organization_id: int) -> int:
    async with database.read_session(Viewer.system(organization_id)) as session:
        stale = _is_stale(model, database.keyring)
        return await session.scalar(select(func.count()).select_from(model).where(stale)) or 0


def _is_stale(model: type[Any], keyring: Keyring) -> ColumnElement[bool]:
    """Whether something in a row is not as the first key would have it, or lacks its index."""
    found: list[ColumnElement[bool]] = []
    for column in _sealed_columns(model):
        stored = type_coerce(column, Text)
        if keyring.prefix is not None:
            found.append(func.substr(stored, 1, len(keyring.prefix)) != keyring.prefix)
        else:
            plain = func.substr(stored, 1, len(MARK) + 1) == f"{MARK}:"
            found.append(and_(func.substr(stored, 1, len(MARK)) == MARK, ~plain))
    for column in table_of(model).c:
        if "blind" in column.info:
            of, _ = column.info["blind"]
            found.append(and_(table_of(model).c[of].is_not(None), column.is_(None)))
    return or_(*found)


async def _rotate_rows(
    database: Database, model: type[Any], organization_id: int, on_rows: Callable[[int], object]
) -> int:
    last = count = 0
    while True:
        async with database.writing(Viewer.system(organization_id)) as tx:
            batch = (
                select(model)
                .where(model.id > last, _is_stale(model, database.keyring))
                .order_by(model.id)
                .limit(_AT_ONCE)
                .with_for_update()
            )
            rows = (await tx.scalars(batch)).all()
            if rows:
                await _write(tx, model, rows, database.keyring)
        if not rows:
            return count
        last = rows[-1].id
        count += len(rows)
        on_rows(len(rows))


async def _write(tx: Tx, model: type[Any], rows: Sequence[Any], keyring: Keyring) -> None:
    """By the tables themselves: the rows say the same as before, so nobody is told of a change."""
    table = table_of(model)
    sealed = [column.name for column in _sealed_columns(model)]
    values = []
    for row in rows:
        own = {name: getattr(row, name) for name in derived_from(model)}
        texts = {name: getattr(row, name) for name in sealed}
        values.append({"row_id": row.id} | texts | derived(model, own, keyring))
    changed = {name: bindparam(name, type_=table.c[name].type) for name in values[0] if name != "row_id"}
    await (await tx.connection()).execute(
        update(table).where(table.c.id == bindparam("row_id")).values(changed), values
    )
