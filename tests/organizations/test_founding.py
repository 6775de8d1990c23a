"""Organizations as they are made: each a tenant of its own, whole or not at all, however many at once."""

import asyncio

import pytest
from sqlalchemy import event, insert, select

from caregraph.db.base import table_of
from caregraph.organizations.models import Location, User
from contract.asserts import changes
from factories.organizations import acting_in
from kit import World

CREATE = (
    "mutation ($name: String!) { createOrganization(input: {name: $name}) { node { id name } errors { message } } }"
)
FOR_USER = "mutation { createOrganizationForUser { node { id } errors { code } } }"


async def test_many_at_once_get_numbers_of_their_own(world: World) -> None:
    people = [world.user, world.colleague, world.superuser, world.other_user] * 2

    async with changes(world) as found:
        answers = await asyncio.gather(
            *(
                one.ask(CREATE, name=f"Town {n}")
                for n, one in enumerate(acting_in(p, p.organization_id) for p in people)
            )
        )

    nodes = [answer.data["createOrganization"]["node"] for answer in answers]
    assert [node["name"] for node in nodes] == [f"Town {n}" for n in range(8)]
    assert len({node["id"] for node in nodes}) == 8
    assert (found["organizations"], found["locations"], found["memberships"]) == (8, 8, 8)


async def test_of_two_individual_organizations_at_once_one_is_made(world: World) -> None:
    ben = acting_in(world.user, 1)

    async with changes(world) as found:
        answers = await asyncio.gather(*(ben.ask(FOR_USER) for _ in range(3)))

    refusals = [error["code"] for answer in answers for error in answer.data["createOrganizationForUser"]["errors"]]
    assert refusals == ["CONFLICT", "CONFLICT"]
    assert (found["organizations"], found["locations"], found["memberships"]) == (1, 1, 1)


async def test_an_organization_without_a_headquarters_is_not_made(world: World) -> None:
    """What fails in between leaves nothing."""

    def fail(*_: object) -> None:
        raise LookupError

    event.listen(Location, "before_insert", fail)
    try:
        async with changes(world) as found:
            answer = await world.user.ask(CREATE, name="Half")
    finally:
        event.remove(Location, "before_insert", fail)

    assert answer.error[0] == "INTERNAL_SERVER_ERROR"
    assert found == {}
    assert (await world.user.ask("{ organizations { totalCount } }")).data == {"organizations": {"totalCount": 1}}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_names_of_rows_loaded_in_bulk_follow_from_the_full_name(world: World) -> None:
    """As the demo's people are."""
    rows = [
        {"id": 900 + n, "email": f"{n}@x.example", "full_name": name, "password_hash": "!"}
        for n, name in enumerate(("Ada May King", "Plato"))
    ]
    async with world.writing(world.superuser) as tx:
        await tx.execute(insert(User).execution_options(render_nulls=True), rows)

    users = table_of(User)
    found = [
        tuple(await world.row(select(users.c.first_name, users.c.last_name).where(users.c.id == row["id"])))
        for row in rows
    ]
    assert found == [("Ada May", "King"), ("Plato", None)]


async def test_founding_is_told_in_the_new_organization_s_audit_as_its_creator_s_deed(world: World) -> None:
    founded = await world.user.ask(
        'mutation Found { createOrganization(input: {name: "Bridge"}) { errors { message } } }'
    )
    assert founded.data == {"createOrganization": {"errors": []}}
    query = "{ auditEvents(last: 1) { nodes { kind actor operation fields user { fullName } } } }"

    told = await acting_in(world.user, 3).ask(query)

    entry = {"kind": "CREATE", "actor": "USER", "operation": "Found", "fields": ["createOrganization"]}
    assert told.data == {"auditEvents": {"nodes": [{**entry, "user": {"fullName": "Ben Borg"}}]}}
    at_home = await world.superuser.ask('{ auditEvents(operation: "Found") { totalCount } }')
    assert at_home.data == {"auditEvents": {"totalCount": 0}}
