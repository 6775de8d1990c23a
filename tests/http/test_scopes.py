"""Scopes of a token: what is outside is refused at its field with the scope that is missing; the rest is answered."""

import json
from pathlib import Path
from typing import Any

import pytest

from caregraph.db.scope import known_scopes
from caregraph.graph.node import global_id
from caregraph.organizations.models import ApiKey, Location
from contract.asserts import changes
from factories.people import make_client, make_file, make_label
from factories.programs import Program, make_application, make_group
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Answer, Principal, World

README = Path(__file__).parents[2] / "README.md"
CLIENT, EPISODE, LABEL = global_id("Client", 1), global_id("Episode", 1), global_id("Label", 1)
FILE, GROUP, SESSION, RATER = (
    global_id("File", 1),
    global_id("Group", 1),
    global_id("Session", 1),
    global_id("Rater", 1),
)
ORS, SRS = global_id("OrsScore", 1), global_id("SrsScore", 2)


@pytest.fixture
async def program(world: World) -> Program:
    """Ann with something of everything."""
    ann = await make_client(world.user, full_name="Ann")
    await make_label(world.superuser, "Winter", ann)
    await make_file(world.user, ann)
    await make_group(world.superuser, "North", ann)
    episode = await make_episode(world.user, ann)
    session = await make_session(world.user, episode)
    rater = await make_rater(world.user, episode, ann)
    await make_ors(world.user, session, ann)
    await make_srs(world.user, session, ann, rater=rater)
    async with world.writing(world.superuser) as tx:
        tx.add(Location(name="Here"))
    made = await make_application(world.superuser)
    async with world.writing(world.superuser) as tx:
        tx.add(ApiKey(application_id=made.row.id, token_hash="x"))
    return made


def missing(answer: Answer) -> dict[str, str]:
    """Scope that was missing, by the field that was refused."""
    errors = answer.body.get("errors", [])
    assert {(one["extensions"]["code"], one["message"]) for one in errors} <= {("FORBIDDEN", "Access denied")}
    return {".".join(map(str, one["path"])): one["extensions"]["requiredScope"] for one in errors}


READS = {
    f'client(id: "{CLIENT}") {{ fullName }}': "clients",
    "clients { totalCount }": "clients",
    "clients { nodes { fullName } }": "clients",
    "clients(first: 0) { totalCount }": "clients",
    f'episode(id: "{EPISODE}") {{ title }}': "episodes",
    "episodes { totalCount }": "episodes",
    f'label(id: "{LABEL}") {{ name }}': "labels",
    "labels { nodes { name } }": "labels",
    f'file(id: "{FILE}") {{ name url }}': "files",
    f'group(id: "{GROUP}") {{ name }}': "groups",
    f'session(id: "{SESSION}") {{ sessionDate }}': "sessions",
    "sessions { totalCount }": "sessions",
    f'rater(id: "{RATER}") {{ fullName }}': "raters",
    f'orsScore(id: "{ORS}") {{ total }}': "scores",
    "orsScores { totalCount }": "scores",
    f'srsScore(id: "{SRS}") {{ total }}': "scores",
    "srsScores { nodes { total } }": "scores",
    f'user(id: "{global_id("User", 1)}") {{ fullName }}': "users",
    "organization { name }": "organizations",
    "apiKeys { id }": "api_keys",
    f'node(id: "{CLIENT}") {{ id }}': "clients",
    f'node(id: "{ORS}") {{ id }}': "scores",
    f'_entities(representations: [{{__typename: "Client", id: "{CLIENT}"}}]) {{ ... on Client {{ fullName }} }}': "clients",
}


@pytest.mark.parametrize(("field", "resource"), READS.items())
async def test_reading_needs_the_scope_of_the_rows(world: World, program: Program, field: str, resource: str) -> None:
    others = " ".join(sorted(known_scopes() - {"all", f"{resource}.read"}))
    query = f"{{ result: {field} }}"
    path = "result.0" if field.startswith("_entities") else "result"
    path += ".totalCount" if "first: 0" in field else ""

    allowed = await (await program.signed_in(scope=f"{resource}.read")).ask(query)
    refused = await (await program.signed_in(scope=others)).ask(query)

    assert allowed.data["result"]
    assert missing(refused) == {path: f"{resource}.read"}
    assert refused.body["data"] == {"result": [None] if path == "result.0" else None}
    for scope in ("all", f"{resource}.read {resource}.write"):
        assert (await (await program.signed_in(scope=scope)).ask(query)).body == allowed.body


async def test_a_node_is_refused_in_its_own_place(world: World, program: Program) -> None:
    principal = await program.signed_in(scope="labels.read")

    answer = await principal.ask(f'{{ nodes(ids: ["{LABEL}", "{CLIENT}"]) {{ id }} }}')

    assert missing(answer) == {"nodes.1": "clients.read"}
    assert answer.body["data"] == {"nodes": [{"id": LABEL}, None]}


