"""`gloo.domains.*`: domains on assessments. What domains and scales have the same is in `test_gloo_scales.py`."""

from typing import Any

import pytest

from caregraph.assessments.enums import Privacy
from caregraph.assessments.models import Domain
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, refused, strange_ids
from contract.test_gloo_scales import HERE, MADE
from factories.assessments import make_assessment, make_domain, make_grant, make_item, make_scale, make_tag, put_on
from kit import World

FORBIDDEN = ("FORBIDDEN", "Access denied")
FIRST, DOMAIN = global_id("Assessment", 1), global_id("Domain", 1)
BOTH = {"assessmentId": FIRST, "domainId": DOMAIN}
TEXTS = {"name": "New", "description": "What it is", "displayName": "Life"}
LIFE = {**MADE["domains"], "name": "Life", "displayName": "Life"}
ON_IT = """query($id: ID!) { assessment(id: $id) { domains { name } scales { name }
    assessmentItems { nodes { position item { text } } } } }"""
CALLS: list[tuple[str, dict[str, Any], bool]] = [
    ("gloo.domains.get", {"id": DOMAIN}, False),
    ("gloo.domains.list_library", HERE, False),
    ("gloo.domains.list_for_organization", HERE, False),
    ("gloo.domains.list_for_assessment", {"assessmentId": FIRST}, False),
    ("gloo.domains.create", {**HERE, **TEXTS}, True),
    ("gloo.domains.update", {"id": DOMAIN, **TEXTS}, True),
    ("gloo.domains.add_to_assessment", BOTH, True),
    ("gloo.domains.remove_from_assessment", BOTH, True),
]


@pytest.mark.parametrize(("call", "variables", "writes"), CALLS)
async def test_strangers_are_refused(world: World, call: str, variables: dict[str, Any], *, writes: bool) -> None:
    await make_domain(world.superuser)
    await make_assessment(world.superuser)

    await assert_nobody_is_refused(world, call, **variables)
    async with changes(world) as found:
        assert (await world.calculator.run(call, **variables)).error == FORBIDDEN
        if writes:
            assert (await world.user.run(call, **variables)).error == FORBIDDEN
    assert found == {}


async def test_add_to_assessment_brings_scales_and_items_along(world: World) -> None:
    ada = world.superuser
    one, two = await make_item(ada, "One"), await make_item(ada, "Two")
    mood, sleep = await make_scale(ada, "Mood", one), await make_scale(ada, "Sleep", one, two)
    await make_domain(ada, "Life", mood, sleep)
    await put_on(ada, await make_assessment(ada), mood)

    async with changes(world) as found:
        answer = await ada.run("gloo.domains.add_to_assessment", **BOTH)
    assert answer.result == changed({"id": FIRST})
    assert found == {"assessment_domains": 1, "assessment_scales": 1, "assessment_items": 2}
    assert (await ada.ask(ON_IT, id=FIRST)).data["assessment"] == {
        "domains": [{"name": "Life"}],
        "scales": [{"name": "Mood"}, {"name": "Sleep"}],
        "assessmentItems": {
            "nodes": [{"position": 1, "item": {"text": "One"}}, {"position": 2, "item": {"text": "Two"}}]
        },
    }
    listed = await world.user.run("gloo.domains.list_for_assessment", assessmentId=FIRST)
    assert listed.result == {"domains": [LIFE]}
    assert (await world.other_user.run("gloo.domains.list_for_assessment", assessmentId=FIRST)).result is None

    async with changes(world) as found:
        again = await ada.run("gloo.domains.add_to_assessment", **BOTH)
    assert again.result == refused("CONFLICT", "The domain is on this assessment already", "domainId")
    assert found == {}


