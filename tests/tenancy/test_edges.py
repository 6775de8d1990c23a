"""Every edge of the graph from a row that one sees: nothing hidden or foreign comes through any of them."""

import json
from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    get_named_type,
    is_interface_type,
    is_non_null_type,
    is_object_type,
)

from caregraph import schema
from caregraph.app import built_schema
from caregraph.graph.node import global_id
from caregraph.people.models import ClientOwner
from kit import Principal, World
from tenancy.two_towns import Town, make_harbor, make_northfield

CORE = schema.core(built_schema())
DEPTH = 2
NOT_FOR_BEN = {("FORBIDDEN", "users")}
PROGRAMS = ("Application.", "AccessToken.", "ApiKey.")


def _selection(kind: Any, depth: int) -> str:
    """Every field of a type that needs no argument, to a depth of so many nodes."""
    fields = ["__typename"]
    if kind.name.endswith("Edge"):
        return "{ __typename cursor node { __typename id } }"
    for name, made in kind.fields.items():
        if any(is_non_null_type(one.type) and one.default_value is None for one in made.args.values()):
            continue
        target = get_named_type(made.type)
        if not (is_object_type(target) or is_interface_type(target)):
            fields.append(name)
            continue
        is_wrapper = target.name.endswith(("Connection", "Edge", "PageInfo", "Chart", "Series", "Point"))
        if depth > 0 or is_wrapper:
            fields.append(f"{name} {_selection(target, depth - (not is_wrapper))}")
    if is_interface_type(kind):
        fields += [f"... on {one.name} {_selection(one, 0)}" for one in CORE.get_possible_types(kind)]
    return "{ " + " ".join(fields) + " }"


def _everything(root: str, depth: int = DEPTH) -> str:
    kind = get_named_type(CORE.query_type.fields[root].type)
    assert isinstance(kind, GraphQLObjectType)
    return f"query($id: ID!) {{ result: {root}(id: $id) {_selection(kind, depth)} }}"


