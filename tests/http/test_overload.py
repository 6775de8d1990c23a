"""More requests than there are places or connections: a bounded wait, then 503, and never a hang."""

import asyncio
import contextlib
from pathlib import Path

import httpx
import pytest
from process import Process
from slowness import Caller, checked_out, endless

from caregraph.auth.viewer import Viewer
from caregraph.graph.errors import RequestError
from caregraph.http import gate, shedding
from kit import Principal, World

CLIENTS = "{ me { email } clients { totalCount } }"
CREATE = 'mutation { createClient(input: {fullName: "One More"}) { node { id } errors { code } } }'
BUSY = ("UNAVAILABLE", "The server is busy, try again")


async def _post(principal: Principal, query: str, **headers: str) -> httpx.Response:
    return await principal.world.http.post("/graphql", json={"query": query}, headers={**principal.headers, **headers})


@pytest.fixture(autouse=True)
def _told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a later test."""
    monkeypatch.setattr(shedding, "_INTERVAL", 0.0)


@contextlib.asynccontextmanager
async def _all_connections_taken(world: World) -> "contextlib.AbstractAsyncContextManager[None]":
    async with contextlib.AsyncExitStack() as stack:
        for engine in world.database.engines:
            for _ in range(engine.sync_engine.pool.size()):
                await stack.enter_async_context(engine.connect())
        yield


@pytest.fixture
async def small(world: World) -> World:
    await world.restart(pool_size=1, pool_timeout=0.2, running_operations=1, waiting_operations=1)
    return world


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_sign_in_without_a_connection_is_unavailable(small: World, accept: str) -> None:
    async with _all_connections_taken(small):
        response = await _post(small.superuser, CLIENTS, accept=accept)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.json() == {"errors": [{"message": BUSY[1], "extensions": {"code": BUSY[0]}}]}
    assert (await small.superuser.ask(CLIENTS)).data["clients"] == {"totalCount": 0}


@pytest.mark.parametrize("query", [CLIENTS, CREATE, f"{CREATE[:-2]} more: {CREATE[11:]}"])
async def test_a_resolver_without_a_connection_is_unavailable(
    small: World, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """The sign-in got its connection, the resolver none."""
    from caregraph.auth.tokens import SignedInUser
    from caregraph.auth.viewer import Membership
    from caregraph.db.lookups import SignInLookups

    here = Membership(organization_id=small.superuser.organization_id, is_superuser=True)

    async def known(*_: object) -> SignedInUser:
        return SignedInUser(small.superuser.row_id, [here])

    monkeypatch.setattr(SignInLookups, "api_token", known)
    before = await small.counts()

    async with _all_connections_taken(small):
        response = await _post(small.superuser, query)

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json() == {"errors": [{"message": BUSY[1], "extensions": {"code": BUSY[0]}}]}
    assert await small.counts() == before
    assert checked_out(small) == 0


async def test_after_a_commit_nobody_is_told_to_try_again(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is there, only reading it back finds no connection."""
    before = await small.counts()
    taken = contextlib.AsyncExitStack()
    from caregraph.graph import actions

    real = actions._read_back

    async def read_back(*arguments: object) -> object:
        await taken.enter_async_context(_all_connections_taken(small))
        return await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "_read_back", read_back)
    async with taken:
        answer = await small.superuser.ask(CREATE)

    assert (answer.status, answer.error, answer.body["data"]) == (200, BUSY, {"createClient": None})
    assert (await small.counts())["clients"] == before["clients"] + 1


async def test_operations_beyond_the_places_wait_and_beyond_the_waiting_are_refused(small: World) -> None:
    first = Caller(small.superuser, "{ clients { nodes { id } } }")
    with endless(small, "FROM clients") as begun:
        running = asyncio.create_task(first.send())
        await begun.wait()
        greeting = "{ hello { helloFrom } }"

        late, refused = await asyncio.gather(_post(small.nobody, greeting), _post(small.nobody, greeting))

        first.leave()
        await running
    for response in (late, refused):
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json() == {"errors": [{"message": BUSY[1], "extensions": {"code": BUSY[0]}}]}
    assert (await _post(small.nobody, greeting)).status_code == 200


