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
from caregraph.http import gate
from kit import Principal, World

CLIENTS = "{ me { email } clients { totalCount } }"
CREATE = 'mutation { createClient(input: {fullName: "One More"}) { node { id } errors { code } } }'
BUSY = ("UNAVAILABLE", "The server is busy, try again")


async def _post(principal: Principal, query: str, **headers: str) -> httpx.Response:
    return await principal.world.http.post("/graphql", json={"query": query}, headers={**principal.headers, **headers})


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


@pytest.mark.parametrize(("lateness", "places", "room"), [(-1.0, 4, 4), (1000.0, 5, 5)], ids=["process", "database"])
async def test_a_crowd_that_stays_is_kept_small(
    world: World, monkeypatch: pytest.MonkeyPatch, lateness: float, places: int, room: int
) -> None:
    """Where the process is the limit, few run; where the database is, all run; as many wait."""
    monkeypatch.setattr(gate, "_MOMENT", 0.0)
    monkeypatch.setattr(gate, "_LATE", lateness)
    await world.restart(running_operations=5, waiting_operations=200, pool_timeout=30.0)
    inside = world.app.state.guard.gate
    stack, callers = await _house(world, 5)
    greeting = "{ hello { helloFrom } }"

    async with stack:
        while inside._room != room:
            await asyncio.sleep(0)
        waiting = [asyncio.create_task(_post(world.nobody, greeting)) for _ in range(room)]
        while inside.waiting < room:
            await asyncio.sleep(0)
        assert await _is_refused(world.nobody, greeting)
        for caller in callers[: 5 - places]:
            caller.leave()
        while inside.running > places:
            await asyncio.sleep(0)
        assert inside.waiting == room

    assert [(await one).status_code for one in waiting] == [200] * room
    while inside._room != 200:
        await asyncio.sleep(0.01)
    assert (inside.running, inside.waiting, inside._places) == (0, 0, 5)
    assert (await _post(world.nobody, greeting)).status_code == 200


@pytest.mark.parametrize("is_back", [False, True])
async def test_a_crowd_is_waited_out_once_only(monkeypatch: pytest.MonkeyPatch, is_back: bool) -> None:
    monkeypatch.setattr(gate, "_MOMENT", 30.0)
    inside = gate.Gate(running=8, waiting=50, seconds=30.0)
    if is_back:
        inside._over = asyncio.get_running_loop().time()

    for _ in range(5):
        await inside.enter()
    while is_back and inside._room == 50:
        await asyncio.sleep(0.01)
    await asyncio.sleep(5 * gate._AGAIN)

    assert (inside._room < 50) is is_back
    for _ in range(5):
        inside.leave()
    while inside._beat is not None:
        await asyncio.sleep(0.01)
    assert inside._room == 50


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
