"""`exportClient`: everything held about a client, and nothing of anybody else."""

import json
import secrets
from datetime import date
from typing import Any

from caregraph.db.base import Base, table_of
from caregraph.db.dependents import reach
from caregraph.graph.filters import camel
from caregraph.graph.node import global_id
from caregraph.people.models import Client
from factories.people import make_client, make_consent, make_file
from factories.treatment import make_episode, make_ors, make_session
from kit import Principal, World
from personal.keys import FIRST
from tenancy.two_towns import Town, make_harbor, make_northfield

EXPORT = "query($id: ID!) { exportClient(id: $id) }"


async def exported(principal: Principal, client_id: str) -> Any:
    return (await principal.ask(EXPORT, id=client_id)).data["exportClient"]


def instant(row: Any) -> str:
    return row.isoformat()


async def test_everything_of_a_client_is_in_the_export(world: World) -> None:
    await world.restart(encryption_keys=FIRST)
    town = await make_northfield(world)
    await make_harbor(world)
    kim = await make_client(
        world.user,
        full_name="Kim",
        ssn="010190-1234",
        phone="+45 12345678",
        birth_date=date(1990, 1, 1),
        comment="Free text",
    )
    ids, ann = town.ids, town.ids["ann"]

    found = await exported(world.user, ann)
    alone = await exported(world.user, global_id("Client", kim.id))

    assert alone["client"] == {
        "id": global_id("Client", kim.id),
        "fullName": "Kim",
        "alias": None,
        "ssn": "010190-1234",
        "birthDate": "1990-01-01",
        "gender": "UNKNOWN",
        "phone": "+45 12345678",
        "comment": "Free text",
        "gdprApproval": False,
        "createdAt": instant(kim.created_at),
        "erasedAt": None,
    }
    assert {name for name, rows in alone.items() if rows} == {"client", "clientOwners"}
    url = found["files"][0].pop("url")
    assert (url[:7], url.count(".")) == ("/files/", 1)
    answered = {name: _timeless(found.pop(name)) for name in ("answerSets", "itemResponses", "answerScores")}
    assert answered == {
        "answerSets": [
            {
                "id": ids["answers"],
                "assessmentId": ids["assessment"],
                "assessmentVersion": 1,
                "clientId": ann,
                "completedAt": None,
                "lastScoredAt": None,
                "model": None,
                "source": "DEFAULT",
                "specName": None,
                "specVersion": None,
                "title": None,
            }
        ],
        "itemResponses": [
            {
                "id": ids["response"],
                "answerSetId": ids["answers"],
                "clientId": ann,
                "itemId": ids["item"],
                "itemOptionId": ids["option"],
                "sourceType": "DEFAULT",
                "text": "Of the town",
                "value": 1.0,
            }
        ],
        "answerScores": [
            {
                "id": ids["answer_score"],
                "answerSetId": ids["answers"],
                "clientId": ann,
                "scoreConfigId": ids["config"],
                "scoreConfigVersion": 1,
                "resultRangeId": ids["range"],
                "value": 3.0,
            }
        ],
    }
    assert found == {
        "client": {
            **alone["client"],
            "id": ann,
            "fullName": "Ann",
            "alias": "A",
            "ssn": None,
            "phone": None,
            "comment": None,
            "createdAt": instant(town.ann.created_at),
        },
        "clientOwners": [{"clientId": ann, "userId": world.user.id, "userName": "Ben Borg"}],
        "clientGroups": [{"clientId": ann, "groupId": global_id("Group", town.group.id), "groupName": "Nurses"}],
        "clientLabels": [{"clientId": ann, "labelId": ids["label"], "labelName": "Winter"}],
        "files": [
            {
                "id": ids["ann_file"],
                "clientId": ann,
                "name": "letter.pdf",
                "contentType": "application/pdf",
                "size": 1,
                "sha256": "00",
                "createdAt": instant(town.ann_file.created_at),
            }
        ],
        "consents": [
            {
                "id": ids["ann_consent"],
                "clientId": ann,
                "kind": "SMS",
                "given": True,
                "recordedAt": instant(town.ann_consent.recorded_at),
                "recordedBy": world.user.id,
                "applicationId": None,
                "recordedByName": "Ben Borg",
            }
        ],
        "episodeClients": [
            {"episodeId": ids[name], "clientId": ann, "ageAtStart": age}
            for name, age in (("alone", 36), ("shared", 36))
        ],
        "episodes": [_episode(town, "alone", "2026-02-01"), _episode(town, "shared", "2026-01-05")],
        "episodeLabels": [
            {"episodeId": ids[name], "labelId": ids["label"], "labelName": "Winter"} for name in ("alone", "shared")
        ],
        "raters": [
            {
                "id": ids["ann_rater"],
                "episodeId": ids["shared"],
                "clientId": ann,
                "fullName": "Ann's mother",
                "email": None,
                "comment": None,
                "erasedAt": None,
                "createdAt": instant(town.ann_rater.created_at),
            }
        ],
        "sessions": [
            {
                "id": ids[name],
                "episodeId": ids[episode],
                "sessionDate": day,
                "createdAt": instant(getattr(town, name).created_at),
            }
            for name, episode, day in (
                ("alone_session", "alone", "2026-02-02"),
                ("session", "shared", "2026-01-12"),
            )
        ],
        "scores": [
            _ors(town, "ann_ors", 1.0, rater=None),
            _srs(town, "ann_srs", 2.0),
            _ors(town, "ann_rated", 3.0, rater=ids["ann_rater"]),
        ],
    }


