"""Who may read the audit, how it is filtered and paged, and that reading it is on record too."""

from datetime import UTC
from typing import Any

import pytest

from audit.entries import entry, everything, written
from caregraph.auth.viewer import Viewer
from caregraph.graph.node import global_id
from caregraph.organizations.models import Organization
from factories.people import make_client, make_file
from kit import Principal, World
from tenancy.two_towns import make_harbor, make_northfield

LIST = """
query($client: ID, $user: ID, $kind: AuditKind, $operation: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {
  auditEvents(client: $client, user: $user, kind: $kind, operation: $operation, from: $from, to: $to, first: $first, after: $after) {
    totalCount nodes { kind fields clientIds operation } pageInfo { endCursor hasNextPage }
  }
}
"""
FORBIDDEN = ("FORBIDDEN", "Access denied")


async def _listed(principal: Principal, **wanted: Any) -> list[str]:
    """Kind and field of each entry, newest first."""
    page = (await principal.ask(LIST, **wanted)).data["auditEvents"]
    assert page["totalCount"] == len(page["nodes"])
    return [f"{one['kind']} {' '.join(one['fields'])}".strip() for one in page["nodes"]]


async def _auditor(world: World) -> Principal:
    return await world.member(1, "audrey@northfield.example", "Audrey", is_auditor=True)


async def _some(world: World) -> tuple[str, str]:
    """Ben reads, changes and deletes Kim, and reads Lou; ids of both."""
    kim, lou = [global_id("Client", (await make_client(world.user, full_name=name)).id) for name in ("Kim", "Lou")]
    await world.user.ask("query Caseload { clients { nodes { id } } }")
    await world.user.ask('mutation($id: ID!) { updateClient(id: $id, input: {alias: "K"}) { node { id } } }', id=kim)
    await world.user.ask("mutation($id: ID!) { deleteClient(id: $id) { deletedId } }", id=kim)
    await world.user.ask("query Caseload($id: ID!) { client(id: $id) { fullName } }", id=lou)
    return kim, lou


async def test_an_entry_in_full(world: World) -> None:
    await _some(world)
    query = """{ auditEvents(kind: UPDATE) { nodes {
        id actor kind address operation fields userId user { fullName } applicationId clientIds
        changes { typeName change rows } occurredAt
    } } }"""
    stored = next(one for one in await everything(world) if one["fields"] == ["updateClient"])

    (found,) = (await world.superuser.ask(query)).data["auditEvents"]["nodes"]

    kim = global_id("Client", 1)
    assert found.pop("occurredAt")[:19] == stored["occurred_at"].isoformat()[:19]
    assert found == {
        "id": global_id("AuditEvent", stored["id"]),
        "actor": "USER",
        "kind": "UPDATE",
        "address": "127.0.0.1",
        "operation": None,
        "fields": ["updateClient"],
        "userId": world.user.id,
        "user": {"fullName": "Ben Borg"},
        "applicationId": None,
        "clientIds": [kim],
        "changes": [{"typeName": "Client", "change": "UPDATED", "rows": [[kim]]}],
    }
    by_id = "query($id: ID!) { auditEvent(id: $id) { kind } node(id: $id) { ... on AuditEvent { fields } } }"
    answer = await world.superuser.ask(by_id, id=found["id"])
    assert answer.data == {"auditEvent": {"kind": "UPDATE"}, "node": {"fields": ["updateClient"]}}
    assert (await world.other_superuser.ask(by_id, id=found["id"])).data == {"auditEvent": None, "node": None}


async def test_a_link_is_told_by_the_rows_that_it_joins(world: World) -> None:
    kim = await make_client(world.user)
    await world.user.ask(
        "mutation($id: ID!, $to: ID!) { setClientOwners(id: $id, userIds: [$to]) { node { id } } }",
        id=global_id("Client", kim.id),
        to=world.colleague.id,
    )
    query = "{ auditEvents(first: 1) { nodes { changes { typeName change rows } } } }"

    (found,) = (await world.superuser.ask(query)).data["auditEvents"]["nodes"]

    client = global_id("Client", kim.id)
    assert found["changes"] == [
        {"typeName": "ClientOwner", "change": "DELETED", "rows": [[client, world.user.id]]},
        {"typeName": "ClientOwner", "change": "CREATED", "rows": [[client, world.colleague.id]]},
    ]


