"""`fit.clients.*`, changing: creating, updating, owners and labels."""

from typing import Any

import pytest

from caregraph.graph.node import global_id
from contract.asserts import assert_bad_variable, assert_nobody_is_refused, changed, changes, refused, strange_ids
from contract.included import CLIENT, make_course
from factories.people import make_client, make_label
from kit import World

FULL = {name: value for name, value in CLIENT.items() if name != "id"}
NAMED = {**dict.fromkeys(CLIENT), "fullName": "Kim Client", "gender": "UNKNOWN", "gdprApproval": False}
KIM = {"id": global_id("Client", 1)}
BEN = {"id": global_id("User", 2), "email": "ben@northfield.example", "fullName": "Ben Borg"}
CLEO = {"id": global_id("User", 3), "email": "cleo@northfield.example", "fullName": "Cleo Cruz"}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("fit.clients.update", {"fullName": "Changed"}),
    ("fit.clients.set_owners", {"users": [global_id("User", 3)]}),
    ("fit.clients.set_labels", {"labels": []}),
]
WRONG_VALUES = [
    ({"fullName": ""}, "must not be empty", "fullName"),
    ({"fullName": " \n"}, "must not be empty", "fullName"),
    ({"fullName": "x" * 201}, "must have at most 200 characters", "fullName"),
    ({"fullName": "Kim\x00"}, "must not contain the character U+0000", "fullName"),
    ({"alias": "x" * 201}, "must have at most 200 characters", "alias"),
    ({"ssn": "x" * 201}, "must have at most 200 characters", "ssn"),
    ({"comment": "x" * 10_001}, "must have at most 10000 characters", "comment"),
    ({"gender": None}, "must not be null", "gender"),
    ({"gdprApproval": None}, "must not be null", "gdprApproval"),
]
WRONG_KINDS = [
    (
        {"birthDate": "2026-02-30"},
        "Variable '$birthDate' has invalid value: Date cannot represent a day that does not exist: 2026-02-30",
    ),
    (
        {"birthDate": "5.1.2026"},
        "Variable '$birthDate' has invalid value: Date cannot represent a value that is not of the form YYYY-MM-DD",
    ),
    (
        {"birthDate": "2026-01-05T00:00:00Z"},
        "Variable '$birthDate' has invalid value: Date cannot represent a value that is not of the form YYYY-MM-DD",
    ),
    (
        {"phone": "call me"},
        "Variable '$phone' has invalid value: PhoneNumber cannot represent a value that is not a telephone number",
    ),
    (
        {"gender": "OTHER"},
        "Variable '$gender' has invalid value: Value 'OTHER' does not exist in 'Gender' enum.",
    ),
    ({"gender": 1}, "Variable '$gender' has invalid value: Enum 'Gender' cannot represent non-string value: 1."),
]


@pytest.mark.parametrize(("call", "variables"), [("fit.clients.create", {"fullName": "Kim"}), *CALLS])
async def test_clients_are_not_changed_by_nobody(world: World, call: str, variables: dict[str, Any]) -> None:
    await make_client(world.user)

    await assert_nobody_is_refused(world, call, **variables, **({} if call == "fit.clients.create" else KIM))


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_a_client_whom_one_does_not_see_cannot_be_changed(
    world: World, call: str, variables: dict[str, Any]
) -> None:
    await make_course(world.user)
    foreign = await make_client(world.other_user)

    async with changes(world) as found:
        answers = [await world.superuser.run(call, **variables, id=one) for one in strange_ids("Client", foreign)]
        answers += [await principal.run(call, **variables, **KIM) for principal in (world.colleague, world.other_user)]

    assert [answer.result for answer in answers] == [refused("NOT_FOUND", "Client not found", "id")] * 8
    assert found == {}
    assert (await world.user.run("fit.clients.get", **KIM)).result == CLIENT


