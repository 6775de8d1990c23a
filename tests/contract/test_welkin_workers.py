"""`welkin.workers.get`, and what Welkin's other calls on workers need of users."""

from typing import Any
from unittest.mock import ANY

import pytest

from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused
from factories.organizations import application, make_manager, signed_in_as
from kit import Principal, World

NULL = dict.fromkeys(("phone", "timeZone", "gender", "roles", "createdAt", "updatedAt"))
CREATE = """
mutation ($input: UserInput!, $roles: [Role!]) {
  result: createUser(input: $input, roles: $roles) {
    node { id email fullName firstName lastName phone timeZone gender photoUrl roles apiEnabled }
    errors { code message path }
  }
}
"""
UPDATE = """
mutation ($id: ID!, $input: UserPatch!) {
  result: updateUser(id: $id, input: $input) {
    node { phone timeZone gender photoUrl }
    errors { code message path }
  }
}
"""
FIND = """
query ($email: EmailAddress, $phone: PhoneNumber, $role: Role, $search: String) {
  result: users(email: $email, phone: $phone, role: $role, search: $search) {
    totalCount pageInfo { hasNextPage endCursor } nodes { fullName }
  }
}
"""
DINA = {
    "email": "Dina@Northfield.example",
    "firstName": "Dina",
    "lastName": "Dahl",
    "timeZone": "America/New_York",
    "phone": "+45 12 34 56 78",
    "gender": "DECLINED",
    "photoUrl": "https://northfield.example/dina.png",
}
PHONE = "must be a telephone number with its country code, such as +45 12 34 56 78"
ZONE = "must be an IANA time zone, such as Europe/Copenhagen"


def worker(principal: Principal, **known: Any) -> dict[str, Any]:
    first, last = principal.name.split()
    named = {"id": principal.id, "email": principal.headers["X-Api-Email"], "firstName": first, "lastName": last}
    at_work = {"phone": None, "timeZone": None, "gender": "UNKNOWN", "roles": [], "createdAt": ANY, "updatedAt": ANY}
    return {**named, **at_work, **known}


async def test_get_shows_what_is_known_at_work_to_those_who_list_users(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = await make_manager(world)
    sent = {"phone": "+4512345678", "timeZone": "Europe/Copenhagen", "gender": "MALE"}
    await world.user.ask(UPDATE, id=world.user.id, input=sent)

    for principal in (world.user, world.superuser, manager):
        answer = await principal.run("welkin.workers.get", id=world.user.id)
        assert answer.result == worker(world.user, **sent)
        assert None not in (answer.result["createdAt"], answer.result["updatedAt"])
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run("welkin.workers.get", id=world.user.id)).result == worker(world.user, **sent)
    assert (await world.colleague.run("welkin.workers.get", id=world.user.id)).result == worker(world.user, **NULL)
    assert (await world.other_superuser.run("welkin.workers.get", id=world.user.id)).result is None
    await assert_nobody_is_refused(world, "welkin.workers.get", id=world.user.id)


async def test_what_is_personal_stays_with_the_user_and_superusers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = await make_manager(world)
    query = "query ($id: ID!) { user(id: $id) { gdprApproval locale apiEnabled screenLockCode } }"
    personal = {"gdprApproval": False, "locale": None, "apiEnabled": True, "screenLockCode": None}

    for principal in (world.user, world.superuser):
        assert (await principal.ask(query, id=world.user.id)).data == {"user": personal}
    assert (await manager.ask(query, id=world.user.id)).data == {"user": dict.fromkeys(personal)}
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.ask(query, id=world.user.id)).data == {"user": dict.fromkeys(personal)}


