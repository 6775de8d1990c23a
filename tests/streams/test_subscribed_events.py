"""What subscriptions tell, and to whom: after commit, in order, to those who see it now."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, update

from caregraph.graph.node import global_id
from caregraph.organizations.models import Membership
from caregraph.people.models import Client
from caregraph.treatment import models
from factories.people import make_client
from factories.treatment import make_episode, make_ors, make_session, make_srs
from kit import Principal, World
from streaming import Socket, listening, open_socket, subscribers, tokens_of

SCORED = """subscription ($scope: ListScope! = VISIBLE, $userId: ID, $clientId: ID) {
  sessionScored(scope: $scope, userId: $userId, clientId: $clientId) { change scoreId score { total client { fullName } } }
}"""
ALERT = "subscription { clientAlert { alerts score { ... on Node { id } total } } }"
CHANGED = """subscription ($scope: ListScope! = VISIBLE, $clientId: ID) {
  episodeChanged(scope: $scope, clientId: $clientId) { change episodeId episode { title } }
}"""
RECORD = """mutation ($sessionId: ID!, $clientId: ID!, $input: OrsScoreInput!) {
  createClientOrsScore(sessionId: $sessionId, clientId: $clientId, input: $input) { node { id } errors { code message } }
}"""


def lines(*values: float) -> dict[str, float]:
    return dict(zip(("individually", "interpersonally", "socially", "overall"), values or (5.0,) * 4, strict=True))


@pytest.fixture
async def authority(world: World) -> AsyncIterator[str]:
    async with listening(world.app) as found:
        yield found


async def record(principal: Principal, session: models.Session, client: Client, *values: float) -> str:
    answer = await principal.ask(
        RECORD,
        sessionId=global_id("Session", session.id),
        clientId=global_id("Client", client.id),
        input=lines(*values),
    )
    payload = answer.data["createClientOrsScore"]
    assert payload["errors"] == []
    return str(payload["node"]["id"])


async def events(socket: Socket, field: str, count: int = 1) -> list[Any]:
    found = []
    for _ in range(count):
        message = await socket.receive()
        assert message["type"] == "next", message
        assert message["payload"].keys() == {"data"}
        found.append(message["payload"]["data"][field])
    return found


async def test_scores_are_told_as_they_come_change_and_go(world: World, authority: str) -> None:
    client = await make_client(world.user, full_name="Kim Client")
    session = await make_session(world.user, await make_episode(world.user, client))
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", SCORED)
        await subscribers(world, 1)

        of_kim = {"client": {"fullName": "Kim Client"}}
        score_id = await record(world.user, session, client, 1, 2, 3, 4)
        created = {"change": "CREATED", "scoreId": score_id, "score": {"total": 10.0, **of_kim}}
        assert await events(socket, "sessionScored") == [created]
        change = "mutation ($id: ID!) { updateOrsScore(id: $id, input: {overall: 5}) { errors { code } } }"
        assert (await world.user.ask(change, id=score_id)).data == {"updateOrsScore": {"errors": []}}
        updated = {"change": "UPDATED", "scoreId": score_id, "score": {"total": 11.0, **of_kim}}
        assert await events(socket, "sessionScored") == [updated]
        await world.user.ask("mutation ($id: ID!) { deleteOrsScore(id: $id) { deletedId } }", id=score_id)
        assert await events(socket, "sessionScored") == [{"change": "DELETED", "scoreId": score_id, "score": None}]
        await socket.silence()


async def test_each_of_many_commits_is_told_once_in_order(world: World, authority: str) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    sessions = [await make_session(world.user, episode) for _ in range(12)]
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", SCORED)
        await subscribers(world, 1)

        scores = [await record(world.user, session, client) for session in sessions]

        assert [one["scoreId"] for one in await events(socket, "sessionScored", 12)] == scores
        await socket.silence()


async def test_a_refused_mutation_tells_nothing(world: World, authority: str) -> None:
    client, other = await make_client(world.user), await make_client(world.user)
    session = await make_session(world.user, await make_episode(world.user, client))
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("scores", SCORED)
        await socket.subscribe("episodes", CHANGED)
        await subscribers(world, 2)

        refused = await world.user.ask(
            RECORD,
            sessionId=global_id("Session", session.id),
            clientId=global_id("Client", other.id),
            input=lines(),
        )
        assert refused.data["createClientOrsScore"]["errors"][0]["code"] == "INVALID"
        async with world.writing(world.user) as tx:
            tx.add(models.Session(episode_id=session.episode_id, session_date=session.session_date))
            await tx.flush()
            await tx.rollback()
        score_id = await record(world.user, session, client)

        assert [one["scoreId"] for one in await events(socket, "sessionScored")] == [score_id]
        await socket.silence()


async def test_others_hear_nothing(world: World, authority: str) -> None:
    hidden, shared = await make_client(world.user), await make_client(world.user, world.colleague)
    foreign = await make_client(world.other_user)
    async with open_socket(authority, world.colleague) as socket, open_socket(authority, world.other_superuser) as far:
        await socket.subscribe("scores", SCORED)
        await socket.subscribe("alerts", ALERT)
        await socket.subscribe("episodes", CHANGED)
        await socket.subscribe("asked", SCORED, clientId=global_id("Client", hidden.id))
        await far.subscribe("1", SCORED, clientId=global_id("Client", hidden.id))
        await far.subscribe("2", CHANGED, scope="ORGANIZATION")
        await subscribers(world, 6)

        for client in (hidden, foreign):
            owner = world.user if client is hidden else world.other_user
            session = await make_session(owner, await make_episode(owner, client, title="Quiet"))
            score_id = await record(owner, session, client)
            await owner.ask("mutation ($id: ID!) { deleteOrsScore(id: $id) { deletedId } }", id=score_id)
            deleted = await owner.ask(
                "mutation ($id: ID!) { deleteEpisode(id: $id, force: true) { deletedId } }",
                id=global_id("Episode", session.episode_id),
            )
            assert deleted.data["deleteEpisode"]["deletedId"] == global_id("Episode", session.episode_id)
        told = await make_episode(world.user, shared, title="Heard")

        assert await events(socket, "episodeChanged") == [
            {"change": "CREATED", "episodeId": global_id("Episode", told.id), "episode": {"title": "Heard"}}
        ]
        await socket.silence()
        # Its own organization's superuser hears of Harbor: what is still there to be read, and the deletion.
        last = [await far.receive()]
        while last[-1]["payload"]["data"]["episodeChanged"]["change"] != "DELETED":
            last.append(await far.receive())
        ids = {one["payload"]["data"]["episodeChanged"]["episodeId"] for one in last}
        assert {one["id"] for one in last} == {"2"}
        assert len(ids) == 1
        await far.silence()


async def test_alerts_are_told_of_scores_that_ask_for_attention(world: World, authority: str) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    first, second = await make_session(world.user, episode), await make_session(world.user, episode)
    async with open_socket(authority, world.user) as socket:
        await socket.subscribe("1", ALERT)
        await subscribers(world, 1)

        await make_srs(world.user, first, client, 10, 10, 10, 10)
        await make_ors(world.user, first, client, 5, 5, 5, 5)
        srs = await make_srs(world.user, second, client, 9, 9, 9, 8)
        ors = await make_ors(world.user, second, client, 1, 1, 1, 1)

        assert await events(socket, "clientAlert", 2) == [
            {
                "alerts": ["SRS_BELOW_CUTOFF", "SRS_DROPPED"],
                "score": {"id": global_id("SrsScore", srs.id), "total": 35.0},
            },
            {"alerts": ["ORS_BELOW_BOUNDARY"], "score": {"id": global_id("OrsScore", ors.id), "total": 4.0}},
        ]
        await socket.silence()


async def test_whatever_changes_on_an_episode_is_told(world: World, authority: str) -> None:
    client, second = await make_client(world.user), await make_client(world.user)
    label = (await world.superuser.ask('mutation { createLabel(input: {name: "Pilot"}) { node { id } } }')).data
    first, other = global_id("Client", client.id), global_id("Client", second.id)
    async with open_socket(authority, world.superuser) as socket:
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)

        async def told(query: str, **variables: Any) -> tuple[Any, Any]:
            answer = (await world.user.ask(query, **variables)).data["done"]
            (event,) = await events(socket, "episodeChanged")
            return answer, (event["change"], event["episodeId"], event["episode"] and event["episode"]["title"])

        create = 'mutation ($id: ID!) { done: createEpisode(clientId: $id, input: {title: "A", startDate: "2026-01-05"}) { node { id } } }'
        answer, event = await told(create, id=first)
        episode = answer["node"]["id"]
        assert event == ("CREATED", episode, "A")
        updates = {
            'updateEpisode(id: $id, input: {title: "B"}) { node { id } }': {},
            "setEpisodeLabels(id: $id, labelIds: $labels) { node { id } }": {
                "labels": [label["createLabel"]["node"]["id"]]
            },
            "setEpisodeLabels(id: $id, labelIds: []) { node { id } }": {},
            "addClientToEpisode(id: $id, clientId: $client) { node { id } }": {"client": other},
            "removeClientFromEpisode(id: $id, clientId: $client) { node { id } }": {"client": other},
            'createSession(episodeId: $id, input: {sessionDate: "2026-01-06"}) { node { id } }': {},
            'createRater(episodeId: $id, clientId: $client, input: {fullName: "R"}) { node { id } }': {"client": first},
        }
        made = {}
        for field, more in updates.items():
            kinds = {"labels": ", $labels: [ID!]!", "client": ", $client: ID!"}
            head = "$id: ID!" + "".join(kinds[name] for name in more)
            answer, event = await told(f"mutation ({head}) {{ done: {field} }}", id=episode, **more)
            assert event == ("UPDATED", episode, "B"), field
            made[field.partition("(")[0]] = answer["node"]["id"]
        for verb, name in (("deleteSession", "createSession"), ("deleteRater", "createRater")):
            _, event = await told(f"mutation ($id: ID!) {{ done: {verb}(id: $id) {{ deletedId }} }}", id=made[name])
            assert event == ("UPDATED", episode, "B")
        leave = "mutation ($id: ID!, $client: ID!) { done: removeClientFromEpisode(id: $id, clientId: $client) { node { id } } }"
        answer, event = await told(leave, id=episode, client=first)
        assert (answer, event) == ({"node": None}, ("DELETED", episode, None))
        answer, event = await told(create, id=other)
        force = "mutation ($id: ID!) { done: deleteClient(id: $id, force: true) { deletedId } }"
        _, event = await told(force, id=other)
        assert event == ("DELETED", answer["node"]["id"], None)
        await socket.silence()


async def test_a_deletion_is_told_to_those_who_see_a_client_of_it(world: World, authority: str) -> None:
    client = await make_client(world.user, world.colleague)
    episode = await make_episode(world.user, client)
    async with open_socket(authority, world.colleague) as socket, open_socket(authority, world.superuser) as all_of_it:
        await socket.subscribe("1", CHANGED)
        await socket.subscribe("2", CHANGED, clientId=global_id("Client", client.id))
        await all_of_it.subscribe("1", CHANGED, scope="ORGANIZATION")
        await subscribers(world, 3)

        gone = "mutation ($id: ID!) { deleteEpisode(id: $id, force: true) { deletedId } }"
        await world.user.ask(gone, id=global_id("Episode", episode.id))

        expected = {"change": "DELETED", "episodeId": global_id("Episode", episode.id), "episode": None}
        assert await events(socket, "episodeChanged", 2) == [expected] * 2
        assert await events(all_of_it, "episodeChanged") == [expected]


async def test_arguments_narrow(world: World, authority: str) -> None:
    mine, bens = await make_client(world.superuser), await make_client(world.user)
    sessions = [await make_session(world.superuser, await make_episode(world.superuser, one)) for one in (mine, bens)]
    async with open_socket(authority, world.superuser) as socket:
        await socket.subscribe("all", SCORED, scope="ORGANIZATION")
        await socket.subscribe("owned", SCORED, scope="OWNED")
        await socket.subscribe("of ben", SCORED, scope="OWNED", userId=world.user.id)
        await socket.subscribe("one", SCORED, clientId=global_id("Client", mine.id))
        await socket.subscribe("nobody", SCORED, scope="OWNED", userId=world.other_user.id)
        await subscribers(world, 5)

        scores = [
            await record(world.superuser, session, client)
            for session, client in zip(sessions, (mine, bens), strict=True)
        ]

        got = [await socket.receive() for _ in range(5)]
        heard = {(one["id"], one["payload"]["data"]["sessionScored"]["scoreId"]) for one in got}
        assert heard == {
            ("all", scores[0]),
            ("all", scores[1]),
            ("owned", scores[0]),
            ("of ben", scores[1]),
            ("one", scores[0]),
        }
        await socket.silence()


@pytest.mark.parametrize(
    ("who", "arguments", "code", "message"),
    [
        ("user", "scope: ORGANIZATION", "FORBIDDEN", "Access denied"),
        ("calculator", "", "FORBIDDEN", "Access denied"),
        ("nobody", "", "UNAUTHENTICATED", "Authentication failed"),
        ("user", 'clientId: "VXNlcjox"', "BAD_USER_INPUT", "clientId is not the id of a client"),
        ("user", 'userId: "VXNlcjox"', "BAD_USER_INPUT", "userId goes with scope OWNED"),
    ],
)
async def test_what_is_refused_says_why(
    world: World, authority: str, who: str, arguments: str, code: str, message: str
) -> None:
    async with open_socket(authority, getattr(world, who)) as socket:
        listed = f"({arguments})" if arguments else ""
        for field in ("sessionScored", "clientAlert", "episodeChanged"):
            await socket.subscribe("1", f"subscription {{ {field}{listed} {{ __typename }} }}")

            told = await socket.receive()
            assert (told["type"], told["id"]) == ("error", "1")
            (error,) = told["payload"]
            assert (error["extensions"]["code"], error["message"]) == (code, message)
        assert len(world.database.bus) == 0
        await socket.silence()


async def test_who_asks_is_decided_anew_for_each_event(world: World, authority: str) -> None:
    client = await make_client(world.user, world.colleague)
    session = await make_session(world.user, await make_episode(world.user, client))
    async with open_socket(authority, world.colleague) as socket:
        await socket.subscribe("1", SCORED)
        await subscribers(world, 1)
        owners = "mutation ($id: ID!, $users: [ID!]!) { setClientOwners(id: $id, userIds: $users) { errors { code } } }"

        await world.user.ask(owners, id=global_id("Client", client.id), users=[world.user.id])
        hidden = await record(world.user, session, client)
        await socket.silence()
        await world.user.ask("mutation ($id: ID!) { deleteOrsScore(id: $id) { deletedId } }", id=hidden)
        await world.user.ask(owners, id=global_id("Client", client.id), users=[world.user.id, world.colleague.id])
        shown = await record(world.user, session, client)

        # The deletion may be told: it is decided when it is delivered, and by then the client is seen again.
        told = await events(socket, "sessionScored")
        if told[0]["change"] == "DELETED":
            told = await events(socket, "sessionScored")
        assert [one["scoreId"] for one in told] == [shown]


async def test_a_lost_role_ends_the_wide_subscription(world: World, authority: str) -> None:
    async with open_socket(authority, world.superuser) as socket:
        await socket.subscribe("1", CHANGED, scope="ORGANIZATION")
        await subscribers(world, 1)
        async with world.writing(world.superuser) as tx:
            row = update(Membership).where(Membership.user_id == world.superuser.row_id)
            await tx.execute(row.values(is_superuser=False))

        await make_episode(world.user, await make_client(world.user))

        expected = [{"message": "Access denied", "extensions": {"code": "FORBIDDEN"}}]
        assert await socket.receive() == {"type": "error", "id": "1", "payload": expected}
        await subscribers(world, 0)


@pytest.mark.parametrize("loss", ["revoked", "disabled", "removed"])
async def test_credentials_that_hold_no_more_end_everything(world: World, authority: str, loss: str) -> None:
    client = await make_client(world.user, world.colleague)
    async with open_socket(authority, world.colleague) as socket:
        await socket.subscribe("1", CHANGED)
        await subscribers(world, 1)
        async with world.writing(world.superuser) as tx:
            of_colleague = Membership.user_id == world.colleague.row_id
            if loss == "revoked":
                await tx.execute(tokens_of(world.colleague))
            elif loss == "disabled":
                await tx.execute(update(Membership).where(of_colleague).values(is_disabled=True))
            else:
                await tx.execute(delete(Membership).where(of_colleague))

        await make_episode(world.user, client)

        expected = [{"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}]
        assert await socket.receive() == {"type": "error", "id": "1", "payload": expected}
        assert await socket.closed() == (4403, "Forbidden")
        await subscribers(world, 0)
