"""Requests that a machine makes up from the schema: none may end in a 5xx or in an error of our own.

A few per root field in each run. `CAREGRAPH_FUZZ_CASES=200 pytest tests/http/test_fuzz.py` looks longer.
"""

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from caregraph import schema
from caregraph.graph.node import global_id
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Answer, Principal, World

CASES = int(os.environ.get("CAREGRAPH_FUZZ_CASES", "3"))

# Rows 1 to 3 are there: what is made up goes further than NOT_FOUND.
IDS = [
    global_id(name, row_id)
    for name in ("Organization", "User", "Client", "Label", "Episode", "Session", "Rater", "OrsScore", "SrsScore")
    for row_id in (1, 2, 3, 2**63 - 1)
]
SCALARS = {
    "ID": st.sampled_from(IDS) | st.text(max_size=12),
    "Date": st.dates().map(str) | st.sampled_from(["", "2026-02-30", "0001-01-01", "9999-12-31"]),
    "DateTime": st.datetimes().map(lambda one: f"{one.isoformat()}Z") | st.text(max_size=5),
    "Decimal": st.sampled_from(["0", "-1.5", "NaN", "1e400", "x"]),
    "EmailAddress": st.sampled_from(["a@b.example", "A@B.EXAMPLE", "@", "", "ä@ö.example", "a@b\x00.example"]),
    "PhoneNumber": st.sampled_from(["+4712345678", "+1", "", "0", "١٢٣"]),
    "URL": st.sampled_from(["https://example.org", "x", ""]),
    "JSON": st.text(max_size=5),
}


@pytest.fixture(scope="module")
def operations() -> list[Any]:
    """Every root field, queries first."""
    for name, values in SCALARS.items():
        schemathesis.graphql.scalar(name, values.map(nodes.String))
    schemathesis.graphql.scalar(
        "Upload", st.just(nodes.String("no file"))
    )  # refused: only multipart requests have files
    read = schemathesis.graphql.from_file(schema.api_sdl(schema.build()))
    found = [one.ok() for one in read.get_all_operations()]
    return sorted(found, key=lambda one: one.label.startswith("Mutation"))


def _made_up(operation: Any) -> list[str]:
    queries: list[str] = []

    @settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def collect(case: Any) -> None:
        queries.append(case.body)

    collect()
    return list(dict.fromkeys(queries))


async def _someone_to_find(world: World) -> None:
    for number in range(3):
        client = await make_client(world.superuser, world.user, full_name=f"Client {number}")
        await make_label(world.superuser, f"Label {number}", client)
        episode = await make_episode(world.superuser, client)
        session = await make_session(world.superuser, episode)
        rater = await make_rater(world.superuser, episode, client)
        await make_ors(world.superuser, session, client)
        await make_ors(world.superuser, session, client, rater=rater)
        await make_srs(world.superuser, session, client)


def _went_wrong(answer: Answer) -> bool:
    codes = {error["extensions"]["code"] for error in answer.body.get("errors", ())}
    return answer.status >= 500 or bool(codes & {"INTERNAL_SERVER_ERROR", "UNAVAILABLE", "TIMEOUT"})


async def _tried(principal: Principal, queries: list[str]) -> list[tuple[str, Any]]:
    answers = await asyncio.gather(*(principal.ask(query) for query in queries))
    return [(query, answer.body) for query, answer in zip(queries, answers, strict=True) if _went_wrong(answer)]


async def test_nothing_that_is_made_up_breaks_the_server(world: World, operations: list[Any]) -> None:
    await _someone_to_find(world)
    wrong: list[tuple[str, Any]] = []
    sent = 0
    for number, operation in enumerate(operations):
        # Someone new for each: what is made up may end the sign-in of who sends it.
        principal = await world.member(1, f"fuzz{number}@northfield.example", "Fuzz", is_superuser=True)
        queries = _made_up(operation)
        sent += len(queries)
        wrong += await _tried(principal, queries)

    assert wrong == []
    assert sent > 2 * len(operations)
