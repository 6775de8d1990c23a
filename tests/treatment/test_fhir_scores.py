"""ORS and SRS as FHIR R4, and everything in one bundle, by the field and by `/exports/fhir`."""

import json
from datetime import date
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from audit.entries import entry, written
from caregraph.graph.node import global_id
from factories.people import make_client
from factories.programs import make_application
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal, World

BASE = "http://127.0.0.1:8000/fhir"
FHIR, NDJSON = "application/fhir+json", "application/fhir+ndjson"
INSTALL = """mutation { installInstrument(key: "phq_2") { node { id } } }"""
ANSWER = """mutation($a: ID!, $c: ID!) { createAnswerSet(assessmentId: $a, clientId: $c, input: {model: {q1: 2, q2: 2}}) {
  errors { message } node { id scores { id } } } }"""
FIELD = "{ fhirBundle }"


async def ask(principal: Principal, path: str = "/exports/fhir", **headers: str) -> httpx.Response:
    return await principal.world.http.get(path, headers={**principal.headers, **headers})


def valid(resource: Any) -> Any:
    """The resource, which the models take."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def points(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}"}


@pytest.fixture
async def scored(world: World) -> dict[str, Any]:
    """Ben's Kim of 15 years with an ORS, an ORS of his mother, an SRS, and a PHQ-2; Cleo's Lee with an ORS."""
    kim = await make_client(world.user, full_name="Kim", birth_date=date(2010, 5, 5))
    lee = await make_client(world.colleague, full_name="Lee")
    episode = await make_episode(world.user, kim, lee, start_date=date(2026, 1, 5))
    mum = await make_rater(world.user, episode, kim)
    first = await make_session(world.user, episode, date(2026, 1, 5))
    second = await make_session(world.user, episode, date(2026, 1, 12))
    ors = await make_ors(world.user, first, kim, 0.1, 0.2, 5, 5.5)
    of_mum = await make_ors(world.user, second, kim, 4, 4, 4, 4, rater=mum)
    srs = await make_srs(world.user, second, kim, 9, 9, 9, 9)
    of_lee = await make_ors(world.user, second, lee, 1, 1, 1, 1)
    phq = (await world.superuser.ask(INSTALL)).data["installInstrument"]["node"]["id"]
    made = (await world.user.ask(ANSWER, a=phq, c=global_id("Client", kim.id))).data["createAnswerSet"]["node"]
    rows = {"kim": kim, "lee": lee, "mum": mum, "first": first, "ors": ors, "of_mum": of_mum, "srs": srs}
    return {**rows, "of_lee": of_lee, "phq": phq, "set": made["id"], "total": made["scores"][0]["id"]}


async def test_the_ors_as_response_and_observation(world: World, scored: dict[str, Any]) -> None:
    own = global_id("OrsScore", scored["ors"].id)
    query = "query($i: ID!) { orsScore(id: $i) { fhirResponse fhirObservations } }"

    found = (await world.user.ask(query, i=own)).data["orsScore"]

    response, (observation,) = valid(found["fhirResponse"]), map(valid, found["fhirObservations"])
    patient = {"reference": f"Patient/{global_id('Client', scored['kim'].id)}", "type": "Patient"}
    encounter = {"reference": f"Encounter/{global_id('Session', scored['first'].id)}", "type": "Encounter"}
    lines = {"individually": 0.1, "interpersonally": 0.2, "socially": 5, "overall": 5.5}
    assert response == {
        "resourceType": "QuestionnaireResponse",
        "id": own,
        "questionnaire": f"{BASE}/Questionnaire/ors|1",
        "status": "completed",
        "subject": patient,
        "encounter": encounter,
        "authored": "2026-01-05",
        "author": patient,
        "source": patient,
        "item": [
            {"linkId": name, "text": name.capitalize(), "answer": [{"valueDecimal": value}]}
            for name, value in lines.items()
        ],
    }
    scales = f"{BASE}/CodeSystem/scales"
    assert observation.pop("issued")
    assert observation.pop("category")[0]["coding"][0]["code"] == "survey"
    assert observation == {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "code": {
            "coding": [{"system": scales, "code": "ors-total", "display": "ORS total"}],
            "text": "ORS total",
        },
        "subject": patient,
        "encounter": encounter,
        "effectiveDateTime": "2026-01-05",
        "performer": [patient],
        "valueQuantity": points(10.8),
        "referenceRange": [{"low": points(28), "text": "At or above the cut-off"}],
        "derivedFrom": [{"reference": f"QuestionnaireResponse/{own}", "type": "QuestionnaireResponse"}],
        "component": [
            {
                "code": {
                    "coding": [{"system": scales, "code": f"ors-{name}", "display": name.capitalize()}],
                    "text": name.capitalize(),
                },
                "valueQuantity": points(value),
            }
            for name, value in lines.items()
        ],
    }


async def test_a_rater_is_a_related_person(world: World, scored: dict[str, Any]) -> None:
    query = "query($i: ID!) { orsScore(id: $i) { fhirResponse fhirObservations } }"

    found = (await world.user.ask(query, i=global_id("OrsScore", scored["of_mum"].id))).data["orsScore"]

    mum = {"reference": f"RelatedPerson/{global_id('Rater', scored['mum'].id)}", "type": "RelatedPerson"}
    (observation,) = found["fhirObservations"]
    assert (found["fhirResponse"]["source"], observation["performer"]) == (mum, [mum])
    assert observation["subject"]["type"] == "Patient"


async def test_a_bundle_has_all_that_one_sees(world: World, scored: dict[str, Any]) -> None:
    program = await (await make_application(world.superuser, name="Reports")).signed_in()
    ors, of_mum = (global_id("OrsScore", scored[name].id) for name in ("ors", "of_mum"))
    srs, of_lee = global_id("SrsScore", scored["srs"].id), global_id("OrsScore", scored["of_lee"].id)
    questionnaire = ("Questionnaire", scored["phq"])
    answers = [("QuestionnaireResponse", scored["set"]), ("Observation", scored["total"])]
    measures = [("Questionnaire", "ors"), ("Questionnaire", "srs")]

    def pairs(*keys: str) -> list[tuple[str, str]]:
        return [(kind, key) for key in keys for kind in ("QuestionnaireResponse", "Observation")]

    expected = {
        world.user.name: [questionnaire, *answers, *measures, *pairs(ors, of_mum, srs)],
        world.colleague.name: [measures[0], *pairs(of_lee)],
        program.name: [questionnaire, *answers, *measures, *pairs(ors, of_mum, srs, of_lee)],
        world.other_superuser.name: [],
    }
    for one in (world.user, world.colleague, program, world.other_superuser):
        bundle = valid((await one.ask(FIELD)).data["fhirBundle"])
        response = await ask(one)
        lines = await ask(one, "/exports/fhir.ndjson")

        assert response.json() == bundle
        resources = [valid(entry["resource"]) for entry in bundle.get("entry", [])]
        assert [(each["resourceType"], each["id"]) for each in resources] == expected[one.name]
        assert [json.loads(line) for line in lines.text.splitlines()] == resources
        assert [entry["fullUrl"] for entry in bundle.get("entry", [])] == [
            f"{BASE}/{kind}/{key}" for kind, key in expected[one.name]
        ]


async def test_a_bundle_is_narrowed(world: World, scored: dict[str, Any]) -> None:
    kim, lee = (global_id("Client", scored[name].id) for name in ("kim", "lee"))
    kinds = {}
    for narrow in (
        f"clientId={kim}",
        f"clientId={lee}",
        "clientId=x",
        "to=2026-01-05",
        "from=2026-01-12&to=2026-01-12",
    ):
        found = (await ask(world.user, f"/exports/fhir?{narrow}")).json().get("entry", [])
        kinds[narrow.partition("=")[0] + str(len(kinds))] = [one["resource"]["resourceType"] for one in found]

    assert [each.count("Observation") for each in kinds.values()] == [4, 0, 0, 1, 2]


async def test_forms_and_refusals_of_the_export(world: World, scored: dict[str, Any]) -> None:
    narrow = await (await make_application(world.superuser)).signed_in(scope="answers.read assessments.read")

    for accept, expected in {"*/*": FHIR, "application/json": FHIR, "application/x-ndjson": NDJSON}.items():
        response = await ask(world.user, accept=accept)
        assert (response.status_code, response.headers["content-type"]) == (200, expected)
    assert response.headers["content-disposition"] == 'attachment; filename="fhir.ndjson"'
    for who, path, status, message in (
        (world.nobody, "/exports/fhir", 401, "Authentication failed"),
        (world.calculator, "/exports/fhir", 403, "Access denied"),
        (narrow, "/exports/fhir", 403, "Access denied"),
        (world.user, "/exports/fhir?columns=ors", 400, "There is no such parameter: clientId, from, to"),
    ):
        refused = await ask(who, path)
        assert (refused.status_code, refused.json()["errors"][0]["message"]) == (status, message)
    unacceptable = await ask(world.user, accept="text/csv")
    assert unacceptable.json()["errors"][0]["message"] == f"This answers {FHIR} or {NDJSON}"


async def test_whose_record_was_exported_is_on_record(world: World, scored: dict[str, Any]) -> None:
    async with written(world) as entries:
        await ask(world.user)

    clients = [scored["kim"].id]
    assert entries == [entry("READ", "fhirBundle", operation="export_fhir", client_ids=clients)]


async def test_limits_hold_for_bundles(world: World, scored: dict[str, Any]) -> None:
    ben = world.user.headers
    await world.restart(maximum_rows=4)

    refused = await ask(Principal(world, "Ben", ben))

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["extensions"]["code"] == "COST_ACTUAL_TOO_EXPENSIVE"
