"""`welkin.assessment_responses.*`."""

from typing import Any
from unittest.mock import ANY

import pytest

from caregraph.assessments.enums import ItemType, Privacy, PublicationStatus, ScoreType
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, refused, strange_ids
from factories.assessments import make_assessment, make_config, make_item, make_scale, put_on
from factories.people import make_client
from kit import Answer, Principal, World

CREATE, GET = "welkin.assessment_responses.create", "welkin.assessment_responses.get"
TOLD = {"specName": "Mood", "specVersion": "1.2", "title": "First visit"}
ROWS = """query($id: ID!) { answerSet(id: $id) { source completedAt lastScoredAt
    responses { nodes { item { identifier } itemOption { id } value text sourceType } }
    scores { value scoreConfig { name } } } }"""


@pytest.fixture
async def assessment(world: World) -> Any:
    """Two items of 0 to 3 on a scale that is summed, one of several options, one in words, and a text to read."""
    author = world.superuser
    made = await make_assessment(author, status=PublicationStatus.PUBLISHED)
    items = [await make_item(author, one, values=(0, 1, 2, 3), identifier=one) for one in ("low", "tired")]
    kinds = {"which": ItemType.MULTIPLE_SELECT, "words": ItemType.SHORT_ANSWER, "read": ItemType.INSTRUCTION}
    which = await make_item(author, "which", values=(1, 2, 4), identifier="which", item_type=kinds["which"])
    rest = [await make_item(author, one, identifier=one, item_type=kinds[one]) for one in ("words", "read")]
    scale = await make_scale(author, "Mood", *items)
    await put_on(author, made, *items, which, *rest, scale)
    await make_config(author, scale, ScoreType.SCALE_SUM, name="Sum", status=PublicationStatus.PUBLISHED)
    await make_config(author, which, ScoreType.RAW_VALUE, name="Which", status=PublicationStatus.PUBLISHED)
    return made


def _node(model: Any, **told: Any) -> dict[str, Any]:
    return {
        "id": global_id("AnswerSet", 1),
        "assessment": {"id": global_id("Assessment", 1)},
        "client": {"id": global_id("Client", 1)},
        "model": model,
        **dict.fromkeys(TOLD),
        **told,
        "updatedAt": ANY,
        "createdAt": ANY,
    }


async def _create(principal: Principal, assessment: Any, client: Any, model: Any, **told: Any) -> Answer:
    ids = {"specId": global_id("Assessment", assessment.id), "userId": global_id("Client", client.id)}
    return await principal.run(CREATE, **ids, model=model, **told)


async def test_create_keeps_the_answers_and_scores_what_it_understands(world: World, assessment: Any) -> None:
    client = await make_client(world.user)
    model = {"low": 2, "tired": 3, "which": [1, 4], "words": "Well", "extra": {"deep": [True]}}

    async with changes(world) as found:
        answer = await _create(world.user, assessment, client, model, **TOLD)

    assert answer.result == changed(_node(model, **TOLD))
    assert found == {"answer_sets": 1, "item_responses": 5, "answer_scores": 2}
    rows = (await world.user.ask(ROWS, id=global_id("AnswerSet", 1))).data["answerSet"]
    assert rows["source"] == "IMPORTED"
    assert rows["completedAt"] is not None
    assert rows["lastScoredAt"] is not None
    assert [(one["item"]["identifier"], one["value"], one["text"]) for one in rows["responses"]["nodes"]] == [
        ("low", "2.0", None),
        ("tired", "3.0", None),
        ("which", "1.0", None),
        ("which", "4.0", None),
        ("words", None, "Well"),
    ]
    assert {one["sourceType"] for one in rows["responses"]["nodes"]} == {"IMPORTED"}
    assert rows["scores"] == [
        {"value": "5.0", "scoreConfig": {"name": "Sum"}},
        {"value": "5.0", "scoreConfig": {"name": "Which"}},
    ]