async def test_a_worker_is_created_without_a_password_and_with_roles(world: World) -> None:
    async with changes(world) as found:
        answer = await world.superuser.ask(CREATE, input=DINA, roles=["AUDITING"])

    expected = {
        **DINA,
        "id": ANY,
        "email": "dina@northfield.example",
        "fullName": "Dina Dahl",
        "phone": "+4512345678",
        "roles": ["AUDITING"],
        "apiEnabled": False,
    }
    assert answer.result == changed(expected)
    assert found == {"users": 1, "memberships": 1}
    for password in ("!", ""):
        sign_in = (
            f'mutation {{ authenticate(email: "dina@northfield.example", password: "{password}") {{ apiToken }} }}'
        )
        assert (await world.nobody.ask(sign_in)).error == ("UNAUTHENTICATED", "Authentication failed")


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        ({"fullName": "Dina Dagmar Dahl"}, ("Dina Dagmar Dahl", "Dina Dagmar", "Dahl")),
        ({"fullName": "Dina"}, ("Dina", "Dina", None)),
        ({"lastName": "Dahl"}, ("Dahl", None, "Dahl")),
        ({"firstName": "Dina", "lastName": ""}, ("Dina", "Dina", None)),
        ({"firstName": "Dina Dagmar"}, ("Dina Dagmar", "Dina Dagmar", None)),
    ],
)
async def test_a_user_is_created_with_any_name(
    world: World, sent: dict[str, Any], names: tuple[str, str | None, str | None]
) -> None:
    answer = await world.superuser.ask(CREATE, input={"email": "dina@x.example", **sent})

    node = answer.result["node"]
    assert (node["fullName"], node["firstName"], node["lastName"]) == names


@pytest.mark.parametrize(
    ("sent", "message", "path"),
    [
        ({"firstName": None, "lastName": None}, "must not be empty", "firstName"),
        ({}, "must not be empty", "fullName"),
        ({"fullName": "D", "phone": "12345678"}, PHONE, "phone"),
        ({"fullName": "D", "phone": "+45 1"}, PHONE, "phone"),
        ({"fullName": "D", "timeZone": "Copenhagen"}, ZONE, "timeZone"),
        ({"fullName": "D", "timeZone": "../etc/passwd"}, ZONE, "timeZone"),
        ({"fullName": "D", "timeZone": ""}, ZONE, "timeZone"),
        ({"fullName": "D", "gender": None}, "must not be null", "gender"),
        ({"fullName": "D", "password": "short"}, "must have at least 8 characters", "password"),
        ({"fullName": "D", "password": " " * 9}, "must not be empty", "password"),
    ],
)
async def test_wrong_values_are_refused(world: World, sent: dict[str, Any], message: str, path: str) -> None:
    async with changes(world) as found:
        answer = await world.superuser.ask(CREATE, input={"email": "dina@x.example", **sent})

    assert (answer.result, found) == (refused("INVALID", message, "input", path), {})


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://",
        "https://a b",
        "//x.example",
        "https://x/" + "y" * 2048,
    ],
)
async def test_a_photo_is_at_an_address_of_the_web(world: World, address: str) -> None:
    async with changes(world) as found:
        answer = await world.user.ask(UPDATE, id=world.user.id, input={"photoUrl": address})

    assert answer.body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in answer.body
    assert found == {}


async def test_values_are_removed_by_null(world: World) -> None:
    sent = {"phone": "+4512345678", "timeZone": "UTC", "photoUrl": "https://x.example/a", "gender": "OTHER"}
    assert (await world.user.ask(UPDATE, id=world.user.id, input=sent)).result == changed(sent)

    gone = {"phone": None, "timeZone": None, "photoUrl": None}
    answer = await world.user.ask(UPDATE, id=world.user.id, input=gone)

    assert answer.result == changed({**gone, "gender": "OTHER"})


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"email": "BEN@northfield.example"}, ["Ben Borg"]),
        ({"email": "otto@harbor.example"}, []),
        ({"phone": "+45 1234 5678"}, ["Cleo Cruz"]),
        ({"phone": "+4512345678", "email": "ben@northfield.example"}, ["Ben Borg", "Cleo Cruz"]),
        ({"phone": "+4512345678", "search": "ben"}, []),
        ({"role": "AGENCY_ADMIN"}, ["Ada Admin"]),
        ({"role": "DISABLED"}, []),
        ({"search": "C"}, ["Cleo Cruz"]),
    ],
)
async def test_workers_are_found_by_e_mail_or_phone_and_by_role(
    world: World, wanted: dict[str, Any], names: list[str]
) -> None:
    await world.colleague.ask(UPDATE, id=world.colleague.id, input={"phone": "+4512345678"})
    await world.other_user.ask(UPDATE, id=world.other_user.id, input={"phone": "+4512345678"})

    answer = await world.superuser.ask(FIND, **wanted)

    assert answer.result == page(*({"fullName": name} for name in names))


async def test_a_number_without_its_country_finds_nobody_and_says_so(world: World) -> None:
    answer = await world.superuser.ask(FIND, phone="12345678")

    assert answer.error == ("BAD_USER_INPUT", f"phone {PHONE}")
