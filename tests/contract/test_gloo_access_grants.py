"""`gloo.access_grants.*`, and networks of organizations, whose members have what their network is granted."""

from typing import Any

import pytest

from caregraph.assessments.enums import Privacy
from caregraph.assessments.sharing_models import AccessGrant
from caregraph.graph.node import global_id
from contract.asserts import assert_nobody_is_refused, changed, changes, deleted, page, refused, strange_ids
from factories.assessments import make_assessment, make_domain, make_grant, make_item, make_scale
from factories.organizations import grant
from kit import World

FORBIDDEN = ("FORBIDDEN", "Access denied")
NORTHFIELD, HARBOR, NOWHERE = (global_id("Organization", number) for number in (1, 2, 999_999))
MAKERS: dict[str, Any] = {
    "assessment": make_assessment,
    "item": make_item,
    "scale": make_scale,
    "domain": make_domain,
}
KINDS = tuple(MAKERS)
CREATE = {
    "assessment": "gloo.access_grants.create_for_assessment",
    "item": "gloo.access_grants.create_for_item",
    "scale": "gloo.access_grants.create_for_scale",
    "domain": "gloo.access_grants.create_for_domain",
}
LIST = {
    "assessment": "gloo.access_grants.list_for_assessment",
    "item": "gloo.access_grants.list_for_item",
    "scale": "gloo.access_grants.list_for_scale",
    "domain": "gloo.access_grants.list_for_domain",
}
each_kind = pytest.mark.parametrize("kind", KINDS)
NO_ORGANIZATION = ("NOT_FOUND", "Organization not found")


def _grant(kind: str, number: int = 1, to: str = HARBOR) -> dict[str, Any]:
    content = {one: {"id": global_id(kind.capitalize(), 1)} if one == kind else None for one in KINDS}
    return {"id": global_id("AccessGrant", number), **content, "organizationId": to}


def _first(kind: str) -> dict[str, str]:
    return {f"{kind}Id": global_id(kind.capitalize(), 1)}


