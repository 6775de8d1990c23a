"""What is put on record of reading: whose records, by whom, from where, by which operation, and nothing else."""

import re

import pytest

from audit.entries import entry, no_room_for, written
from caregraph.graph.node import global_id
from factories.people import make_client, make_file
from factories.treatment import make_episode
from kit import World
from tenancy.two_towns import make_harbor, make_northfield


async def test_a_read_names_every_client_whose_record_it_reached(world: World) -> None:
    town = await make_northfield(world)

    async with written(world) as entries:
        answer = await world.user.ask(
            "query Caseload { mine: clients { nodes { fullName episodes { nodes { title sessions { nodes { id } } } } } } }"
        )

    assert [one["fullName"] for one in answer.data["mine"]["nodes"]] == ["Ann"]
    # The shared episode is a part of Bo's record too, whom Ben does not see.
    assert entries == [entry("READ", "clients", operation="Caseload", client_ids=[town.ann.id, town.bo.id])]


@pytest.mark.parametrize(
    ("query", "field", "clients"),
    [
        ("client(id: $ann) { id }", "client", ["ann"]),
        ("node(id: $ann_ors) { id }", "node", ["ann"]),
        ("nodes(ids: [$ann_rater, $alone]) { id }", "nodes", ["ann"]),
        ("rater(id: $ann_rater) { fullName }", "rater", ["ann"]),
        ("file(id: $ann_file) { name }", "file", ["ann"]),
        ("orsScore(id: $ann_ors) { total }", "orsScore", ["ann"]),
        ("session(id: $alone_session) { sessionDate }", "session", ["ann"]),
        ("session(id: $session) { sessionDate }", "session", ["ann", "bo"]),
        ("episode(id: $shared) { title }", "episode", ["ann", "bo"]),
        ("client(id: $ann) { scoresBySession { series { latest } } }", "client", ["ann", "bo"]),
        ('episodes(search: "Alone") { nodes { scoresBySession { series { latest } } } }', "episodes", ["ann"]),
        ("orsScores { edges { node { total } } }", "orsScores", ["ann"]),
        ("me { clients { nodes { fullName } } }", "me", ["ann"]),
        ("label(id: $label) { name }", "label", None),
        ("me { fullName }", "me", None),
        ("client(id: $bo) { id }", "client", None),
        ("episode(id: $zoes) { id }", "episode", None),
        ("hello { helloFrom }", "hello", None),
    ],
)
async def test_each_way_to_a_record(world: World, query: str, field: str, clients: list[str] | None) -> None:
    town = await make_northfield(world)
    used = {name: town.ids[name] for name in re.findall(r"\$(\w+)", query)}
    variables = f"({' '.join(f'${name}: ID!' for name in used)})" if used else ""

    async with written(world) as entries:
        answer = await world.user.ask(f"query{variables} {{ alias: {query} }}", **used)

    assert answer.status == 200
    assert "errors" not in answer.body
    expected = [] if clients is None else [entry("READ", field, client_ids=[getattr(town, one).id for one in clients])]
    assert entries == expected


async def test_rows_beyond_the_page_are_not_read(world: World) -> None:
    first, _ = [await make_client(world.user, full_name=name) for name in ("A", "B")]

    async with written(world) as entries:
        answer = await world.user.ask("{ clients(first: 1) { nodes { fullName } pageInfo { hasNextPage } } }")

    assert answer.data["clients"]["pageInfo"] == {"hasNextPage": True}
    assert entries == [entry("READ", "clients", client_ids=[first.id])]


async def test_children_beyond_the_page_are_not_read(world: World) -> None:
    kim, lou = [await make_client(world.user, full_name=name) for name in ("Kim", "Lou")]
    await make_episode(world.user, kim)

    async with written(world) as entries:
        answer = await world.user.ask("{ me { clients(first: 1) { nodes { episodes { nodes { title } } } } } }")

    assert answer.data["me"]["clients"]["nodes"] == [{"episodes": {"nodes": [{"title": "Course of care"}]}}]
    assert lou.id != kim.id
    assert entries == [entry("READ", "me", client_ids=[kim.id])]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("clients(first: 0) { totalCount }", "clients"),
        ('clients(search: "Ann", first: 0) { totalCount }', "clients"),
        ("me { clients(first: 0) { totalCount } }", "me"),
        ("userStatistics { total { nClients } }", "userStatistics"),
    ],
)
async def test_counting_is_on_record_without_clients(world: World, query: str, field: str) -> None:
    await make_northfield(world)

    async with written(world) as entries:
        answer = await world.user.ask(f"{{ {query} }}")

    assert "errors" not in answer.body
    assert entries == [entry("AGGREGATE", field)]


