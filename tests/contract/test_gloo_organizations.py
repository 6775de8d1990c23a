"""`gloo.organizations.*` and `fitbit.organizations.get`."""

from typing import Any

import pytest
from sqlalchemy import select, update

from caregraph.auth.viewer import GRANTABLE
from caregraph.db.base import table_of
from caregraph.graph.node import global_id
from caregraph.organizations.models import GrantedPermission, Membership, Organization, User
from contract.asserts import assert_nobody_is_refused, changed, changes, page, refused, strange_ids
from factories.organizations import (
    acting_in,
    application,
    make_location,
    make_manager,
    make_wanderer,
    signed_in_as,
    stranger,
)
from kit import World

NOT_FOUND = refused("NOT_FOUND", "Organization not found", "id")
FORBIDDEN = ("FORBIDDEN", "Access denied")
NOWHERE = {"street": None, "city": None, "state": None, "postalCode": None}
NORTHFIELD = {
    "id": global_id("Organization", 1),
    "name": "Northfield",
    "vertical": "OTHER",
    "isIndividual": False,
    **NOWHERE,
    "locations": [],
}
HARBOR = {**NORTHFIELD, "id": global_id("Organization", 2), "name": "Harbor"}
BRIDGE = {"name": "Bridge", "vertical": "RECOVERY", "street": "1 Quay", "city": "Provo", "state": "UT"}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("gloo.organizations.create", {"name": "Bridge"}),
    ("gloo.organizations.create_for_user", {}),
    ("gloo.organizations.list", {}),
    ("gloo.organizations.get", {"organizationId": NORTHFIELD["id"]}),
    ("gloo.organizations.update", {"id": NORTHFIELD["id"], "name": "Northend"}),
    ("fitbit.organizations.get", {"id": NORTHFIELD["id"]}),
]
FOUNDED = {"organizations": 1, "locations": 1, "memberships": 1, "granted_permissions": len(GRANTABLE)}


def made(row_id: int, name: str, **values: Any) -> dict[str, Any]:
    """A new organization with its headquarters."""
    headquarters = {"id": global_id("Location", 1), "name": name, "isHeadquarters": True}
    return {**NORTHFIELD, "id": global_id("Organization", row_id), "name": name, "locations": [headquarters], **values}


@pytest.mark.parametrize(("call", "variables"), CALLS)
async def test_strangers_are_refused(world: World, call: str, variables: dict[str, Any]) -> None:
    await assert_nobody_is_refused(world, call, **variables)

    async with changes(world) as found:
        answer = await world.calculator.run(call, **variables)

    assert (answer.error, answer.body["data"], found) == (FORBIDDEN, {"result": None}, {})


async def test_create_makes_a_tenant_with_its_headquarters(world: World) -> None:
    async with changes(world) as found:
        answer = await world.user.run("gloo.organizations.create", **BRIDGE, postalCode="84604")

    address = {"street": "1 Quay", "city": "Provo", "state": "UT", "postalCode": "84604"}
    assert answer.result == changed(made(3, "Bridge", vertical="RECOVERY", **address))
    assert found == FOUNDED
    headquarters = await acting_in(world.user, 3).run("gloo.locations.get", id=global_id("Location", 1))
    assert headquarters.result == {
        "id": global_id("Location", 1),
        "name": "Bridge",
        "organization": {"id": global_id("Organization", 3)},
        **address,
    }


async def test_who_creates_is_superuser_there_and_what_they_were_before_elsewhere(world: World) -> None:
    await world.user.run("gloo.organizations.create", name="Bridge")
    there, here = acting_in(world.user, 3), acting_in(world.user, 1)

    members = await there.ask("{ users { nodes { email roles } } clients { totalCount } }")
    granted = table_of(GrantedPermission)
    held = await world.row(select(granted.c.organization_id).where(granted.c.key == "MANAGE_ORGANIZATION"))

    assert members.data == {
        "users": {"nodes": [{"email": "ben@northfield.example", "roles": ["AGENCY_ADMIN"]}]},
        "clients": {"totalCount": 0},
    }
    assert tuple(held) == (3,)
    assert (await here.ask("{ users { totalCount } }")).error == FORBIDDEN
    assert (
        await world.superuser.run("gloo.organizations.get", organizationId=global_id("Organization", 3))
    ).result is None


async def test_create_without_an_address_or_a_vertical(world: World) -> None:
    answer = await world.user.run("gloo.organizations.create", name="Bridge")

    assert answer.result == changed(made(3, "Bridge"))


async def test_create_goes_on_in_the_same_request(world: World) -> None:
    """Its organization is there for the fields after it; where the request acts stays."""
    create = 'createOrganization(input: {name: "Bridge"}) { node { name } }'
    again = create.replace("Bridge", "Quay").replace("createO", "second: createO")

    answer = await world.superuser.ask(
        f'mutation {{ {create} createLabel(input: {{name: "L"}}) {{ node {{ name }} }} {again} }}'
    )

    assert answer.data == {
        "createOrganization": {"node": {"name": "Bridge"}},
        "createLabel": {"node": {"name": "L"}},
        "second": {"node": {"name": "Quay"}},
    }
    labels = await acting_in(world.superuser, 1).run("fit.labels.list_agency")
    assert labels.result["totalCount"] == 1


