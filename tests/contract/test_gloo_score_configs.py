"""`gloo.item_score_configs.*`, `gloo.scale_score_configs.*`, `gloo.domain_score_configs.*`: one shape for three kinds."""

from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.assessments import models
from caregraph.assessments.enums import Privacy, PublicationStatus, ScoreScope, ScoreType
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, page, refused, strange_ids
from factories.assessments import (
    make_answer_score,
    make_answers,
    make_assessment,
    make_calculation,
    make_config,
    make_domain,
    make_item,
    make_norm,
    make_scale,
    put_on,
)
from factories.organizations import grant
from kit import Answer, Principal, World

FORBIDDEN = ("FORBIDDEN", "Access denied")
CONFIG = {"name": "Total", "description": "All together"}


@dataclass(frozen=True)
class Kind:
    """One of the three resources."""

    name: str
    resource: str
    types: tuple[ScoreType, ...]
    limits: tuple[str, str]
    """The lowest and highest score of the first type for the content below."""

    async def run(self, principal: Principal, verb: str, **variables: Any) -> Answer:
        return await principal.run(f"gloo.{self.resource}.{verb}", **variables)

    async def delete(self, principal: Principal, config: Any) -> Answer:
        row_id = config if isinstance(config, str) else global_id("ScoreConfig", config.id)
        return await self.run(principal, "delete", **{f"{self.name}ScoreConfigId": row_id})

    def node(self, of: models.Content, score_type: str, **known: Any) -> dict[str, Any]:
        return {
            "id": global_id("ScoreConfig", 1),
            self.name: {"id": global_id(self.name.capitalize(), of.id)},
            **CONFIG,
            "scoreType": score_type,
            "scoreTypeScope": "INDIVIDUAL",
            "status": "DRAFT",
            "createdAt": ANY,
            "updatedAt": ANY,
            "percentileRankConfigs": [],
            "minScore": self.limits[0],
            "maxScore": self.limits[1],
            **known,
        }


ITEM = Kind(
    "item",
    "item_score_configs",
    (ScoreType.RAW_VALUE, ScoreType.SUM_OF_RAW_VALUES, ScoreType.MEAN_OF_RAW_VALUES),
    ("0.0", "3.0"),
)
SCALE = Kind(
    "scale",
    "scale_score_configs",
    (
        ScoreType.SCALE_SUM,
        ScoreType.SCALE_MEAN,
        ScoreType.AVERAGE_OF_SCALE_SUMS,
        ScoreType.AVERAGE_OF_SCALE_MEANS,
        ScoreType.GOAL_ATTAINMENT,
    ),
    ("0.0", "6.0"),
)
DOMAIN = Kind(
    "domain",
    "domain_score_configs",
    (
        ScoreType.DOMAIN_SUM,
        ScoreType.DOMAIN_MEAN,
        ScoreType.AVERAGE_OF_DOMAIN_SUMS,
        ScoreType.AVERAGE_OF_DOMAIN_MEANS,
    ),
    ("0.0", "6.0"),
)
KINDS = (ITEM, SCALE, DOMAIN)
COHORT = {
    ScoreType.SUM_OF_RAW_VALUES,
    ScoreType.MEAN_OF_RAW_VALUES,
    ScoreType.AVERAGE_OF_SCALE_SUMS,
    ScoreType.AVERAGE_OF_SCALE_MEANS,
    ScoreType.AVERAGE_OF_DOMAIN_SUMS,
    ScoreType.AVERAGE_OF_DOMAIN_MEANS,
}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


async def _content(author: Principal) -> dict[str, Any]:
    """Two items of 0 to 3 on a scale in a domain, all on an assessment."""
    items = [await make_item(author, text, values=(0, 1, 2, 3)) for text in ("Low?", "Tired?")]
    scale = await make_scale(author, "Mood", *items)
    domain = await make_domain(author, "Life", scale)
    assessment = await make_assessment(author)
    await put_on(author, assessment, items[0], scale, domain)
    return {"item": items[0], "scale": scale, "domain": domain, "assessment": assessment}


