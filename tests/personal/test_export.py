"""`exportClient`: everything held about a client, and nothing of anybody else."""

import json
from datetime import date
from typing import Any

from sqlalchemy import inspect

from caregraph.db.base import Base, TenantRow, table_of
from caregraph.db.dependents import reach
from caregraph.graph.node import global_id
from caregraph.people.models import Client, ClientGroup, Group
from factories.people import make_client
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
    async with world.writing(world.user) as tx:
        group = Group(name="Winter group")
        tx.add(group)
        await tx.flush()
        tx.add(ClientGroup(client_id=town.ann.id, group_id=group.id))

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
        "clientGroups": [{"clientId": ann, "groupId": global_id("Group", group.id), "groupName": "Winter group"}],
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
    tenant_tables = {
        table_of(one.class_).name for one in inspect(Client).registry.mappers if issubclass(one.class_, TenantRow)
    }

    found = await exported(world.user, global_id("Client", client.id))

    assert len(found) == 1 + len(tables)
    assert tenant_tables - tables == {
        *("clients", "labels", "groups", "user_groups", "locations"),
        *("memberships", "granted_permissions", "calculator_plans", "audit_events"),
    }, "give a table about clients its tenant_key, or say here that it is about something else"
    assert Base.metadata.tables.keys() >= tables


async def test_an_export_takes_as_many_statements_for_much_as_for_little(world: World) -> None:
    town = await make_northfield(world)
    counts = []
    for name in ("zoe", "ann"):
        with world.statements() as statements:
            await exported(world.superuser, town.ids[name])
        counts.append(len(statements))

    assert counts[1] - counts[0] == 1  # the name of her label


async def test_an_export_counts_as_reading_its_rows(world: World) -> None:
    town = await make_northfield(world)
    await world.restart(maximum_rows=5)

    answer = await world.user.ask(EXPORT, id=town.ids["ann"])

    assert answer.error == ("COST_ACTUAL_TOO_EXPENSIVE", "An operation may read at most 5 rows")