async def test_create_makes_the_caller_the_owner(world: World) -> None:
    async with changes(world) as found:
        answer = await world.user.run("fit.clients.create", fullName="Kim Client")

    assert answer.result == changed({**NAMED, **KIM})
    assert found == {"clients": 1, "client_owners": 1}
    assert (await world.user.run("fit.clients.get_owners", **KIM)).result == {"owners": [BEN]}
    assert (await world.colleague.run("fit.clients.get", **KIM)).result is None
    assert (await world.other_superuser.run("fit.clients.get", **KIM)).result is None


async def test_create_keeps_everything_that_is_sent(world: World) -> None:
    answer = await world.user.run("fit.clients.create", **FULL)

    assert answer.result == changed(CLIENT)
    assert (await world.user.run("fit.clients.get", **KIM)).result == CLIENT


@pytest.mark.parametrize("variables", [{}, {"fullName": None}])
async def test_create_needs_a_name(world: World, variables: dict[str, Any]) -> None:
    expected = (
        "value of non-null type 'String!' not to be None."
        if variables
        else ("a value of non-null type 'String!' to be provided.")
    )

    await assert_bad_variable(
        world, "fit.clients.create", f"Variable '$fullName' has invalid value: Expected {expected}", **variables
    )


@pytest.mark.parametrize(("wrong", "message", "path"), WRONG_VALUES)
async def test_values_that_break_a_rule_are_refused(
    world: World, wrong: dict[str, Any], message: str, path: str
) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        created = await world.user.run("fit.clients.create", **{**FULL, **wrong})
        updated = await world.user.run("fit.clients.update", **KIM, **wrong)

    invalid = refused("INVALID", message, "input", path)
    assert (created.result, updated.result) == (invalid, invalid)
    assert found == {}
    assert (await world.user.run("fit.clients.get", **KIM)).result == CLIENT


@pytest.mark.parametrize(("wrong", "message"), WRONG_KINDS)
async def test_values_of_another_kind_are_refused(world: World, wrong: dict[str, Any], message: str) -> None:
    await make_course(world.user)

    await assert_bad_variable(world, "fit.clients.create", message, **{**FULL, **wrong})
    await assert_bad_variable(world, "fit.clients.update", message, **KIM, **wrong)


@pytest.mark.parametrize("wrong", [{"fullName": "", "alias": "x" * 201}])
async def test_every_wrong_value_is_named(world: World, wrong: dict[str, str]) -> None:
    answer = await world.user.run("fit.clients.create", **wrong)

    assert answer.result == {
        "node": None,
        "errors": [
            {"code": "INVALID", "message": "must not be empty", "path": ["input", "fullName"]},
            {"code": "INVALID", "message": "must have at most 200 characters", "path": ["input", "alias"]},
        ],
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"fullName": "Kim Changed"},
        {"alias": "Kimmy"},
        {"ssn": "020290-4321"},
        {"birthDate": "1991-02-28"},
        {"gender": "FEMALE"},
        {"phone": "87 65 43 21"},
        {"comment": "Prefers evenings"},
        {"gdprApproval": False},
        dict.fromkeys(["alias", "ssn", "birthDate", "phone", "comment"]),
        {"alias": "", "ssn": "", "comment": ""},
        {},
    ],
)
@pytest.mark.parametrize("who", ["user", "superuser"])
async def test_update_changes_only_what_is_sent(world: World, who: str, sent: dict[str, Any]) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        answer = await getattr(world, who).run("fit.clients.update", **KIM, **sent)

    assert answer.result == changed({**CLIENT, **sent})
    assert found == ({"consents": 1} if "gdprApproval" in sent else {})
    assert (await world.user.run("fit.clients.get", **KIM)).result == {**CLIENT, **sent}


async def test_update_keeps_the_searched_text_in_step(world: World) -> None:
    await make_course(world.user)

    await world.user.run("fit.clients.update", **KIM, fullName="Robin", alias=None)

    assert (await world.user.run("fit.clients.list_user", searchTerm="robin")).result["totalCount"] == 1
    assert (await world.user.run("fit.clients.list_user", searchTerm="kim")).result["totalCount"] == 0