async def test_a_person_with_several_organizations_who_names_none_may_create(world: World) -> None:
    _, _, wanda = await make_wanderer(world)

    assert (await wanda.run("gloo.organizations.create", name="Bridge")).result == changed(made(3, "Bridge"))
    assert (await wanda.run("gloo.organizations.create_for_user")).result["node"]["name"] == "Wanda Wolf"


@pytest.mark.parametrize(
    ("wrong", "message", "path"),
    [
        ({"name": ""}, "must not be empty", ["name"]),
        ({"name": "x" * 201}, "must have at most 200 characters", ["name"]),
        ({"name": "x", "vertical": None}, "must not be null", ["vertical"]),
        ({"name": "x", "street": "x" * 201}, "must have at most 200 characters", ["address", "street"]),
        ({"name": "x", "postalCode": "x" * 21}, "must have at most 20 characters", ["address", "postalCode"]),
        ({"name": "x", "city": "a\x00"}, "must not contain the character U+0000", ["address", "city"]),
    ],
)
async def test_create_refuses_wrong_values(world: World, wrong: dict[str, Any], message: str, path: list[str]) -> None:
    async with changes(world) as found:
        answer = await world.user.run("gloo.organizations.create", **wrong)

    assert answer.result == refused("INVALID", message, "input", *path)
    assert found == {}


async def test_an_application_founds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in_as(monkeypatch, application(1)):
        async with changes(world) as found:
            answers = [(await world.nobody.run(call, **variables)).error for call, variables in CALLS[:2]]

    assert (answers, found) == ([FORBIDDEN, FORBIDDEN], {})


async def test_create_for_user_makes_ones_only_individual_organization(world: World) -> None:
    async with changes(world) as found:
        answer = await world.user.run("gloo.organizations.create_for_user")
    again = await acting_in(world.user, 1).run("gloo.organizations.create_for_user")

    assert answer.result == changed(made(3, "Ben Borg", vertical="FAITH", isIndividual=True))
    assert again.result == refused("CONFLICT", "You have an individual organization already")
    assert found == FOUNDED
    assert (await world.colleague.run("gloo.organizations.create_for_user")).result["node"]["name"] == "Cleo Cruz"


async def test_an_individual_organization_says_whose_it_is_and_takes_a_vertical(world: World) -> None:
    query = """mutation { result: createOrganizationForUser(vertical: SCHOOL) {
        node { vertical isIndividual individualCreator { fullName } } errors { code } } }"""

    answer = await world.user.ask(query)

    ben = {"vertical": "SCHOOL", "isIndividual": True, "individualCreator": {"fullName": "Ben Borg"}}
    assert answer.result == changed(ben)


async def test_registration_is_closed_by_default(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in_as(monkeypatch, stranger()):
        async with changes(world) as found:
            answers = [(await world.nobody.run(call, **variables)).error for call, variables in CALLS]

    assert (answers, found) == ([FORBIDDEN] * 6, {})


async def test_open_registration_makes_an_account_with_the_organization(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.restart(open_registration=True)
    with signed_in_as(monkeypatch, stranger("Nia@New.example")):
        async with changes(world) as found:
            answer = await world.nobody.run("gloo.organizations.create", name="Bridge")
        again = await world.nobody.run("gloo.organizations.create", name="Quay")

    assert answer.result == changed(made(3, "Bridge"))
    assert found == {**FOUNDED, "users": 1}
    users = table_of(User)
    statement = select(users.c.first_name, users.c.last_name, users.c.password_hash, users.c.api_enabled)
    nia = await world.row(statement.where(users.c.email == "nia@new.example"))
    assert tuple(nia) == ("Nia", "New", "!", True)
    assert again.result == refused("CONFLICT", "E-mail is already taken")
    assert (
        await world.nobody.ask('mutation { authenticate(email: "nia@new.example", password: "!") { apiToken } }')
    ).error == (
        "UNAUTHENTICATED",
        "Authentication failed",
    )


async def test_open_registration_names_who_has_no_name_by_the_e_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.restart(open_registration=True)
    with signed_in_as(monkeypatch, stranger(full_name=None)):
        answer = await world.nobody.run("gloo.organizations.create_for_user")

    assert answer.result == changed(made(3, "nia", vertical="FAITH", isIndividual=True))


async def test_list_shows_the_organizations_that_one_is_a_member_of(world: World) -> None:
    northfield, harbor, nowhere = await make_wanderer(world)

    for principal in (northfield, harbor, nowhere):
        assert (await principal.run("gloo.organizations.list")).result == page(NORTHFIELD, HARBOR)
    assert (await world.user.run("gloo.organizations.list")).result == page(NORTHFIELD)
    assert (await world.other_user.run("gloo.organizations.list")).result == page(HARBOR)
    assert (await nowhere.run("gloo.organizations.list", q="arB")).result == page(HARBOR)
    assert (await nowhere.run("gloo.organizations.list", q="town")).result == page()
    assert (await nowhere.run("gloo.organizations.list", first=1, offset=1)).result == page(HARBOR, total=2)
    assert (await nowhere.run("gloo.organizations.list", first=0)).result == page(total=2)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (["ID_DESC"], ["Bridge", "Harbor", "Northfield"]),
        (["NAME_ASC"], ["Bridge", "Harbor", "Northfield"]),
        (["NAME_DESC"], ["Northfield", "Harbor", "Bridge"]),
        (["VERTICAL_ASC"], ["Bridge", "Northfield", "Harbor"]),
        (["INDIVIDUAL_CREATOR_ID_ASC", "NAME_ASC"], ["Northfield", "Bridge", "Harbor"]),
        (["CREATED_AT_DESC"], ["Bridge", "Harbor", "Northfield"]),
        (["UPDATED_AT_ASC"], ["Harbor", "Bridge", "Northfield"]),
    ],
)
async def test_list_is_ordered_by_each_documented_column(world: World, order: list[str], names: list[str]) -> None:
    _, harbor, wanda = await make_wanderer(world)
    await wanda.run("gloo.organizations.create", name="Bridge", vertical="FAITH")
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Organization).where(Organization.id == 1).values(individual_creator_id=wanda.row_id))

    answer = await harbor.run("gloo.organizations.list", orderBy=order)

    assert [one["name"] for one in answer.result["nodes"]] == names


