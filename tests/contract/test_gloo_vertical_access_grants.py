"""`gloo.vertical_access_grants.*`."""

from caregraph.assessments.enums import Privacy
from caregraph.graph.node import global_id
from caregraph.organizations.enums import Vertical
from contract.asserts import (
    assert_bad_variable,
    assert_nobody_is_refused,
    changed,
    changes,
    page,
    refused,
    strange_ids,
)
from factories.assessments import make_assessment, make_vertical_grant
from factories.organizations import grant
from kit import World

FORBIDDEN = ("FORBIDDEN", "Access denied")
BULK, LIST = "gloo.vertical_access_grants.bulk_assign_to_assessment", "gloo.vertical_access_grants.list_for_assessment"
FIRST = global_id("Assessment", 1)


async def test_bulk_assign_opens_an_assessment_to_verticals(world: World) -> None:
    author = await grant(world.user, "CREATE_ASSESSMENT")
    row = await make_assessment(world.superuser, privacy=Privacy.LIMITED_TO_VERTICALS)
    await make_vertical_grant(world.superuser, row, Vertical.FAITH)
    read = "query($id: ID!) { result: assessment(id: $id) { title } }"
    assert (await world.other_user.ask(read, id=FIRST)).result is None

    async with changes(world) as found:
        answer = await author.run(BULK, assessmentId=FIRST, verticalKeys=["OTHER", "SCHOOL", "OTHER"])
        again = await author.run(BULK, assessmentId=FIRST, verticalKeys=["SCHOOL"])

    assert answer.result == again.result == changed({"id": FIRST})
    assert found == {"vertical_access_grants": 2}
    assert (await world.other_user.ask(read, id=FIRST)).result == {"title": "Well-being"}


async def test_bulk_assign_is_for_authors_of_one_s_own(world: World) -> None:
    await make_assessment(world.superuser, privacy=Privacy.PUBLIC)
    foreign = await make_assessment(world.other_superuser)
    schools = {"assessmentId": FIRST, "verticalKeys": ["SCHOOL"]}

    await assert_nobody_is_refused(world, BULK, **schools)
    async with changes(world) as found:
        assert (await world.user.run(BULK, **schools)).error == FORBIDDEN
        nobody = await world.superuser.run(BULK, assessmentId=FIRST, verticalKeys=[])
        theirs = await world.other_superuser.run(BULK, **schools)
        for strange in strange_ids("Assessment", foreign):
            answer = await world.superuser.run(BULK, assessmentId=strange, verticalKeys=["SCHOOL"])
            assert answer.result == refused("NOT_FOUND", "Assessment not found", "id")
    assert nobody.result == refused("INVALID", "must not be empty", "verticalKeys")
    assert theirs.result == refused("CONFLICT", "The assessment belongs to another organization", "id")
    assert found == {}
    message = "Variable '$verticalKeys' has invalid value at [0]: Value 'school' does not exist in 'Vertical' enum."
    await assert_bad_variable(world, BULK, message, assessmentId=FIRST, verticalKeys=["school"])


async def test_list_shows_owners_all_and_others_their_own(world: World) -> None:
    row = await make_assessment(world.superuser, privacy=Privacy.LIMITED_TO_VERTICALS)
    foreign = await make_assessment(world.other_superuser)
    for vertical in (Vertical.OTHER, Vertical.SCHOOL):
        await make_vertical_grant(world.superuser, row, vertical)
    both = {"vertical": "OTHER"}, {"vertical": "SCHOOL"}

    await assert_nobody_is_refused(world, LIST, assessmentId=FIRST)
    assert (await world.user.run(LIST, assessmentId=FIRST)).result == {"verticalAccessGrants": page(*both)}
    second = await world.user.run(LIST, assessmentId=FIRST, first=1, offset=1)
    assert second.result == {"verticalAccessGrants": page(both[1], total=2)}
    assert (await world.other_user.run(LIST, assessmentId=FIRST)).result == {"verticalAccessGrants": page(both[0])}
    for strange in strange_ids("Assessment", foreign):
        assert (await world.user.run(LIST, assessmentId=strange)).result is None
