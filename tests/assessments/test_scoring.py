"""From answers to numbers over HTTP: scores, explanations that can be computed again, limits, cohorts, reliability."""

import re
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from caregraph.assessments import models
from caregraph.assessments.answer_models import AnswerScore
from caregraph.assessments.config_models import ScoreConfig
from caregraph.assessments.enums import ItemType, PublicationStatus, ScoreScope, ScoreType
from caregraph.assessments.limits import keep_limits
from caregraph.assessments.rule_rows import rule_rows
from caregraph.assessments.specs import config_key, spec_of
from caregraph.assessments.tables import answer_table, responses
from caregraph.graph.node import global_id
from caregraph.scoring.replay import recompute
from caregraph.scoring.tree import explain
from contract.asserts import changes, deleted, refused
from factories.assessments import (
    make_answers,
    make_assessment,
    make_calculation,
    make_config,
    make_domain,
    make_item,
    make_norm,
    make_range,
    make_response,
    make_scale,
    put_on,
)
from factories.people import make_client
from kit import Answer, Principal, World

ANSWER = """mutation($assessment: ID!, $client: ID!, $input: AnswerSetInput!) {
    result: createAnswerSet(assessmentId: $assessment, clientId: $client, input: $input) {
        node { id source completedAt scores { id value scoreConfig { name } resultRange { name } } }
        errors { code message path } } }"""
SCORES = (
    "{ value scoreConfigVersion scoreConfig { name } resultRange { name } explain { key parent value rule source } }"
)
PUBLISHED = {"status": PublicationStatus.PUBLISHED}


async def _form(author: Principal) -> dict[str, Any]:
    """Three items of 0 to 3, the last one reversed, on a scale in a domain, scored in every way of a respondent."""
    items = [await make_item(author, text, values=(0, 1, 2, 3)) for text in ("Low", "Tired", "Cheerful")]
    scale = await make_scale(author, "Mood", *items)
    domain = await make_domain(author, "Life", scale)
    async with author.world.writing(author) as tx:
        await tx.execute(
            update(models.ItemScale).where(models.ItemScale.item_id == items[2].id).values(is_reversed=True, weight=2)
        )
    assessment = await make_assessment(author, **PUBLISHED)
    await put_on(author, assessment, *items)
    await put_on(author, assessment, domain)
    total = await make_config(author, scale, ScoreType.SCALE_SUM, name="Sum", minimum_answered_share=0.6, **PUBLISHED)
    raw = await make_config(author, items[0], ScoreType.RAW_VALUE, name="Low", **PUBLISHED)
    await make_config(author, scale, ScoreType.SCALE_MEAN, name="Mean", **PUBLISHED)
    whole = await make_config(author, domain, ScoreType.DOMAIN_SUM, name="Life", **PUBLISHED)
    custom = await make_config(author, scale, ScoreType.CUSTOM_CALCULATION, name="Rest", **PUBLISHED)
    await make_calculation(author, custom, A=total, B=raw)
    await make_norm(author, total, 4, 2)
    await make_range(author, scale, 0, 5, "Few")
    await make_range(author, scale, 6, 12, "Many")
    await make_config(author, scale, ScoreType.SCALE_SUM, name="Draft")
    return {"items": items, "scale": scale, "domain": domain, "assessment": assessment, "sum": total, "whole": whole}


async def _answer(principal: Principal, form: dict[str, Any], client: Any, *answers: dict[str, Any]) -> Answer:
    ids = {"assessment": global_id("Assessment", form["assessment"].id), "client": global_id("Client", client.id)}
    return await principal.ask(ANSWER, **ids, input={"answers": list(answers)})


def _value(item: Any, value: str) -> dict[str, Any]:
    return {"itemId": global_id("Item", item.id), "value": value}


def _scores(answer: Answer) -> dict[str, tuple[str | None, str | None]]:
    found = answer.result["node"]["scores"]
    return {one["scoreConfig"]["name"]: (one["value"], (one["resultRange"] or {}).get("name")) for one in found}