EDGES = {
    "organization { name }": ("organizations.read", {"fullName": "Ann", "edge": None}),
    "episodes { nodes { title } }": ("episodes.read", None),
    "files { nodes { name } }": ("files.read", None),
    "owners { fullName }": ("users.read", None),
}


@pytest.mark.parametrize(("edge", "expected"), EDGES.items())
async def test_an_edge_needs_the_scope_of_its_own_rows(
    world: World, program: Program, edge: str, expected: tuple[str, Any]
) -> None:
    scope, node = expected
    query = f"{{ clients {{ nodes {{ fullName edge: {edge} }} }} labels {{ nodes {{ name }} }} }}"

    refused = await (await program.signed_in(scope="clients.read labels.read")).ask(query)
    allowed = await (await program.signed_in(scope=f"clients.read labels.read {scope}")).ask(query)

    assert missing(refused) == {"clients.nodes.0.edge": scope}
    clients = None if node is None else {"nodes": [node]}
    assert refused.body["data"] == {"clients": clients, "labels": {"nodes": [{"name": "Winter"}]}}
    assert allowed.data["clients"]["nodes"][0]["edge"]


@pytest.mark.parametrize(
    ("field", "scopes", "wanted"),
    [
        ('clients(labels: ["Winter"]) { totalCount }', "clients.read", "labels.read"),
        ('episodes(labels: ["Winter"]) { totalCount }', "episodes.read", "labels.read"),
        ("organizationStatistics { total { nClients } }", "clients.read scores.read", "episodes.read"),
        ("organizationStatistics { total { nClients } }", "episodes.read scores.read sessions.read raters.read", None),
    ],
)
async def test_what_is_filtered_or_counted_by_is_read(
    world: World, program: Program, field: str, scopes: str, wanted: str | None
) -> None:
    answer = await (await program.signed_in(scope=scopes)).ask(f"{{ result: {field} }}")

    if wanted is not None:
        assert missing(answer) == {"result": wanted}
    else:
        assert set(missing(answer).values()) <= {"clients.read", "labels.read"}


async def test_a_chart_needs_the_scope_of_all_that_it_shows(world: World, program: Program) -> None:
    query = f'{{ client(id: "{CLIENT}") {{ fullName scoresBySession {{ series {{ latest }} }} }} }}'

    some = await (await program.signed_in(scope="clients.read")).ask(query)
    every = "clients.read episodes.read sessions.read scores.read raters.read"
    whole = await (await program.signed_in(scope=every)).ask(query)

    assert "20.0" not in json.dumps(some.body)
    assert set(missing(some).values()) == {"episodes.read"}
    assert whole.data["client"]["scoresBySession"][0]["series"][0] == {"latest": 20.0}


WRITES = {
    'createClient(input: {fullName: "New"}) { node { id } errors { message } }': "clients",
    f'updateClient(id: "{CLIENT}", input: {{alias: "x"}}) {{ node {{ id }} errors {{ message }} }}': "clients",
    f'setClientLabels(id: "{CLIENT}", labelIds: []) {{ node {{ id }} errors {{ message }} }}': "clients",
    'createLabel(input: {name: "New"}) { node { id } errors { message } }': "labels",
    f'updateLabel(id: "{LABEL}", input: {{name: "x"}}) {{ node {{ id }} errors {{ message }} }}': "labels",
    f'createEpisode(clientId: "{CLIENT}", input: {{title: "x", startDate: "2026-01-01"}}) {{ node {{ id }} errors {{ message }} }}': "episodes",
    f'updateSession(id: "{SESSION}", input: {{sessionDate: "2026-01-05"}}) {{ node {{ id }} errors {{ message }} }}': "sessions",
    f'updateOrsScore(id: "{ORS}", input: {{overall: 9}}) {{ node {{ id }} errors {{ message }} }}': "scores",
    f'updateRater(id: "{RATER}", input: {{fullName: "x"}}) {{ node {{ id }} errors {{ message }} }}': "raters",
}


@pytest.mark.parametrize(("field", "resource"), WRITES.items())
async def test_writing_needs_its_scope_and_answers_the_id(
    world: World, program: Program, field: str, resource: str
) -> None:
    others = " ".join(sorted(known_scopes() - {"all", f"{resource}.write"}))
    principal = await program.signed_in(scope=others)

    async with changes(world) as found:
        refused = await principal.ask(f"mutation {{ result: {field} }}")
    assert missing(refused) == {"result": f"{resource}.write"}
    assert found == {}

    answer = await (await program.signed_in(scope=f"{resource}.write")).ask(f"mutation {{ result: {field} }}")
    assert answer.data["result"]["errors"] == []
    assert answer.data["result"]["node"]["id"]


