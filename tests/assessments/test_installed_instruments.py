"""Instruments of the library as assessments of an organization: what is installed scores as the file's vectors say."""

import math
from typing import Any

import numpy as np
import pytest

from caregraph.assessments.scored import rules_of
from caregraph.auth.viewer import Viewer
from caregraph.graph.node import global_id, parse_id
from caregraph.scoring.engine import score
from caregraph.scoring.instruments import Instrument, instruments
from factories.assessments import make_scale
from factories.people import make_client
from kit import Principal, World

INSTALL = """mutation($key: String!) { installInstrument(key: $key) {
  errors { code message path }
  node { id title displayTitle shortDescription longDescription authorName status privacy isOwn isEditable loincCode
    instrumentKey instrumentVersion instrument { licence { notice } }
    assessmentItems(first: 30) { nodes { position required item { id itemType text identifier loincCode
      options { nodes { id text value position loincCode } } } } }
    scales { name displayName minScore maxScore
      itemScales(first: 30) { nodes { position weight isReversed item { identifier } } }
      scoreConfigs { name scoreType status minimumAnsweredShare loincCode }
      resultRanges { name rangeStart rangeEnd } } } } }"""
INSTALLABLE = [one for one in instruments() if one.key not in {"ors", "srs"}]


async def install(principal: Principal, key: str) -> Any:
    payload = (await principal.ask(INSTALL, key=key)).data["installInstrument"]
    assert payload["errors"] == []
    return payload["node"]


async def refused(principal: Principal, key: str) -> tuple[str, str, list[str]]:
    before = await principal.world.counts()
    payload = (await principal.ask(INSTALL, key=key)).data["installInstrument"]
    assert payload["node"] is None
    assert await principal.world.counts() == before
    (error,) = payload["errors"]
    return error["code"], error["message"], error["path"]


async def test_an_installed_instrument_is_an_assessment_that_is_ready_to_use(world: World) -> None:
    made = await install(world.superuser, "phq_9")

    places = made.pop("assessmentItems")["nodes"]
    (scale,) = made.pop("scales")
    notice = made["longDescription"]
    assert {name: value for name, value in made.items() if name not in {"id", "longDescription"}} == {
        "title": "PHQ-9",
        "displayTitle": "PHQ-9",
        "shortDescription": "Patient Health Questionnaire, depression",
        "authorName": "Kroenke, Spitzer & Williams",
        "status": "PUBLISHED",
        "privacy": "PRIVATE",
        "isOwn": True,
        "isEditable": False,
        "loincCode": "44249-1",
        "instrumentKey": "phq_9",
        "instrumentVersion": "1",
        "instrument": {"licence": {"notice": notice.partition(" This file")[0]}},
    }
    assert notice.startswith("Developed by Drs Robert L. Spitzer")
    assert notice.endswith("used under the LOINC licence (loinc.org/license).")
    assert [(one["position"], one["required"], one["item"]["itemType"]) for one in places] == [
        (1, False, "INSTRUCTION"),
        *((place, True, "MULTIPLE_CHOICE") for place in range(2, 11)),
    ]
    last = places[-1]["item"]
    assert (last["identifier"], last["loincCode"]) == ("q9", "44260-8")
    assert [(one["position"], one["value"], one["loincCode"]) for one in last["options"]["nodes"]] == [
        (1, "0.0", "LA6568-5"),
        (2, "1.0", "LA6569-3"),
        (3, "2.0", "LA6570-1"),
        (4, "3.0", "LA6571-9"),
    ]
    assert (scale["name"], scale["displayName"]) == ("PHQ-9: Total", "Total")
    assert (scale["minScore"], scale["maxScore"]) == ("0.0", "27.0")
    assert scale["scoreConfigs"] == [
        {
            "name": "PHQ-9 total",
            "scoreType": "SCALE_SUM",
            "status": "PUBLISHED",
            "minimumAnsweredShare": str(7 / 9),
            "loincCode": "44261-6",
        }
    ]
    assert [(one["name"], one["rangeStart"], one["rangeEnd"]) for one in scale["resultRanges"]] == [
        ("minimal", "0.0", "5.0"),
        ("mild", "5.0", "10.0"),
        ("moderate", "10.0", "15.0"),
        ("moderately severe", "15.0", "20.0"),
        ("severe", "20.0", "27.0"),
    ]


async def test_weights_and_reversals_are_installed(world: World) -> None:
    dass, ces_d = await install(world.superuser, "dass_21"), await install(world.superuser, "ces_d")

    stress = next(one for one in dass["scales"] if one["displayName"] == "Stress")
    assert {one["weight"] for one in stress["itemScales"]["nodes"]} == {"2.0"}
    assert stress["maxScore"] == "42.0"
    (total,) = ces_d["scales"]
    reversed_ones = [one["item"]["identifier"] for one in total["itemScales"]["nodes"] if one["isReversed"]]
    assert reversed_ones == ["q4", "q8", "q12", "q16"]


@pytest.mark.parametrize("one", INSTALLABLE, ids=lambda one: one.key)
async def test_rows_score_as_the_vectors_of_the_file(world: World, one: Instrument) -> None:
    made = await install(world.superuser, one.key)

    _, assessment_id = parse_id(made["id"]) or ("", 0)
    async with world.database.read_session(Viewer.system(world.superuser.organization_id)) as session:
        rules = await rules_of(session.execute, assessment_id)
    assert rules is not None
    places = {
        place["item"]["identifier"]: parse_id(place["item"]["id"])[1]
        for place in made["assessmentItems"]["nodes"]
        if place["item"]["identifier"]
    }
    order = [f"item:{places[item.key]}" for item in one.items]
    columns = [order.index(item.key) for item in rules.spec.items]
    scores = score(rules.spec, np.array([vector.answers for vector in one.vectors])[:, columns])
    names = {config.name: scores[f"config:{config.id}"] for config in rules.configs}
    found = [
        {config.key: _told(names[config.label], place) for config in one.spec.configs}
        for place in range(len(one.vectors))
    ]
    own = score(one.spec, np.array([vector.answers for vector in one.vectors]))
    assert found == [
        {config.key: _told(own[config.key], place) for config in one.spec.configs} for place in range(len(one.vectors))
    ]
    for place, vector in enumerate(one.vectors):
        for key, label in vector.ranges:
            assert found[place][key][1] == (label or None)