async def test_filters(world: World) -> None:
    kim, lou = await _some(world)
    auditor = await _auditor(world)
    stored = await everything(world)
    changed = next(one["occurred_at"].replace(tzinfo=UTC).isoformat() for one in stored if one["kind"] == "UPDATE")
    factory = "CREATE"

    everything_about_kim = ["DELETE deleteClient", "UPDATE updateClient", "READ clients", factory]
    assert await _listed(auditor, client=kim) == everything_about_kim
    assert await _listed(auditor, client=lou) == ["READ client", "READ clients", factory]
    assert await _listed(auditor, client=lou, kind="READ") == ["READ client", "READ clients"]
    assert await _listed(auditor, client=kim, operation="Caseload") == ["READ clients"]
    assert await _listed(auditor, user=world.user.id) == [
        "READ client",
        "DELETE deleteClient",
        "UPDATE updateClient",
        "READ clients",
    ]
    assert await _listed(auditor, user=world.superuser.id) == []
    for nonsense in ("nonsense", world.user.id, global_id("Client", 999)):
        assert await _listed(auditor, client=nonsense) == []
    for nonsense in ("nonsense", kim, global_id("User", 999)):
        assert await _listed(auditor, user=nonsense) == []
    assert await _listed(auditor, client=kim, **{"from": changed}) == everything_about_kim[:2]
    assert await _listed(auditor, client=kim, to=changed) == everything_about_kim[2:]
    assert await _listed(auditor, client=kim, to=changed, **{"from": changed}) == []


async def test_a_deleted_client_and_user_stay_in_the_audit(world: World) -> None:
    kim = await make_client(world.colleague)
    await world.colleague.ask("{ clients { nodes { fullName } } }")
    await world.superuser.ask(
        "mutation($id: ID!) { deleteUser(id: $id, force: true) { deletedId } }", id=world.colleague.id
    )
    query = "query($user: ID!, $client: ID!) { auditEvents(user: $user, client: $client) { nodes { userId user { id } clientIds } } }"
    client = global_id("Client", kim.id)

    found = (await world.superuser.ask(query, user=world.colleague.id, client=client)).data["auditEvents"]["nodes"]

    assert found == [{"userId": world.colleague.id, "user": None, "clientIds": [client]}]


