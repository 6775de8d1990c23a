"""A JWT carries a stream as other credentials do: asked again at each event, without asking its issuer again."""

import json
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed

from caregraph.auth import oidc
from caregraph.organizations.models import Membership
from factories.people import make_client
from factories.treatment import make_episode
from issuer import AUDIENCE, LocalIssuer, running
from kit import Principal
from streaming import Socket, code_of, open_socket, streamed, subscribers, world_with

CHANGED = "subscription { episodeChanged { episode { title } } }"
ME = "{ me { fullName } }"
FAILED = {"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database is enough: what is written is the same on both."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def issuer() -> AsyncIterator[LocalIssuer]:
    async with running(LocalIssuer()) as found:
        yield found


async def test_a_socket_takes_a_token_under_the_name_of_its_header(url: str, issuer: LocalIssuer) -> None:
    async with world_with(url, oidc_issuers=issuer.url, oidc_audiences=AUDIENCE) as (world, authority):
        ben = Principal(world, "Ben", {"authorization": f"Bearer {issuer.token()}"})
        async with open_socket(authority, ben) as socket:
            for number in range(3):
                await socket.subscribe(f"{number}", ME)
                data = {"me": {"fullName": "Ben Borg"}}
                assert await socket.receive() == {"type": "next", "id": f"{number}", "payload": {"data": data}}
                assert await socket.receive() == {"type": "complete", "id": f"{number}"}
        async with open_socket(authority) as socket:
            headers = {"Authorization": f"Bearer {issuer.token(email_verified=False)}"}
            await socket.send({"type": "connection_init", "payload": headers})
            assert await socket.closed() == (4403, "Forbidden")

        assert issuer.fetches == 1


async def test_events_ask_the_issuer_nothing_and_end_with_the_credentials(url: str, issuer: LocalIssuer) -> None:
    async with world_with(url, oidc_issuers=issuer.url, oidc_audiences=AUDIENCE) as (world, authority):
        ben = Principal(world, "Ben", issuer.headers())
        client = await make_client(world.user)
        async with streamed(authority, ben, CHANGED, accept="text/event-stream") as chunks:
            assert await chunks.until(b"\n\n") == ":"
            for number in range(5):
                await make_episode(world.user, client, title=f"Episode {number}")
                assert f"Episode {number}" in await chunks.until(b"\n\n")
            assert issuer.fetches == 1
            async with world.writing(world.user) as tx:
                of_ben = Membership.user_id == world.user.row_id
                await tx.execute(update(Membership).where(of_ben).values(is_disabled=True))
            await make_episode(world.superuser, client, title="HIDDEN")

            end = await chunks.rest()

        assert "HIDDEN" not in end
        assert json.loads(end.split("data: ")[1].split("\n")[0])["errors"] == [FAILED]
        await subscribers(world, 0)


async def test_a_socket_closes_when_its_token_expires(
    url: str, issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"oidc_issuers": issuer.url, "oidc_audiences": AUDIENCE, "stream_recheck": 0.1}
    async with world_with(url, **settings) as (world, authority):
        ben = Principal(world, "Ben", issuer.headers())
        async with open_socket(authority, ben) as socket:
            await socket.subscribe("s", CHANGED)
            await subscribers(world, 1)

            monkeypatch.setattr(oidc, "time", lambda: time.time() + 3600 + 61)

            assert await _end(socket) == (4403, "Forbidden")


async def _end(socket: Socket) -> tuple[int, str]:
    """Code and reason of the close, whatever is said before."""
    try:
        while True:
            await socket.receive()
    except ConnectionClosed as closed:
        return code_of(closed)