def _ids(value: Any) -> set[str]:
    if isinstance(value, list):
        return {one for item in value for one in _ids(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["id"]} if "id" in value else set()
    return own | {one for item in value.values() for one in _ids(item)}


def _edges(value: Any) -> set[str]:
    """The edges that were walked, as `Type.field`."""
    if isinstance(value, list):
        return {one for item in value for one in _edges(item)}
    if not isinstance(value, dict) or "__typename" not in value:  # a JSON value has no edges
        return set()
    here = {f"{value['__typename']}.{name}" for name, item in value.items() if isinstance(item, dict | list)}
    return here | {one for item in value.values() for one in _edges(item)}


# Content is every member's, what of score configs is a draft for authors, of whom Ben is one; answers are Ann's.
CONTENT = {
    "item": "item",
    "itemOption": "option",
    "scale": "scale",
    "domain": "domain",
    "assessment": "assessment",
    "assessmentItem": "placed",
    "assessmentScale": "scale_placed",
    "assessmentDomain": "domain_placed",
    "itemScale": "weighed",
    "domainScale": "in_domain",
    "tag": "tag",
    "scoreConfig": "config",
    "customCalculation": "calculation",
    "calculationVariable": "variable",
    "percentileRankConfig": "norm",
    "resultRange": "range",
    "accessGrant": "grant",
    "verticalAccessGrant": "vertical_grant",
    "networkMember": "network_member",
    "answerSet": "answers",
    "itemResponse": "response",
    "answerScore": "answer_score",
}


def _bens(world: World, town: Town) -> set[str]:
    """Ids of all that Ben sees: Ann, what hangs on her, the label, his colleagues by name."""
    ids = town.ids
    own = [
        "ann",
        "label",
        "group",
        "alone",
        "shared",
        "ann_rater",
        "ann_file",
        "ann_consent",
        "alone_session",
        "session",
        "ann_ors",
        "ann_srs",
        "ann_rated",
        "granted",
        "feature",
        "location",
        *CONTENT.values(),
        "related",
        "draft",
    ]
    organization = global_id("Organization", world.user.organization_id)
    return {*(ids[name] for name in own), world.user.id, world.colleague.id, world.superuser.id, organization}


async def test_no_edge_leads_to_a_hidden_row(world: World) -> None:
    await world.restart(maximum_fields=100_000, maximum_tokens=1_000_000, maximum_cost=1_000_000_000)
    town = await make_northfield(world)
    await make_harbor(world)
    ids = town.ids
    starts = {
        "client": ids["ann"],
        "episode": ids["shared"],
        "session": ids["session"],
        "rater": ids["ann_rater"],
        "orsScore": ids["ann_rated"],
        "srsScore": ids["ann_srs"],
        "label": ids["label"],
        "group": ids["group"],
        "file": ids["ann_file"],
        "location": ids["location"],
        "consent": ids["ann_consent"],
        "user": world.colleague.id,
        "featureFlag": ids["feature"],
        "grantedPermission": ids["granted"],
        **{root: ids[name] for root, name in CONTENT.items()},
    }
    walked = set()

    for root, start in starts.items():
        depth = 1 if root in CONTENT else DEPTH  # each of its types is a start
        answer = await world.user.ask(_everything(root, depth), id=start)
        result = answer.body["data"]["result"]
        assert {(one["extensions"]["code"], one["path"][-1]) for one in answer.body.get("errors", ())} <= NOT_FOR_BEN
        assert _ids(result) <= _bens(world, town), root
        text = json.dumps(answer.body)
        assert "HIDDEN" not in text
        assert "harbor" not in text.lower()
        walked |= _edges(result)
    objects = {
        f"{kind.name}.{name}"
        for kind in CORE.type_map.values()
        if is_object_type(kind) and CORE.is_sub_type(CORE.type_map["Node"], kind)
        for name, made in kind.fields.items()
        if is_object_type(get_named_type(made.type)) or is_interface_type(get_named_type(made.type))
    }
    for_managers = {one for one in objects if one.startswith("Invitation.")}
    of_programs = {one for one in objects if one.startswith(PROGRAMS)}
    for_auditors = {"AuditEvent.user", "AuditEvent.changes"}
    none_was_made = {
        *("SrsScore.rater", "Organization.individualCreator", "Item.location", "Scale.parentScale"),
        *("AccessGrant.assessment", "AccessGrant.scale", "AccessGrant.domain", "ResultRange.domain"),
        *("ScoreConfig.item", "ScoreConfig.domain", "Assessment.instrument"),
    }
    assert objects - walked == {"Organization.users", *none_was_made, *of_programs, *for_managers, *for_auditors}


async def test_no_edge_of_a_program_leads_out_of_the_organization(world: World) -> None:
    """What only superusers see, walked by the one of Harbor."""
    await make_northfield(world)
    town = await make_harbor(world)
    starts = {
        "application": "application",
        "accessToken": "access_token",
        "apiKey": "api_key",
        "calculatorPlan": "plan",
    }
    own = {*town.ids.values(), *town.programs.values(), world.other_superuser.id, world.other_user.id}
    of_harbor = {*own, global_id("Organization", 2), global_id("Group", 2)}
    walked = set()

    for root, name in starts.items():
        answer = await world.other_superuser.ask(_everything(root), id=town.programs[name])
        assert _ids(answer.result) <= of_harbor
        assert "northfield" not in json.dumps(answer.body).lower()
        walked |= _edges(answer.result)
    assert {one for one in walked if one.startswith(PROGRAMS)} == {
        *("Application.scopes", "AccessToken.scopes"),
        *("Application.groups", "Application.apiKeys", "Application.accessTokens", "ApiKey.application"),
        *("AccessToken.application", "AccessToken.organization", "AccessToken.groups"),
    }


async def test_no_edge_leads_out_of_the_organization(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser of Harbor walks everything from the organization on, whatever it costs."""
    monkeypatch.setattr("caregraph.http.documents.Documents.is_trusted", lambda *_: True)
    await make_northfield(world)
    town = await make_harbor(world)
    organization = global_id("Organization", world.other_superuser.organization_id)
    users = {world.other_superuser.id, world.other_user.id}
    apart = {town.ids[name] for name in ("invitation", "feature", *CONTENT.values(), "related", "draft")}
    apart -= {
        town.ids[name] for name in ("answers", "response", "answer_score")
    }  # no edge of the organization leads to the others
    kind = CORE.type_map["Organization"]

    answer = await world.other_superuser.ask(f"{{ result: organization {_selection(kind, DEPTH)} }}")

    assert _ids(answer.result) == {*town.ids.values(), *users, organization} - apart
    assert "northfield" not in json.dumps(answer.body).lower()


SHARED = """
query($id: ID!) {
  episode(id: $id) {
    clients { fullName }
    raters { fullName }
    labels { name }
    sessions { totalCount nodes { scores { total rater { fullName } } orsScores { total } srsScores { total } } }
    scoresBySession { series { client { fullName } rater { fullName } latest points { ors { total } srs { total } } } }
  }
}
"""


async def _shared(principal: Principal, town: Town) -> Any:
    return (await principal.ask(SHARED, id=town.ids["shared"])).data["episode"]


def _half(name: str, rater: str, ors: float, srs: float, rated: float) -> dict[str, Any]:
    scores = [
        {"total": ors, "rater": None},
        {"total": srs, "rater": None},
        {"total": rated, "rater": {"fullName": rater}},
    ]
    own = {
        "client": {"fullName": name},
        "rater": None,
        "latest": ors,
        "points": [{"ors": {"total": ors}, "srs": {"total": srs}}],
    }
    raters = {
        "client": {"fullName": name},
        "rater": {"fullName": rater},
        "latest": rated,
        "points": [{"ors": {"total": rated}, "srs": None}],
    }
    return {
        "clients": [{"fullName": name}],
        "raters": [{"fullName": rater}],
        "labels": [{"name": "Winter"}],
        "sessions": {
            "totalCount": 1,
            "nodes": [
                {"scores": scores, "orsScores": [{"total": ors}, {"total": rated}], "srsScores": [{"total": srs}]}
            ],
        },
        "scoresBySession": [{"series": [own, raters]}],
    }


async def test_each_owner_sees_a_half_of_a_shared_episode_and_the_superuser_both(world: World) -> None:
    town = await make_northfield(world)
    bens = _half("Ann", "Ann's mother", 4.0, 8.0, 12.0)
    cleos = _half("HIDDEN Bo", "HIDDEN father", 28.0, 32.0, 36.0)

    assert await _shared(world.user, town) == bens
    assert await _shared(world.colleague, town) == cleos
    both = await _shared(world.superuser, town)
    assert both["clients"] == bens["clients"] + cleos["clients"]
    assert both["raters"] == bens["raters"] + cleos["raters"]
    scores = [node["sessions"]["nodes"][0]["scores"] for node in (bens, cleos)]
    assert both["sessions"]["nodes"][0]["scores"] == scores[0] + scores[1]
    assert len(both["scoresBySession"][0]["series"]) == 4
    assert await _shared(world.other_superuser, town) is None


async def test_a_client_with_two_owners_is_whole_to_both(world: World) -> None:
    town = await make_northfield(world)
    async with world.writing(world.colleague) as tx:
        tx.add(ClientOwner(client_id=town.ann.id, user_id=world.colleague.row_id))
    query = "query($id: ID!) { client(id: $id) { owners { fullName } episodes { totalCount nodes { title } } } }"

    answers = [(await one.ask(query, id=town.ids["ann"])).data["client"] for one in (world.user, world.colleague)]

    expected = {
        "owners": [{"fullName": "Ben Borg"}, {"fullName": "Cleo Cruz"}],
        "episodes": {"totalCount": 2, "nodes": [{"title": "Shared"}, {"title": "Alone"}]},
    }
    assert answers == [expected, expected]


async def test_lists_counts_filters_and_searches_know_nothing_hidden(world: World) -> None:
    town = await make_northfield(world)
    await make_harbor(world)
    page = "{ totalCount nodes { id } }"
    query = f"""query($cleo: ID!, $cleos: ID!) {{
        clients {page} owned: clients(scope: OWNED) {page} cleos: clients(scope: OWNED, userId: $cleos) {page}
        named: clients(search: "hidden") {page} number: clients(search: "999") {page}
        exact: clients(where: {{fullName: {{eq: "HIDDEN Bo"}}}}) {page}
        labelled: clients(labels: ["Winter"]) {page}
        episodes {page} titled: episodes(search: "HIDDEN") {page} tagged: episodes(labels: ["Winter"]) {page}
        cleosEpisodes: episodes(scope: OWNED, userId: $cleos) {page}
        sessions {page} orsScores {page} srsScores {page} labels {page}
        user(id: $cleo) {{ clients {page} }}
        me {{ clients {page} }}
    }}"""

    answer = await world.user.ask(query, cleo=world.colleague.id, cleos=world.colleague.id)

    ids = town.ids
    expected = {
        **dict.fromkeys(("clients", "owned", "labelled"), ("ann",)),
        **dict.fromkeys(("cleos", "named", "number", "exact", "titled"), ()),
        **dict.fromkeys(("episodes", "tagged"), ("shared", "alone")),
        "cleosEpisodes": ["shared"],
        "sessions": ["session", "alone_session"],
        "orsScores": ["ann_ors", "ann_rated"],
        "srsScores": ["ann_srs"],
        "labels": ["label"],
    }
    data = answer.data
    assert data.pop("user") == {"clients": {"totalCount": 0, "nodes": []}}
    assert data.pop("me") == {"clients": {"totalCount": 1, "nodes": [{"id": ids["ann"]}]}}
    assert data == {
        name: {"totalCount": len(rows), "nodes": [{"id": ids[row]} for row in rows]} for name, rows in expected.items()
    }


async def test_a_cursor_of_someone_else_opens_nothing(world: World) -> None:
    await make_northfield(world)
    await make_harbor(world)
    query = """query($after: String, $before: String) {
        clients(after: $after, before: $before) { totalCount nodes { fullName } edges { cursor } }
    }"""
    cursors = [
        edge["cursor"]
        for one in (world.superuser, world.other_superuser)
        for edge in (await one.ask(query)).data["clients"]["edges"]
    ]

    assert len(cursors) == 4
    for cursor in cursors:
        for argument in ("after", "before"):
            page = (await world.user.ask(query, **{argument: cursor})).data["clients"]
            assert page["totalCount"] == 1
            assert page["nodes"] in ([], [{"fullName": "Ann"}])


async def test_a_foreign_label_is_as_unknown_as_one_that_nobody_has(world: World) -> None:
    await make_northfield(world)
    await make_harbor(world)

    for field in ("clients", "episodes"):
        found = [
            (
                await world.superuser.ask(
                    f"query($name: String!) {{ {field}(labels: [$name]) {{ totalCount }} }}", name=name
                )
            ).body
            for name in ("HIDDEN label", "HIDDEN lobel")
        ]
        assert found[0]["errors"][0]["message"] == "There is no label named 'HIDDEN label'"
        assert json.dumps(found[0]).replace("label'", "lobel'") == json.dumps(found[1])


async def test_charts_show_no_series_of_a_hidden_client(world: World) -> None:
    town = await make_northfield(world)
    ids = town.ids
    query = """query($episode: ID!, $client: ID!) { episode(id: $episode) {
        scoresBySession(clientId: $client) { series { latest } }
    } }"""

    async def latest(principal: Principal, client: str) -> list[float]:
        answer = await principal.ask(query, episode=ids["shared"], client=ids[client])
        ((chart),) = answer.data["episode"]["scoresBySession"]
        return [series["latest"] for series in chart["series"]]

    assert await latest(world.user, "ann") == [4.0, 12.0]
    assert await latest(world.user, "bo") == []
    assert await latest(world.colleague, "bo") == [28.0, 36.0]
    assert await latest(world.superuser, "bo") == [28.0, 36.0]


async def test_statistics_are_of_ones_own_clients(world: World) -> None:
    await make_northfield(world)
    await make_harbor(world)
    indices = "{ nClients nEpisodes nOrs nSrs nRaters meanIntakeOrs }"
    mine = f"""{{ userStatistics(groupBy: [CLIENT_LABEL, USER]) {{
        total {indices} groups {{ keys {{ label }} indices {indices} }}
    }} }}"""
    whole = f"{{ organizationStatistics(groupBy: [USER]) {{ total {indices} groups {{ keys {{ label }} }} }} }}"

    ben = (await world.user.ask(mine)).data["userStatistics"]
    cleo = (await world.colleague.ask(mine)).data["userStatistics"]
    ada = (await world.superuser.ask(whole)).data["organizationStatistics"]
    olga = (await world.other_superuser.ask(whole)).data["organizationStatistics"]

    anns = {"nClients": 1, "nEpisodes": 2, "nOrs": 1, "nSrs": 1, "nRaters": 1, "meanIntakeOrs": 4.0}
    assert ben["total"] == anns
    assert ben["groups"] == [{"keys": [{"label": "Winter"}, {"label": "Ben Borg"}], "indices": anns}]
    assert cleo["total"] == {"nClients": 2, "nEpisodes": 2, "nOrs": 2, "nSrs": 1, "nRaters": 1, "meanIntakeOrs": 26.0}
    assert (ada["total"]["nClients"], ada["total"]["nOrs"]) == (3, 3)
    assert [group["keys"][0]["label"] for group in ada["groups"]] == ["Ben Borg", "Cleo Cruz"]
    assert (olga["total"]["nClients"], olga["total"]["nOrs"]) == (1, 1)
    assert [group["keys"][0]["label"] for group in olga["groups"]] == ["Otto Orr"]


async def test_statistics_of_another_user_are_for_superusers_of_the_same_organization(world: World) -> None:
    await make_northfield(world)
    query = "query($id: ID) { userStatistics(userId: $id) { total { nClients } } }"

    assert (await world.user.ask(query, id=world.colleague.id)).error == ("FORBIDDEN", "Access denied")
    assert (await world.superuser.ask(query, id=world.colleague.id)).data["userStatistics"]["total"] == {"nClients": 2}
    assert (await world.superuser.ask(query, id=world.other_user.id)).data["userStatistics"] is None
    assert (await world.user.ask(query, id=world.user.id)).data["userStatistics"]["total"] == {"nClients": 1}


async def test_of_other_users_one_sees_id_e_mail_and_name(world: World) -> None:
    await make_northfield(world)
    query = """query($id: ID!) { user(id: $id) {
        id email fullName firstName lastName phone gender photoUrl createdAt updatedAt
        gdprApproval locale timeZone apiEnabled screenLockAfterScore screenLockCode screenLockTimeout
        roles organization { name }
    } }"""
    nobody_s_business = ("gdprApproval", "apiEnabled", "screenLockAfterScore", "roles", "organization")

    seen = (await world.user.ask(query, id=world.colleague.id)).data["user"]
    own = (await world.user.ask(query, id=world.user.id)).data["user"]
    by_superuser = (await world.superuser.ask(query, id=world.colleague.id)).data["user"]

    shown = {name: value for name, value in seen.items() if value is not None}
    assert shown == {
        "id": world.colleague.id,
        "email": "cleo@northfield.example",
        "fullName": "Cleo Cruz",
        "firstName": "Cleo",
        "lastName": "Cruz",
        "organization": {"name": "Northfield"},
    }
    assert [own[name] for name in nobody_s_business] == [False, True, False, [], {"name": "Northfield"}]
    assert [by_superuser[name] for name in nobody_s_business] == [False, True, False, [], {"name": "Northfield"}]
