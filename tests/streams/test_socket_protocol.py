"""`graphql-transport-ws` message by message: what is answered, and with which code and reason a connection closes."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from factories.people import make_client
from factories.treatment import make_episode
from kit import World
from streaming import PROTOCOL, code_of, listening, open_socket, released, subscribers, tokens_of, world_with

HELLO = "{ hello { helloFrom } }"
CHANGED = "subscription { episodeChanged { change episode { title } } }"


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """One database is enough: the protocol is the same on both."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def authority(world: World) -> AsyncIterator[str]:
    async with listening(world.app) as found:
        yield found


async def test_queries_and_mutations_go_over_it_too(world: World, authority: str) -> None:
    async with open_socket(authority, world.user) as socket:
        assert socket.connection.subprotocol == PROTOCOL
        await socket.subscribe("q", "{ me { email } hello { helloFrom } }")
        data = {"me": {"email": "ben@northfield.example"}, "hello": {"helloFrom": "Caregraph"}}
        assert await socket.receive() == {"type": "next", "id": "q", "payload": {"data": data}}
        assert await socket.receive() == {"type": "complete", "id": "q"}

        create = (
            "mutation ($name: String!) { createClient(input: {fullName: $name}) { node { fullName } errors { code } } }"
        )
        await socket.subscribe("q", create, name="Kim")
        data = {"createClient": {"node": {"fullName": "Kim"}, "errors": []}}
        assert await socket.receive() == {"type": "next", "id": "q", "payload": {"data": data}}
        assert await socket.receive() == {"type": "complete", "id": "q"}


@pytest.mark.parametrize("names", [("X-Api-Email", "X-Api-Token"), ("x-api-email", "X-API-TOKEN")])
async def test_credentials_have_the_names_of_the_headers(world: World, authority: str, names: tuple[str, str]) -> None:
    async with open_socket(authority) as socket:
        payload = dict(zip(names, world.user.headers.values(), strict=True))
        await socket.send({"type": "connection_init", "payload": payload | {"other": 5}})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.subscribe("1", "{ me { email } }")
        assert (await socket.receive())["payload"] == {"data": {"me": {"email": "ben@northfield.example"}}}


async def test_programs_may_send_them_with_the_handshake(world: World, authority: str) -> None:
    async with open_socket(authority, additional_headers=world.user.headers) as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}
        await socket.subscribe("1", "{ me { email } }")
        assert (await socket.receive())["payload"] == {"data": {"me": {"email": "ben@northfield.example"}}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { client(id: $id) { id } }", "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_never_starts_is_an_error(world: World, authority: str, query: str, code: str) -> None:
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", query)
        told = await socket.receive()
        assert (told["type"], told["id"]) == ("error", "1")
        assert [one["extensions"]["code"] for one in told["payload"]] == [code]
        await socket.subscribe("1", HELLO)
        assert (await socket.receive())["type"] == "next"


async def test_pings_are_answered_even_before_the_start(world: World, authority: str) -> None:
    async with open_socket(authority) as socket:
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
        await socket.send({"type": "pong"})
        await socket.initialise(world.nobody)
        await socket.send({"type": "ping", "payload": {"a": [1]}})
        assert await socket.receive() == {"type": "pong", "payload": {"a": [1]}}
        await socket.send({"type": "complete", "id": "unknown"})
        await socket.subscribe("1", HELLO)
        assert (await socket.receive())["payload"] == {"data": {"hello": {"helloFrom": "Caregraph"}}}


SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": HELLO}}


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("{", 4400, "Invalid message: not JSON"),
        ("5", 4400, "Invalid message: not an object with a type"),
        ("null", 4400, "Invalid message: not an object with a type"),
        ('"ping"', 4400, "Invalid message: not an object with a type"),
        ("[]", 4400, "Invalid message: not an object with a type"),
        ("{}", 4400, "Invalid message: not an object with a type"),
        ('{"type": 1}', 4400, "Invalid message: not an object with a type"),
        ('{"type": "start"}', 4400, "Invalid message: unknown type"),
        ('{"type": "connection_init", "payload": 5}', 4400, "Invalid message: payload is not an object"),
        (b"\x00", 4400, "Invalid message: not text"),
        (json.dumps(SUBSCRIBE), 4401, "Unauthorized"),
        ('{"type": "complete"}', 4400, "Invalid message: id is missing"),
        (
            '{"type": "connection_init", "payload": {"X-Api-Email": "ben@northfield.example", "X-Api-Token": "x"}}',
            4403,
            "Forbidden",
        ),
    ],
)
async def test_what_is_no_message_closes(
    world: World, authority: str, message: str | bytes, code: int, reason: str
) -> None:
    async with open_socket(authority) as socket:
        await socket.send(message)
        assert await socket.closed() == (code, reason)


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ({"type": "connection_init"}, 4429, "Too many initialisation requests"),
        ({"type": "subscribe", "payload": {"query": HELLO}}, 4400, "Invalid message: id is missing"),
        ({**SUBSCRIBE, "id": 1}, 4400, "Invalid message: id is missing"),
        ({**SUBSCRIBE, "payload": None}, 4400, "Invalid message: The request is not a JSON object"),
        ({**SUBSCRIBE, "payload": {}}, 4400, "Invalid message: query is missing"),
        (
            {**SUBSCRIBE, "payload": {"query": HELLO, "variables": 1}},
            4400,
            "Invalid message: variables is not an object",
        ),
        ({**SUBSCRIBE, "id": "taken"}, 4409, "Subscriber for taken already exists"),
    ],
)
async def test_what_comes_at_the_wrong_time_closes(
    world: World, authority: str, message: dict[str, Any], code: int, reason: str
) -> None:
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("taken", CHANGED)
        await socket.send(message)
        assert await socket.closed() == (code, reason)
    await subscribers(world, 0)