def _told(column: Any, place: int) -> tuple[float | None, str | None]:
    """Score and name of its range."""
    number, band = float(column.score[place]), int(column.band[place])
    return None if math.isnan(number) else number, None if band < 0 else column.config.ranges[band].label


async def test_answers_of_another_system_by_the_keys_of_items_are_scored(world: World) -> None:
    made = await install(world.superuser, "gad_7")
    kim = await make_client(world.user, full_name="Kim")
    create = """mutation($a: ID!, $c: ID!, $m: JSON!) {
      createAnswerSet(assessmentId: $a, clientId: $c, input: {model: $m}) { errors { message }
        node { completedAt scores { value scoreConfig { name } resultRange { name } } } } }"""

    model = {f"q{number}": 2 for number in range(1, 8)}
    answer = await world.user.ask(create, a=made["id"], c=global_id("Client", kim.id), m=model)

    node = answer.data["createAnswerSet"]["node"]
    assert node["completedAt"] is not None
    assert node["scores"] == [
        {"value": "14.0", "scoreConfig": {"name": "GAD-7 total"}, "resultRange": {"name": "moderate"}}
    ]


async def test_an_instrument_is_installed_once_in_an_organization(world: World) -> None:
    made = await install(world.superuser, "phq_2")

    assert await refused(world.superuser, "phq_2") == ("CONFLICT", "The PHQ-2 is installed already", ["key"])
    other = await install(world.other_superuser, "phq_2")
    query = "{ instruments { key installed { id } } }"
    for principal, own in ((world.superuser, made), (world.other_superuser, other)):
        library = (await principal.ask(query)).data["instruments"]
        assert [one for one in library if one["installed"]] == [{"key": "phq_2", "installed": {"id": own["id"]}}]


async def test_what_cannot_be_installed(world: World) -> None:
    await make_scale(world.superuser, "GAD-2: Total")

    assert await refused(world.superuser, "phq_10") == ("NOT_FOUND", "Instrument not found", ["key"])
    assert await refused(world.superuser, "../phq_9") == ("NOT_FOUND", "Instrument not found", ["key"])
    for key, name in (("ors", "ORS"), ("srs", "SRS")):
        message = f"The {name} is recorded in sessions and needs no installation"
        assert await refused(world.superuser, key) == ("CONFLICT", message, ["key"])
    message = "A scale named “GAD-2: Total” is there already"
    assert await refused(world.superuser, "gad_2") == ("CONFLICT", message, ["key"])
    before = await world.counts()
    assert (await world.user.ask(INSTALL, key="phq_9")).error == ("FORBIDDEN", "Access denied")
    assert (await world.nobody.ask(INSTALL, key="phq_9")).error == ("UNAUTHENTICATED", "Authentication failed")
    assert await world.counts() == before


async def test_the_library_says_what_is_published(world: World) -> None:
    query = """{ instruments { key name title version language textIsShipped textSureness higherIsBetter source loincCode
      isInstallable licence { status sureness } flags { item atLeast label } items { key loincCode minimum maximum }
      scores { key label loincCode answersNeeded minimum maximum ranges { start end label } rangesSureness
        cutoffs { atLeast sureness } reliableChange { points sureness source } } } }"""

    library = (await world.user.ask(query)).data["instruments"]

    assert [one["key"] for one in library] == [one.key for one in instruments()]
    assert [one["key"] for one in library if not one["isInstallable"]] == ["ors", "srs"]
    phq = next(one for one in library if one["key"] == "phq_9")
    items = phq.pop("items")
    assert items[8] == {"key": "q9", "loincCode": "44260-8", "minimum": 0, "maximum": 3}
    assert phq == {
        "key": "phq_9",
        "name": "PHQ-9",
        "title": "Patient Health Questionnaire, depression",
        "version": "1",
        "language": "en",
        "textIsShipped": True,
        "textSureness": "SECONDARY_SOURCE",
        "higherIsBetter": False,
        "source": "Kroenke, Spitzer & Williams 2001, J Gen Intern Med 16(9):606-613",
        "loincCode": "44249-1",
        "isInstallable": True,
        "licence": {"status": "public domain", "sureness": "SECONDARY_SOURCE"},
        "flags": [{"item": "q9", "atLeast": 1, "label": "thoughts of death or self-harm"}],
        "scores": [
            {
                "key": "total",
                "label": "PHQ-9 total",
                "loincCode": "44261-6",
                "answersNeeded": 7,
                "minimum": 0,
                "maximum": 27,
                "ranges": [
                    {"start": 0, "end": 4, "label": "minimal"},
                    {"start": 5, "end": 9, "label": "mild"},
                    {"start": 10, "end": 14, "label": "moderate"},
                    {"start": 15, "end": 19, "label": "moderately severe"},
                    {"start": 20, "end": 27, "label": "severe"},
                ],
                "rangesSureness": "FROM_MEMORY",
                "cutoffs": [{"atLeast": 10, "sureness": "SECONDARY_SOURCE"}],
                "reliableChange": {"points": 6, "sureness": "FROM_MEMORY", "source": "NHS Talking Therapies"},
            }
        ],
    }
