"""`fit.users.*`, changing: creating, updating, roles."""

from typing import Any

import pytest
from sqlalchemy import select

from caregraph.db.base import table_of
from caregraph.graph.node import global_id
from caregraph.organizations.models import User
from contract.asserts import assert_nobody_is_refused, changed, changes, refused, strange_ids
from contract.included import member
from kit import PASSWORD, World

DINA = {"email": "Dina@Northfield.example", "fullName": "Dina Dahl", "password": PASSWORD}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("fit.users.create", DINA),
    ("fit.users.update", {"id": global_id("User", 3), "fullName": "Changed"}),
    ("fit.users.add_role", {"id": global_id("User", 3), "role": "AGENCY_ADMIN"}),
    ("fit.users.remove_role", {"id": global_id("User", 3), "role": "DISABLED"}),
]
FAILED = ("UNAUTHENTICATED", "Authentication failed")
LAST_SUPERUSER = refused("CONFLICT", "The organization's last superuser must stay", "id")
WRONG_VALUES = [
    ({"fullName": ""}, "must not be empty", "fullName"),
    ({"fullName": "  "}, "must not be empty", "fullName"),
    ({"fullName": "x" * 201}, "must have at most 200 characters", "fullName"),
    ({"password": "short"}, "must have at least 8 characters", "password"),
    ({"password": "x" * 201}, "must have at most 200 characters", "password"),
    ({"gdprApproval": None}, "must not be null", "gdprApproval"),
]


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_changing_other_users_is_for_superusers(world: World, call: str, variables: dict[str, Any]) -> None:
    await assert_nobody_is_refused(world, call, **variables)

    async with changes(world) as found:
        answer = await world.user.run(call, **variables)

    assert answer.error == ("FORBIDDEN", "Access denied")
    assert answer.body["data"] == {"result": None}
    assert found == {}
    assert (await world.superuser.run("fit.users.get", id=world.colleague.id)).result == member(world.colleague)


@pytest.mark.parametrize(("call", "variables"), CALLS[1:])
async def test_users_who_are_not_there_cannot_be_changed(world: World, call: str, variables: dict[str, Any]) -> None:
    otto = User(id=world.other_user.row_id)

    async with changes(world) as found:
        answers = [
            await world.superuser.run(call, **{**variables, "id": strange}) for strange in strange_ids("User", otto)
        ]

    assert [answer.result for answer in answers] == [refused("NOT_FOUND", "User not found", "id")] * 6
    assert found == {}


async def test_create_adds_an_ordinary_user_to_the_callers_organization(world: World) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run("fit.users.create", **DINA)

    dina = {
        **member(world.superuser),
        "id": global_id("User", 6),
        "email": "dina@northfield.example",
        "fullName": "Dina Dahl",
    }
    assert answer.result == changed(dina)
    assert found == {"users": 1, "memberships": 1}
    assert (await world.superuser.run("fit.users.get", id=global_id("User", 6))).result == dina
    assert (await world.other_superuser.run("fit.users.get", id=global_id("User", 6))).result is None


async def test_create_records_the_approval(world: World) -> None:
    answer = await world.superuser.run("fit.users.create", **DINA, gdprApproval=True)

    assert answer.result["node"]["gdprApproval"] is True


async def test_create_keeps_the_password_hashed_and_api_use_off(world: World) -> None:
    await world.superuser.run("fit.users.create", **DINA)

    users = table_of(User)
    row = await world.row(select(users.c.password_hash, users.c.api_enabled).where(users.c.id == 6))
    assert row.password_hash.startswith("$argon2id$")
    assert not row.api_enabled


@pytest.mark.parametrize("taken", ["ben@northfield.example", "BEN@Northfield.Example", "otto@harbor.example"])
async def test_an_email_is_taken_whatever_its_case_and_wherever(world: World, taken: str) -> None:
    async with changes(world) as found:
        created = await world.superuser.run("fit.users.create", **{**DINA, "email": taken})
        updated = await world.superuser.run("fit.users.update", id=world.colleague.id, email=taken)

    conflict = refused("CONFLICT", "E-mail is already taken", "input", "email")
    assert (created.result, updated.result) == (conflict, conflict)
    assert found == {}


