"""More requests than there are places or connections: a bounded wait, then 503, and never a hang."""

import asyncio
import contextlib

import httpx
import pytest
from slowness import Caller, checked_out, endless

from caregraph.auth.viewer import Viewer
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