@each_kind
async def test_create_lets_an_organization_use_what_is_limited(world: World, kind: str) -> None:
    author = await grant(world.user, "CREATE_ASSESSMENT")
    await MAKERS[kind](world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    call, to_harbor = CREATE[kind], {**_first(kind), "organizationId": HARBOR}
    read = f"query($id: ID!) {{ result: {kind}(id: $id) {{ isOwn }} }}"
    at = global_id(kind.capitalize(), 1)
    assert (await world.other_user.ask(read, id=at)).result is None

    async with changes(world) as found:
        answer = await author.run(call, **to_harbor)
    assert answer.result == changed(_grant(kind))
    assert found == {"access_grants": 1}
    assert (await world.other_user.ask(read, id=at)).result == {"isOwn": False}

    await assert_nobody_is_refused(world, call, **to_harbor)
    async with changes(world) as found:
        assert (await world.colleague.run(call, **to_harbor)).error == FORBIDDEN
        again = await author.run(call, **to_harbor)
        passed_on = await world.other_superuser.run(call, **{**to_harbor, "organizationId": NORTHFIELD})
    assert again.result == refused("CONFLICT", "The organization has access already", "organizationId")
    assert passed_on.result == refused("CONFLICT", f"The {kind} belongs to another organization", f"{kind}Id")
    assert found == {}


@each_kind
async def test_create_is_refused_to_oneself_and_to_no_one(world: World, kind: str) -> None:
    await MAKERS[kind](world.superuser)
    foreign = await MAKERS[kind](world.other_superuser)
    call, name = CREATE[kind], kind.capitalize()

    async with changes(world) as found:
        own = await world.superuser.run(call, **_first(kind), organizationId=NORTHFIELD)
        for nobody in (NOWHERE, "", "nonsense", world.user.id):
            answer = await world.superuser.run(call, **_first(kind), organizationId=nobody)
            assert answer.result == refused(*NO_ORGANIZATION, "organizationId")
        for strange in strange_ids(name, foreign):
            answer = await world.superuser.run(call, **{f"{kind}Id": strange}, organizationId=HARBOR)
            assert answer.result == refused("NOT_FOUND", f"{name} not found", f"{kind}Id")
    assert own.result == refused("INVALID", "The organization owns it already", "organizationId")
    assert found == {}


@each_kind
async def test_list_shows_owners_all_and_others_their_own(world: World, kind: str) -> None:
    third = await world.organization("Third")
    row = await MAKERS[kind](world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    call, foreign = LIST[kind], await MAKERS[kind](world.other_superuser)
    for organization_id in (2, third):
        await make_grant(world.superuser, row, organization_id)
    both = _grant(kind), _grant(kind, 2, global_id("Organization", third))

    await assert_nobody_is_refused(world, call, **_first(kind))
    assert (await world.user.run(call, **_first(kind))).result == {"accessGrants": page(*both)}
    second = await world.user.run(call, **_first(kind), first=1, offset=1)
    assert second.result == {"accessGrants": page(both[1], total=2)}
    assert (await world.other_user.run(call, **_first(kind))).result == {"accessGrants": page(both[0])}
    for strange in strange_ids(kind.capitalize(), foreign):
        assert (await world.user.run(call, **{f"{kind}Id": strange})).result is None


@each_kind
async def test_delete_ends_access(world: World, kind: str) -> None:
    author = await grant(world.user, "CREATE_ASSESSMENT")
    row = await MAKERS[kind](world.superuser, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    made = await make_grant(world.superuser, row, 2)
    foreign = AccessGrant(id=999)
    call, at = "gloo.access_grants.delete", {"accessGrantId": global_id("AccessGrant", made.id)}

    await assert_nobody_is_refused(world, call, **at)
    async with changes(world) as found:
        assert (await world.colleague.run(call, **at)).error == FORBIDDEN
        by_grantee = await world.other_superuser.run(call, **at)
        for strange in strange_ids("AccessGrant", foreign):
            answer = await author.run(call, accessGrantId=strange)
            assert answer.result == refused("NOT_FOUND", "AccessGrant not found", "id", of="deletedId")
    message = "The access grant belongs to another organization"
    assert by_grantee.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}

    async with changes(world) as found:
        assert (await author.run(call, **at)).result == deleted("AccessGrant", made)
    assert found == {"access_grants": -1}
    read = f"query($id: ID!) {{ result: {kind}(id: $id) {{ id }} }}"
    assert (await world.other_user.ask(read, id=global_id(kind.capitalize(), row.id))).result is None


async def test_bulk_assign_adds_to_those_who_have_access(world: World) -> None:
    ada, third, fourth = world.superuser, await world.organization("Third"), await world.organization("Fourth")
    row = await make_assessment(ada, privacy=Privacy.LIMITED_TO_ORGANIZATIONS)
    await make_grant(ada, row, third)
    ids = [global_id("Organization", one) for one in (fourth, 2, fourth)]
    call, at = "gloo.access_grants.bulk_assign_to_assessment", {"assessmentId": global_id("Assessment", row.id)}

    await assert_nobody_is_refused(world, call, **at, organizationIds=ids)
    async with changes(world) as found:
        answer = await ada.run(call, **at, organizationIds=ids)
        again = await ada.run(call, **at, organizationIds=ids)
    assert answer.result == again.result == changed({"id": at["assessmentId"]})
    assert found == {"access_grants": 2}
    listed = (await ada.run("gloo.access_grants.list_for_assessment", **at)).result["accessGrants"]["nodes"]
    assert [one["organizationId"] for one in listed] == [global_id("Organization", one) for one in (third, 2, fourth)]


async def test_bulk_assign_gives_to_all_or_to_none(world: World) -> None:
    ada, call = world.superuser, "gloo.access_grants.bulk_assign_to_assessment"
    row = await make_assessment(ada, privacy=Privacy.PUBLIC)
    foreign = await make_assessment(world.other_superuser)
    at = {"assessmentId": global_id("Assessment", row.id)}
    wrong: list[tuple[list[str], dict[str, Any]]] = [
        ([], refused("INVALID", "must not be empty", "organizationIds")),
        ([HARBOR, NORTHFIELD], refused("INVALID", "The organization owns it already", "organizationIds", "1")),
        ([HARBOR, NOWHERE], refused(*NO_ORGANIZATION, "organizationIds", "1")),
        (["nonsense"], refused(*NO_ORGANIZATION, "organizationIds", "0")),
        ([HARBOR] * 101, refused("INVALID", "must have at most 100 items", "organizationIds")),
    ]

    async with changes(world) as found:
        for ids, expected in wrong:
            assert (await ada.run(call, **at, organizationIds=ids)).result == expected
        for strange in strange_ids("Assessment", foreign):
            answer = await ada.run(call, assessmentId=strange, organizationIds=[HARBOR])
            assert answer.result == refused("NOT_FOUND", "Assessment not found", "id")
        assert (await world.user.run(call, **at, organizationIds=[HARBOR])).error == FORBIDDEN
        theirs = await world.other_superuser.run(call, **at, organizationIds=[NORTHFIELD])
    assert theirs.result == refused("CONFLICT", "The assessment belongs to another organization", "id")
    assert found == {}


ADD = """mutation($organizationId: ID!) { result: createNetworkMember(organizationId: $organizationId) {
    node { organizationId network { id } } errors { code message path } } }"""
REMOVE = "mutation($id: ID!) { result: deleteNetworkMember(id: $id) { deletedId errors { code message path } } }"


async def test_managers_say_who_belongs_to_their_network(world: World) -> None:
    keeper = await grant(world.user, "MANAGE_ORGANIZATION")
    member = global_id("NetworkMember", 1)

    async with changes(world) as found:
        answer = await keeper.ask(ADD, organizationId=HARBOR)
    assert answer.result == changed({"organizationId": HARBOR, "network": {"id": NORTHFIELD}})
    assert found == {"network_members": 1}

    async with changes(world) as found:
        assert (await world.colleague.ask(ADD, organizationId=HARBOR)).error == FORBIDDEN
        again = await keeper.ask(ADD, organizationId=HARBOR)
        own = await keeper.ask(ADD, organizationId=NORTHFIELD)
        nobody = await keeper.ask(ADD, organizationId=NOWHERE)
        by_member = await world.other_superuser.ask(REMOVE, id=member)
        assert (await world.colleague.ask(REMOVE, id=member)).error == FORBIDDEN
    assert again.result == refused("CONFLICT", "The organization is a member already", "organizationId")
    assert own.result == refused("INVALID", "An organization is no member of itself", "organizationId")
    assert nobody.result == refused(*NO_ORGANIZATION, "organizationId")
    message = "The network member belongs to another organization"
    assert by_member.result == refused("CONFLICT", message, "id", of="deletedId")
    assert found == {}

    async with changes(world) as found:
        gone = await keeper.ask(REMOVE, id=member)
    assert gone.result == {"deletedId": member, "errors": []}
    assert found == {"network_members": -1}
