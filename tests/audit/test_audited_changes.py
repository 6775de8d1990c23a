"""What is put on record of changes: in their own transaction, with all that went along, and nothing of what failed."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from audit.entries import Entry, entry, everything, no_room_for, written
from caregraph.auth.secrets import Passwords
from caregraph.auth.viewer import Viewer
from caregraph.db.audit import Origin, origin
from caregraph.graph.node import global_id
from caregraph.organizations.models import User
from caregraph.people.models import Client, ClientOwner, File, Label
from factories.people import make_client, make_file, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import PASSWORD, Principal, World
from tenancy.two_towns import make_northfield

LINES = "input: {individually: 1, interpersonally: 1, socially: 1, overall: 1}"


async def _change(world: World, mutation: str, by: Principal | None = None, **ids: int) -> Entry:
    """The only entry that a mutation of one field writes, rows in order."""
    variables = {name: global_id(name.rstrip("0123456789").capitalize(), row_id) for name, row_id in ids.items()}
    declared = f"({' '.join(f'${name}: ID!' for name in ids)})" if ids else ""
    async with written(world) as entries:
        answer = await (by or world.user).ask(f"mutation Change{declared} {{ result: {mutation} }}", **variables)
    assert answer.result["errors"] == []
    (one,) = entries
    assert one["operation"] == "Change"
    return one


def _changed(kind: str, field: str, clients: list[int], *changes: Any, **told: Any) -> Entry:
    return entry(kind, field, operation="Change", client_ids=clients, changes=[list(one) for one in changes], **told)


NODE = "{ node { id } errors { code } }"
GONE = "{ deletedId errors { code } }"


async def test_creating_a_client(world: World) -> None:
    found = await _change(world, f'createClient(input: {{fullName: "Kim"}}) {NODE}')

    created = (["Client", "CREATED", [[1]]], ["ClientOwner", "CREATED", [[1, 2]]])
    assert found == _changed("CREATE", "createClient", [1], *created)


async def test_changing_a_client_and_what_follows_from_it(world: World) -> None:
    kim, lou = await make_client(world.user), await make_client(world.user)
    episode = await make_episode(world.user, kim, lou)

    found = await _change(world, f'updateClient(id: $client, input: {{birthDate: "1990-01-01"}}) {NODE}', client=kim.id)

    rows = (["Client", "UPDATED", [[kim.id]]], ["EpisodeClient", "UPDATED", [[episode.id, kim.id]]])
    assert found == _changed("UPDATE", "updateClient", [kim.id], *rows)


async def test_changing_nothing_is_no_change(world: World) -> None:
    kim = await make_client(world.user)

    async with written(world) as entries:
        for mutation in (
            'updateClient(id: $id, input: {fullName: "Kim Client"}) { node { id } }',
            "setClientLabels(id: $id, labelIds: []) { node { id } }",
        ):
            await world.user.ask(f"mutation($id: ID!) {{ {mutation} }}", id=global_id("Client", kim.id))

    assert [(one["kind"], one["client_ids"], one["changes"]) for one in entries] == [("READ", [kim.id], [])] * 2


async def test_replacing_owners_names_who_lost_and_who_gained(world: World) -> None:
    kim = await make_client(world.user, world.superuser)

    found = await _change(
        world,
        f"setClientOwners(id: $client, userIds: [$user1, $user3]) {NODE}",
        client=kim.id,
        user1=world.superuser.row_id,
        user3=world.colleague.row_id,
    )

    rows = (["ClientOwner", "DELETED", [[kim.id, 2]]], ["ClientOwner", "CREATED", [[kim.id, 3]]])
    assert found == _changed("UPDATE", "setClientOwners", [kim.id], *rows)


async def test_replacing_labels_of_an_episode_is_a_change_of_all_its_clients_records(world: World) -> None:
    kim, lou = await make_client(world.user), await make_client(world.colleague)
    old, new = await make_label(world.superuser, "Old"), await make_label(world.superuser, "New")
    episode = await make_episode(world.user, kim, lou, labels=(old,))

    found = await _change(
        world, f"setEpisodeLabels(id: $episode, labelIds: [$label]) {NODE}", episode=episode.id, label=new.id
    )

    rows = (["EpisodeLabel", "DELETED", [[episode.id, old.id]]], ["EpisodeLabel", "CREATED", [[episode.id, new.id]]])
    assert found == _changed("UPDATE", "setEpisodeLabels", [kim.id, lou.id], *rows)


async def test_creating_below_an_episode(world: World) -> None:
    kim, lou = await make_client(world.user), await make_client(world.colleague)
    episode = await make_episode(world.user, kim, lou)

    session = await _change(
        world, f'createSession(episodeId: $episode, input: {{sessionDate: "2026-01-05"}}) {NODE}', episode=episode.id
    )
    score = await _change(
        world,
        f"createClientOrsScore(sessionId: $session, clientId: $client, {LINES}) {NODE}",
        session=1,
        client=kim.id,
    )
    assert session == _changed("CREATE", "createSession", [kim.id, lou.id], ["Session", "CREATED", [[1]]])
    assert score == _changed("CREATE", "createClientOrsScore", [kim.id], ["OrsScore", "CREATED", [[1]]])


async def test_joining_an_episode_reads_the_records_of_those_who_are_on_it(world: World) -> None:
    kim, lou = await make_client(world.user), await make_client(world.user)
    episode = await make_episode(world.user, kim)
    join = "mutation($episode: ID!, $client: ID!) { addClientToEpisode(id: $episode, clientId: $client) { node { title } } }"

    async with written(world) as entries:
        await world.user.ask(join, episode=global_id("Episode", episode.id), client=global_id("Client", lou.id))

    place = ["EpisodeClient", "CREATED", [[episode.id, lou.id]]]
    assert entries == [
        entry("UPDATE", "addClientToEpisode", client_ids=[lou.id], changes=[place]),
        entry("READ", "addClientToEpisode", client_ids=[kim.id]),
    ]


async def test_deleting_a_client_by_force_names_all_that_goes_along(world: World) -> None:
    kim, lou = await make_client(world.user), await make_client(world.user)
    label = await make_label(world.superuser, "L", kim)
    alone, shared = await make_episode(world.user, kim), await make_episode(world.user, kim, lou)
    file = await make_file(world.user, kim)
    session, held = await make_session(world.user, alone), await make_session(world.user, shared)
    rater = await make_rater(world.user, alone, kim)
    ors, srs = await make_ors(world.user, session, kim), await make_srs(world.user, session, kim)
    rated, kept = await make_ors(world.user, session, kim, rater=rater), await make_ors(world.user, held, lou)

    found = await _change(world, f"deleteClient(id: $client, force: true) {GONE}", client=kim.id)

    assert found.pop("changes") is not None
    told = {(name, change): sorted(keys) for name, change, keys in (await everything(world))[-1]["changes"]}
    assert told == {
        ("Client", "DELETED"): [[kim.id]],
        ("ClientOwner", "DELETED"): [[kim.id, 2]],
        ("ClientLabel", "DELETED"): [[kim.id, label.id]],
        ("File", "DELETED"): [[file.id]],
        ("EpisodeClient", "DELETED"): [[alone.id, kim.id], [shared.id, kim.id]],
        ("Rater", "DELETED"): [[rater.id]],
        ("OrsScore", "DELETED"): [[ors.id], [rated.id]],
        ("SrsScore", "DELETED"): [[srs.id]],
        ("Episode", "DELETED"): [[alone.id]],
        ("Session", "DELETED"): [[session.id]],
    }
    assert kept.id not in (ors.id, rated.id)
    assert (found["kind"], found["fields"], found["client_ids"]) == ("DELETE", ["deleteClient"], [kim.id])


async def test_deleting_a_session_touches_the_records_of_everybody_scored_there(world: World) -> None:
    town = await make_northfield(world)

    found = await _change(
        world, f"deleteSession(id: $session, force: true) {GONE}", world.superuser, session=town.session.id
    )

    assert (found["kind"], found["client_ids"], found["user_id"]) == ("DELETE", [town.ann.id, town.bo.id], 1)
    assert {(name, len(keys)) for name, _, keys in found["changes"]} == {
        ("Session", 1),
        ("OrsScore", 4),
        ("SrsScore", 2),
    }


async def test_leaving_an_episode_as_its_last_client(world: World) -> None:
    kim = await make_client(world.user)
    episode = await make_episode(world.user, kim)

    found = await _change(
        world, f"removeClientFromEpisode(id: $episode, clientId: $client) {NODE}", episode=episode.id, client=kim.id
    )

    rows = (["EpisodeClient", "DELETED", [[episode.id, kim.id]]], ["Episode", "DELETED", [[episode.id]]])
    assert found == _changed("DELETE", "removeClientFromEpisode", [kim.id], *rows)


async def test_deleting_a_user_by_force_names_the_clients_who_went(world: World) -> None:
    kim = await make_client(world.user)
    shared = await make_client(world.user, world.colleague)

    found = await _change(world, f"deleteUser(id: $user, force: true) {GONE}", world.superuser, user=world.user.row_id)

    told = {(name, change): sorted(keys) for name, change, keys in found["changes"]}
    assert told == {
        ("Membership", "DELETED"): [[2]],
        ("User", "DELETED"): [[2]],
        ("ClientOwner", "DELETED"): [[kim.id, 2], [shared.id, 2]],
        ("Client", "DELETED"): [[kim.id]],
    }
    assert (found["kind"], found["client_ids"]) == ("DELETE", [kim.id, shared.id])


@pytest.mark.parametrize(
    ("mutation", "kind", "changes"),
    [
        ("addUserRole(id: $user, role: AUDITING)", "UPDATE", [["Membership", "UPDATED", [[2]]]]),
        (
            "addUserRole(id: $user, role: DISABLED)",
            "UPDATE",
            [["Membership", "UPDATED", [[2]]]],
        ),
        ('updateUser(id: $user, input: {fullName: "B"})', "UPDATE", [["User", "UPDATED", [[2]]]]),
        (
            'updateUser(id: $user, input: {password: "long enough"})',
            "UPDATE",
            [["User", "UPDATED", [[2]]], ["ApiToken", "DELETED", [[2]]]],
        ),
    ],
)
async def test_users_and_their_rights(world: World, mutation: str, kind: str, changes: list[Any]) -> None:
    found = await _change(world, f"{mutation} {NODE}", world.superuser, user=world.user.row_id)

    assert (found["kind"], found["changes"], found["client_ids"], found["user_id"]) == (kind, changes, [], 1)


async def test_two_fields_of_one_operation_are_two_entries(world: World) -> None:
    kim = await make_client(world.user)

    async with written(world) as entries:
        await world.user.ask(
            """mutation Both($id: ID!) {
                a: updateClient(id: $id, input: {alias: "K"}) { node { id } }
                b: updateClient(id: $id, input: {alias: "L"}) { node { alias } }
            }""",
            id=global_id("Client", kim.id),
        )

    row = ["Client", "UPDATED", [[kim.id]]]
    assert entries == [entry("UPDATE", "updateClient", operation="Both", client_ids=[kim.id], changes=[row])] * 2


async def test_a_failed_mutation_leaves_no_change_on_record(world: World) -> None:
    kim = await make_client(world.user)
    await make_episode(world.user, kim)
    await make_label(world.superuser, "Taken")
    kim_id = global_id("Client", kim.id)

    async with written(world) as entries:
        await world.user.ask("mutation($id: ID!) { deleteClient(id: $id) { errors { code } } }", id=kim_id)
        await world.user.ask(
            "mutation($id: ID!) { setClientOwners(id: $id, userIds: []) { errors { code } } }", id=kim_id
        )
        await world.superuser.ask('mutation { createLabel(input: {name: "Taken"}) { errors { code } } }')

    assert entries == []


async def test_a_change_that_cannot_be_put_on_record_is_not_made(world: World) -> None:
    kim = await make_client(world.user, alias="K")
    before = await world.counts()

    async with no_room_for(world, "CREATE", "UPDATE", "DELETE"):
        answers = [
            await world.user.ask(f"mutation($id: ID!) {{ {mutation} }}", id=global_id("Client", kim.id))
            for mutation in (
                'updateClient(id: $id, input: {alias: "L"}) { node { id } }',
                "deleteClient(id: $id) { deletedId }",
                'createEpisode(clientId: $id, input: {title: "T", startDate: "2026-01-01"}) { node { id } }',
            )
        ]

    assert [(one.status, one.error[0]) for one in answers] == [(503, "UNAVAILABLE")] * 3
    assert await world.counts() == before
    assert (await world.row(Client.__table__.select().with_only_columns(Client.__table__.c.alias))) == ("K",)


async def test_signing_in_and_failing_to(world: World) -> None:
    hashed = await Passwords(memory=8, passes=1).hash(PASSWORD)
    async with world.writing(world.user) as tx:
        await tx.execute(update(User).where(User.id == 2).values(password_hash=hashed))
    text = "mutation SignIn($email: String!, $password: String!) { authenticate(email: $email, password: $password) { apiToken } }"

    async with written(world) as entries:
        for email, password in (
            ("ben@northfield.example", PASSWORD),
            ("ben@northfield.example", "wrong"),
            ("ada.nobody@northfield.example", PASSWORD),
        ):
            await world.nobody.ask(text, email=email, password=password)

    told = {"operation": "SignIn", "actor": "NOBODY"}
    assert entries == [
        entry("SIGN_IN", "authenticate", operation="SignIn", changes=[["ApiToken", "CREATED", [[6]]]]),
        entry("REFUSED", "authenticate", **told),
        entry("REFUSED", "authenticate", **told, organization_id=None, user_id=None),
    ]


async def test_refusals(world: World) -> None:
    town = await make_northfield(world)
    hers = global_id("Episode", town.shared.id)

    async with written(world) as entries:
        await world.user.ask(
            "query Q { me { id } a: users { totalCount } b: organization { name } auditEvents { totalCount } }"
        )
        await world.user.ask('mutation M { createLabel(input: {name: "L"}) { node { id } } }')
        await world.user.ask(
            "mutation($id: ID!) { deleteEpisode(id: $id, force: true) { errors { message } } }", id=hers
        )
        await world.calculator.ask("{ clients { totalCount } }")
        await world.nobody.ask("{ clients { totalCount } }")
        await world.user.ask("query($id: ID!) { client(id: $id) { id } }", id=global_id("Client", town.bo.id))

    assert entries == [
        entry("REFUSED", "auditEvents", "organization", "users", operation="Q"),
        entry("REFUSED", "createLabel", operation="M"),
        entry("REFUSED", "deleteEpisode"),
        entry("REFUSED", "clients", actor="CALCULATOR", user_id=None),
    ]


async def test_the_calculator_s_requests(world: World) -> None:
    async with written(world) as entries:
        await world.calculator.ask(
            "mutation { calculateOrsTrajectory(intake: 20, sessionCount: 3) { remainingRequests } }"
        )

    plan = ["CalculatorPlan", "UPDATED", [[1]]]
    assert entries == [entry("UPDATE", "calculateOrsTrajectory", actor="CALCULATOR", user_id=None, changes=[plan])]


async def test_what_the_server_does_by_itself(world: World) -> None:
    async with written(world) as entries:
        async with world.database.writing(Viewer.system(1)) as tx:
            tx.add(Label(name="L"))
        async with world.database.writing(Viewer.system(1), origin=_told(Viewer.system(1))) as tx:
            tx.add(Client(full_name="Kim"))

    nameless = {"actor": "SYSTEM", "user_id": None, "address": None}
    assert entries == [
        entry("CREATE", **nameless, changes=[["Label", "CREATED", [[1]]]]),
        entry("CREATE", "import", **nameless, changes=[["Client", "CREATED", [[1]]]], client_ids=[1]),
    ]


def _told(viewer: Viewer) -> Origin:
    return origin(viewer, fields=("import",))


async def test_rows_that_come_in_bulk_name_their_clients(world: World) -> None:
    kim = await make_client(world.user)
    async with written(world) as entries, world.writing(world.superuser) as tx:
        rows = [{"client_id": kim.id, "user_id": user_id, "organization_id": 1} for user_id in (1, 3)]
        await tx.execute(insert(ClientOwner), rows)

    (one,) = entries
    assert (one["kind"], one["changes"], one["client_ids"]) == ("CREATE", [["ClientOwner", "CREATED", []]], [kim.id])


async def test_rows_that_move_change_the_record_they_leave_and_the_one_they_come_to(world: World) -> None:
    kim, lou = await make_client(world.user), await make_client(world.user)
    file = await make_file(world.user, kim)

    async with written(world) as entries:
        async with world.writing(world.superuser) as tx:
            (await tx.get_one(File, file.id)).client_id = lou.id
        async with world.writing(world.superuser) as tx:
            await tx.execute(update(File).where(File.client_id == lou.id).values(client_id=kim.id))

    told = [(one["kind"], one["client_ids"], one["changes"]) for one in entries]
    assert told == [("UPDATE", [kim.id, lou.id], [["File", "UPDATED", [[file.id]]]])] * 2
