"""Every subscription for everybody, while rows of both towns change."""

import asyncio
from contextlib import AsyncExitStack

from matrix.cast import Cast
from matrix.declared import HOLDS, REFUSALS, SEEN, refused_at, sees
from matrix.reading import CORE
from streaming import Socket, listening, open_socket, subscribers

Heard = dict[str, set[str]]
"""Names of rows by subscription."""
FIELDS = CORE.type_map["Subscription"].fields
# What is asked of each subscription: the id of the row that an event is about.
ASKED = {
    "sessionScored": "scoreId",
    "clientAlert": "score { ... on Node { id } }",
    "episodeChanged": "episodeId",
}
# The rows that it tells of.
_TELLS = {
    "sessionScored": {*SEEN["OrsScore"], *SEEN["SrsScore"]},
    "clientAlert": {*SEEN["SrsScore"]},
    "episodeChanged": {*SEEN["Episode"]},
}
_QUIET = 0.3
_PATIENCE = 3.0


async def wrong_events(cast: Cast) -> list[str]:
    """What differs from the declared: refused subscriptions, and the rows that the others heard of."""
    wrong: list[str] = []
    sockets: dict[str, Socket] = {}
    async with listening(cast.world.app) as authority, AsyncExitStack() as stack:
        for who in sorted(HOLDS.keys() - REFUSALS.keys()):
            sockets[who] = await stack.enter_async_context(open_socket(authority, cast.people[who]))
            for field, asked in ASKED.items():
                await sockets[who].subscribe(field, f"subscription {{ {field} {{ {asked} }} }}")
                if refused_at(who, field):
                    wrong += await _unrefused(sockets[who], who, field)
        if wrong:
            return wrong
        admitted = sum(not refused_at(who, field) for who in sockets for field in ASKED)
        await subscribers(cast.world, admitted)
        heard = {who: {field: set[str]() for field in ASKED} for who in sockets}
        await _change_everything(cast)
        await _settled(cast, sockets, heard)
        await _delete(cast)
        await asyncio.sleep(_QUIET)
        await _settled(cast, sockets, heard)
    return [one for who in sockets for one in _differences(who, heard[who])]


async def _settled(cast: Cast, sockets: dict[str, Socket], heard: dict[str, Heard]) -> None:
    """Listen until everybody has heard what is declared, or patience ends."""
    for _ in range(int(_PATIENCE / _QUIET)):
        for who, socket in sockets.items():
            await _hear(cast, socket, heard[who])
        if not any(_differences(who, heard[who]) for who in sockets):
            return
        await asyncio.sleep(_QUIET)


async def _unrefused(socket: Socket, who: str, field: str) -> list[str]:
    try:
        first = await socket.receive(seconds=_PATIENCE)
    except TimeoutError:
        return [f"{who}: {field} is not refused"]
    told = first["type"] == "error" and first["payload"][0]["extensions"]["code"]
    return [] if told == "FORBIDDEN" else [f"{who}: {field} begins with {first}"]


async def _change_everything(cast: Cast) -> None:
    """Every score gets worse and every episode a comment, by the superuser of its town."""
    calls = {"OrsScore": "overall: 0", "SrsScore": "overall: 0", "Episode": 'comment: "Changed"'}
    for town in ("ada", "olga"):
        for kind, change in calls.items():
            for row in SEEN[kind]:
                await _changed(cast, town, row, f'update{kind}(id: "{cast.ids[row]}", input: {{{change}}})')


async def _delete(cast: Cast) -> None:
    """The SRS are deleted; what is gone could not be read for an event of its change."""
    for town in ("ada", "olga"):
        for row in SEEN["SrsScore"]:
            await _changed(cast, town, row, f'deleteSrsScore(id: "{cast.ids[row]}")')


async def _changed(cast: Cast, town: str, row: str, call: str) -> None:
    if sees(town, row):
        answer = await cast.people[town].ask(f"mutation {{ result: {call} {{ errors {{ message }} }} }}")
        assert answer.result == {"errors": []}, (town, row)


async def _hear(cast: Cast, socket: Socket, heard: Heard) -> None:
    """Add the names of the rows that each subscription told of since."""
    await socket.send({"type": "ping"})
    while (message := await socket.receive())["type"] != "pong":
        event = message["payload"]["data"][message["id"]]
        row_id = event.get("episodeId") or event.get("scoreId") or event["score"]["id"]
        heard[message["id"]].add(cast.names.get(row_id, row_id))


def _differences(who: str, heard: Heard) -> list[str]:
    wrong = []
    for field, rows in _TELLS.items():
        refused = refused_at(who, field)
        expected = set() if refused else {row for row in rows if sees(who, row)}
        if heard[field] != expected:
            wrong.append(f"{who}: {field} told of {sorted(heard[field])}, not {sorted(expected)}")
    return wrong
