"""A user's own approval of data processing, with its time."""

from kit import Principal, World

SEEN = "query($id: ID!) { user(id: $id) { gdprApproval gdprApprovalAt } }"
UPDATE = """mutation($id: ID!, $approves: Boolean!) {
    updateUser(id: $id, input: {gdprApproval: $approves}) { node { gdprApproval gdprApprovalAt } errors { message } }
}"""


async def _update(principal: Principal, approves: bool) -> dict[str, object]:
    answer = (await principal.ask(UPDATE, id=principal.id, approves=approves)).data["updateUser"]
    assert answer["errors"] == []
    return dict(answer["node"])


async def test_the_time_of_an_approval_is_kept(world: World) -> None:
    never = (await world.user.ask(SEEN, id=world.user.id)).data["user"]
    unchanged = await _update(world.user, approves=False)
    given = await _update(world.user, approves=True)
    again = await _update(world.user, approves=True)
    withdrawn = await _update(world.user, approves=False)

    assert never == unchanged == {"gdprApproval": False, "gdprApprovalAt": None}
    assert given["gdprApproval"] is True
    assert given == again
    assert withdrawn["gdprApproval"] is False
    assert withdrawn["gdprApprovalAt"] > given["gdprApprovalAt"]
    assert (await world.superuser.ask(SEEN, id=world.user.id)).data["user"] == withdrawn
    assert (await world.colleague.ask(SEEN, id=world.user.id)).data["user"] == {
        "gdprApproval": None,
        "gdprApprovalAt": None,
    }
