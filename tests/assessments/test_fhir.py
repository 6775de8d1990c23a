"""Assessments, answers and scores as FHIR R4: what a library of the standard's models takes, with exact contents."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhirpathpy import evaluate
from fhirpathpy.models import models
from pydantic import ValidationError

from caregraph.assessments.enums import ItemType, PublicationStatus, ScoreType
from caregraph.graph.node import global_id
from caregraph.scoring.instruments import instrument
from factories.assessments import make_assessment, make_config, make_item, make_range, make_scale, put_on
from factories.people import make_client
from kit import Principal, World

BASE = "http://127.0.0.1:8000/fhir"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
CREATE = """mutation($a: ID!, $c: ID!, $answers: [AnswerInput!], $model: JSON) {
  createAnswerSet(assessmentId: $a, clientId: $c, input: {answers: $answers, model: $model}) {
    errors { message } node { id completedAt scores { id value updatedAt } } } }"""
READ = """query($a: ID!, $s: ID!) { assessment(id: $a) { fhirQuestionnaire }
  answerSet(id: $s) { fhirResponse fhirObservations } }"""


def valid(resource: Any) -> Any:
    """The resource, which the models take and give back as it is."""
    made = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert sorted(made.model_dump(mode="json")) == sorted(resource)
    return resource


async def install(principal: Principal, key: str) -> str:
    query = "mutation($k: String!) { installInstrument(key: $k) { errors { message } node { id } } }"
    payload = (await principal.ask(query, k=key)).data["installInstrument"]
    assert payload["errors"] == []
    found: str = payload["node"]["id"]
    return found


async def answer(principal: Principal, assessment: str, client: Any, **given: Any) -> Any:
    variables = {"a": assessment, "c": global_id("Client", client.id), **given}
    payload = (await principal.ask(CREATE, **variables)).data["createAnswerSet"]
    assert payload["errors"] == []
    return payload["node"]


async def read(principal: Principal, assessment: str, answers: str) -> tuple[Any, Any, Any]:
    found = (await principal.ask(READ, a=assessment, s=answers)).data
    told = (found["assessment"]["fhirQuestionnaire"], found["answerSet"]["fhirResponse"])
    return (*map(valid, told), [valid(one) for one in found["answerSet"]["fhirObservations"]])


@pytest.fixture
async def kim(world: World) -> Any:
    return await make_client(world.user, full_name="Kim")


async def test_an_instrument_with_codes_of_loinc(world: World, kim: Any) -> None:
    phq = await install(world.superuser, "phq_9")
    model = {f"q{number}": 2 for number in range(1, 9)}
    made = await answer(world.user, phq, kim, model=model)

    questionnaire, response, (observation,) = await read(world.user, phq, made["id"])

    stem, *questions, total = questionnaire.pop("item")
    copyright_ = questionnaire.pop("copyright")
    assert copyright_.startswith("Developed by Drs Robert L. Spitzer")
    assert copyright_.endswith("(loinc.org/license).")
    assert questionnaire.pop("date")
    assert questionnaire == {
        "resourceType": "Questionnaire",
        "id": phq,
        "url": f"{BASE}/Questionnaire/{phq}",
        "version": "1",
        "name": f"Assessment_{phq}",
        "title": "PHQ-9",
        "status": "active",
        "subjectType": ["Patient"],
        "publisher": "Kroenke, Spitzer & Williams",
        "description": "Patient Health Questionnaire, depression",
        "code": [{"system": "http://loinc.org", "code": "44249-1", "display": "PHQ-9"}],
    }
    assert (stem["type"], sorted(stem)) == ("display", ["linkId", "text", "type"])
    assert len(questions) == 9
    first = questions[0]
    link = first.pop("linkId")
    assert first.pop("answerOption")[2] == {"valueCoding": _coding("LA6570-1", "More than half the days", 2)}
    text = "Little interest or pleasure in doing things"
    assert first == {
        "text": text,
        "type": "choice",
        "required": True,
        "code": [{"system": "http://loinc.org", "code": "44250-9", "display": text}],
    }
    assert (total["text"], total["type"], total["readOnly"]) == ("PHQ-9 total", "decimal", True)
    assert total["code"] == [{"system": "http://loinc.org", "code": "44261-6", "display": "PHQ-9 total"}]
    patient = {"reference": f"Patient/{global_id('Client', kim.id)}", "type": "Patient"}
    items = response.pop("item")
    authored = response.pop("authored")
    assert len(items) == 8
    assert items[0] == {
        "linkId": link,
        "text": text,
        "answer": [{"valueCoding": _coding("LA6570-1", "More than half the days", 2)}],
    }
    assert response == {
        "resourceType": "QuestionnaireResponse",
        "id": made["id"],
        "questionnaire": f"{BASE}/Questionnaire/{phq}|1",
        "status": "in-progress",
        "subject": patient,
        "author": patient,
        "source": patient,
    }
    assert observation.pop("issued")
    assert observation.pop("interpretation")[0]["text"] == "moderately severe"
    assert observation == {
        "resourceType": "Observation",
        "id": made["scores"][0]["id"],
        "status": "final",
        "category": [{"coding": [_of("observation-category", "survey", "Survey")]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "44261-6", "display": "PHQ-9 total"}],
            "text": "PHQ-9 total",
        },
        "subject": patient,
        "effectiveDateTime": authored,
        "performer": [patient],
        "valueQuantity": _points(18),
        "referenceRange": [
            {"low": _points(10), "text": "probable depression (sensitivity 77-88 %, specificity 88-94 %)"}
        ],
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{made['id']}", "type": "QuestionnaireResponse"}],
    }


def _coding(code: str, display: str, value: float) -> dict[str, Any]:
    extension = [{"url": ORDINAL, "valueDecimal": value}]
    return {"extension": extension, "system": "http://loinc.org", "code": code, "display": display}


def _of(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code, "display": display}


def _points(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}"}


async def test_a_score_that_cannot_be_computed_says_why(world: World, kim: Any) -> None:
    gad = await install(world.superuser, "gad_7")
    made = await answer(world.user, gad, kim, model={"q1": 3})

    _, _, (observation,) = await read(world.user, gad, made["id"])

    assert "valueQuantity" not in observation
    assert "interpretation" not in observation
    unknown = _of("data-absent-reason", "unknown", "Unknown")
    assert observation["dataAbsentReason"] == {"coding": [unknown], "text": "Too many answers are missing"}


async def test_content_of_ones_own_has_codes_of_its_own(world: World, kim: Any) -> None:
    ada = world.superuser
    many = await make_item(ada, "Which of these?", values=(1, 2), item_type=ItemType.MULTIPLE_SELECT)
    words = await make_item(ada, "Anything else?", item_type=ItemType.SHORT_ANSWER)
    plain = await make_item(ada, "How much?", values=(0, 0.5))
    scale = await make_scale(ada, "Own", plain)
    config = await make_config(ada, scale, ScoreType.SCALE_SUM, name="Sum", status=PublicationStatus.PUBLISHED)
    await make_range(ada, scale, 0, 0.5, "little")
    await make_range(ada, scale, 0.5, 1, "much")
    assessment = await make_assessment(ada, "Own", status=PublicationStatus.PUBLISHED)
    await put_on(ada, assessment, many, words, plain)
    await put_on(ada, assessment, scale)
    own = global_id("Assessment", assessment.id)
    options = "query($i: ID!) { item(id: $i) { options { nodes { id } } } }"
    found = (await ada.ask(options, i=global_id("Item", many.id))).data["item"]["options"]["nodes"]
    ids = [one["id"] for one in found]
    answers = [
        {"itemId": global_id("Item", many.id), "itemOptionIds": ids},
        {"itemId": global_id("Item", words.id), "text": "No"},
        {"itemId": global_id("Item", plain.id), "value": "0.5"},
    ]
    made = await answer(world.user, own, kim, answers=answers)

    questionnaire, response, (observation,) = await read(world.user, own, made["id"])

    kinds = [(one["type"], one.get("repeats")) for one in questionnaire["item"]]
    assert kinds == [("choice", True), ("text", None), ("choice", None), ("decimal", None)]
    assert "copyright" not in questionnaire
    assert response["status"] == "completed"
    chosen = [one["valueCoding"] for one in response["item"][0]["answer"]]
    assert [(one["system"], one["code"]) for one in chosen] == [(f"{BASE}/CodeSystem/item-options", one) for one in ids]
    assert response["item"][1]["answer"] == [{"valueString": "No"}]
    key = global_id("ScoreConfig", config.id)
    assert observation["code"]["coding"] == [{"system": f"{BASE}/CodeSystem/scores", "code": key, "display": "Sum"}]
    assert observation["valueQuantity"] == _points(0.5)
    assert observation["interpretation"][0]["text"] == "much"
    assert observation["referenceRange"] == [
        {"low": _points(0), "text": "little: from 0, below 0.5"},
        {"low": _points(0.5), "high": _points(1), "text": "much: from 0.5 to 1"},
    ]


async def test_who_does_not_see_answers_sees_no_resource(world: World, kim: Any) -> None:
    phq = await install(world.superuser, "phq_2")
    made = await answer(world.user, phq, kim, model={"q1": 1, "q2": 2})
    query = "query($s: ID!) { answerSet(id: $s) { fhirResponse fhirObservations } }"

    for one in (world.colleague, world.other_superuser):
        assert (await one.ask(query, s=made["id"])).data == {"answerSet": None}
    assert (await world.other_superuser.ask(READ, a=phq, s=made["id"])).data == {"assessment": None, "answerSet": None}
    assert (await world.nobody.ask(query, s=made["id"])).error == ("UNAUTHENTICATED", "Authentication failed")


@pytest.mark.parametrize(("key", "left_out"), [("phq_9", 2), ("ces_d", 0), ("dass_21", 1)])
async def test_the_calculation_in_fhirpath_gives_the_score(world: World, kim: Any, key: str, left_out: int) -> None:
    installed = await install(world.superuser, key)
    names = [one.key for one in instrument(key).items]
    model = {name: place % 4 for place, name in enumerate(names) if place >= left_out}
    made = await answer(world.user, installed, kim, model=model)

    questionnaire, response, observations = await read(world.user, installed, made["id"])

    totals = [one for one in questionnaire["item"] if one.get("readOnly")]
    assert len(totals) == len(observations) > 0
    assert [_calculated(one, response) for one in totals] == [
        [pytest.approx(one["valueQuantity"]["value"], rel=1e-12)] for one in observations
    ]
    assert [_calculated(one, response | {"item": response["item"][:3]}) for one in totals] == [[]] * len(totals)


def _calculated(total: Any, response: Any) -> list[float]:
    """The value of a calculated item, by an implementation of FHIRPath that somebody else wrote."""
    variable, expression = (one["valueExpression"] for one in total["extension"])
    assert (variable["name"], expression["language"]) == ("answers", "text/fhirpath")
    answers = evaluate(response, variable["expression"], {"resource": response}, models["r4"])
    return [float(one) for one in evaluate(response, expression["expression"], {"answers": answers}, models["r4"])]


def test_members_that_the_standard_does_not_know_are_refused() -> None:
    with pytest.raises(ValidationError):
        valid({"resourceType": "Questionnaire", "status": "active", "colour": "red"})
