"""Entries of many requests are written together; one that cannot be written fails nobody else."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from audit.entries import written
from caregraph.db.audit import Actor, Kind, Origin, entry
from caregraph.db.trail import Trail
from kit import World


def _read_by(user_id: int) -> dict[str, Any]:
    return entry(Origin(organization_id=1, actor=Actor.USER, user_id=user_id), Kind.READ, clients=[user_id])


async def test_an_entry_that_cannot_be_written_fails_alone(world: World) -> None:
    trail = Trail(world.database)
    entries = [_read_by(1), _read_by(2) | {"kind": None}, _read_by(3)]

    async with written(world) as found:
        results = await asyncio.gather(*map(trail.write, entries), return_exceptions=True)

    assert [isinstance(one, SQLAlchemyError) for one in results] == [False, True, False]
    assert [(one["user_id"], one["client_ids"]) for one in found] == [(1, [1]), (3, [3])]
    assert "null" in str(results[1]).casefold()
    assert not isinstance(results[1], IntegrityError)  # whose text would hold the entry


async def test_entries_that_come_together_are_all_there(world: World) -> None:
    trail = Trail(world.database)
    of_nobody = entry(Origin(organization_id=None, actor=Actor.NOBODY), Kind.REFUSED)

    async with written(world) as found:
        await asyncio.gather(*(trail.write(_read_by(number)) for number in range(1, 21)), trail.write(of_nobody))

    assert sorted(one["user_id"] or 0 for one in found) == list(range(21))
    assert [one["organization_id"] for one in found if one["user_id"] is None] == [None]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_entries_that_come_together_are_one_transaction(world: World) -> None:
    trail = Trail(world.database)

    await asyncio.gather(*(trail.write(_read_by(number)) for number in range(1, 21)))

    found = "SELECT count(*), count(DISTINCT xmin::text) FROM audit_events WHERE kind = 'READ'"
    assert tuple(await world.row(text(found))) == (20, 1)