async def test_one_entry_per_operation_with_the_fields_that_answered(world: World) -> None:
    town = await make_northfield(world)
    query = """
      query Several($ann: ID!, $zoe: ID!) {
        ...Own
        zoe: client(id: $zoe) { fullName }
        __typename
        ... on Query { labels { nodes { name } } }
      }
      fragment Own on Query { a: client(id: $ann) { fullName } b: client(id: $ann) { alias } hello { helloFrom } }
    """

    async with written(world) as entries:
        answer = await world.user.ask(query, ann=town.ids["ann"], zoe=town.ids["zoe"])

    assert answer.data["zoe"] is None
    (one,) = entries
    assert sorted(one["fields"]) == ["client", "hello", "labels"]
    assert one == entry("READ", *one["fields"], operation="Several", client_ids=[town.ann.id])


async def test_what_a_gateway_reads_is_on_record(world: World) -> None:
    town = await make_northfield(world)
    query = "query($all: [_Any!]!) { _entities(representations: $all) { ... on Episode { title } } }"

    async with written(world) as entries:
        await world.user.ask(query, all=[{"__typename": "Episode", "id": town.ids["shared"]}])

    assert entries == [entry("READ", "_entities", client_ids=[town.ann.id, town.bo.id])]


async def test_what_a_mutation_tells_beyond_its_own_change_is_a_read(world: World) -> None:
    kim, lou = [await make_client(world.user, full_name=name) for name in ("Kim", "Lou")]
    mutation = """mutation Rename($id: ID!) { updateClient(id: $id, input: {fullName: "Kay"}) {
        node { fullName owners { clients { nodes { fullName } } } }
    } }"""

    async with written(world) as entries:
        await world.user.ask(mutation, id=global_id("Client", kim.id))

    change, read = entries
    assert (change["kind"], change["client_ids"]) == ("UPDATE", [kim.id])
    assert read == entry("READ", "updateClient", operation="Rename", client_ids=[lou.id])


async def test_a_record_that_a_later_field_deletes_was_read_before(world: World) -> None:
    kim = await make_client(world.user, full_name="Kim")
    lou = await make_client(world.user, full_name="Lou")
    episode = await make_episode(world.user, kim)
    other = await make_episode(world.user, lou)
    mutation = """mutation($kim: ID!, $lou: ID!, $episode: ID!, $other: ID!) {
        removeClientFromEpisode(id: $episode, clientId: $kim) { node { id } }
        updateEpisode(id: $other, input: {title: "T"}) { node { title clients { episodes { nodes { title } } } } }
        deleteClient(id: $lou, force: true) { deletedId }
    }"""
    ids = {"kim": global_id("Client", kim.id), "lou": global_id("Client", lou.id)}

    async with written(world) as entries:
        answer = await world.user.ask(
            mutation, **ids, episode=global_id("Episode", episode.id), other=global_id("Episode", other.id)
        )

    assert answer.data["updateEpisode"]["node"]["title"] == "T"
    assert [(one["kind"], one["fields"], one["client_ids"]) for one in entries] == [
        ("DELETE", ["removeClientFromEpisode"], [kim.id]),
        ("UPDATE", ["updateEpisode"], [lou.id]),
        ("DELETE", ["deleteClient"], [lou.id]),
    ]


async def test_the_statements_of_a_query_are_the_same_with_and_without_the_audit(world: World) -> None:
    await make_northfield(world)
    query = "{ clients { nodes { episodes { nodes { title } } } } }"
    with world.statements() as audited:
        await world.user.ask(query)
    await world.restart(audit_reads=False)

    with world.statements() as unaudited:
        await world.user.ask(query)

    assert audited == unaudited
    assert len(audited) == 2


