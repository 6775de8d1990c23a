"""Groups: who is in which, found or made by name, and what credentials that are limited to groups may do."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from caregraph.auth.viewer import GROUP_APPLICATION_PERMISSIONS, Viewer
from caregraph.graph.node import global_id
from caregraph.http.requests import from_parameters
from caregraph.people.models import Client, ClientGroup, Group, UserGroup
from contract.asserts import changes, refused, strange_ids
from factories.people import make_client, make_group, make_label
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NORTHFIELD = global_id("Organization", 1)
OUT = "{ node { groups { name } } errors { code message path } }"
SET = f"mutation ($id: ID!, $groups: [GroupLink!]!) {{ result: setClientGroups(id: $id, groups: $groups) {OUT} }}"
ADD = f"mutation ($id: ID!, $group: ID!) {{ result: addClientToGroup(id: $id, groupId: $group) {OUT} }}"
REMOVE = f"mutation ($id: ID!, $group: ID!) {{ result: removeClientFromGroup(id: $id, groupId: $group) {OUT} }}"
SET_USERS = f"mutation ($id: ID!, $groups: [ID!]!) {{ result: setUserGroups(id: $id, groupIds: $groups) {OUT} }}"
UPDATE = """mutation ($id: ID!, $input: GroupPatch!) {
  result: updateGroup(id: $id, input: $input) { node { name bio } errors { code message path } }
}"""
DELETE = """mutation ($id: ID!, $force: Boolean! = false) {
  result: deleteGroup(id: $id, force: $force) { deletedId errors { code message path } }
}"""


def ids(*rows: Any) -> list[str]:
    return [global_id(type(row).__name__, row.id) for row in rows]


def by_name(*names: str, organization: str = NORTHFIELD) -> list[dict[str, Any]]:
    return [{"query": {"organizationId": organization, "name": name}} for name in names]


def groups(*names: str) -> dict[str, Any]:
    return {"node": {"groups": [{"name": name} for name in names]}, "errors": []}


async def put(principal: Principal, client: Client, *links: dict[str, Any]) -> Answer:
    return await principal.ask(SET, id=ids(client)[0], groups=list(links))


async def test_a_client_s_groups_are_replaced_by_id_or_name(world: World) -> None:
    ann = await make_client(world.user)
    nurses = await make_group(world.superuser, "Nurses")
    bakers = await make_group(world.superuser, "Bakers", ann)

    async with changes(world) as found:
        answer = await put(
            world.user, ann, {"id": ids(nurses)[0]}, *by_name("Bakers", "Nurses"), {"id": ids(bakers)[0]}
        )

    assert answer.result == groups("Bakers", "Nurses")
    assert found == {"client_groups": 1}
    assert (await put(world.user, ann, *by_name("Nurses"))).result == groups("Nurses")
    assert (await put(world.user, ann)).result == groups()
    assert (await put(world.user, ann)).result == groups()


async def test_a_name_that_no_group_has_makes_one_for_those_who_may(world: World) -> None:
    ann = await make_client(world.user)
    await make_group(world.other_superuser, "New")

    async with changes(world) as found:
        answer = await put(world.superuser, ann, *by_name("New", "Newer", "New"))

    assert answer.result == groups("New", "Newer")
    assert found == {"groups": 2, "client_groups": 2}
    async with changes(world) as found:
        answer = await put(world.user, ann, *by_name("New", "Newest"))
    assert answer.result == refused("NOT_FOUND", "Group not found", "groups", "1", "query", "name")
    assert found == {}


BAD_LINKS: dict[str, tuple[Any, str, str, list[str]]] = {
    "neither": ({}, "INVALID", "must have either id or query", []),
    "nulls": ({"id": None, "query": None}, "INVALID", "must not be null", ["id"]),
    "both": ({"id": "x", **by_name("x")[0]}, "INVALID", "must have either id or query", []),
    "an empty name": (by_name(" ")[0], "INVALID", "must not be empty", ["query", "name"]),
    "a long name": (by_name("x" * 201)[0], "INVALID", "must have at most 200 characters", ["query", "name"]),
    "U+0000": (by_name("a\x00")[0], "INVALID", "must not contain the character U+0000", ["query", "name"]),
    "a strange place": (
        by_name("x", organization=global_id("Organization", 2))[0],
        "NOT_FOUND",
        "Organization not found",
        ["query", "organizationId"],
    ),
    "no place": (by_name("x", organization="x")[0], "NOT_FOUND", "Organization not found", ["query", "organizationId"]),
}


@pytest.mark.parametrize("case", BAD_LINKS.values(), ids=BAD_LINKS.keys())
async def test_a_link_names_one_group_of_ones_organization(world: World, case: tuple[Any, str, str, list[str]]) -> None:
    link, code, message, path = case
    ann = await make_client(world.user)
    await make_group(world.superuser, "Nurses", ann)

    async with changes(world) as found:
        answer = await put(world.superuser, ann, *by_name("Created"), link)

    # What is wrong with values is said of each, so the first error is asked for.
    result = answer.result
    assert {**result, "errors": result["errors"][:1]} == refused(code, message, "groups", "1", *path)
    assert found == {}


async def test_groups_of_others_are_not_found(world: World) -> None:
    ann = await make_client(world.user)
    foreign = await make_group(world.other_superuser, "Elsewhere")

    async with changes(world) as found:
        answers = [
            (await put(principal, ann, {"id": strange})).result
            for principal in (world.user, world.superuser)
            for strange in strange_ids("Group", foreign)[:-1]
        ]

    assert answers == [refused("NOT_FOUND", "Group not found", "groups", "0", "id")] * 10
    assert found == {}


async def test_at_most_100_groups(world: World) -> None:
    ann = await make_client(world.user)

    answer = await put(world.superuser, ann, *by_name(*(f"Group {number}" for number in range(101))))

    assert answer.result == refused("INVALID", "must have at most 100 items", "groups")


async def test_simultaneous_requests_for_one_name_make_one_group(world: World) -> None:
    clients = [await make_client(world.user) for _ in range(12)]
    names = ("Same", "Other", "Third")

    answers = await asyncio.gather(
        *(
            put(world.superuser, client, *by_name(*names[turn % 3 :], *names[: turn % 3]))
            for turn, client in enumerate(clients)
        )
    )

    assert [answer.result for answer in answers] == [groups("Other", "Same", "Third")] * 12
    counts = await world.counts()
    assert (counts["groups"], counts["client_groups"]) == (3, 36)


async def test_simultaneous_replacements_follow_each_other(world: World) -> None:
    ann = await make_client(world.user)
    label = await make_label(world.superuser, "Winter")
    labels = (
        "mutation ($id: ID!, $ids: [ID!]!) { result: setClientLabels(id: $id, labelIds: $ids) { errors { code } } }"
    )
    await make_group(world.superuser, "Nurses")

    answers = await asyncio.gather(
        *(put(world.user, ann, *by_name("Nurses")) for _ in range(6)),
        *(world.user.ask(labels, id=ids(ann)[0], ids=ids(label)) for _ in range(6)),
    )

    assert [answer.result for answer in answers] == [groups("Nurses")] * 6 + [{"errors": []}] * 6


async def test_adding_and_removing_one_are_idempotent(world: World) -> None:
    ann = await make_client(world.user)
    nurses = await make_group(world.superuser, "Nurses")
    await make_group(world.superuser, "Bakers", ann)
    both = {"id": ids(ann)[0], "group": ids(nurses)[0]}

    added = await asyncio.gather(*(world.user.ask(ADD, **both) for _ in range(4)))
    assert [answer.result for answer in added] == [groups("Bakers", "Nurses")] * 4
    removed = [(await world.user.ask(REMOVE, **both)).result for _ in range(2)]
    assert removed == [groups("Bakers")] * 2
    assert (await world.counts())["client_groups"] == 1


async def test_a_client_one_does_not_own_is_put_nowhere(world: World) -> None:
    ann = await make_client(world.user)
    nurses = await make_group(world.superuser, "Nurses")

    async with changes(world) as found:
        for stranger in (world.colleague, world.other_superuser):
            for query in (ADD, REMOVE):
                answer = await stranger.ask(query, id=ids(ann)[0], group=ids(nurses)[0])
                assert answer.result == refused("NOT_FOUND", "Client not found", "id")
            assert (await put(stranger, ann)).result == refused("NOT_FOUND", "Client not found", "id")

    assert found == {}


async def test_a_user_s_groups_are_set_by_managers(world: World) -> None:
    nurses, bakers = [await make_group(world.superuser, name) for name in ("Nurses", "Bakers")]
    foreign = await make_group(world.other_superuser, "Elsewhere")

    answer = await world.superuser.ask(SET_USERS, id=world.user.id, groups=ids(nurses, bakers))

    assert answer.result == groups("Bakers", "Nurses")
    seen = await world.colleague.ask(
        "query ($id: ID!) { group(id: $id) { users { nodes { fullName groups { name } } } } }", id=ids(nurses)[0]
    )
    ben = {"fullName": "Ben Borg", "groups": [{"name": "Bakers"}, {"name": "Nurses"}]}
    assert seen.data == {"group": {"users": {"nodes": [ben]}}}
    async with changes(world) as found:
        assert (await world.user.ask(SET_USERS, id=world.user.id, groups=[])).error == FORBIDDEN
        wrong = await world.superuser.ask(SET_USERS, id=world.user.id, groups=ids(nurses, foreign))
        assert wrong.result == refused("NOT_FOUND", "Group not found", "groupIds")
        away = await world.superuser.ask(SET_USERS, id=world.other_user.id, groups=ids(nurses))
        assert away.result == refused("NOT_FOUND", "User not found", "id")
    assert found == {}
    assert (await world.superuser.ask(SET_USERS, id=world.user.id, groups=[])).result == groups()


async def test_a_user_s_groups_open_no_client(world: World) -> None:
    """They say with whom a coach works; owners see clients."""
    ann = await make_client(world.user)
    nurses = await make_group(world.superuser, "Nurses", ann)
    async with world.writing(world.superuser) as tx:
        tx.add(UserGroup(user_id=world.colleague.row_id, group_id=nurses.id))

    answer = await world.colleague.ask(
        "query ($id: ID!) { group(id: $id) { clients { totalCount } } }", id=ids(nurses)[0]
    )

    assert answer.data == {"group": {"clients": {"totalCount": 0}}}


async def test_superusers_rename_groups(world: World) -> None:
    nurses = await make_group(world.superuser, "Nurses", bio="Night")
    await make_group(world.superuser, "Bakers")
    row = ids(nurses)[0]

    renamed = await world.superuser.ask(UPDATE, id=row, input={"name": "Carers"})
    assert renamed.result == {"node": {"name": "Carers", "bio": "Night"}, "errors": []}
    emptied = await world.superuser.ask(UPDATE, id=row, input={"bio": None})
    assert emptied.result == {"node": {"name": "Carers", "bio": None}, "errors": []}
    taken = await world.superuser.ask(UPDATE, id=row, input={"name": "Bakers"})
    assert taken.result == refused("CONFLICT", "A group with this name already exists", "input", "name")
    assert (await world.user.ask(UPDATE, id=row, input={"name": "Mine"})).error == FORBIDDEN
    found = (await world.user.ask('{ groups(search: "CARE") { nodes { name } } }')).data
    assert found == {"groups": {"nodes": [{"name": "Carers"}]}}


@pytest.mark.parametrize(("count", "clients"), [(1, "1 client"), (3, "3 clients")])
async def test_a_group_with_clients_is_deleted_by_force(world: World, count: int, clients: str) -> None:
    nurses = await make_group(world.superuser, "Nurses", *[await make_client(world.user) for _ in range(count)])
    async with world.writing(world.superuser) as tx:
        tx.add(UserGroup(user_id=world.user.row_id, group_id=nurses.id))
    row = ids(nurses)[0]

    async with changes(world) as found:
        answer = await world.superuser.ask(DELETE, id=row)
        assert (await world.user.ask(DELETE, id=row, force=True)).error == FORBIDDEN
    message = f"Group has {clients}: set force to take them out of it"
    assert answer.result == refused("CONFLICT", message, "force", of="deletedId")
    assert found == {}
    async with changes(world) as found:
        forced = await world.superuser.ask(DELETE, id=row, force=True)
    assert forced.result == {"deletedId": row, "errors": []}
    assert found == {"groups": -1, "client_groups": -count, "user_groups": -1}


async def test_an_empty_group_is_deleted(world: World) -> None:
    nurses = await make_group(world.superuser, "Nurses")

    assert (await world.superuser.ask(DELETE, id=ids(nurses)[0])).result == {"deletedId": ids(nurses)[0], "errors": []}


class Limited:
    """Credentials of an application that hold some groups, as they reach the graph."""

    def __init__(self, world: World, *held: Group, scopes: frozenset[str] | None = None) -> None:
        self._world = world
        self.viewer = Viewer(
            organization_id=1,
            organization_ids=(1,),
            application_id=1,
            permissions=GROUP_APPLICATION_PERMISSIONS,
            group_ids=tuple(group.id for group in held),
            scopes=scopes,
        )

    async def ask(self, query: str, **variables: Any) -> Any:
        """What the real schema answers this viewer."""
        runner = self._world.app.state.streams.runner
        ready = runner.prepare(from_parameters({"query": query, "variables": variables}))
        context = runner.context(self.viewer, "")
        try:
            return runner.body(await runner.run(ready, context))
        finally:
            await context.close()


async def _cohorts(world: World) -> tuple[Client, Client, Group, Group, Group]:
    """Ann is in two groups, Bo in the third."""
    ann, bo = await make_client(world.user, full_name="Ann"), await make_client(world.user, full_name="HIDDEN Bo")
    held, also = await make_group(world.superuser, "Held", ann), await make_group(world.superuser, "Also held")
    hidden = await make_group(world.superuser, "HIDDEN group", ann, bo)
    return ann, bo, held, also, hidden


async def test_credentials_of_groups_see_their_groups_and_the_clients_in_them(world: World) -> None:
    _, bo, held, _, hidden = await _cohorts(world)
    query = """query ($group: ID!, $client: ID!) {
      groups { totalCount nodes { name clients { totalCount } } }
      clients { totalCount nodes { fullName groups { name } } }
      group(id: $group) { id } client(id: $client) { id } node(id: $group) { id }
      hidden: groups(search: "hidden") { totalCount }
    }"""

    answer = await Limited(world, held).ask(query, group=ids(hidden)[0], client=ids(bo)[0])

    assert answer == {
        "data": {
            "groups": {"totalCount": 1, "nodes": [{"name": "Held", "clients": {"totalCount": 1}}]},
            "clients": {"totalCount": 1, "nodes": [{"fullName": "Ann", "groups": [{"name": "Held"}]}]},
            "group": None,
            "client": None,
            "node": None,
            "hidden": {"totalCount": 0},
        }
    }
    assert (await Limited(world).ask("{ groups { totalCount } clients { totalCount } }"))["data"] == {
        "groups": {"totalCount": 0},
        "clients": {"totalCount": 0},
    }


async def test_credentials_of_groups_read_only_theirs_from_a_session(world: World) -> None:
    _, _, held, _, hidden = await _cohorts(world)
    viewer = Limited(world, held).viewer

    async with world.database.read_session(viewer) as session:
        names = list(await session.scalars(select(Group.name)))
        places = list(await session.execute(select(ClientGroup.client_id, ClientGroup.group_id)))
        clients = list(await session.scalars(select(Client.full_name)))
    assert (names, clients, [place.group_id for place in places]) == (["Held"], ["Ann"], [held.id])
    elsewhere = replace(viewer, organization_id=2, organization_ids=(2,), group_ids=(held.id, hidden.id))
    async with world.database.read_session(elsewhere) as session:
        assert await session.scalar(select(func.count()).select_from(Group)) == 0
        assert await session.scalar(select(func.count()).select_from(Client)) == 0


async def test_credentials_of_groups_move_clients_among_theirs_only(world: World) -> None:
    ann, bo, held, also, hidden = await _cohorts(world)
    limited = Limited(world, held, also)
    row = ids(ann)[0]

    async def outcome(query: str, **variables: Any) -> Any:
        return (await limited.ask(query, **{"id": row, **variables}))["data"]["result"]

    async with changes(world) as found:
        assert await outcome(ADD, group=ids(hidden)[0]) == refused("NOT_FOUND", "Group not found", "groupId")
        assert await outcome(REMOVE, group=ids(hidden)[0]) == refused("NOT_FOUND", "Group not found", "groupId")
        by_id = await outcome(SET, groups=[{"id": ids(hidden)[0]}])
        assert by_id == refused("NOT_FOUND", "Group not found", "groups", "0", "id")
        for name in ("HIDDEN group", "No group"):
            named = await outcome(SET, groups=by_name("Held", name))
            assert named == refused("NOT_FOUND", "Group not found", "groups", "1", "query", "name")
        stays = "The client must stay in one of your groups"
        assert await outcome(SET, groups=[]) == refused("CONFLICT", stays, "groups")
        assert await outcome(REMOVE, group=ids(held)[0]) == refused("CONFLICT", stays, "groupId")
        away = await outcome(ADD, id=ids(bo)[0], group=ids(held)[0])
        assert away == refused("NOT_FOUND", "Client not found", "id")
    assert found == {}
    assert await outcome(SET, groups=by_name("Also held")) == groups("Also held")
    assert await outcome(ADD, group=ids(held)[0]) == groups("Also held", "Held")
    assert await outcome(REMOVE, group=ids(also)[0]) == groups("Held")
    kept = await world.superuser.ask("query ($id: ID!) { client(id: $id) { groups { name } } }", id=row)
    assert kept.data == {"client": {"groups": [{"name": "HIDDEN group"}, {"name": "Held"}]}}


@pytest.mark.parametrize(
    "field",
    [
        'createGroup(input: {name: "x"}) { node { id } }',
        'updateGroup(id: "x", input: {name: "x"}) { node { id } }',
        'deleteGroup(id: "x") { deletedId }',
        'setUserGroups(id: "x", groupIds: []) { node { id } }',
    ],
)
async def test_credentials_of_groups_change_no_group(world: World, field: str) -> None:
    _, _, held, *_ = await _cohorts(world)

    answer = await Limited(world, held).ask(f"mutation {{ result: {field} }}")

    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["message"]) == FORBIDDEN


async def test_making_a_group_by_name_takes_the_scope_of_groups(world: World) -> None:
    ann = await make_client(world.user)
    application = Limited(world, scopes=frozenset({"clients.write", "clients.read"}))
    application.viewer = replace(application.viewer, permissions=Viewer.system(1).permissions, group_ids=None)

    async with changes(world) as found:
        answer = await application.ask(SET, id=ids(ann)[0], groups=by_name("New"))

    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "requiredScope": "groups.write"}
    assert found == {}