async def test_remove_from_assessment_leaves_scales_and_items(world: World) -> None:
    ada = world.superuser
    item = await make_item(ada, "One")
    scale = await make_scale(ada, "Mood", item)
    await put_on(ada, await make_assessment(ada), item, scale, await make_domain(ada, "Life", scale))

    async with changes(world) as found:
        answer = await ada.run("gloo.domains.remove_from_assessment", **BOTH)
        again = await ada.run("gloo.domains.remove_from_assessment", **BOTH)

    assert answer.result == changed({"id": FIRST})
    assert again.result == refused("NOT_FOUND", "Domain not found", "domainId")
    assert found == {"assessment_domains": -1}
    assert (await ada.ask(ON_IT, id=FIRST)).data["assessment"] == {
        "domains": [],
        "scales": [{"name": "Mood"}],
        "assessmentItems": {"nodes": [{"position": 1, "item": {"text": "One"}}]},
    }


@pytest.mark.parametrize("call", ["gloo.domains.add_to_assessment", "gloo.domains.remove_from_assessment"])
async def test_others_and_frozen_assessments_stay_as_they_are(world: World, call: str) -> None:
    ada, olga = world.superuser, world.other_superuser
    foreign = await make_domain(olga, "Private")
    domain = await make_domain(ada, "Life", privacy=Privacy.PUBLIC)
    draft, public = await make_assessment(ada), await make_assessment(ada, "Public", privacy=Privacy.PUBLIC)
    await put_on(ada, public, domain)
    ids = {"assessmentId": global_id("Assessment", public.id), "domainId": global_id("Domain", domain.id)}

    async with changes(world) as found:
        frozen = await ada.run(call, **ids)
        theirs = await olga.run(call, **ids)
        hidden = await olga.run(call, **{**ids, "assessmentId": global_id("Assessment", draft.id)})
        for strange in strange_ids("Domain", Domain(id=foreign.id)):
            answer = await ada.run(call, assessmentId=global_id("Assessment", draft.id), domainId=strange)
            assert answer.result == refused("NOT_FOUND", "Domain not found", "domainId")

    assert frozen.result == refused("CONFLICT", "The assessment is shared or in use and can no longer be changed", "id")
    assert theirs.result == refused("CONFLICT", "The assessment belongs to another organization", "id")
    assert hidden.result == refused("NOT_FOUND", "Assessment not found", "id")
    assert found == {}


async def test_a_domain_with_hidden_parts_is_not_added_half(world: World) -> None:
    """Northfield lends Harbor a scale; a third organization reads Harbor's public domain, but not the scale."""
    tess = await world.member(await world.organization("Third"), "tess@third.example", "Tess", is_superuser=True)
    lent = await make_scale(world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(world.superuser, lent, 2)
    await make_domain(world.other_superuser, "Life", lent, privacy=Privacy.PUBLIC)
    await make_assessment(tess)
    hidden = "Parts of it are not shared with your organization"

    async with changes(world) as found:
        added = await tess.run("gloo.domains.add_to_assessment", **BOTH)
        cloned = await tess.ask(CLONE, id=DOMAIN)

    assert added.result == refused("CONFLICT", hidden, "domainId")
    assert cloned.result == refused("CONFLICT", hidden, "id")
    assert found == {}


CLONE = """mutation($id: ID!) { result: cloneDomain(id: $id) {
    node { name privacy isOwn scales { name } tags { nodes { name } } } errors { code message path } } }"""


async def test_a_clone_has_the_same_scales_and_tags(world: World) -> None:
    scale = await make_scale(world.superuser)
    domain = await make_domain(world.superuser, "Life", scale, privacy=Privacy.PUBLIC)
    await make_tag(world.superuser, "Tagged", domain)
    copy = {"privacy": "PRIVATE", "isOwn": True, "scales": [{"name": "Mood"}], "tags": {"nodes": [{"name": "Tagged"}]}}

    async with changes(world) as found:
        own = await world.superuser.ask(CLONE, id=DOMAIN)
        again = await world.superuser.ask(CLONE, id=DOMAIN)
        theirs = await world.other_superuser.ask(CLONE, id=DOMAIN)

    assert own.result == changed({**copy, "name": "[Clone] Life"})
    assert again.result == changed({**copy, "name": "[Clone] Life (2)"})
    assert theirs.result == changed({**copy, "name": "[Clone] Life"})
    assert found == {"domains": 3, "domain_scales": 3, "domain_tags": 3}