async def test_pages_neither_lose_nor_repeat_entries_while_others_come(world: World) -> None:
    await _some(world)
    wanted = {"user": world.user.id}
    found: list[str] = []
    after = None

    for _ in range(4):
        page = (await world.superuser.ask(LIST, first=1, after=after, **wanted)).data["auditEvents"]
        found += [one["fields"][0] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        await world.user.ask("query Later { clients { nodes { id } } }")

    assert found == ["client", "deleteClient", "updateClient", "clients"]
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["totalCount"] == 7


async def test_who_may_read_the_audit(world: World) -> None:
    await make_northfield(world)
    await make_harbor(world)
    auditor = await _auditor(world)
    query = '{ auditEvents { nodes { clientIds } } auditEvent(id: "x") { id } }'

    for principal in (world.user, world.colleague, world.other_user, world.calculator):
        answer = await principal.ask(query)
        assert [(one["extensions"]["code"], one["message"]) for one in answer.body["errors"]] == [FORBIDDEN] * 2
        assert answer.body["data"] == {"auditEvents": None, "auditEvent": None}
    assert (await world.nobody.ask("{ auditEvents { totalCount } }")).error[0] == "UNAUTHENTICATED"
    assert (await auditor.ask("{ clients { totalCount nodes { id } } }")).data["clients"] == {
        "totalCount": 0,
        "nodes": [],
    }
    assert (await auditor.ask("{ users { totalCount } }")).error == FORBIDDEN


async def test_organizations_do_not_see_each_others_entries(world: World) -> None:
    north, harbor = await make_northfield(world), await make_harbor(world)
    for one in (world.user, world.other_user):
        await one.ask("{ clients { nodes { id } } }")
    query = "query($client: ID) { auditEvents(first: 1000, client: $client) { totalCount nodes { id } } }"
    stored = await everything(world)

    for principal, organization_id in ((world.superuser, 1), (world.other_superuser, 2)):
        own = {global_id("AuditEvent", one["id"]) for one in stored if one["organization_id"] == organization_id}
        seen = (await principal.ask(query)).data["auditEvents"]
        assert {one["id"] for one in seen["nodes"]} == own != set()
        assert seen["totalCount"] == len(own)
    assert (await world.other_superuser.ask(query, client=north.ids["ann"])).data["auditEvents"]["nodes"] == []
    assert (await world.superuser.ask(query, client=harbor.ids["kay"])).data["auditEvents"]["nodes"] == []


async def test_reading_the_audit_is_on_record(world: World) -> None:
    kim = global_id("Client", (await make_client(world.user)).id)

    async with written(world) as entries:
        await world.superuser.ask(
            "query Audit($id: ID!) { auditEvents(client: $id) { totalCount nodes { id } } }", id=kim
        )
        await world.superuser.ask("{ auditEvents(first: 0) { totalCount } }")
        await world.superuser.ask("query($id: ID!) { node(id: $id) { id } }", id=global_id("AuditEvent", 1))

    assert entries == [
        entry("READ", "auditEvents", operation="Audit", user_id=1),
        entry("READ", "auditEvents", user_id=1),
        entry("READ", "node", user_id=1),
    ]


async def test_a_removed_organization_leaves_its_entries(world: World) -> None:
    await make_harbor(world)
    before = [one for one in await everything(world) if one["organization_id"] == 2]

    async with world.database.writing(Viewer.system(2)) as tx:
        await tx.delete(await tx.get_one(Organization, 2))

    after = [one for one in await everything(world) if one["organization_id"] == 2]
    assert after[: len(before)] == before
    (last,) = after[len(before) :]
    assert (last["kind"], last["client_ids"]) == ("DELETE", [1])
    assert ["Client", "DELETED", [[1]]] in last["changes"]
    assert (await world.counts())["clients"] == 0


@pytest.mark.parametrize("name", ["ZQCANARY"])
async def test_nothing_personal_is_kept(world: World, name: str) -> None:
    personal = {"full_name": name, "alias": name, "ssn": name, "comment": name, "phone": name}
    kim = await make_client(world.user, **personal)
    await make_file(world.user, kim, name=name)
    query = f"""query($id: ID!, $term: String) {{
        {name}: client(id: $id) {{ {name}2: fullName files {{ nodes {{ name }} }} }} clients(search: $term) {{ totalCount }}
        users {{ totalCount }}
    }}"""
    mutation = f"""mutation($id: ID!) {{
        {name}: updateClient(id: $id, input: {{alias: "{name} 2"}}) {{ node {{ alias }} }}
        createUser(input: {{email: "{name}@x.example", fullName: "{name}", password: "{name}"}}) {{ node {{ id }} }}
        authenticate(email: "{name}@x.example", password: "{name}") {{ apiToken }}
    }}"""

    await world.user.ask(query, id=global_id("Client", kim.id), term=name)
    await world.user.ask(mutation, id=global_id("Client", kim.id))
    await world.http.get(f"/files/{world.app.state.links.token(1, 1, 2)}?{name}")

    stored = await everything(world)
    assert {one["kind"] for one in stored} == {"CREATE", "UPDATE", "READ", "REFUSED"}
    assert name not in str(stored).upper()
