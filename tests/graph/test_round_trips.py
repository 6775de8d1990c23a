"""How often a request waits for PostgreSQL: what is sent on the one connection, in order."""

import asyncio
from typing import Any

import pytest

from caregraph.graph.node import global_id
from factories.people import make_client
from kit import World

SIGN_IN, BEGIN, READ, END, AUDIT = "sign in", "begin", "read", "end", "audit"
_KINDS = {
    "SELECT token_id": SIGN_IN,
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT set_config": BEGIN,
    "SELECT": READ,
    "ROLLBACK": END,
    "INSERT INTO audit_events": AUDIT,
}


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ __typename }", [SIGN_IN]),
        ("{ clients { nodes { fullName } } }", [SIGN_IN, BEGIN, READ, END, AUDIT]),
        ("{ clients { nodes { fullName owners { fullName } } } }", [SIGN_IN, BEGIN, READ, READ, END, AUDIT]),
        ("{ client(id: $ID) { fullName owners { fullName } } }", [SIGN_IN, BEGIN, READ, READ, END, AUDIT]),
    ],
)
async def test_round_trips_of_a_query(world: World, query: str, expected: list[str]) -> None:
    kim = await make_client(world.user, full_name="Kim")
    query = query.replace("$ID", f'"{global_id("Client", kim.id)}"')
    await world.restart(pool_size=1)
    await world.user.ask(query)
    sent: list[str] = []

    def note(record: Any) -> None:
        sent.append(next((kind for start, kind in _KINDS.items() if record.query.startswith(start)), record.query))

    async with world.database.engines[0].connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
    driver.add_query_logger(note)
    answer = await world.user.ask(query)
    await asyncio.sleep(0)  # the driver tells a moment later
    driver.remove_query_logger(note)

    assert answer.data is not None
    assert sent == expected