@pytest.mark.parametrize(
    ("model", "responses"),
    [
        ({"low": 2.5, "tired": "3", "which": [1, 9], "words": " ", "read": 1}, 0),
        ({"low": True, "tired": [1], "which": {}, "words": 7}, 0),
        ({"low": None, "which": 2, "words": "x" * 10_001}, 1),
        ({"low": 1}, 1),
        ([1, 2], 0),
        ("anything", 0),
        (7, 0),
    ],
)
async def test_what_the_items_have_no_answer_for_stays_in_the_model_alone(
    world: World, assessment: Any, model: Any, responses: int
) -> None:
    client = await make_client(world.user)

    async with changes(world) as found:
        answer = await _create(world.user, assessment, client, model)

    assert answer.result == changed(_node(model))
    assert found.get("item_responses", 0) == responses
    rows = (await world.user.ask(ROWS, id=global_id("AnswerSet", 1))).data["answerSet"]
    assert rows["completedAt"] is None
    assert rows["scores"][0] == {"value": None, "scoreConfig": {"name": "Sum"}}


async def test_create_refuses_strangers_and_what_is_not_published(world: World, assessment: Any) -> None:
    client = await make_client(world.user)
    foreign = await make_client(world.other_user)
    draft = await make_assessment(world.superuser)
    hidden = await make_assessment(world.other_superuser, status=PublicationStatus.PUBLISHED)

    async with changes(world) as found:
        of_draft = await _create(world.user, draft, client, {})
        of_hidden = await _create(world.user, hidden, client, {})
        by_colleague = await _create(world.colleague, assessment, client, {})
        strange = [
            (await world.user.run(CREATE, specId=global_id("Assessment", 1), userId=one, model={})).result
            for one in strange_ids("Client", foreign)
        ]
        long = await _create(world.user, assessment, client, {}, title="x" * 201)

    assert of_draft.result == refused("CONFLICT", "The assessment is not published", "assessmentId")
    assert of_hidden.result == refused("NOT_FOUND", "Assessment not found", "assessmentId")
    assert by_colleague.result == refused("NOT_FOUND", "Client not found", "clientId")
    assert strange == [refused("NOT_FOUND", "Client not found", "clientId")] * 6
    assert long.result == refused("INVALID", "must have at most 200 characters", "input", "title")
    assert found == {}
    ids = {"specId": global_id("Assessment", 1), "userId": global_id("Client", 1)}
    await assert_nobody_is_refused(world, CREATE, **ids, model={})
    assert (await world.calculator.run(CREATE, **ids)).error == ("FORBIDDEN", "Access denied")


async def test_a_shared_assessment_is_answered_by_clients_of_others(world: World, assessment: Any) -> None:
    async with world.writing(world.superuser) as tx:
        (await tx.get(type(assessment), assessment.id)).privacy = Privacy.PUBLIC
    client = await make_client(world.other_user)

    async with changes(world) as found:
        answer = await _create(world.other_user, assessment, client, {"low": 1, "tired": 1, "which": 4, "words": "x"})

    assert answer.result["errors"] == []
    assert found == {"answer_sets": 1, "item_responses": 4, "answer_scores": 2}
    own = await world.superuser.run(GET, id=global_id("AnswerSet", 1))
    assert own.result is None
    theirs = await world.other_superuser.ask(ROWS, id=global_id("AnswerSet", 1))
    assert [one["value"] for one in theirs.data["answerSet"]["scores"]] == ["2.0", "4.0"]


async def test_get_shows_answers_to_those_who_see_the_client(world: World, assessment: Any) -> None:
    client = await make_client(world.user)
    await _create(world.user, assessment, client, {"low": 1}, **TOLD)

    for principal in (world.user, world.superuser):
        assert (await principal.run(GET, id=global_id("AnswerSet", 1))).result == _node({"low": 1}, **TOLD)
    for principal in (world.colleague, world.other_superuser):
        assert (await principal.run(GET, id=global_id("AnswerSet", 1))).result is None
    await assert_nobody_is_refused(world, GET, id=global_id("AnswerSet", 1))