async def test_a_disabled_membership_shows_nothing(world: World) -> None:
    _, harbor, wanda = await make_wanderer(world)
    async with world.writing(harbor) as tx:
        await tx.execute(update(Membership).where(Membership.user_id == wanda.row_id).values(is_disabled=True))

    assert (await wanda.run("gloo.organizations.list")).result == page(NORTHFIELD)
    assert (await wanda.run("gloo.organizations.get", organizationId=HARBOR["id"])).result is None
    assert (await harbor.run("gloo.organizations.list")).status == 401


async def test_get_shows_an_organization_to_its_members(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    northfield, harbor, nowhere = await make_wanderer(world)
    await make_location(world.superuser)
    annex = {"id": global_id("Location", 1), "name": "Annex", "isHeadquarters": False}
    expected = {**NORTHFIELD, "locations": [annex]}

    for principal in (world.user, northfield, harbor, nowhere):
        assert (await principal.run("gloo.organizations.get", organizationId=NORTHFIELD["id"])).result == expected
    for strange in strange_ids("Organization", Organization(id=2)):
        assert (await world.user.run("gloo.organizations.get", organizationId=strange)).result is None
    with signed_in_as(monkeypatch, application(1)):
        assert (await world.nobody.run("gloo.organizations.get", organizationId=NORTHFIELD["id"])).result == expected


async def test_fitbit_get_shows_a_program_its_organization(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in_as(monkeypatch, application(2)):
        own = await world.nobody.run("fitbit.organizations.get", id=HARBOR["id"])
        foreign = await world.nobody.run("fitbit.organizations.get", id=NORTHFIELD["id"])

    assert own.result == {"id": HARBOR["id"], "name": "Harbor"}
    assert foreign.result is None


async def test_update_is_for_managers_of_the_organization_acted_in(world: World) -> None:
    manager = await make_manager(world)
    _, boss_of_harbor, _ = await make_wanderer(world, is_superuser=True)
    call = "gloo.organizations.update"

    answer = await manager.run(call, id=NORTHFIELD["id"], name="Northend")
    async with changes(world) as found:
        by_user = await world.user.run(call, id=NORTHFIELD["id"], name="x")
        elsewhere = await boss_of_harbor.run(call, id=NORTHFIELD["id"], name="x")
        strange = [
            (await manager.run(call, id=one, name="x")).result
            for one in strange_ids("Organization", Organization(id=2))
        ]
        nameless = await manager.run(call, id=NORTHFIELD["id"], name=" ")

    assert answer.result == changed({**NORTHFIELD, "name": "Northend"})
    assert by_user.error == FORBIDDEN
    assert elsewhere.result == NOT_FOUND
    assert strange == [NOT_FOUND] * 6
    assert nameless.result == refused("INVALID", "must not be empty", "input", "name")
    assert found == {}
    assert (await world.superuser.run("gloo.organizations.list", q="NORTHEND")).result["totalCount"] == 1


async def test_update_changes_the_parts_of_an_address_that_are_sent(world: World) -> None:
    query = "mutation ($input: OrganizationPatch!) { result: updateOrganization(id: $id, input: $input) { node { name vertical street city } errors { message path } } }"
    query = query.replace("$input: O", "$id: ID!, $input: O")
    sent = [
        {"vertical": "SCHOOL", "address": {"street": "1 Quay", "city": "Provo"}},
        {"address": {"street": None}},
        {"address": None},
    ]

    answers = [(await world.superuser.ask(query, id=NORTHFIELD["id"], input=one)).result for one in sent]

    school = {"name": "Northfield", "vertical": "SCHOOL", "street": "1 Quay", "city": "Provo"}
    assert answers == [
        changed(school),
        changed({**school, "street": None}),
        {"node": None, "errors": [{"message": "must not be null", "path": ["input", "address"]}]},
    ]