async def test_answers_are_scored_as_they_come_in(world: World) -> None:
    form = await _form(world.superuser)
    client = await make_client(world.user)
    values = [_value(item, value) for item, value in zip(form["items"], ("1", "2", "0"), strict=True)]

    async with changes(world) as found:
        whole = await _answer(world.user, form, client, *values)
        part = await _answer(world.user, form, client, *values[:2])
        little = await _answer(world.user, form, client, values[0])

    assert whole.result["errors"] == []
    assert whole.result["node"]["source"] == "DEFAULT"
    assert [one.result["node"]["completedAt"] is None for one in (whole, part, little)] == [False, True, True]
    assert _scores(whole) == {  # 1 + 2 + 2 (3 - 0)
        "Sum": ("9.0", "Many"),
        "Low": ("1.0", None),
        "Mean": ("2.25", None),
        "Life": ("9.0", None),
        "Rest": ("10.0", None),
    }
    assert _scores(part) == {  # (1 + 2) of the weights 1 and 1, times the weights 4 over 2
        "Sum": ("6.0", "Many"),
        "Low": ("1.0", None),
        "Mean": (None, None),
        "Life": ("6.0", None),
        "Rest": ("7.0", None),
    }
    assert _scores(little) == {
        "Sum": (None, None),
        "Low": ("1.0", None),
        "Mean": (None, None),
        "Life": (None, None),
        "Rest": (None, None),
    }
    assert found == {"answer_sets": 3, "item_responses": 6, "answer_scores": 15}


async def test_a_score_explains_itself_down_to_the_answers(world: World) -> None:
    form = await _form(world.superuser)
    client = await make_client(world.user)
    values = [_value(item, value) for item, value in zip(form["items"], ("1", "2", "0"), strict=True)]
    row_id = (await _answer(world.user, form, client, *values)).result["node"]["id"]

    answer = await world.user.ask(f"query($id: ID!) {{ answerSet(id: $id) {{ scores {SCORES} }} }}", id=row_id)

    scores = {one["scoreConfig"]["name"]: one for one in answer.data["answerSet"]["scores"]}
    for score in scores.values():
        first = score["explain"][0]
        assert (first["parent"], str(first["value"])) == (None, score["value"])
        assert {one["parent"] for one in score["explain"][1:]} <= {one["key"] for one in score["explain"]}
    steps = [(one["value"], one["rule"]) for one in scores["Sum"]["explain"]]
    assert steps == [
        (9.0, "sum of 3 answers, weights 1, 1 and 2, prorated for those left out; undefined with fewer than 2"),
        (2.5, "(score - 4) / 2, mean and standard deviation of the norm"),
        (75.0, "50 + 10 z"),
        (pytest.approx(99.379, abs=0.001), "100 times the normal distribution at z"),
        (9.0, "1 and how many of -1.75, -1.25, … 1.75 are reached by z"),
        (1.0, "0 Few, 0 to 5; 1 Many, 6 to 12"),
        (1.0, "0 to 3"),
        (2.0, "0 to 3"),
        (3.0, "3 less the answer"),
        (0.0, "0 to 3"),
    ]
    assert {one["source"] for one in scores["Sum"]["explain"]} == {"Sum version 1"}
    assert scores["Rest"]["explain"][0]["rule"] == "A + B; A is Sum, B is Low"


async def test_explanations_are_computed_again_to_the_bit(world: World) -> None:
    """For random answers, some missing: by the steps alone one gets the numbers that were kept."""
    form = await _form(world.superuser)
    clients = [await make_client(world.user)]
    chance = Random(7)
    for _ in range(10):
        answers = [_value(item, str(chance.randrange(4))) for item in form["items"] if chance.random() < 0.8]
        await _answer(world.user, form, clients[0], *answers)
    async with world.writing(world.superuser) as tx:
        rows = await rule_rows(tx.execute, configs=[one.id for one in await tx.scalars(select(ScoreConfig))])
        kept = list(await tx.scalars(select(AnswerScore)))
        given = (await tx.execute(responses())).all()

    assert len(kept) == 50
    assert {score.value is None for score in kept} == {True, False}
    for score in kept:
        spec = spec_of(rows, [score.score_config_id])
        key = config_key(score.score_config_id)
        steps = explain(spec, answer_table(spec, given, [score.answer_set_id]), key)
        assert recompute(steps)[steps[0].key] == score.value


