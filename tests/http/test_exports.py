"""Exports for data frames: what `scoresTable` shows, in other clothes; whoever may not see it there may not here."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from audit.entries import entry, no_room_for, written
from caregraph.graph.columns import Column, global_ids
from caregraph.graph.node import global_id
from caregraph.http import frames
from caregraph.organizations import session_tokens
from factories.people import make_client
from factories.programs import make_application, make_group
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal, World

ARROW = "application/vnd.apache.arrow.stream"
COLUMNS = "sessionDate,ors,srs"


async def ask(principal: Principal, path: str = "/exports/scores", **headers: str) -> httpx.Response:
    return await principal.world.http.get(path, headers={**principal.headers, **headers})


def table(response: httpx.Response) -> Any:
    """What pyarrow makes of it."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == ARROW
    with pa.ipc.open_stream(response.content) as stream:
        found = stream.read_all()
    found.validate(full=True)
    return found


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message."""
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


@pytest.fixture
async def kim(world: World) -> Any:
    """Ben's client with two sessions, rated by his mother, beside Cleo's Lee."""
    kim, lee = await make_client(world.user, full_name="Kim"), await make_client(world.colleague, full_name="Lee")
    episode = await make_episode(world.user, kim, lee)
    mum = await make_rater(world.user, episode, kim)
    first = await make_session(world.user, episode, date(1969, 12, 31))
    second = await make_session(world.user, episode, date(2026, 1, 12))
    await make_ors(world.user, first, kim, 5, 5, 5, 5.5)
    await make_ors(world.user, second, kim, 6, 6, 6, 6)
    await make_srs(world.user, second, kim, 9, 9, 9, 9)
    await make_ors(world.user, second, kim, 4, 4, 4, 4, rater=mum)
    await make_ors(world.user, second, lee, 1, 1, 1, 1)
    return kim


async def test_an_arrow_stream_has_the_columns_of_the_field(world: World, kim: Any) -> None:
    query = "{ scoresTable { sessionId sessionDate episodeId clientId raterId ors srs } }"
    shown = (await world.user.ask(query)).data["scoresTable"]

    response = await ask(world.user, f"/exports/scores?columns={','.join(shown)}")

    found = table(response)
    text, number = pa.string(), pa.float64()
    assert dict(zip(found.schema.names, found.schema.types, strict=True)) == {
        **dict.fromkeys(("sessionId", "episodeId", "clientId", "raterId"), text),
        "sessionDate": pa.date32(),
        "ors": number,
        "srs": number,
    }
    days = [date(1969, 12, 31), date(2026, 1, 12), date(2026, 1, 12)]
    assert found.to_pydict() == shown | {"sessionDate": days}
    assert found["ors"].to_pylist() == [20.5, 24.0, 16.0]
    assert found["srs"].null_count == 2
    assert response.headers["content-disposition"] == 'attachment; filename="scores.arrows"'
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_comma_separated_values(world: World, kim: Any) -> None:
    path = f"/exports/scores.csv?columns=clientId,{COLUMNS}"

    response = await ask(world.user, path)

    client = global_id("Client", kim.id)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.text.split("\r\n") == [
        f"clientId,{COLUMNS}",
        f"{client},1969-12-31,20.5,",
        f"{client},2026-01-12,24.0,36.0",
        f"{client},2026-01-12,16.0,",
        "",
    ]


async def test_the_form_is_what_the_path_or_the_client_says(world: World, kim: Any) -> None:
    accepted = {"text/csv": "text/csv; charset=utf-8", "text/csv;q=0.1, */*;q=0.5": ARROW, "*/*": ARROW, ARROW: ARROW}

    for accept, expected in accepted.items():
        assert (await ask(world.user, accept=accept)).headers["content-type"] == expected

    assert (await ask(world.user, "/exports/scores.arrows", accept="text/csv")).headers["content-type"] == ARROW
    assert len(table(await ask(world.user)).schema) == 15
    assert refusal(await ask(world.user, accept="image/png"))[:2] == (406, "NOT_ACCEPTABLE")
    assert (await ask(world.user, "/exports/clients")).status_code == 404


async def test_everybody_gets_what_they_see(world: World, kim: Any) -> None:
    group = await make_group(world.superuser, "North", kim)
    limited = await (await make_application(world.superuser, group)).signed_in()
    program = await (await make_application(world.superuser, name="Reports")).signed_in()
    seen = {}
    for one in (world.superuser, program, limited, world.user, world.colleague, world.other_superuser):
        shown = (await one.ask("{ scoresTable { clientId ors } }")).data["scoresTable"]
        seen[one.name] = table(await ask(one, "/exports/scores?columns=clientId,ors")).to_pydict()
        assert seen[one.name] == shown

    assert [len(one["ors"]) for one in seen.values()] == [4, 4, 3, 3, 1, 0]
    for of_the_user in ("from=2026-01-01&to=2026-01-12", f"clientId={global_id('Client', kim.id)}&from=2026-01-01"):
        found = table(await ask(world.user, f"/exports/scores?{of_the_user}&columns=ors"))
        assert found["ors"].to_pylist() == [24.0, 16.0]
    owned = f"/exports/scores?scope=OWNED&userId={world.colleague.id}&columns=ors"
    assert table(await ask(world.superuser, owned))["ors"].to_pylist() == [4.0]


@pytest.mark.parametrize("ending", ["", ".csv"])
async def test_who_may_not_is_told_as_elsewhere(world: World, kim: Any, ending: str) -> None:
    path = f"/exports/scores{ending}"
    narrow = await (await make_application(world.superuser)).signed_in(scope="scores.read sessions.read")
    wrong = Principal(world, "wrong", {**world.user.headers, "X-Api-Token": "wrong"})

    async with world.writing(world.superuser) as tx:
        token = await session_tokens.open_session(tx, 7, lifetime=timedelta(hours=1))
    respondent = Principal(world, "respondent", {**narrow.headers, "X-Silicone-User-Token": token})

    for one in (world.nobody, wrong):
        assert refusal(await ask(one, path)) == (401, "UNAUTHENTICATED", "Authentication failed")
    for one in (world.calculator, respondent):
        assert refusal(await ask(one, path)) == (403, "FORBIDDEN", "Access denied")
    assert refusal(await ask(world.user, f"{path}?scope=ORGANIZATION")) == (403, "FORBIDDEN", "Access denied")
    assert refusal(await ask(narrow, f"{path}?columns=clientId,ors")) == (403, "FORBIDDEN", "Access denied")
    assert (await ask(narrow, f"{path}?columns={COLUMNS}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("name=Kim", "There is no such parameter: columns, from, to, scope, userId, clientId, episodeId"),
        ("from=2026-01-01&from=2026-01-02", "A parameter is given twice"),
        ("userId=x", "userId goes with scope OWNED"),
        ("from=yesterday", "Variable '$from' has invalid value: Date cannot represent a value that is not of the form"),
        ("scope=EVERYTHING", "Variable '$scope' has invalid value: Value 'EVERYTHING' does not exist"),
        ("columns=ors,fullName", "columns takes some of sessionId,"),
        ("columns=ors,ors", "columns takes some of sessionId,"),
        ("columns=", "columns takes some of sessionId,"),
        ("columns=rowCount", "columns takes some of sessionId,"),
        ("columns=ors}clients{totalCount", "columns takes some of sessionId,"),
    ],
)
async def test_what_cannot_be_asked_is_refused(world: World, query: str, message: str) -> None:
    with world.statements() as sent:
        status, code, told = refusal(await ask(world.user, f"/exports/scores?{query}"))

    assert (status, code, sent) == (400, "BAD_USER_INPUT", [])
    assert told.startswith(message)


async def test_an_export_is_on_record_as_the_field_is(world: World, kim: Any) -> None:
    async with written(world) as entries:
        await ask(world.user, "/exports/scores?columns=clientId,ors")
        await ask(world.calculator)

    assert entries == [
        entry("READ", "scoresTable", operation="export_scores", client_ids=[kim.id]),
        entry("REFUSED", "scoresTable", operation="export_scores", actor="CALCULATOR", user_id=None),
    ]
    async with no_room_for(world, "READ"):
        assert refusal(await ask(world.user)) == (503, "UNAVAILABLE", "The server is busy, try again")


async def test_limits_hold(world: World, kim: Any) -> None:
    ben = world.user.headers
    await world.restart(maximum_rows=3)
    limit = refusal(await ask(Principal(world, "Ben", ben)))
    await world.restart(maximum_rows=50_000, maximum_cost=100)
    cost = refusal(await ask(Principal(world, "Ben", ben)))
    await world.restart(maximum_cost=500_000, rate_limit=1)
    first, second = [await ask(Principal(world, "Ben", ben)) for _ in range(2)]

    assert limit == (400, "COST_ACTUAL_TOO_EXPENSIVE", "An operation may read at most 3 rows")
    assert cost == (400, "COST_ESTIMATED_TOO_EXPENSIVE", "An operation may cost at most 100, this one costs 515")
    assert first.status_code == 200
    assert refusal(second)[:2] == (429, "RATE_LIMITED")
    assert int(second.headers["retry-after"]) > 0


async def test_a_server_that_is_full_or_has_no_database_says_so(world: World) -> None:
    await world.restart(pool_timeout=0.05, running_operations=1, waiting_operations=0)
    ben = Principal(world, "Ben", world.user.headers)
    await world.app.state.guard.gate.enter()
    full = await ask(ben)
    world.app.state.guard.gate.leave()

    assert refusal(full) == (503, "UNAVAILABLE", "The server is busy, try again")
    assert full.headers["retry-after"] == "1"
    assert (await ask(ben)).status_code == 200


async def test_exports_are_the_servers_own_queries(world: World, kim: Any) -> None:
    await world.restart(profile="first-party", execution="loaders")

    found = table(await ask(Principal(world, "Ben", world.user.headers), f"/exports/scores?columns={COLUMNS}"))

    assert found["ors"].to_pylist() == [20.5, 24.0, 16.0]


def test_many_rows_leave_in_parts() -> None:
    count = 2 * frames.ROWS_AT_ONCE + 5
    numbers = np.arange(count)
    columns = {
        "id": Column(numbers, "Session"),
        "day": Column(numbers.astype("datetime64[D]")),
        "value": Column(np.where(numbers % 3, numbers / 7, np.nan)),
    }

    parts, lines = list(frames.arrow(columns)), list(frames.comma_separated(columns))

    stream = pa.ipc.open_stream(b"".join(parts))
    batches = [batch.num_rows for batch in stream]
    found = pa.ipc.open_stream(b"".join(parts)).read_all()
    assert batches == [frames.ROWS_AT_ONCE, frames.ROWS_AT_ONCE, 5]
    assert (len(parts), len(lines)) == (4, 3)
    assert found.to_pydict() == {name: column.listed() for name, column in columns.items()}
    assert found["id"][0].as_py() is None
    assert found["value"].null_count == sum(1 for one in range(count) if not one % 3)
    assert b"".join(lines).decode().splitlines()[2] == f"{global_id('Session', 1)},1970-01-02,{1 / 7}"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_value_is_a_formula(text: str) -> None:
    assert frames._cell(text) == f"'{text}"
    assert [frames._cell(one) for one in ("U2Vzc2lvbjox", -1.5, None)] == ["U2Vzc2lvbjox", -1.5, None]


@pytest.mark.parametrize("name", ["A", "Ab", "Abc", "Session"])
def test_many_ids_are_the_same_as_one_by_one(name: str) -> None:
    numbers = [1, 9, 10, 99, 100, 2**31, 10**18, 2**63 - 1]

    found = global_ids(name, np.array([0, *numbers]))

    assert [one.decode() for one in found] == ["", *(global_id(name, one) for one in numbers)]


async def test_exports_at_the_same_time_are_each_whole(world: World, kim: Any) -> None:
    found = await asyncio.gather(*(ask(world.user, "/exports/scores?columns=ors") for _ in range(8)))

    assert [table(one)["ors"].to_pylist() for one in found] == [[20.5, 24.0, 16.0]] * 8