async def test_who_says_nothing_is_closed_in_time(url: str) -> None:
    async with world_with(url, socket_init_timeout=0.2) as (_world, authority), open_socket(authority) as socket:
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
        assert await socket.closed() == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize("offered", [[Subprotocol("graphql-ws")], None])
async def test_other_subprotocols_are_not_spoken(world: World, authority: str, offered: Any) -> None:
    async with open_socket(authority, subprotocols=offered) as socket:
        assert await socket.closed() == (4406, "Subprotocol not acceptable")


async def test_pages_of_other_hosts_are_turned_away(url: str) -> None:
    async with world_with(url, allowed_origins="https://app.example, https://other.example/") as (world, authority):
        for origin in (f"http://{authority}", "https://app.example", "https://OTHER.example"):
            async with open_socket(authority, world.user, origin=Origin(origin)):
                pass
        for origin in ("https://evil.example", "null", f"http://{authority}.evil.example", "https://app.example.evil"):
            with pytest.raises(InvalidStatus) as refused:
                async with open_socket(authority, origin=Origin(origin)):
                    pass
            assert refused.value.response.status_code == 403


async def test_a_long_message_closes(url: str) -> None:
    async with world_with(url, maximum_body=1000) as (world, authority), open_socket(authority, world.user) as socket:
        await socket.send(" " * 1001)
        assert await socket.closed() == (4400, "A message may have 1000 bytes")


async def test_completing_stops_and_frees_the_id(world: World, authority: str) -> None:
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)
        await socket.send({"type": "complete", "id": "1"})
        await subscribers(world, 0)
        await make_episode(world.user, await make_client(world.user), title="Unheard")

        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)
        await make_episode(world.user, await make_client(world.user), title="Heard")

        data = {"episodeChanged": {"change": "CREATED", "episode": {"title": "Heard"}}}
        assert await socket.receive() == {"type": "next", "id": "1", "payload": {"data": data}}


async def test_operations_on_a_connection_are_limited(url: str) -> None:
    async with world_with(url, operations_per_socket=2) as (world, authority):
        async with open_socket(authority, world.user) as socket:
            await socket.subscribe("1", CHANGED)
            await socket.subscribe("2", CHANGED)
            await socket.subscribe("3", CHANGED)
            error = {
                "message": "A connection may have 2 operations under way",
                "extensions": {"code": "LIMIT_EXCEEDED"},
            }
            assert await socket.receive() == {"type": "error", "id": "3", "payload": [error]}
            await socket.send({"type": "complete", "id": "2"})
            await socket.subscribe("3", HELLO)
            assert (await socket.receive())["type"] == "next"
        await released(world)


async def test_subscriptions_of_a_process_are_limited(url: str) -> None:
    async with (
        world_with(url, subscriptions_per_process=1) as (world, authority),
        open_socket(authority, world.user) as first,
        open_socket(authority, world.user) as second,
    ):
        await first.subscribe("1", CHANGED)
        await subscribers(world, 1)
        await second.subscribe("1", CHANGED)
        error = {"message": "The server is busy, try again", "extensions": {"code": "UNAVAILABLE"}}
        assert await second.receive() == {"type": "error", "id": "1", "payload": [error]}
        await second.subscribe("1", HELLO)
        assert (await second.receive())["type"] == "next"


async def test_lost_credentials_close_a_quiet_connection(url: str) -> None:
    async with world_with(url, stream_recheck=0.1, socket_init_timeout=0.1) as (world, authority):
        async with open_socket(authority, world.user) as idle, open_socket(authority, world.user) as subscribed:
            await subscribed.subscribe("1", CHANGED)
            await subscribers(world, 1)
            await asyncio.sleep(0.3)
            await idle.silence()
            async with world.writing(world.superuser) as tx:
                await tx.execute(tokens_of(world.user))

            assert await idle.closed() == (4403, "Forbidden")
            error = {"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}
            assert await subscribed.receive() == {"type": "error", "id": "1", "payload": [error]}
            assert await subscribed.closed() == (4403, "Forbidden")
        await released(world)


async def test_shutting_down_closes_without_completing(world: World, authority: str) -> None:
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)

        world.app.state.streams.close()

        assert await socket.closed() == (1001, "The server is shutting down")
    await subscribers(world, 0)
    async with open_socket(authority) as late:
        assert await late.closed() == (1001, "The server is shutting down")


async def test_messages_at_random_never_break_the_connection(world: World, authority: str) -> None:
    """Whatever comes, the answer is a protocol code, never 1006 or 1011."""
    values: list[Any] = [None, True, 5, "x", [], {}, {"query": 1}, {"query": HELLO, "extensions": 5}]
    messages: list[Any] = [
        {"type": kind, "id": one, "payload": two}
        for kind in ("connection_init", "subscribe", "complete", "ping", "pong")
        for one in values
        for two in values
    ]
    codes = set()
    for message in messages[::5]:
        async with open_socket(authority) as socket:
            await socket.send({"type": "connection_init"})
            await socket.send(message)
            await socket.send("5")
            try:
                while True:
                    await socket.receive()
            except ConnectionClosed as closed:
                codes.add(code_of(closed)[0])
    assert codes == {4400, 4429}