async def test_an_explanation_says_when_the_rules_were_changed_since(world: World) -> None:
    author = world.superuser
    form = await _form(author)
    client = await make_client(world.user)
    values = [_value(item, value) for item, value in zip(form["items"], ("1", "2", "0"), strict=True)]
    row_id = (await _answer(world.user, form, client, *values)).result["node"]["id"]
    async with world.writing(author) as tx:
        await tx.execute(update(models.ItemScale).where(models.ItemScale.is_reversed).values(weight=1))

    query = f"query($id: ID!) {{ answerSet(id: $id) {{ scores {SCORES} }} }}"
    stale = (await world.user.ask(query, id=row_id)).data["answerSet"]["scores"]
    again = await world.user.ask(
        f"mutation($id: ID!) {{ result: scoreAnswerSet(id: $id) {{ node {{ scores {SCORES} }} errors {{ code }} }} }}",
        id=row_id,
    )

    by_name = {one["scoreConfig"]["name"]: one for one in stale}
    (step,) = by_name["Sum"]["explain"]
    assert (by_name["Sum"]["value"], step["value"], step["source"]) == ("9.0", 9.0, "Sum version 1")
    assert step["rule"].startswith("its rules were changed since it was scored")
    assert len(by_name["Low"]["explain"]) == 2
    fresh = {one["scoreConfig"]["name"]: one for one in again.result["node"]["scores"]}
    assert fresh["Sum"]["value"] == "6.0"
    assert len(fresh["Sum"]["explain"]) == 10


async def test_the_number_of_statements_does_not_grow_with_the_scores(world: World) -> None:
    form = await _form(world.superuser)
    client = await make_client(world.user)
    query = f"{{ answerSets {{ nodes {{ scores {SCORES} }} }} }}"
    counts = []
    for _ in range(2):
        await _answer(world.user, form, client, _value(form["items"][0], "1"))
        with world.statements() as found:
            assert (await world.user.ask(query)).data
        counts.append(len(found))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("answer", "message", "path"),
    [
        ({"value": "7"}, "No option of the item stands for this number", ["value"]),
        ({"itemOptionIds": []}, "Exactly one option must be chosen", ["itemOptionIds"]),
        ({"itemOptionIds": ["ITEM", "x"]}, "ItemOption not found", ["itemOptionIds"]),
        ({"text": "Well"}, "An item of the type MULTIPLE_CHOICE takes itemOptionIds or value", []),
        ({}, "An item of the type MULTIPLE_CHOICE takes itemOptionIds or value", []),
        ({"value": "1", "text": "1"}, "An item of the type MULTIPLE_CHOICE takes itemOptionIds or value", []),
    ],
)
async def test_an_answer_that_its_item_does_not_have_is_refused(
    world: World, answer: dict[str, Any], message: str, path: list[str]
) -> None:
    form = await _form(world.superuser)
    client = await make_client(world.user)

    async with changes(world) as found:
        made = await _answer(
            world.user, form, client, _value(form["items"][1], "1"), {"itemId": global_id("Item", 1), **answer}
        )

    code = "NOT_FOUND" if message.endswith("not found") else "INVALID"
    assert made.result == refused(code, message, "input", "answers", "1", *path)
    assert found == {}


