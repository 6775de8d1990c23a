"""`gloo.scales.*`, and what `gloo.domains.*` have the same: creating, changing, listing, archiving."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.assessments.enums import Privacy
from caregraph.assessments.models import Scale
from caregraph.graph.node import global_id
from caregraph.organizations.models import Organization
from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused, strange_ids
from factories.assessments import (
    make_assessment,
    make_domain,
    make_grant,
    make_item,
    make_scale,
    make_tag,
    put_on,
)
from factories.organizations import grant
from kit import Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NORTHFIELD, HARBOR = global_id("Organization", 1), global_id("Organization", 2)
HERE = {"organizationId": NORTHFIELD}
LIMITS = ("max", "min", "maxSum", "maxMean", "minSum", "minMean")
BOTH = {
    "displayScoreType": "SUM_SCORE",
    "longitudinalLabelType": "RAW_RESULT_NUMBER_RANGE",
    **{f"{one}Score": None for one in LIMITS},
    "isEditable": True,
    "archivedAt": None,
    "createdAt": ANY,
    "updatedAt": ANY,
    "organization": {"id": NORTHFIELD},
    "privacy": "PRIVATE",
    "identifier": None,
}
TEXTS = {"name": "Mood", "description": "What it is", "displayName": "Mood"}
MADE: dict[str, dict[str, Any]] = {
    "scales": {
        **BOTH,
        **TEXTS,
        "id": global_id("Scale", 1),
        "scaleType": "ORDINAL",
        "parentScale": None,
        "createdBy": {"id": global_id("User", 1)},
    },
    "domains": {
        **BOTH,
        **TEXTS,
        "id": global_id("Domain", 1),
        "assessment": None,
        "preferredVisualization": "BAR_CHART",
        "tableSort": "DESC",
        "scaleCountType": "ALL_SCALES",
        "tableRowCount": None,
        "showBarChartLabels": True,
        "stdDev": None,
    },
}
MAKERS: dict[str, Any] = {"scales": make_scale, "domains": make_domain}
TYPES = {"scales": "Scale", "domains": "Domain"}
SCALE, FIRST, LIFE = MADE["scales"]["id"], global_id("Assessment", 1), global_id("Domain", 1)
OF_SCALE_AND_ASSESSMENT = {"assessmentId": FIRST, "scaleId": SCALE}
READS: list[tuple[str, dict[str, Any]]] = [
    ("gloo.scales.get", {"id": SCALE}),
    ("gloo.scales.list_library", HERE),
    ("gloo.scales.list_for_organization", HERE),
    ("gloo.scales.list_for_assessment", {"assessmentId": FIRST}),
    ("gloo.scales.list_for_domain", {"domainId": LIFE}),
]
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("gloo.scales.create", {**HERE, **TEXTS, "name": "New"}),
    ("gloo.scales.update", {"id": SCALE, **TEXTS}),
    ("gloo.scales.clone", {"id": SCALE}),
    ("gloo.scales.add_to_assessment", OF_SCALE_AND_ASSESSMENT),
    ("gloo.scales.remove_from_assessment", OF_SCALE_AND_ASSESSMENT),
    ("gloo.scales.add_to_domain", {"domainId": LIFE, "scaleId": SCALE}),
]
each_kind = pytest.mark.parametrize("kind", MADE)


def _one(kind: str, number: int = 1, **overrides: Any) -> dict[str, Any]:
    return {**MADE[kind], "id": global_id(TYPES[kind], number), **overrides}


def _by(kind: str, principal: Principal) -> dict[str, Any]:
    return {"createdBy": {"id": principal.id}} if kind == "scales" else {}


def _of_others(kind: str) -> dict[str, Any]:
    return {"organization": None, **({"createdBy": None} if kind == "scales" else {})}


async def _make(principal: Principal, kind: str, name: str = "Mood", **overrides: Any) -> Any:
    return await MAKERS[kind](principal, name, **{"display_name": "Mood", **overrides})


@pytest.mark.parametrize(("call", "variables"), READS + WRITES)
async def test_strangers_are_refused(world: World, call: str, variables: dict[str, Any]) -> None:
    scale = await make_scale(world.superuser)
    await make_domain(world.superuser)
    await put_on(world.superuser, await make_assessment(world.superuser), scale)

    await assert_nobody_is_refused(world, call, **variables)
    async with changes(world) as found:
        assert (await world.calculator.run(call, **variables)).error == FORBIDDEN
        if (call, variables) in WRITES:
            assert (await world.user.run(call, **variables)).error == FORBIDDEN
    assert found == {}


@each_kind
async def test_create_is_for_authors(world: World, kind: str) -> None:
    author = await grant(world.user, "CREATE_ASSESSMENT")

    async with changes(world) as found:
        answer = await author.run(f"gloo.{kind}.create", **HERE, **TEXTS)
        public = await author.run(f"gloo.{kind}.create", **HERE, **{**TEXTS, "name": "Open"}, privacy="PUBLIC")

    assert answer.result == changed(_one(kind, **_by(kind, author)))
    expected = _one(kind, 2, name="Open", privacy="PUBLIC", isEditable=False, **_by(kind, author))
    assert public.result == changed(expected)
    assert found == {kind: 2}

    async with changes(world) as found:
        for strange in strange_ids("Organization", Organization(id=2)):
            elsewhere = await author.run(f"gloo.{kind}.create", organizationId=strange, **{**TEXTS, "name": "x"})
            assert elsewhere.result == refused("NOT_FOUND", "Organization not found", "organizationId")
    assert found == {}


@each_kind
@pytest.mark.parametrize("name", ["name", "description", "displayName"])
async def test_texts_have_the_documented_limits(world: World, kind: str, name: str) -> None:
    await _make(world.superuser, kind)
    at = {"id": MADE[kind]["id"]}
    exact = await world.superuser.run(f"gloo.{kind}.update", **at, **{**TEXTS, name: "x" * 500})
    assert exact.result["errors"] == []

    async with changes(world) as found:
        for text, message in (("x" * 501, "must have at most 500 characters"), (" ", "must not be empty")):
            expected = refused("INVALID", message, "input", name)
            values = {**TEXTS, name: text}
            assert (await world.superuser.run(f"gloo.{kind}.create", **HERE, **values)).result == expected
            assert (await world.superuser.run(f"gloo.{kind}.update", **at, **values)).result == expected
    assert found == {}


@each_kind
async def test_a_name_is_unique_and_verticals_are_for_assessments(world: World, kind: str) -> None:
    await _make(world.superuser, kind)
    await _make(world.superuser, kind, "Other")
    assert (await world.other_superuser.run(f"gloo.{kind}.create", organizationId=HARBOR, **TEXTS)).result[
        "errors"
    ] == []
    taken = refused("CONFLICT", f"A {TYPES[kind].lower()} with this name already exists", "input", "name")
    vertical = refused("INVALID", "Only assessments can be limited to verticals", "input", "privacy")
    second = {"id": global_id(TYPES[kind], 2)}

    async with changes(world) as found:
        assert (await world.superuser.run(f"gloo.{kind}.create", **HERE, **TEXTS)).result == taken
        assert (await world.superuser.run(f"gloo.{kind}.update", **second, **TEXTS)).result == taken
        limited = {**TEXTS, "name": "New", "privacy": "LIMITED_TO_VERTICALS"}
        assert (await world.superuser.run(f"gloo.{kind}.create", **HERE, **limited)).result == vertical
        assert (await world.superuser.run(f"gloo.{kind}.update", **second, **limited)).result == vertical
    assert found == {}


@each_kind
async def test_update_changes_what_nobody_else_relies_on(world: World, kind: str) -> None:
    ada, olga, at = world.superuser, world.other_superuser, {"id": MADE[kind]["id"]}
    row = await _make(ada, kind)
    foreign = await _make(olga, kind, "Foreign")
    new = {"name": "New", "description": "Other words", "displayName": "Shown"}
    noun = TYPES[kind].lower()
    frozen = refused("CONFLICT", f"The {noun} is shared or in use and can no longer be changed", "id")

    limited = await ada.run(f"gloo.{kind}.update", **at, **new, privacy="LIMITED_TO_ORGANIZATIONS")
    assert limited.result == changed(_one(kind, **new, privacy="LIMITED_TO_ORGANIZATIONS"))
    await make_grant(ada, row, 2)
    async with changes(world) as found:
        theirs = (await olga.run(f"gloo.{kind}.update", **at, **TEXTS)).result
        for strange in strange_ids(TYPES[kind], foreign):
            answer = await ada.run(f"gloo.{kind}.update", id=strange, **TEXTS)
            assert answer.result == refused("NOT_FOUND", f"{TYPES[kind]} not found", "id")
    assert theirs == refused("CONFLICT", f"The {noun} belongs to another organization", "id")
    assert found == {}

    await put_on(olga, await make_assessment(olga), row)
    assert (await ada.run(f"gloo.{kind}.update", **at, **TEXTS)).result == frozen
    public = await _make(ada, kind, "Public", privacy=Privacy.PUBLIC)
    answer = await ada.run(f"gloo.{kind}.update", id=global_id(TYPES[kind], public.id), **TEXTS, privacy="PRIVATE")
    assert answer.result == frozen


@each_kind
async def test_what_stands_in_something_public_is_frozen(world: World, kind: str) -> None:
    ada = world.superuser
    await put_on(ada, await make_assessment(ada, privacy=Privacy.PUBLIC), await _make(ada, kind))
    noun = TYPES[kind].lower()

    async with changes(world) as found:
        answer = await ada.run(f"gloo.{kind}.update", id=MADE[kind]["id"], **TEXTS)

    message = f"The {noun} is shared or in use and can no longer be changed"
    assert (answer.result, found) == (refused("CONFLICT", message, "id"), {})


@each_kind
async def test_get_shows_what_one_may_read(world: World, kind: str) -> None:
    row = await _make(world.superuser, kind, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    foreign = await _make(world.other_superuser, kind)
    expected = _one(kind, privacy="LIMITED_TO_ORGANIZATIONS")
    at = {"id": MADE[kind]["id"]}

    assert (await world.user.run(f"gloo.{kind}.get", **at)).result == expected
    assert (await world.other_user.run(f"gloo.{kind}.get", **at)).result is None
    for strange in strange_ids(TYPES[kind], foreign):
        assert (await world.user.run(f"gloo.{kind}.get", id=strange)).result is None
    await make_grant(world.superuser, row, 2)
    theirs = {**expected, **_of_others(kind), "isEditable": False}
    assert (await world.other_user.run(f"gloo.{kind}.get", **at)).result == theirs


@each_kind
async def test_lists_show_one_s_own_and_the_library_what_one_may_use(world: World, kind: str) -> None:
    ada, olga = world.superuser, world.other_superuser
    first = await _make(ada, kind)
    await _make(ada, kind, "Sleep")
    await _make(ada, kind, "Old", archived_at=first.created_at)
    await _make(olga, kind, "Public", privacy=Privacy.PUBLIC)
    await _make(olga, kind, "Private")
    lent = await _make(olga, kind, "Lent", privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(olga, lent, 1)

    async def names(call: str, **variables: Any) -> list[str]:
        answer = await world.user.run(f"gloo.{kind}.{call}", **{**HERE, **variables})
        return [one["name"] for one in answer.result["nodes"]]

    own, library = "list_for_organization", "list_library"
    assert (await world.user.run(f"gloo.{kind}.list_for_organization", **HERE, q="MOO")).result == page(_one(kind))
    assert (await world.user.run(f"gloo.{kind}.list_library", **HERE, onlyShared=True)).result == page(
        _one(kind, 6, name="Lent", privacy="LIMITED_TO_ORGANIZATIONS", isEditable=False, **_of_others(kind))
    )
    assert await names(own) == ["Mood", "Sleep"]
    assert await names(own, sort=["NAME_DESC"], first=1, offset=1) == ["Mood"]
    assert await names(own, archived=True) == ["Old"]
    assert await names(own, archived=False, q="p") == ["Sleep"]
    assert await names(library, sort=["NAME_ASC"]) == ["Lent", "Mood", "Public", "Sleep"]
    assert await names(library, onlyShared=False, q="p") == ["Sleep", "Public"]
    for strange in strange_ids("Organization", Organization(id=2)):
        assert await names(own, organizationId=strange) == []
        assert await names(library, organizationId=strange) == []


@each_kind
async def test_archived_content_leaves_the_lists_and_returns(world: World, kind: str) -> None:
    ada = world.superuser
    await _make(ada, kind)
    archive = f"""mutation($id: ID!, $archived: Boolean! = true) {{
        result: archive{TYPES[kind]}(id: $id, archived: $archived) {{
            node {{ archivedAt }} errors {{ code message path }} }} }}"""
    at = {"id": MADE[kind]["id"]}

    first = (await ada.ask(archive, **at)).result["node"]["archivedAt"]
    assert first is not None
    assert (await ada.ask(archive, **at)).result == changed({"archivedAt": first})
    assert (await ada.run(f"gloo.{kind}.list_library", **HERE)).result == page()
    assert (await ada.run(f"gloo.{kind}.list_for_organization", **HERE, archived=True)).result["totalCount"] == 1
    assert (await ada.ask(archive, **at, archived=False)).result == changed({"archivedAt": None})
    assert (await ada.run(f"gloo.{kind}.list_library", **HERE)).result == page(_one(kind))


async def test_clone_copies_a_scale_that_one_may_use(world: World) -> None:
    ada, olga = world.superuser, world.other_superuser
    items = [await make_item(ada, text) for text in ("One", "Two")]
    made = await make_scale(ada, "Mood", *items, privacy=Privacy.PUBLIC)
    await make_tag(ada, "Tagged", made)
    links = {"item_scales": 2, "scale_tags": 1}

    async with changes(world) as found:
        own = [await ada.run("gloo.scales.clone", id=SCALE) for _ in range(2)]
        theirs = await olga.run("gloo.scales.clone", id=SCALE)
    expected = _one("scales", displayName="Mood")
    assert [one.result for one in own] == [
        changed({**expected, "id": global_id("Scale", 2), "name": "[Clone] Mood", **_by("scales", ada)}),
        changed({**expected, "id": global_id("Scale", 3), "name": "[Clone] Mood (2)", **_by("scales", ada)}),
    ]
    mine = {"organization": {"id": HARBOR}, **_by("scales", olga)}
    assert theirs.result == changed({**expected, "id": global_id("Scale", 4), "name": "[Clone] Mood", **mine})
    assert found == {"scales": 3, **{name: 3 * count for name, count in links.items()}}
    parts = "query($id: ID!) { scale(id: $id) { items { nodes { text } } tags { nodes { name } } } }"
    answer = await olga.ask(parts, id=global_id("Scale", 4))
    assert answer.data["scale"] == {
        "items": {"nodes": [{"text": "One"}, {"text": "Two"}]},
        "tags": {"nodes": [{"name": "Tagged"}]},
    }


async def test_a_clone_s_name_is_not_longer_than_names_are(world: World) -> None:
    await make_scale(world.superuser, "x" * 500)

    own = [await world.superuser.run("gloo.scales.clone", id=SCALE) for _ in range(2)]

    names = [one.result["node"]["name"] for one in own]
    assert names == [f"[Clone] {'x' * 492}", f"[Clone] {'x' * 482} (2)"]


async def test_clone_is_refused_where_parts_are_hidden(world: World) -> None:
    tess = await world.member(await world.organization("Third"), "tess@third.example", "Tess", is_superuser=True)
    item = await make_item(world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.superuser, item, 2)
    await make_scale(world.other_superuser, "Mood", item, privacy=Privacy.PUBLIC)
    foreign = await make_scale(world.other_superuser, "Private")
    assessment = await make_assessment(tess)
    hidden = "Parts of it are not shared with your organization"
    add = {"assessmentId": global_id("Assessment", assessment.id), "scaleId": SCALE}

    async with changes(world) as found:
        assert (await tess.run("gloo.scales.clone", id=SCALE)).result == refused("CONFLICT", hidden, "id")
        added = await tess.run("gloo.scales.add_to_assessment", **add)
        for strange in strange_ids("Scale", foreign):
            answer = await tess.run("gloo.scales.clone", id=strange)
            assert answer.result == refused("NOT_FOUND", "Scale not found", "id")
    assert added.result == refused("CONFLICT", hidden, "scaleId")
    assert found == {}


async def test_add_to_assessment_brings_the_items_along(world: World) -> None:
    ada = world.superuser
    items = [await make_item(ada, text) for text in ("One", "Two", "Three")]
    await make_scale(ada, "Mood", *items)
    await put_on(ada, await make_assessment(ada), items[1])
    expected = changed({"id": FIRST})

    async with changes(world) as found:
        assert (await ada.run("gloo.scales.add_to_assessment", **OF_SCALE_AND_ASSESSMENT)).result == expected

    assert found == {"assessment_scales": 1, "assessment_items": 2}
    placed = await ada.ask(
        "query($id: ID!) { assessment(id: $id) { assessmentItems { nodes { position item { text } } } } }", id=FIRST
    )
    assert placed.data["assessment"]["assessmentItems"]["nodes"] == [
        {"position": 1, "item": {"text": "Two"}},
        {"position": 2, "item": {"text": "One"}},
        {"position": 3, "item": {"text": "Three"}},
    ]
    listed = (await world.user.run("gloo.scales.list_for_assessment", assessmentId=FIRST)).result
    assert listed == {"scales": [_one("scales")]}
    async with changes(world) as found:
        again = await ada.run("gloo.scales.add_to_assessment", **OF_SCALE_AND_ASSESSMENT)
    assert again.result == refused("CONFLICT", "The scale is on this assessment already", "scaleId")
    assert found == {}


async def test_remove_from_assessment_takes_the_domains_of_the_scale_along(world: World) -> None:
    ada = world.superuser
    item = await make_item(ada)
    mood, sleep = await make_scale(ada, "Mood", item), await make_scale(ada, "Sleep")
    both, alone = await make_domain(ada, "Both", mood, sleep), await make_domain(ada, "Alone", sleep)
    assessment = await make_assessment(ada)
    other = await make_assessment(ada, "Other")
    for one in (assessment, other):
        await put_on(ada, one, item, mood, sleep, both, alone)

    async with changes(world) as found:
        answer = await ada.run("gloo.scales.remove_from_assessment", **OF_SCALE_AND_ASSESSMENT)

    assert answer.result == changed({"id": FIRST})
    assert found == {"assessment_scales": -1, "assessment_domains": -1}
    left = "query($id: ID!) { assessment(id: $id) { scales { name } domains { name } assessmentItems { totalCount } } }"
    assert (await ada.ask(left, id=FIRST)).data["assessment"] == {
        "scales": [{"name": "Sleep"}],
        "domains": [{"name": "Alone"}],
        "assessmentItems": {"totalCount": 1},
    }
    async with changes(world) as found:
        again = await ada.run("gloo.scales.remove_from_assessment", **OF_SCALE_AND_ASSESSMENT)
    assert again.result == refused("NOT_FOUND", "Scale not found", "scaleId")
    assert found == {}


async def test_add_to_domain(world: World) -> None:
    ada, olga = world.superuser, world.other_superuser
    await make_scale(ada)
    await make_domain(ada)
    await make_domain(ada, "Public", privacy=Privacy.PUBLIC)
    to = {"domainId": LIFE, "scaleId": SCALE}

    async with changes(world) as found:
        assert (await ada.run("gloo.scales.add_to_domain", **to)).result == changed({"id": LIFE})
    assert found == {"domain_scales": 1}
    assert (await world.user.run("gloo.scales.list_for_domain", domainId=LIFE)).result == {"scales": [_one("scales")]}
    hers = await make_scale(olga, "Hers", privacy=Privacy.PUBLIC)
    public = {**to, "domainId": global_id("Domain", 2)}
    async with changes(world) as found:
        again = await ada.run("gloo.scales.add_to_domain", **to)
        frozen = await ada.run("gloo.scales.add_to_domain", **public)
        theirs = await olga.run("gloo.scales.add_to_domain", **{**public, "scaleId": global_id("Scale", hers.id)})
    assert again.result == refused("CONFLICT", "The scale is in this domain already", "scaleId")
    message = "The domain is shared or in use and can no longer be changed"
    assert frozen.result == refused("CONFLICT", message, "id")
    assert theirs.result == refused("CONFLICT", "The domain belongs to another organization", "id")
    assert found == {}


REMOVE = """mutation($domainId: ID!, $scaleId: ID!) {
    result: removeScaleFromDomain(id: $domainId, scaleId: $scaleId) { node { id } errors { code message path } } }"""


async def test_the_limits_of_a_domain_follow_its_scales(world: World) -> None:
    await make_scale(world.superuser, "Mood", await make_item(world.superuser, values=(0, 3)))
    await make_domain(world.superuser)
    limits = "query($id: ID!) { domain(id: $id) { minSumScore maxSumScore } }"

    await world.superuser.run("gloo.scales.add_to_domain", domainId=LIFE, scaleId=SCALE)
    full = await world.superuser.ask(limits, id=LIFE)
    await world.superuser.ask(REMOVE, domainId=LIFE, scaleId=SCALE)
    empty = await world.superuser.ask(limits, id=LIFE)

    assert full.data == {"domain": {"minSumScore": "0.0", "maxSumScore": "3.0"}}
    assert empty.data == {"domain": {"minSumScore": None, "maxSumScore": None}}


async def test_a_scale_is_taken_out_of_a_domain(world: World) -> None:
    scale = await make_scale(world.superuser)
    await make_domain(world.superuser, "Life", scale)

    async with changes(world) as found:
        answer = await world.superuser.ask(REMOVE, domainId=LIFE, scaleId=SCALE)
        again = await world.superuser.ask(REMOVE, domainId=LIFE, scaleId=SCALE)

    assert answer.result == changed({"id": LIFE})
    assert again.result == refused("NOT_FOUND", "Scale not found", "scaleId")
    assert found == {"domain_scales": -1}


async def test_hidden_wholes_and_parts_are_not_found(world: World) -> None:
    await make_scale(world.superuser)
    await make_assessment(world.superuser)
    await make_domain(world.superuser)
    foreign = await make_scale(world.other_superuser)
    missing = refused("NOT_FOUND", "Scale not found", "scaleId")

    async with changes(world) as found:
        for strange in strange_ids("Scale", Scale(id=foreign.id)):
            for call in ("gloo.scales.add_to_assessment", "gloo.scales.remove_from_assessment"):
                answer = await world.superuser.run(call, assessmentId=FIRST, scaleId=strange)
                assert answer.result == missing
            into = await world.superuser.run("gloo.scales.add_to_domain", domainId=LIFE, scaleId=strange)
            assert into.result == missing
        hers = {"assessmentId": FIRST, "scaleId": global_id("Scale", foreign.id)}
        hidden = await world.other_superuser.run("gloo.scales.add_to_assessment", **hers)
    assert hidden.result == refused("NOT_FOUND", "Assessment not found", "id")
    assert found == {}
    for call, variables in READS[3:]:
        assert (await world.other_user.run(call, **variables)).result is None