async def test_set_owners_replaces_all_earlier_ones(world: World) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        added = await world.user.run("fit.clients.set_owners", **KIM, users=[world.colleague.id, world.user.id])
        again = await world.user.run(
            "fit.clients.set_owners", **KIM, users=[world.colleague.id, world.user.id, world.colleague.id]
        )

    assert added.result == again.result == changed({**CLIENT, "owners": [BEN, CLEO]})
    assert found == {"client_owners": 1}


async def test_set_owners_answers_null_to_whom_gave_the_client_away(world: World) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        answer = await world.user.run("fit.clients.set_owners", **KIM, users=[world.colleague.id])

    assert answer.result == changed(None)
    assert found == {}
    assert (await world.user.run("fit.clients.get", **KIM)).result is None
    assert (await world.colleague.run("fit.clients.get", **KIM)).result == CLIENT


@pytest.mark.parametrize(
    ("users", "message", "code"),
    [
        ([], "A client needs at least one owner", "INVALID"),
        ([global_id("User", 3), global_id("User", 5)], "User not found", "NOT_FOUND"),
        ([global_id("User", 999)], "User not found", "NOT_FOUND"),
        ([global_id("Client", 1)], "User not found", "NOT_FOUND"),
        (["nonsense"], "User not found", "NOT_FOUND"),
        ([global_id("User", 3)] * 101, "must have at most 100 items", "INVALID"),
    ],
)
async def test_set_owners_refuses_owners_who_cannot_be(world: World, users: list[str], message: str, code: str) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        answer = await world.user.run("fit.clients.set_owners", **KIM, users=users)

    assert answer.result == refused(code, message, "userIds")
    assert found == {}
    assert (await world.user.run("fit.clients.get_owners", **KIM)).result == {"owners": [BEN]}


async def test_set_labels_replaces_all_earlier_ones(world: World) -> None:
    await make_course(world.user)
    autumn = await make_label(world.superuser, "Autumn")
    shown = {"id": global_id("Label", autumn.id), "name": "Autumn"}

    async with changes(world) as found:
        answer = await world.user.run("fit.clients.set_labels", **KIM, labels=[shown["id"], shown["id"]])

    assert answer.result == changed({**CLIENT, "labels": [shown]})
    assert found == {}
    assert (await world.user.run("fit.clients.get_labels", **KIM)).result == {"labels": [shown]}

    async with changes(world) as found:
        answer = await world.user.run("fit.clients.set_labels", **KIM, labels=[])

    assert answer.result == changed({**CLIENT, "labels": []})
    assert found == {"client_labels": -1}


@pytest.mark.parametrize(
    ("labels", "message", "code"),
    [
        ([global_id("Label", 1), global_id("Label", 2)], "Label not found", "NOT_FOUND"),
        ([global_id("Label", 999)], "Label not found", "NOT_FOUND"),
        ([global_id("Client", 1)], "Label not found", "NOT_FOUND"),
        (["Winter"], "Label not found", "NOT_FOUND"),
        ([global_id("Label", 1)] * 101, "must have at most 100 items", "INVALID"),
    ],
)
async def test_set_labels_refuses_labels_that_cannot_be(
    world: World, labels: list[str], message: str, code: str
) -> None:
    await make_course(world.user)
    await make_label(world.other_superuser, "Elsewhere")

    async with changes(world) as found:
        answer = await world.user.run("fit.clients.set_labels", **KIM, labels=labels)

    assert answer.result == refused(code, message, "labelIds")
    assert found == {}
    assert len((await world.user.run("fit.clients.get_labels", **KIM)).result["labels"]) == 1


@pytest.mark.parametrize(
    ("call", "variable"), [("fit.clients.set_owners", "users"), ("fit.clients.set_labels", "labels")]
)
@pytest.mark.parametrize("wrong", [None, [None]])
async def test_lists_of_ids_hold_ids(world: World, call: str, variable: str, wrong: Any) -> None:
    await make_course(world.user)

    async with changes(world) as found:
        answer = await world.user.run(call, **KIM, **{variable: wrong})

    assert answer.error[0] == "BAD_USER_INPUT"
    assert "data" not in answer.body
    assert found == {}