def _timeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in {"createdAt", "updatedAt"}} for row in rows]


def _episode(town: Town, name: str, start: str) -> dict[str, Any]:
    return {
        "id": town.ids[name],
        "title": name.capitalize(),
        "startDate": start,
        "endDate": None,
        "status": "ONGOING",
        "phone": None,
        "comment": None,
        "groupSrs": False,
        "erasedAt": None,
        "createdAt": instant(getattr(town, name).created_at),
    }


def _score(town: Town, name: str, measure: str, rater: str | None) -> dict[str, Any]:
    return {
        "id": town.ids[name],
        "episodeId": town.ids["shared"],
        "sessionId": town.ids["session"],
        "clientId": town.ids["ann"],
        "raterId": rater,
        "measure": measure,
        "createdAt": instant(getattr(town, name).created_at),
    }


def _ors(town: Town, name: str, line: float, *, rater: str | None) -> dict[str, Any]:
    lines = dict.fromkeys(("individually", "interpersonally", "socially", "overall"), line)
    return _score(town, name, "ORS", rater) | lines


def _srs(town: Town, name: str, line: float) -> dict[str, Any]:
    lines = dict.fromkeys(("relationship", "goalsAndTopics", "approachOrMethod", "overall"), line)
    return _score(town, name, "SRS", None) | lines


async def test_nothing_of_others_is_in_it_even_for_who_sees_them(world: World) -> None:
    """Ann shares an episode with Bo: neither he nor his scores, rater, file or consents come with her."""
    town = await make_northfield(world)
    await make_harbor(world)
    theirs = {"bo", "zoe", "zoes", "bo_rater", "bo_file", "bo_consent", "bo_ors", "bo_srs", "bo_rated", "zoe_ors"}

    for principal in (world.superuser, world.user):
        text = json.dumps(await exported(principal, town.ids["ann"]))
        assert "HIDDEN" not in text
        assert [name for name in theirs if town.ids[name] in text] == []


async def test_only_who_sees_the_client_gets_an_export(world: World) -> None:
    town = await make_northfield(world)

    for stranger in (world.colleague, world.other_superuser):
        assert await exported(stranger, town.ids["ann"]) is None
        assert await exported(stranger, global_id("Client", 999)) is None
    assert await exported(world.user, town.ids["shared"]) is None
    assert await exported(world.user, "nonsense") is None
    assert (await world.nobody.ask(EXPORT, id=town.ids["ann"])).error[0] == "UNAUTHENTICATED"
    assert (await world.calculator.ask(EXPORT, id=town.ids["ann"])).error == ("FORBIDDEN", "Access denied")


async def test_every_table_that_goes_with_a_client_is_in_the_export(world: World) -> None:
    """A table of a later slice comes along by its key, without a line here."""
    client = await make_client(world.user)
    tables = {one.table.name for one in reach(table_of(Client), client)}
    of_clients = {table.name for table in Base.metadata.tables.values() if "client_id" in table.c}

    found = await exported(world.user, global_id("Client", client.id))

    assert of_clients - tables == set(), "give the table a tenant_key to clients"
    assert found.keys() == {"client", *(camel(name) for name in tables)}


async def test_an_export_takes_as_many_statements_for_much_as_for_little(world: World) -> None:
    counts = []
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    for more in (2, 18):
        for _ in range(more):
            await make_file(world.user, client, storage_key=secrets.token_hex())
            await make_consent(world.user, client)
            await make_ors(world.user, await make_session(world.user, episode), client)
        with world.statements() as statements:
            found = await exported(world.user, global_id("Client", client.id))
        counts.append((len(found["scores"]), len(found["files"]), len(statements)))

    assert counts == [(2, 2, counts[0][2]), (20, 20, counts[0][2])]


async def test_an_export_counts_as_reading_its_rows(world: World) -> None:
    town = await make_northfield(world)
    await world.restart(maximum_rows=5)

    answer = await world.user.ask(EXPORT, id=town.ids["ann"])

    assert answer.error == ("COST_ACTUAL_TOO_EXPENSIVE", "An operation may read at most 5 rows")