@pytest.mark.parametrize(("wrong", "message", "path"), WRONG_VALUES)
async def test_values_that_break_a_rule_are_refused(
    world: World, wrong: dict[str, Any], message: str, path: str
) -> None:
    async with changes(world) as found:
        created = await world.superuser.run("fit.users.create", **{**DINA, **wrong})
        updated = await world.superuser.run("fit.users.update", id=world.colleague.id, **wrong)

    invalid = refused("INVALID", message, "input", path)
    assert (created.result, updated.result) == (invalid, invalid)
    assert found == {}
    assert (await world.superuser.run("fit.users.get", id=world.colleague.id)).result == member(world.colleague)


@pytest.mark.parametrize("email", ["", "ben", "ben@", "ben@north field.example", f"{'x' * 250}@a.example"])
async def test_an_email_must_be_one(world: World, email: str) -> None:
    async with changes(world) as found:
        created = await world.superuser.run("fit.users.create", **{**DINA, "email": email})
        updated = await world.superuser.run("fit.users.update", id=world.colleague.id, email=email)

    for answer in (created, updated):
        code, message = answer.error
        assert code == "BAD_USER_INPUT"
        assert message.endswith("EmailAddress cannot represent a value that is not an e-mail address")
    assert found == {}


@pytest.mark.parametrize("argument", ["email", "fullName", "password"])
async def test_create_needs_email_name_and_password(world: World, argument: str) -> None:
    async with changes(world) as found:
        absent = await world.superuser.run(
            "fit.users.create", **{name: value for name, value in DINA.items() if name != argument}
        )
        null = await world.superuser.run("fit.users.create", **{**DINA, argument: None})

    assert [answer.error[0] for answer in (absent, null)] == ["BAD_USER_INPUT", "BAD_USER_INPUT"]
    assert found == {}


@pytest.mark.parametrize("argument", ["email", "fullName", "password"])
async def test_update_refuses_null_for_what_must_be_there(world: World, argument: str) -> None:
    answer = await world.user.run("fit.users.update", id=world.user.id, **{argument: None})

    assert answer.result == refused("INVALID", "must not be null", "input", argument)
    assert (await world.user.run("fit.users.get_me")).result == member(world.user)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"fullName": "Benjamin Borg"}, {"fullName": "Benjamin Borg"}),
        ({"gdprApproval": True}, {"gdprApproval": True}),
        ({}, {}),
    ],
)
async def test_update_changes_only_what_is_sent_of_oneself_or_as_a_superuser(
    world: World, sent: dict[str, Any], stored: dict[str, Any]
) -> None:
    async with changes(world) as found:
        by_himself = await world.user.run("fit.users.update", id=world.user.id, **sent)
        by_superuser = await world.superuser.run("fit.users.update", id=world.colleague.id, **sent)

    assert by_himself.result == changed(member(world.user, **stored))
    assert by_superuser.result == changed(member(world.colleague, **stored))
    assert found == {}


async def test_update_of_the_email_changes_what_one_signs_in_with(world: World) -> None:
    answer = await world.user.run("fit.users.update", id=world.user.id, email="Ben.Borg@Northfield.example")

    assert answer.result == changed(member(world.user, email="ben.borg@northfield.example"))
    assert (await world.user.run("fit.users.get_me")).error == FAILED
    world.user.headers["X-Api-Email"] = "ben.borg@northfield.example"
    assert (await world.user.run("fit.users.get_me")).result["id"] == world.user.id


async def test_update_of_the_password_revokes_all_tokens_of_that_user(world: World) -> None:
    async with changes(world) as found:
        answer = await world.user.run("fit.users.update", id=world.user.id, password="another horse")

    assert answer.result == changed(member(world.user))
    assert found == {"api_tokens": -1}
    assert (await world.user.run("fit.users.get_me")).error == FAILED
    assert (await world.colleague.run("fit.users.get_me")).result["id"] == world.colleague.id


@pytest.mark.parametrize("role", ["AGENCY_ADMIN", "AUDITING", "DISABLED"])
async def test_a_role_is_held_once_until_it_is_taken(world: World, role: str) -> None:
    to_cleo = {"id": world.colleague.id, "role": role}

    async with changes(world) as found:
        given = [await world.superuser.run("fit.users.add_role", **to_cleo) for _ in range(2)]
        taken = [await world.superuser.run("fit.users.remove_role", **to_cleo) for _ in range(2)]

    assert [answer.result for answer in given] == [changed(member(world.colleague, role))] * 2
    assert [answer.result for answer in taken] == [changed(member(world.colleague))] * 2
    assert found == {}


