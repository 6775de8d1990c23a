"""Consents: who allowed what, when, and who recorded it."""

from typing import Any

from caregraph.graph.node import global_id
from factories.people import make_client, make_consent
from kit import Answer, Principal, World

RECORD = """mutation($id: ID!, $kind: ConsentKind!, $given: Boolean!) {
    recordConsent(clientId: $id, kind: $kind, given: $given) {
        node { kind given recordedBy { fullName } client { fullName gdprApproval } }
        errors { code message path }
    }
}"""
SEEN = """query($id: ID!) { client(id: $id) {
    gdprApproval
    consents { kind given recordedBy { fullName } }
    consentHistory { totalCount nodes { kind given recordedBy { fullName } } }
} }"""
CREATE = "mutation($in: ClientInput!) { createClient(input: $in) { node { id } errors { message } } }"
UPDATE = "mutation($id: ID!, $in: ClientPatch!) { updateClient(id: $id, input: $in) { errors { code message path } } }"


async def record(principal: Principal, client_id: str, kind: str, given: bool) -> Answer:
    return await principal.ask(RECORD, id=client_id, kind=kind, given=given)


async def seen(principal: Principal, client_id: str) -> Any:
    return (await principal.ask(SEEN, id=client_id)).data["client"]


def consent(kind: str, given: bool, by: str = "Ben Borg") -> dict[str, Any]:
    return {"kind": kind, "given": given, "recordedBy": {"fullName": by}}


async def test_the_newest_consent_of_a_kind_holds_and_the_history_stays(world: World) -> None:
    client_id = global_id("Client", (await make_client(world.user, world.colleague)).id)

    first = (await record(world.user, client_id, "SMS", given=True)).data["recordConsent"]
    for principal, kind, given in (
        (world.user, "EMAIL", True),
        (world.colleague, "SMS", False),
        (world.superuser, "EMAIL", True),
    ):
        assert (await record(principal, client_id, kind, given)).data["recordConsent"]["errors"] == []

    assert first == {
        "node": {**consent("SMS", given=True), "client": {"fullName": "Kim Client", "gdprApproval": False}},
        "errors": [],
    }
    assert await seen(world.user, client_id) == {
        "gdprApproval": False,
        "consents": [consent("SMS", given=False, by="Cleo Cruz"), consent("EMAIL", given=True, by="Ada Admin")],
        "consentHistory": {
            "totalCount": 4,
            "nodes": [
                consent("SMS", given=True),
                consent("EMAIL", given=True),
                consent("SMS", given=False, by="Cleo Cruz"),
                consent("EMAIL", given=True, by="Ada Admin"),
            ],
        },
    }


async def test_a_changed_approval_is_a_consent(world: World) -> None:
    made = await world.user.ask(CREATE, **{"in": {"fullName": "Kim", "gdprApproval": True}})
    client_id = made.data["createClient"]["node"]["id"]
    for values in ({"gdprApproval": True}, {"alias": "K"}, {"gdprApproval": False}, {"gdprApproval": False}):
        answer = await world.colleague.ask(UPDATE, id=client_id, **{"in": values})
        assert answer.data["updateClient"]["errors"] == [
            {"code": "NOT_FOUND", "message": "Client not found", "path": ["id"]}
        ]
        answer = await world.superuser.ask(UPDATE, id=client_id, **{"in": values})
        assert answer.data["updateClient"]["errors"] == []

    found = await seen(world.user, client_id)

    assert found == {
        "gdprApproval": False,
        "consents": [consent("DATA_PROCESSING", given=False, by="Ada Admin")],
        "consentHistory": {
            "totalCount": 2,
            "nodes": [
                consent("DATA_PROCESSING", given=True),
                consent("DATA_PROCESSING", given=False, by="Ada Admin"),
            ],
        },
    }


async def test_no_approval_is_recorded_for_a_client_who_was_not_asked(world: World) -> None:
    for values in ({}, {"gdprApproval": False}):
        made = await world.user.ask(CREATE, **{"in": {"fullName": "Kim", **values}})
        assert made.data["createClient"]["errors"] == []

    assert (await world.counts())["consents"] == 0


async def test_consent_to_data_processing_is_the_approval(world: World) -> None:
    client_id = global_id("Client", (await make_client(world.user)).id)

    for given in (True, False):
        node = (await record(world.user, client_id, "DATA_PROCESSING", given)).data["recordConsent"]["node"]
        assert node["client"] == {"fullName": "Kim Client", "gdprApproval": given}
    assert (await world.counts())["consents"] == 2


async def test_consents_are_seen_as_their_client_is(world: World) -> None:
    client = await make_client(world.user)
    consent_id = global_id("Consent", (await make_consent(world.user, client)).id)
    query = "query($id: ID!) { consent(id: $id) { kind given } }"
    before = await world.counts()

    assert (await world.user.ask(query, id=consent_id)).data["consent"] == {"kind": "SMS", "given": True}
    assert (await world.superuser.ask(query, id=consent_id)).data["consent"] == {"kind": "SMS", "given": True}
    for stranger in (world.colleague, world.other_superuser):
        assert (await stranger.ask(query, id=consent_id)).data == {"consent": None}
        refused = await record(stranger, global_id("Client", client.id), "SMS", given=False)
        assert refused.data["recordConsent"] == {
            "node": None,
            "errors": [{"code": "NOT_FOUND", "message": "Client not found", "path": ["clientId"]}],
        }
    assert await world.counts() == before


async def test_consents_of_many_clients_take_no_more_statements(world: World) -> None:
    query = "{ clients(first: 50) { nodes { consents { kind recordedBy { fullName } } } } }"
    counts = []
    for more in (2, 18):
        for _ in range(more):
            client = await make_client(world.user)
            await make_consent(world.user, client)
            await make_consent(world.user, client, given=False)
        with world.statements() as found:
            nodes = (await world.user.ask(query)).data["clients"]["nodes"]
        assert nodes == [{"consents": [{"kind": "SMS", "recordedBy": {"fullName": "Ben Borg"}}]}] * len(nodes)
        counts.append(len(found))

    assert counts == [3, 3]


async def test_who_recorded_is_null_when_the_account_is_gone(world: World) -> None:
    client = await make_client(world.user)
    await make_consent(world.colleague, client)
    gone = await world.superuser.ask(
        "mutation($id: ID!) { deleteUser(id: $id) { deletedId errors { message } } }", id=world.colleague.id
    )

    assert gone.data["deleteUser"]["errors"] == []
    assert (await seen(world.user, global_id("Client", client.id)))["consents"] == [
        {"kind": "SMS", "given": True, "recordedBy": None}
    ]