async def test_waiting_operations_run_when_a_place_is_free(small: World) -> None:
    first = Caller(small.superuser, "{ clients { nodes { id } } }")
    with endless(small, "FROM clients") as begun:
        running = asyncio.create_task(first.send())
        await begun.wait()
        waiting = asyncio.create_task(_post(small.nobody, "{ hello { helloFrom } }"))
        while small.app.state.guard.gate.waiting == 0:
            await asyncio.sleep(0)
        first.leave()
        await running

    assert (await waiting).status_code == 200
    assert (small.app.state.guard.gate.running, small.app.state.guard.gate.waiting) == (0, 0)


async def test_many_at_once_on_one_connection_are_all_answered(world: World) -> None:
    await world.restart(pool_size=1, pool_timeout=30.0)

    answers = await asyncio.gather(*(world.superuser.ask(CLIENTS if n % 4 else CREATE) for n in range(40)))

    assert [answer.status for answer in answers] == [200] * 40
    assert [answer.body.get("errors") for answer in answers] == [None] * 40
    async with world.database.read_session(Viewer.nobody()):
        assert checked_out(world) == 0


async def _house(world: World, count: int) -> tuple[contextlib.AsyncExitStack, list[Caller]]:
    """So many operations that run and do not end before the stack is closed."""
    stack, callers, running = contextlib.AsyncExitStack(), [], []
    stack.enter_context(endless(world, "FROM clients"))
    for _ in range(count):
        callers.append(Caller(world.superuser, "{ clients { nodes { id } } }"))
        running.append(asyncio.create_task(callers[-1].send()))

    async def end() -> None:
        for caller in callers:
            caller.leave()
        await asyncio.gather(*running)

    stack.push_async_callback(end)
    while world.app.state.guard.gate.running < count:
        await asyncio.sleep(0)
    return stack, callers


async def _is_refused(principal: Principal, query: str) -> bool:
    """At once, without a wait."""
    response = await _post(principal, query)
    if response.status_code != 503:
        return False
    assert response.headers["retry-after"] == "1"
    assert response.json() == {"errors": [{"message": BUSY[1], "extensions": {"code": BUSY[0]}}]}
    return True


@pytest.mark.parametrize("query", ["{ hello { helloFrom } }", "{ not a document", "{ unknownField }"])
async def test_nothing_is_done_for_what_is_refused(world: World, query: str) -> None:
    """No document is read and nobody is signed in, not even to be told that they are wrong."""
    await world.restart(running_operations=1, waiting_operations=0)
    stranger = Principal(world, "stranger", {"X-Api-Email": "ada@northfield.example", "X-Api-Token": "wrong"})
    stack, _ = await _house(world, 1)

    async with stack:
        assert [await _is_refused(one, query) for one in (world.user, world.nobody, stranger)] == [True] * 3

    assert (await _post(stranger, "{ hello { helloFrom } }")).status_code == 401


def _of_the_process(monkeypatch: pytest.MonkeyPatch, *, is_busy: bool) -> None:
    """Whatever else this machine does at the moment."""
    for name in ("_LATE", "_FULL", "_HALF"):
        monkeypatch.setattr(gate, name, -1.0 if is_busy else 1000.0)