async def test_every_type_of_item_takes_its_own_answers(world: World) -> None:
    author = world.superuser
    assessment = await make_assessment(author, **PUBLISHED)
    types = (ItemType.INSTRUCTION, ItemType.SHORT_ANSWER, ItemType.MULTIPLE_SELECT)
    items = [
        await make_item(author, one.name, item_type=one, values=(1, 2, 4)[: 3 * (one is types[2])]) for one in types
    ]
    read, words, several = items
    await put_on(author, assessment, *items)
    raw = await make_config(author, several, ScoreType.RAW_VALUE, **PUBLISHED)
    form = {"assessment": assessment}
    client = await make_client(world.user)
    ids = [global_id("Item", one.id) for one in items]
    options = [global_id("ItemOption", one) for one in (1, 2, 3)]

    async with changes(world) as found:
        wrong = [
            (await _answer(world.user, form, client, one)).result
            for one in (
                {"itemId": ids[0], "text": "x"},
                {"itemId": ids[1], "value": "1"},
                {"itemId": ids[2], "itemOptionIds": []},
                {"itemId": global_id("Item", 99), "value": "1"},
            )
        ]
        twice = await _answer(world.user, form, client, *[{"itemId": ids[1], "text": "x"}] * 2)
    right = await _answer(
        world.user,
        form,
        client,
        {"itemId": ids[1], "text": "Well"},
        {"itemId": ids[2], "itemOptionIds": [options[0], options[2], options[0]]},
    )

    place = ("input", "answers", "0")
    assert wrong == [
        refused("INVALID", "An item of the type INSTRUCTION takes no answer", *place),
        refused("INVALID", "An item of the type SHORT_ANSWER takes text", *place),
        refused("INVALID", "At least one option must be chosen", *place, "itemOptionIds"),
        refused("NOT_FOUND", "Item not found", *place, "itemId"),
    ]
    assert twice.result == refused("INVALID", "The item is answered twice", "input", "answers", "1", "itemId")
    assert found == {}
    assert _scores(right) == {"Score": ("5.0", None)}
    assert right.result["node"]["completedAt"] is not None
    assert raw.id
    assert read.item_type is ItemType.INSTRUCTION
    assert words.item_type is ItemType.SHORT_ANSWER


async def test_an_answer_set_is_deleted_with_its_scores(world: World) -> None:
    form = await _form(world.superuser)
    client = await make_client(world.user)
    row_id = (await _answer(world.user, form, client, _value(form["items"][0], "1"))).result["node"]["id"]
    query = "mutation($id: ID!) { result: deleteAnswerSet(id: $id) { deletedId errors { code message path } } }"

    async with changes(world) as refusals:
        hidden = await world.colleague.ask(query, id=row_id)
    async with changes(world) as found:
        answer = await world.user.ask(query, id=row_id)

    assert hidden.result == refused("NOT_FOUND", "AnswerSet not found", "id", of="deletedId")
    assert refusals == {}
    assert answer.result == deleted("AnswerSet", type("Row", (), {"id": 1}))
    assert found == {"answer_sets": -1, "item_responses": -1, "answer_scores": -5}


async def test_configs_tell_the_lowest_and_highest_score(world: World) -> None:
    await _form(world.superuser)

    answer = await world.superuser.ask("{ scoreConfigs { nodes { name minScore maxScore } } }")

    limits = {one["name"]: (one["minScore"], one["maxScore"]) for one in answer.data["scoreConfigs"]["nodes"]}
    assert limits == {
        "Sum": ("0.0", "12.0"),
        "Low": ("0.0", "3.0"),
        "Mean": ("0.0", "3.0"),
        "Life": ("0.0", "12.0"),
        "Rest": ("0.0", "15.0"),
        "Draft": ("0.0", "12.0"),
    }


async def test_scales_and_domains_keep_their_limits(world: World) -> None:
    form = await _form(world.superuser)
    empty = await make_scale(world.superuser, "Empty", min_sum_score=3.0)
    query = """{ scales { nodes { name minSumScore maxSumScore minMeanScore maxMeanScore } }
        domains { nodes { name minSumScore maxSumScore minMeanScore maxMeanScore } } }"""

    async with world.writing(world.superuser) as tx:
        await keep_limits(tx, items=[form["items"][0].id], scales=[empty.id])
    answer = await world.superuser.ask(query)

    found = {one["name"]: tuple(one.values())[1:] for kind in answer.data.values() for one in kind["nodes"]}
    assert found == {
        "Mood": ("0.0", "12.0", "0.0", "3.0"),
        "Empty": (None, None, None, None),
        "Life": ("0.0", "12.0", "0.0", "3.0"),
    }