async def test_reading_can_be_left_off_the_record_and_changing_cannot(world: World) -> None:
    await world.restart(audit_reads=False)
    kim = await make_client(world.user)

    async with written(world) as entries:
        await world.user.ask("{ clients { totalCount nodes { fullName } } }")
        await world.user.ask('mutation { createLabel(input: {name: "L"}) { node { id } } }')
        await world.user.ask(
            'mutation($id: ID!) { updateClient(id: $id, input: {alias: "K"}) { node { id } } }',
            id=global_id("Client", kim.id),
        )

    assert [(one["kind"], one["fields"]) for one in entries] == [
        ("REFUSED", ["createLabel"]),
        ("UPDATE", ["updateClient"]),
    ]


async def test_a_download_is_on_record_with_whom_its_link_was_made_for(world: World) -> None:
    kim = await make_client(world.user)
    token = world.app.state.links.token(1, 1, world.user.row_id)
    other = world.app.state.links.token(1, 2, world.user.row_id)
    await make_file(world.user, kim)

    async with written(world) as entries:
        await world.http.get(f"/files/{token}")
        assert (await world.http.get(f"/files/{other}")).status_code == 404

    assert entries == [entry("READ", "file", actor="LINK", client_ids=[kim.id])]


async def test_without_an_entry_there_is_no_answer(world: World) -> None:
    kim = await make_client(world.user, full_name="Kim")
    busy = ("UNAVAILABLE", "The server is busy, try again")

    async with no_room_for(world, "READ", "REFUSED", "AGGREGATE"):
        read = await world.user.ask("{ clients { nodes { fullName } } }")
        counted = await world.user.ask("{ clients(first: 0) { totalCount } }")
        refused = await world.user.ask('mutation { createLabel(input: {name: "L"}) { node { id } } }')
        signed_in = await world.nobody.ask(
            'mutation { authenticate(email: "x@y.example", password: "z") { apiToken } }'
        )
        download = await world.http.get(f"/files/{world.app.state.links.token(1, 1, 2)}")
        harmless = await world.user.ask("{ me { fullName } labels { totalCount } }")
    after = await world.user.ask("query($id: ID!) { client(id: $id) { fullName } }", id=global_id("Client", kim.id))

    for answer in (read, counted, refused, signed_in):
        assert (answer.status, answer.error, "data" in answer.body) == (503, busy, False)
    assert download.status_code == 404
    assert harmless.data == {"me": {"fullName": "Ben Borg"}, "labels": {"totalCount": 0}}
    assert after.data == {"client": {"fullName": "Kim"}}


async def test_without_an_entry_there_are_no_bytes(world: World) -> None:
    kim = await make_client(world.user)
    await make_file(world.user, kim)

    async with no_room_for(world, "READ"):
        download = await world.http.get(f"/files/{world.app.state.links.token(1, 1, 2)}")

    assert (download.status_code, download.text) == (503, "Unavailable")


async def test_after_a_commit_what_cannot_be_put_on_record_is_withheld_field_by_field(world: World) -> None:
    kim = await make_client(world.user, full_name="Kim")
    await make_client(world.user, full_name="Lou")
    rename = """mutation($id: ID!) { updateClient(id: $id, input: {fullName: "Kay"}) {
        node { owners { clients { nodes { fullName } } } }
    } }"""
    kim_id = global_id("Client", kim.id)

    async with no_room_for(world, "READ"):
        answer = await world.user.ask(rename, id=kim_id)
        of_itself = await world.user.ask(
            rename.replace("owners { clients { nodes { fullName } } }", "alias"), id=kim_id
        )

    assert (answer.status, answer.body["data"]) == (200, {"updateClient": None})
    assert [(one["path"], one["extensions"]["code"]) for one in answer.body["errors"]] == [
        (["updateClient"], "UNAVAILABLE")
    ]
    assert of_itself.body["data"] == {"updateClient": None}
    found = await world.user.ask("query($id: ID!) { client(id: $id) { fullName } }", id=kim_id)
    assert found.data == {"client": {"fullName": "Kay"}}


async def test_organizations_are_kept_apart(world: World) -> None:
    north, harbor = await make_northfield(world), await make_harbor(world)

    async with written(world) as entries:
        for one in (world.superuser, world.other_superuser):
            await one.ask("{ clients { nodes { fullName } } }")

    clients = [(one["organization_id"], one["client_ids"]) for one in entries]
    assert clients == [(1, [north.ann.id, north.bo.id, north.zoe.id]), (2, [harbor.kay.id])]