@pytest.mark.parametrize(("is_busy", "places", "room"), [(True, 4, 2), (False, 6, 3)], ids=["process", "database"])
async def test_a_crowd_that_stays_is_kept_small(
    world: World, monkeypatch: pytest.MonkeyPatch, is_busy: bool, places: int, room: int
) -> None:
    """Where the process is the limit, few run; where the database is, all run; half as many wait."""
    _of_the_process(monkeypatch, is_busy=False)
    monkeypatch.setattr(gate, "_WHILE", 0.0)
    await world.restart(running_operations=6, waiting_operations=200, pool_timeout=30.0)
    inside = world.app.state.guard.gate
    stack, callers = await _house(world, 6)
    greeting = "{ hello { helloFrom } }"

    async with stack:
        _of_the_process(monkeypatch, is_busy=is_busy)
        while not inside._full_for:
            await asyncio.sleep(0)
        waiting = [asyncio.create_task(_post(world.nobody, greeting))]  # somebody still comes
        while inside._room != room:
            await asyncio.sleep(0)
        waiting += [asyncio.create_task(_post(world.nobody, greeting)) for _ in range(room - 1)]
        while inside.waiting < room:
            await asyncio.sleep(0)
        assert await _is_refused(world.nobody, greeting)
        for caller in callers[: 6 - places]:
            caller.leave()
        while inside.running > places:
            await asyncio.sleep(0)
        assert inside.waiting == room

    assert [(await one).status_code for one in waiting] == [200] * room
    _of_the_process(monkeypatch, is_busy=False)
    while inside._room != 200:
        await asyncio.sleep(0.01)
    assert (inside.running, inside.waiting, inside._places) == (0, 0, 6)
    assert (await _post(world.nobody, greeting)).status_code == 200


async def test_a_burst_is_waited_out_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_WHILE", 0.05)
    monkeypatch.setattr(gate, "_MANY", 10)
    inside = gate.Gate(running=5, waiting=50, seconds=30.0)

    burst = [asyncio.create_task(inside.enter()) for _ in range(30)]
    for gone in range(30):
        await asyncio.sleep(0.01)
        assert (inside.running + inside.waiting, inside._room, inside.is_shut) == (30 - gone, 50, False)
        inside.leave()

    assert await asyncio.gather(*burst) == [None] * 30
    assert (inside.running, inside.waiting) == (0, 0)


async def test_whoever_waits_too_far_behind_when_a_crowd_is_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_WHILE", 0.05)
    _of_the_process(monkeypatch, is_busy=True)
    inside = gate.Gate(running=4, waiting=50, seconds=30.0)
    for _ in range(4):
        await inside.enter()
    waiting = [asyncio.create_task(inside.enter(is_patient=number >= 8)) for number in range(10)]

    late = []
    while not inside.is_shut:
        late.append(asyncio.create_task(inside.enter()))
        await asyncio.sleep(0.01)
    refused = await asyncio.gather(*waiting[2:8], *late, return_exceptions=True)

    assert [one.done() for one in waiting] == [False] * 2 + [True] * 6 + [False] * 2
    assert {(one.extensions["code"], one.message) for one in refused} == {BUSY}  # type: ignore[union-attr]
    for _ in range(8):
        inside.leave()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (inside.running, inside.waiting) == (0, 0)


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json", "text/event-stream"])
async def test_what_a_crowd_leaves_no_place_for_is_counted_and_not_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    caplog.set_level("INFO", "caregraph.requests")
    await world.restart(metrics=True)
    monkeypatch.setattr(gate.Gate, "is_shut", True)
    before = await _counted(world)
    caplog.clear()

    answers = [await _post(world.user, "{ me", accept=accept) for _ in range(3)]
    await asyncio.sleep(0.01)

    streams = accept == "text/event-stream"
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["content-type"] == f"{'application/json' if streams else accept}; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == {"errors": [{"message": BUSY[1], "extensions": {"code": BUSY[0]}}]}
    assert [round(after - first) for first, after in zip(before, await _counted(world), strict=True)] == [3, 3]
    told = [one.fields for one in caplog.records if one.message == "busy"]  # type: ignore[attr-defined]
    assert sum(one["refused"] for one in told) == 3
    assert [one.message for one in caplog.records if one.message == "request"] == []


async def _counted(world: World) -> tuple[float, float]:
    """How many operations without a name ended, and how many of them for want of a place."""
    text = (await world.http.get("/metrics")).text
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    ended = found['caregraph_operations_total{kind="none",operation="anonymous"}']
    return float(ended), float(found['caregraph_operation_errors_total{code="UNAVAILABLE",operation="anonymous"}'])