DELETES = {
    f'deleteClient(id: "{CLIENT}", force: true) {{ deletedId }}': "clients",
    f'deleteLabel(id: "{LABEL}", force: true) {{ deletedId }}': "labels",
    f'deleteFile(id: "{FILE}") {{ deletedId }}': "files",
    f'deleteEpisode(id: "{EPISODE}", force: true) {{ deletedId }}': "episodes",
    f'deleteOrsScore(id: "{ORS}") {{ deletedId }}': "scores",
}


@pytest.mark.parametrize(("field", "resource"), DELETES.items())
async def test_deleting_needs_the_scope_of_writing(world: World, program: Program, field: str, resource: str) -> None:
    others = " ".join(sorted(known_scopes() - {"all", f"{resource}.write"}))

    async with changes(world) as found:
        refused = await (await program.signed_in(scope=others)).ask(f"mutation {{ result: {field} }}")
    assert missing(refused) == {"result": f"{resource}.write"}
    assert found == {"access_tokens": 1}

    answer = await (await program.signed_in(scope=f"{resource}.write")).ask(f"mutation {{ result: {field} }}")
    assert answer.data["result"]["deletedId"]


async def test_a_token_that_may_only_write_is_told_the_id_alone(world: World, program: Program) -> None:
    principal = await program.signed_in(scope="clients.write")
    query = """mutation {
        createClient(input: {fullName: "New", ssn: "9"}) {
            node { __typename id fullName owners { fullName } } errors { message }
        }
    }"""

    answer = await principal.ask(query)

    assert "New" not in json.dumps(answer.body)
    assert {one["extensions"]["code"] for one in answer.body["errors"]} == {"FORBIDDEN"}
    assert (await principal.ask(query.replace("fullName owners { fullName }", ""))).data["createClient"] == {
        "node": {"__typename": "Client", "id": global_id("Client", 3)},
        "errors": [],
    }


async def test_a_refusal_of_a_hidden_row_is_that_of_any_other(world: World, program: Program) -> None:
    kay = await make_client(world.other_user, full_name="HIDDEN Kay")
    principal = await program.signed_in(scope="labels.read")
    query = "query($id: ID!) { client(id: $id) { id } node(id: $id) { id } }"

    answers = [
        (await principal.ask(query, id=one)).body
        for one in (CLIENT, global_id("Client", kay.id), global_id("Client", 999))
    ]

    assert answers[0] == answers[1] == answers[2]


async def test_a_token_asks_about_itself_whatever_its_scopes(world: World, program: Program) -> None:
    principal = await program.signed_in(scope="clients.read")
    query = "{ accessToken { scopes application { name scopes } groups { name } organization { name } } }"

    answer = await principal.ask(query)

    assert missing(answer) == {
        "accessToken.groups": "groups.read",
        "accessToken.organization": "organizations.read",
    }
    assert answer.body["data"]["accessToken"] == {
        "scopes": ["clients.read"],
        "application": {"name": "Nightly sync", "scopes": ["all"]},
        "groups": None,
        "organization": None,
    }


async def test_a_narrower_application_narrows_tokens_and_keys_given_before(world: World, program: Program) -> None:
    token = await program.signed_in()
    made = await program.with_secret.ask("mutation { createApiKey { secret } }")
    key = program.with_token(made.data["createApiKey"]["secret"])
    narrower = """mutation($id: ID!) {
        updateApplication(id: $id, input: {scopes: ["labels.read"]}) { errors { message } }
    }"""
    await world.superuser.ask(narrower, id=program.id)

    for principal in (token, key):
        answer = await principal.ask("{ labels { totalCount } clients { totalCount } }")
        assert answer.body["data"] == {"labels": {"totalCount": 1}, "clients": None}
        assert missing(answer) == {"clients": "clients.read"}


async def test_a_subscription_needs_the_scope_of_what_it_tells(world: World, program: Program) -> None:
    query = "subscription { sessionScored { score { total } } }"

    told = await subscribed(world, await program.signed_in(scope="labels.read"), query)

    assert [one["errors"][0]["extensions"] for one in told] == [{"code": "FORBIDDEN", "requiredScope": "scores.read"}]


async def subscribed(world: World, principal: Principal, query: str) -> list[dict[str, Any]]:
    """What a subscription tells that ends by itself."""
    headers = {**principal.headers, "Accept": "text/event-stream"}
    response = await world.http.post("/graphql", json={"query": query}, headers=headers)
    data = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(one) for one in data if one]


def test_the_readme_lists_every_resource() -> None:
    resources = {one.partition(".")[0] for one in known_scopes() - {"all"}}
    (listed,) = (line for line in README.read_text().splitlines() if line.startswith("Resources: "))

    assert set(listed.removeprefix("Resources: ").rstrip(".").replace("`", "").split(", ")) == resources