def _of(kind: Kind, content: dict[str, Any]) -> str:
    return global_id(kind.name.capitalize(), content[kind.name].id)


async def _create(
    kind: Kind, principal: Principal, content: dict[str, Any], score_type: ScoreType, **new: Any
) -> Answer:
    variables = {f"{kind.name}Id": _of(kind, content), **CONFIG, "scoreType": score_type.name, **new}
    return await kind.run(principal, "create", **variables)


@each_kind
async def test_create_makes_a_draft_whose_scope_follows_from_its_type(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    author = await grant(world.user, "CREATE_ASSESSMENT")

    async with changes(world) as found:
        first = await _create(kind, author, content, kind.types[0])
        others = [await _create(kind, author, content, one) for one in (*kind.types[1:], ScoreType.CUSTOM_CALCULATION)]
        by_user = await _create(kind, world.colleague, content, kind.types[0])
        elsewhere = await _create(kind, world.other_superuser, content, kind.types[0])

    assert first.result == changed(kind.node(content[kind.name], kind.types[0].name))
    scopes = {one.result["node"]["scoreType"]: one.result["node"]["scoreTypeScope"] for one in others}
    assert scopes == {
        one.name: "COHORT" if one in COHORT else "INDIVIDUAL" for one in (*kind.types[1:], ScoreType.CUSTOM_CALCULATION)
    }
    assert {one.result["node"]["status"] for one in others} == {"DRAFT"}
    assert by_user.error == FORBIDDEN
    noun = kind.name.capitalize()
    assert elsewhere.result == refused("NOT_FOUND", f"{noun} not found", f"{kind.name}Id")
    assert found == {"score_configs": len(kind.types) + 1}


@each_kind
async def test_create_refuses_what_does_not_fit(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    await assert_nobody_is_refused(
        world,
        f"gloo.{kind.resource}.create",
        **{f"{kind.name}Id": _of(kind, content), **CONFIG, "scoreType": "RAW_VALUE"},
    )
    noun = {"item": "An item", "scale": "A scale", "domain": "A domain"}[kind.name]
    names = ", ".join(one.name for one in kind.types)
    strange = [one for other in KINDS if other is not kind for one in other.types]

    async with changes(world) as found:
        answers = [(await _create(kind, world.superuser, content, one)).result for one in strange]
        blank = await _create(kind, world.superuser, content, kind.types[0], name=" ")
        long = await _create(kind, world.superuser, content, kind.types[0], description="x" * 10_001)

    message = f"{noun} is scored by {names} or CUSTOM_CALCULATION"
    assert answers == [refused("INVALID", message, "input", "scoreType")] * len(strange)
    assert blank.result == refused("INVALID", "must not be empty", "input", "name")
    assert long.result == refused("INVALID", "must have at most 10000 characters", "input", "description")
    assert found == {}


@each_kind
async def test_shared_content_is_scored_by_its_owner_and_frozen_while_public(world: World, kind: Kind) -> None:
    maker: Any = {"item": make_item, "scale": make_scale, "domain": make_domain}[kind.name]
    own = {kind.name: await maker(world.superuser, "Ours", privacy=Privacy.PUBLIC)}
    foreign = {kind.name: await maker(world.other_superuser, "Theirs", privacy=Privacy.PUBLIC)}
    config = await make_config(
        world.other_superuser, foreign[kind.name], kind.types[0], status=PublicationStatus.PUBLISHED
    )

    async with changes(world) as found:
        frozen = await _create(kind, world.superuser, own, kind.types[0])
        others = await _create(kind, world.superuser, foreign, kind.types[0])
        renamed = await kind.run(world.superuser, "update", id=global_id("ScoreConfig", config.id), name="Mine")
        gone = await kind.delete(world.superuser, config)

    in_use = f"The {kind.name} is shared or in use and can no longer be changed"
    assert frozen.result == refused("CONFLICT", in_use, f"{kind.name}Id")
    message = f"The {kind.name} belongs to another organization"
    assert others.result == refused("CONFLICT", message, f"{kind.name}Id")
    message = "The score config belongs to another organization"
    assert renamed.result == refused("CONFLICT", message, "id")
    assert gone.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}


@each_kind
async def test_lists_of_one_thing_are_filtered_by_status_and_scope(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    whole, of = content[kind.name], {f"{kind.name}Id": _of(kind, content)}
    author, verb = world.superuser, f"list_for_{kind.name}"
    assert verb in {"list_for_item", "list_for_scale", "list_for_domain"}
    await make_config(author, whole, kind.types[0], **CONFIG, status=PublicationStatus.PUBLISHED)
    cohort = kind.types[2]
    await make_config(author, whole, cohort, name="Draft", score_type_scope=ScoreScope.COHORT)
    first = kind.node(whole, kind.types[0].name, status="PUBLISHED")
    second = kind.node(
        whole,
        cohort.name,
        id=global_id("ScoreConfig", 2),
        name="Draft",
        description="How it is scored",
        scoreTypeScope="COHORT",
        minScore=ANY,
        maxScore=ANY,
    )

    assert (await kind.run(author, verb, **of)).result == page(first, second)
    assert (await kind.run(author, verb, **of, status=["DRAFT"])).result == page(second)
    assert (await kind.run(author, verb, **of, scoreTypeScope=["INDIVIDUAL"])).result == page(first)
    assert (await kind.run(author, verb, **of, status=["DRAFT"], scoreTypeScope=["INDIVIDUAL"])).result == page()
    assert (await kind.run(author, verb, **of, first=1)).result == page(first, total=2, more=True)
    assert (await kind.run(world.user, verb, **of)).result == page(first)
    assert (await kind.run(world.other_superuser, verb, **of)).result == page()
    await assert_nobody_is_refused(world, f"gloo.{kind.resource}.{verb}", **of)


@each_kind
async def test_list_for_assessment_shows_drafts_to_assessment_authors(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    for one in KINDS:
        status = PublicationStatus.PUBLISHED
        await make_config(world.superuser, content[one.name], one.types[0], name="Published", status=status)
        await make_config(world.superuser, content[one.name], one.types[0], name="Draft")
    aside = await make_item(world.superuser, "Not on it", values=(0, 1))
    await make_config(world.superuser, aside, ScoreType.RAW_VALUE, status=PublicationStatus.PUBLISHED)
    author = await grant(world.user, "ASSESSMENT_AUTHOR")
    creator = await grant(world.colleague, "CREATE_ASSESSMENT")
    assessment_id = global_id("Assessment", content["assessment"].id)

    async def names(principal: Principal) -> list[str]:
        found = (await kind.run(principal, "list_for_assessment", assessmentId=assessment_id)).result["nodes"]
        assert {next(iter(one[kind.name])) for one in found} <= {"id"}
        return [one["name"] for one in found]

    assert await names(world.superuser) == await names(author) == ["Published", "Draft"]
    assert await names(creator) == ["Published"]
    assert await names(world.other_superuser) == []
    await assert_nobody_is_refused(world, f"gloo.{kind.resource}.list_for_assessment", assessmentId=assessment_id)


async def test_scales_within_the_domains_of_an_assessment_count_as_its_scales(world: World) -> None:
    content = await _content(world.superuser)
    inner = await make_scale(world.superuser, "Inner", content["item"])
    await put_on(world.superuser, content["assessment"], await make_domain(world.superuser, "Outer", inner))
    await make_config(world.superuser, inner, ScoreType.SCALE_SUM, name="Inner sum")

    answer = await SCALE.run(
        world.superuser, "list_for_assessment", assessmentId=global_id("Assessment", content["assessment"].id)
    )

    assert [one["name"] for one in answer.result["nodes"]] == ["Inner sum"]


@each_kind
async def test_update_publishes_and_then_freezes_type_and_status(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    config = await make_config(world.superuser, content[kind.name], kind.types[1], **CONFIG)
    row_id = global_id("ScoreConfig", config.id)

    published = await kind.run(world.superuser, "update", id=row_id, scoreType=kind.types[0].name, status="PUBLISHED")
    renamed = await kind.run(world.superuser, "update", id=row_id, name="Sum", status="PUBLISHED")
    async with changes(world) as found:
        retyped = await kind.run(world.superuser, "update", id=row_id, scoreType=kind.types[1].name, name="No")
        taken_back = await kind.run(world.superuser, "update", id=row_id, status="DRAFT")
        by_user = await kind.run(world.user, "update", id=row_id, name="No")

    assert published.result == changed(kind.node(content[kind.name], kind.types[0].name, status="PUBLISHED"))
    assert renamed.result == changed(kind.node(content[kind.name], kind.types[0].name, status="PUBLISHED", name="Sum"))
    assert retyped.result == refused("CONFLICT", "The score config is published", "input", "scoreType")
    assert taken_back.result == refused("CONFLICT", "The score config is published", "input", "status")
    assert by_user.error == FORBIDDEN
    assert found == {}
    kept = await world.superuser.ask("query($id: ID!) { scoreConfig(id: $id) { name version publishedAt } }", id=row_id)
    assert kept.data["scoreConfig"] == {"name": "Sum", "version": 3, "publishedAt": ANY}
    assert kept.data["scoreConfig"]["publishedAt"] is not None


@each_kind
async def test_update_refuses_what_does_not_fit(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    config = await make_config(world.superuser, content[kind.name], kind.types[0])
    row_id = global_id("ScoreConfig", config.id)
    foreign = await make_item(world.other_superuser)
    hidden = await make_config(world.other_superuser, foreign, ScoreType.RAW_VALUE)
    strange = next(one for other in KINDS if other is not kind for one in other.types)

    async with changes(world) as found:
        retyped = await kind.run(world.superuser, "update", id=row_id, scoreType=strange.name)
        blank = await kind.run(world.superuser, "update", id=row_id, name="")
        unsaid = await kind.run(world.superuser, "update", id=row_id, status=None)
        nobodys = [
            (await kind.run(world.superuser, "update", id=one, name="x")).result
            for one in strange_ids("ScoreConfig", hidden)
        ]

    assert retyped.result["errors"][0]["path"] == ["input", "scoreType"]
    assert blank.result == refused("INVALID", "must not be empty", "input", "name")
    assert unsaid.result == refused("INVALID", "must not be null", "input", "status")
    assert nobodys == [refused("NOT_FOUND", "ScoreConfig not found", "id")] * 6
    assert found == {}
    await assert_nobody_is_refused(world, f"gloo.{kind.resource}.update", id=row_id, name="x")


@each_kind
async def test_delete_is_for_drafts_without_scores(world: World, kind: Kind) -> None:
    content = await _content(world.superuser)
    whole = content[kind.name]
    draft = await make_config(world.superuser, whole, ScoreType.CUSTOM_CALCULATION)
    await make_calculation(world.superuser, draft)
    ranked = await make_config(world.superuser, whole, kind.types[0])
    await make_norm(world.superuser, ranked)
    published = await make_config(world.superuser, whole, kind.types[0], status=PublicationStatus.PUBLISHED)
    scored = await make_config(world.superuser, whole, kind.types[0])
    answers = await make_answers(world.superuser, content["assessment"], None)
    await make_answer_score(world.superuser, answers, scored)
    used = await make_config(world.superuser, whole, kind.types[0])
    custom = await make_config(world.superuser, whole, ScoreType.CUSTOM_CALCULATION)
    await make_calculation(world.superuser, custom, A=used)

    async with changes(world) as refusals:
        answers_ = [await kind.delete(world.superuser, one) for one in (published, scored, used)]
        by_user = await kind.delete(world.user, draft)
        unseen = await kind.delete(world.other_superuser, draft)
    async with changes(world) as gone:
        assert (await kind.delete(world.superuser, draft)).result == deleted("ScoreConfig", draft)
        assert (await kind.delete(world.superuser, ranked)).result == deleted("ScoreConfig", ranked)

    assert [one.result for one in answers_] == [
        refused("CONFLICT", message, "id", of="deletedId")
        for message in (
            "The score config is published",
            "The score config has scores",
            "The score config is used by a custom calculation",
        )
    ]
    assert by_user.error == FORBIDDEN
    assert unseen.result == refused("NOT_FOUND", "ScoreConfig not found", "id", of="deletedId")
    assert refusals == {}
    assert gone == {"score_configs": -2, "custom_calculations": -1, "percentile_rank_configs": -1}
    await assert_nobody_is_refused(
        world, f"gloo.{kind.resource}.delete", **{f"{kind.name}ScoreConfigId": global_id("ScoreConfig", custom.id)}
    )


async def test_only_what_can_be_computed_is_published(world: World) -> None:
    author = world.superuser
    words = await make_item(author, "In your words?")
    empty = await make_scale(author, "Empty", words)
    nowhere = await make_domain(author, "Nowhere")
    of_words = await make_config(author, words, ScoreType.RAW_VALUE)
    of_empty = await make_config(author, empty, ScoreType.SCALE_SUM)
    of_nowhere = await make_config(author, nowhere, ScoreType.DOMAIN_SUM)
    without = await make_config(author, words, ScoreType.CUSTOM_CALCULATION)
    unwritten = await make_config(author, words, ScoreType.CUSTOM_CALCULATION)
    await make_calculation(author, unwritten)
    draft = await make_config(author, await make_item(author, values=(0, 1)), ScoreType.RAW_VALUE, name="Draft")
    needing = await make_config(author, words, ScoreType.CUSTOM_CALCULATION)
    await make_calculation(author, needing, A=draft)

    async with changes(world) as found:
        answers = [
            (await ITEM.run(author, "update", id=global_id("ScoreConfig", one.id), status="PUBLISHED")).result
            for one in (of_words, of_empty, of_nowhere, without, unwritten, needing)
        ]

    path = ("input", "status")
    assert answers == [
        refused("INVALID", "There are no answers with numbers to “In your words?”", *path),
        refused("INVALID", "There are no items with numbers on “Empty”", *path),
        refused("INVALID", "There is nothing to score in “Nowhere”", *path),
        refused("CONFLICT", "The custom calculation has no expression", *path),
        refused("CONFLICT", "The custom calculation has no expression", *path),
        refused("CONFLICT", "The expression needs the score config “Draft”, which is not published", *path),
    ]
    assert found == {}
    statuses = await author.ask("{ scoreConfigs { nodes { status } } }")
    assert {one["status"] for one in statuses.data["scoreConfigs"]["nodes"]} == {"DRAFT"}


async def test_the_type_of_a_draft_goes_with_what_hangs_on_it(world: World) -> None:
    author = world.superuser
    item = await make_item(author, values=(0, 1))
    custom = await make_config(author, item, ScoreType.CUSTOM_CALCULATION)
    ranked = await make_config(author, item, ScoreType.RAW_VALUE)
    await make_norm(author, ranked)
    await make_calculation(author, custom, A=ranked)

    async with changes(world) as found:
        answers = [
            (await ITEM.run(author, "update", id=global_id("ScoreConfig", one.id), scoreType=new)).result
            for one, new in (
                (custom, "RAW_VALUE"),
                (ranked, "CUSTOM_CALCULATION"),
                (ranked, "SUM_OF_RAW_VALUES"),
            )
        ]

    assert answers == [
        refused("CONFLICT", "The score config has a custom calculation", "input", "scoreType"),
        refused("CONFLICT", "The score config has a percentile rank config", "input", "scoreType"),
        refused("CONFLICT", "The score config is used by a custom calculation", "id"),
    ]
    assert found == {}