async def test_a_cohort_is_everybody_whose_answers_one_sees(world: World) -> None:
    author = world.superuser
    form = await _form(author)
    names = {"Mean of sums": ScoreType.AVERAGE_OF_SCALE_SUMS, "Mean of means": ScoreType.AVERAGE_OF_SCALE_MEANS}
    cohort = {"score_type_scope": ScoreScope.COHORT, **PUBLISHED}
    configs = [await make_config(author, form["scale"], kind, name=name, **cohort) for name, kind in names.items()]
    half = await make_config(author, form["scale"], ScoreType.CUSTOM_CALCULATION, name="Both", **cohort)
    await make_calculation(author, half, A=configs[0], B=configs[1])
    client, other = await make_client(world.user), await make_client(world.colleague)
    low, tired, cheerful = form["items"]
    await _answer(world.user, form, client, _value(low, "1"), _value(tired, "2"), _value(cheerful, "0"))
    await _answer(world.colleague, form, other, _value(low, "0"), _value(tired, "0"), _value(cheerful, "3"))
    await _answer(world.colleague, form, other, _value(low, "0"))
    query = """query($id: ID!) { assessment(id: $id) { cohortScores {
        value respondentCount scoreConfig { name } resultRange { name } } } }"""

    async def scores(principal: Principal) -> dict[str, Any]:
        answer = await principal.ask(query, id=global_id("Assessment", form["assessment"].id))
        return {
            one["scoreConfig"]["name"]: (one["value"], one["respondentCount"], one["resultRange"])
            for one in answer.data["assessment"]["cohortScores"]
        }

    assert await scores(author) == {
        "Mean of sums": (4.5, 3, {"name": "Few"}),
        "Mean of means": (1.125, 3, None),
        "Both": (5.625, 3, None),
    }
    assert await scores(world.user) == {
        "Mean of sums": (9.0, 1, {"name": "Many"}),
        "Mean of means": (2.25, 1, None),
        "Both": (11.25, 1, None),
    }


async def test_a_scale_tells_how_reliable_it_is(world: World) -> None:
    author = world.superuser
    items = [await make_item(author, text, values=(0, 1, 2, 3, 4)) for text in "abc"]
    scale, short = await make_scale(author, "Mood", *items), await make_scale(author, "Short")
    assessment = await make_assessment(author, **PUBLISHED)
    for row in ((0, 1, 0), (1, 1, 2), (2, 3, 2), (4, 3, 4), (3, 4, 3), (2, None, 1)):
        answers = await make_answers(author, assessment, None)
        for item, value in zip(items, row, strict=True):
            if value is not None:
                await make_response(author, answers, item, value=float(value))
    query = "query($id: ID!) { scale(id: $id) { reliability { alpha omega respondentCount } } }"

    full = await author.ask(query, id=global_id("Scale", scale.id))
    by_user = await world.user.ask(query, id=global_id("Scale", scale.id))
    none = await author.ask(query, id=global_id("Scale", short.id))

    found = full.data["scale"]["reliability"]
    assert found["respondentCount"] == 5
    assert found["alpha"] == pytest.approx(_alpha([(0, 1, 0), (1, 1, 2), (2, 3, 2), (4, 3, 4), (3, 4, 3)]), abs=1e-12)
    assert 0.9 < found["omega"] < 1
    assert by_user.data["scale"]["reliability"] == {"alpha": None, "omega": None, "respondentCount": 0}
    assert none.data["scale"]["reliability"] is None


def _alpha(rows: list[tuple[int, ...]]) -> float:
    """Cronbach's alpha by its definition, slowly."""

    def variance(values: list[int]) -> float:
        mean = sum(values) / len(values)
        return sum((one - mean) ** 2 for one in values) / (len(values) - 1)

    columns = [list(column) for column in zip(*rows, strict=True)]
    whole = variance([sum(row) for row in rows])
    count = len(columns)
    return count / (count - 1) * (1 - sum(map(variance, columns)) / whole)


async def test_what_cannot_be_computed_any_more_makes_no_score(world: World) -> None:
    author = world.superuser
    form = await _form(author)
    client = await make_client(world.user)
    async with world.writing(author) as tx:
        await tx.execute(update(models.ItemOption).values(value=None).where(models.ItemOption.item_id != 1))
        await tx.execute(update(models.Item).where(models.Item.id == 1).values(item_type=ItemType.SHORT_ANSWER))

    answer = await _answer(world.user, form, client, {"itemId": global_id("Item", 1), "text": "Well"})

    assert answer.result["errors"] == []
    assert answer.result["node"]["scores"] == []
    assert re.fullmatch(r"\w+", answer.result["node"]["id"])