async def test_a_user_holds_several_roles(world: World) -> None:
    await world.superuser.run("fit.users.add_role", id=world.colleague.id, role="AUDITING")

    answer = await world.superuser.run("fit.users.add_role", id=world.colleague.id, role="AGENCY_ADMIN")

    assert answer.result == changed(member(world.colleague, "AGENCY_ADMIN", "AUDITING"))


async def test_the_superusers_role_opens_and_closes_the_organization(world: World) -> None:
    await world.superuser.run("fit.users.add_role", id=world.user.id, role="AGENCY_ADMIN")
    assert (await world.user.run("fit.users.list_agency")).result["totalCount"] == 3

    await world.superuser.run("fit.users.remove_role", id=world.user.id, role="AGENCY_ADMIN")
    assert (await world.user.run("fit.users.list_agency")).error == ("FORBIDDEN", "Access denied")


async def test_auditing_opens_the_audit_and_nothing_else(world: World) -> None:
    await world.superuser.run("fit.users.add_role", id=world.user.id, role="AUDITING")

    assert (await world.user.ask("{ auditEvents(kind: REFUSED) { totalCount } }")).data["auditEvents"][
        "totalCount"
    ] == 0
    assert (await world.user.run("fit.users.list_agency")).error == ("FORBIDDEN", "Access denied")


async def test_a_disabled_user_can_use_no_token_and_needs_a_new_one_later(world: World) -> None:
    to_ben = {"id": world.user.id, "role": "DISABLED"}

    await world.superuser.run("fit.users.add_role", **to_ben)
    assert (await world.user.run("fit.users.get_me")).error == FAILED

    await world.superuser.run("fit.users.remove_role", **to_ben)
    assert (await world.user.run("fit.users.get_me")).error == FAILED


@pytest.mark.parametrize(
    ("call", "role"), [("fit.users.remove_role", "AGENCY_ADMIN"), ("fit.users.add_role", "DISABLED")]
)
async def test_the_last_superuser_stays_one(world: World, call: str, role: str) -> None:
    itself = {"id": world.superuser.id, "role": role}

    async with changes(world) as found:
        answer = await world.superuser.run(call, **itself)

    assert answer.result == LAST_SUPERUSER
    assert found == {}
    assert (await world.superuser.run("fit.users.get_me")).result == member(world.superuser, "AGENCY_ADMIN")

    await world.superuser.run("fit.users.add_role", id=world.user.id, role="AGENCY_ADMIN")
    assert (await world.user.run(call, **itself)).result["errors"] == []


async def test_the_last_superuser_does_not_lock_itself_out(world: World) -> None:
    close = {"id": world.superuser.id, "apiEnabled": False}
    query = "mutation ($id: ID!, $apiEnabled: Boolean!) { updateUser(id: $id, input: {apiEnabled: $apiEnabled}) { node { id } errors { code message path } } }"

    async with changes(world) as found:
        answer = await world.superuser.ask(query, **close)

    assert answer.data["updateUser"] == LAST_SUPERUSER
    assert found == {}
    assert (await world.superuser.run("fit.users.get_me")).result["id"] == world.superuser.id

    await world.superuser.run("fit.users.add_role", id=world.user.id, role="AGENCY_ADMIN")
    assert (await world.superuser.ask(query, **close)).data["updateUser"]["errors"] == []


async def test_a_disabled_superuser_does_not_count_as_one_who_stays(world: World) -> None:
    for role in ("AGENCY_ADMIN", "DISABLED"):
        await world.superuser.run("fit.users.add_role", id=world.user.id, role=role)

    answer = await world.superuser.run("fit.users.remove_role", id=world.superuser.id, role="AGENCY_ADMIN")

    assert answer.result == LAST_SUPERUSER


@pytest.mark.parametrize("call", ["fit.users.add_role", "fit.users.remove_role"])
@pytest.mark.parametrize("role", ["agency_admin", "OWNER", "", None, 1])
async def test_an_unknown_role_is_refused(world: World, call: str, role: Any) -> None:
    async with changes(world) as found:
        answer = await world.superuser.run(call, id=world.user.id, role=role)

    assert answer.error[0] == "BAD_USER_INPUT"
    assert answer.error[1].startswith("Variable '$role' has invalid value: ")
    assert "data" not in answer.body
    assert found == {}