@pytest.mark.parametrize(("many", "after"), [(8, 1000.0), (1000, 0.1)], ids=["flood", "while"])
async def test_a_crowd_is_known_at_once_by_a_flood_and_else_after_a_while(
    monkeypatch: pytest.MonkeyPatch, many: int, after: float
) -> None:
    monkeypatch.setattr(gate, "_MANY", many)
    monkeypatch.setattr(gate, "_WHILE", after)
    inside = gate.Gate(running=5, waiting=1000, seconds=30.0)

    flood = []
    while inside._room == 1000:
        flood += [asyncio.create_task(inside.enter()) for _ in range(2)]
        await asyncio.sleep(0.001)
        inside.leave()

    assert inside._room == 2
    while inside.running:
        inside.leave()
        await asyncio.sleep(0)
    answers = await asyncio.gather(*flood, return_exceptions=True)
    refused = [one for one in answers if one is not None]
    assert {(type(one), str(one)) for one in refused} == {(RequestError, BUSY[1])}
    assert 0 < len(refused) < len(flood)
    while inside._beat is not None:
        await asyncio.sleep(0.01)
    assert (inside.running, inside.waiting, inside._room) == (0, 0, 1000)


async def test_a_flood_is_answered_to_the_last_request(world: World) -> None:
    await world.restart(running_operations=2, waiting_operations=2)
    before = await world.counts()

    answers = await asyncio.gather(*(_post(world.superuser, CREATE if n % 4 else CLIENTS) for n in range(60)))

    made = [one for one in answers if one.status_code == 200 and "createClient" in one.text]
    refused = [one for one in answers if one.status_code == 503]
    assert {one.status_code for one in answers} == {200, 503}
    assert {one.headers["retry-after"] for one in refused} == {"1"}
    assert {one.text for one in refused} == {refused[0].text}
    assert (await world.counts())["clients"] == before["clients"] + len(made)
    assert (await world.superuser.ask(CLIENTS)).data["clients"] == {"totalCount": len(made)}
    assert checked_out(world) == 0


async def test_a_process_under_a_flood_answers_and_serves_on(world: World, tmp_path: Path) -> None:
    async with Process(world, tmp_path, running_operations=2, waiting_operations=2) as server:
        sent = (server.http.post("/graphql", json={"query": CLIENTS}, headers=world.user.headers) for _ in range(100))
        answers = await asyncio.gather(*sent)
        afterwards = await server.http.post("/graphql", json={"query": CLIENTS}, headers=world.user.headers)

    assert {one.status_code for one in answers} == {200, 503}
    assert {one.headers.get("retry-after") for one in answers if one.status_code == 503} == {"1"}
    assert afterwards.json() == {"data": {"me": {"email": "ben@northfield.example"}, "clients": {"totalCount": 0}}}


async def test_events_wait_in_a_crowd_that_requests_are_kept_from() -> None:
    """An event of a subscription cannot be asked for again."""
    crowded = gate.Gate(running=1, waiting=5, seconds=30.0)
    crowded._room = 0
    await crowded.enter()

    with pytest.raises(RequestError, match=BUSY[1]):
        await crowded.enter()
    event = asyncio.create_task(crowded.enter(is_patient=True))
    await asyncio.sleep(0)
    assert crowded.waiting == 1

    crowded.leave()
    await event
    crowded.leave()
    assert (crowded.running, crowded.waiting) == (0, 0)


async def test_a_place_is_not_lost_with_whoever_leaves_as_it_comes() -> None:
    narrow = gate.Gate(running=1, waiting=5, seconds=30.0)
    await narrow.enter()
    leaving, staying = (asyncio.create_task(narrow.enter()) for _ in range(2))
    await asyncio.sleep(0)

    narrow.leave()
    leaving.cancel()
    await asyncio.wait({leaving})

    assert leaving.cancelled()
    await staying
    assert (narrow.running, narrow.waiting) == (1, 0)


async def test_a_file_without_a_connection_is_unavailable(small: World) -> None:
    link = small.app.state.links.token(1, 1, small.user.row_id)

    async with _all_connections_taken(small):
        response = await small.http.get(f"/files/{link}")

    assert (response.status_code, response.headers["retry-after"], response.text) == (503, "1", "Unavailable")
