"""`Authorization`: access tokens, API keys and secrets of applications, and respondents' tokens beside them."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.organizations import session_tokens
from caregraph.organizations.models import ApiKey, Application, SessionToken
from caregraph.people.models import ClientGroup
from contract.asserts import changes
from factories.people import make_client
from factories.programs import Program, make_application, make_group
from factories.treatment import make_episode, make_ors, make_session
from kit import Answer, Principal, World

FAILED = ("UNAUTHENTICATED", "Authentication failed")
FORBIDDEN = ("FORBIDDEN", "Access denied")
NAMES = "{ clients { nodes { fullName } } }"
CREATE_CLIENT = """mutation { createClient(input: {fullName: "New"}) {
    node { id fullName owners { fullName } } errors { code message path }
} }"""
CREATE_KEY = "mutation($at: DateTime) { createApiKey(expiresAt: $at) { node { id } secret errors { message path } } }"


@pytest.fixture
async def program(world: World) -> Program:
    await make_client(world.user, full_name="Ann")
    await make_client(world.colleague, full_name="Bo")
    await make_client(world.other_user, full_name="HIDDEN Kay")
    return await make_application(world.superuser)


async def names(principal: Principal) -> list[str]:
    return [one["fullName"] for one in (await principal.ask(NAMES)).data["clients"]["nodes"]]


async def authorized(world: World, authorization: str, **headers: str) -> Answer:
    return await Principal(world, "somebody", {"Authorization": authorization, **headers}).ask(NAMES)


async def key_of(program: Program, **variables: Any) -> str:
    payload = (await program.with_secret.ask(CREATE_KEY, **variables)).data["createApiKey"]
    assert payload["errors"] == []
    return str(payload["secret"])


async def test_an_access_token_reaches_the_whole_organization(world: World, program: Program) -> None:
    assert await names(await program.signed_in()) == ["Ann", "Bo"]


async def test_an_api_key_reaches_what_the_application_does_until_it_ends(world: World, program: Program) -> None:
    key = await key_of(program, at=(now() + timedelta(days=1)).isoformat())
    other = await key_of(program)

    assert key[:4] == "cgk_"
    assert await names(program.with_token(key)) == ["Ann", "Bo"]
    async with world.writing(world.superuser) as tx:
        await tx.execute(
            update(ApiKey).where(ApiKey.expires_at.is_not(None)).values(expires_at=now() - timedelta(seconds=2))
        )
    assert (await program.with_token(key).ask(NAMES)).error == FAILED
    assert await names(program.with_token(other)) == ["Ann", "Bo"]


async def test_key_and_secret_are_good_for_making_keys_alone(world: World, program: Program) -> None:
    for query in (NAMES, "{ me { id } }", "{ apiKeys { id } }", "{ accessToken { id } }", '{ node(id: "x") { id } }'):
        assert (await program.with_secret.ask(query)).error == FORBIDDEN
    assert (await program.with_secret.ask(CREATE_CLIENT)).error == FORBIDDEN
    assert await key_of(program)


async def test_keys_are_made_by_key_and_secret_alone(world: World, program: Program) -> None:
    token = await program.signed_in()

    for principal in (world.superuser, world.user, token, program.with_token(await key_of(program))):
        async with changes(world) as found:
            assert (await principal.ask(CREATE_KEY)).error == FORBIDDEN
        assert found == {}
    assert (await world.nobody.ask(CREATE_KEY)).error == FAILED


async def test_a_key_that_has_ended_already_is_not_made(world: World, program: Program) -> None:
    async with changes(world) as found:
        answer = await program.with_secret.ask(CREATE_KEY, at="2020-01-01T00:00:00Z")

    assert answer.data["createApiKey"] == {
        "node": None,
        "secret": None,
        "errors": [{"message": "must be in the future", "path": ["expiresAt"]}],
    }
    assert found == {}


async def test_an_application_has_a_hundred_keys_at_most(world: World, program: Program) -> None:
    async with world.writing(world.superuser) as tx:
        tx.add_all(ApiKey(application_id=program.row.id, token_hash=str(number)) for number in range(98))

    answers = await asyncio.gather(*(program.with_secret.ask(CREATE_KEY) for _ in range(4)))

    messages = [one["message"] for answer in answers for one in answer.data["createApiKey"]["errors"]]
    assert messages == ["An application has at most 100 API keys: delete one"] * 2
    listed = await program.with_token(await _any_key(answers)).ask("{ apiKeys { id } }")
    assert len(listed.data["apiKeys"]) == 100


async def _any_key(answers: list[Answer]) -> str:
    return next(key for one in answers if (key := one.data["createApiKey"]["secret"]) is not None)


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("Bearer cga_" + "x" * 43, id="unknown access token"),
        pytest.param("Bearer cgk_" + "x" * 43, id="unknown API key"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="empty token"),
        pytest.param("Bearer cga_", id="prefix alone"),
        pytest.param("Bearer x", id="no token of ours"),
        pytest.param("Bearer eyJhbGciOiJub25lIn0.e30.", id="unsigned JWT"),
        pytest.param("cga_" + "x" * 43, id="no scheme"),
        pytest.param("Digest x", id="another scheme"),
        pytest.param(basic("no colon"), id="no colon"),
        pytest.param(basic("x:y"), id="unknown key"),
        pytest.param(basic(":"), id="nothing but a colon"),
        pytest.param("Basic %%%", id="no base64"),
        pytest.param(basic(b"k\xc3\xb8y:secret"), id="beyond ASCII"),
        pytest.param(basic("k\x00y:secret"), id="character that PostgreSQL refuses"),
        pytest.param("Basic", id="no credentials"),
    ],
)
async def test_wrong_credentials_are_refused_before_anything_runs(
    world: World, program: Program, authorization: str
) -> None:
    answer = await authorized(world, authorization)

    assert answer.status == 401
    assert answer.body == {"errors": [{"message": "Authentication failed", "extensions": {"code": "UNAUTHENTICATED"}}]}


async def test_each_kind_of_secret_is_good_in_its_own_place_only(world: World, program: Program) -> None:
    pair, key = await program.gets(), await key_of(program)
    access = pair["access_token"]
    wrong = [
        f"Bearer {pair['refresh_token']}",
        f"Bearer {program.secret}",
        f"Bearer {program.row.key}",
        f"Bearer {access[:-1]}",
        f"Bearer {access}x",
        f"Bearer {key[:-1]}",
        f"Bearer cgk_{access[4:]}",
        f"Basic {access}",
        basic(f"{program.row.key}:{access}"),
        basic(f"{program.row.key}:{key}"),
        basic(f"{program.row.key}:{program.secret}x"),
    ]

    assert [(await authorized(world, one)).error for one in wrong] == [FAILED] * len(wrong)
    api_token = {"X-Api-Email": "ben@northfield.example", "X-Api-Token": access}
    assert (await Principal(world, "somebody", api_token).ask(NAMES)).error == FAILED


async def test_two_ways_to_sign_in_at_once_are_refused(world: World, program: Program) -> None:
    token = (await program.gets())["access_token"]
    both = [world.user.headers, world.calculator.headers, {"X-Api-Email": "x"}]

    for headers in both:
        assert (await authorized(world, f"Bearer {token}", **headers)).error == FAILED
        assert (await authorized(world, program.basic._auth_header, **headers)).error == FAILED
    twice = await world.http.post(
        "/graphql",
        json={"query": NAMES},
        headers=httpx.Headers([("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]),
    )
    assert twice.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_taken_in_any_case(world: World, program: Program, scheme: str) -> None:
    token = (await program.gets())["access_token"]

    assert (await authorized(world, f"{scheme} {token}")).status == 200


@pytest.mark.parametrize("ended", ["disabled", "deleted", "key deleted"])
async def test_what_ends_an_application_ends_all_that_it_was_given(world: World, program: Program, ended: str) -> None:
    key, access = await key_of(program), (await program.gets())["access_token"]
    async with world.writing(world.superuser) as tx:
        match ended:
            case "disabled":
                await tx.execute(update(Application).values(is_enabled=False))
            case "deleted":
                await tx.execute(delete(Application))
            case _:
                await tx.execute(delete(ApiKey))

    assert (await program.with_token(key).ask(NAMES)).error == FAILED
    assert (await program.with_token(access).ask(NAMES)).status == (200 if ended == "key deleted" else 401)
    assert (await program.with_secret.ask(CREATE_KEY)).status == (200 if ended == "key deleted" else 401)


async def test_failures_by_basic_are_limited_and_read_the_same(world: World, program: Program) -> None:
    wrong = [await authorized(world, basic(f"{program.row.key}:wrong")) for _ in range(12)]

    right = await program.with_secret.ask(CREATE_KEY)

    assert {(one.status, one.error) for one in (*wrong, right)} == {(401, FAILED)}
    token_endpoint = await program.asks()
    assert token_endpoint.status_code == 429


async def test_a_program_is_nobody_in_particular(world: World, program: Program) -> None:
    await make_episode(world.user, await make_client(world.user, full_name="Cy"))
    principal = await program.signed_in()
    query = """{
        me { id } own: clients(scope: OWNED) { totalCount } userStatistics { total { nClients } }
        all: clients(scope: ORGANIZATION) { totalCount } organization { name }
        organizationStatistics { total { nClients } }
    }"""

    assert (await principal.ask(query)).data == {
        "me": None,
        "own": {"totalCount": 0},
        "userStatistics": None,
        "all": {"totalCount": 3},
        "organization": {"name": "Northfield"},
        "organizationStatistics": {"total": {"nClients": 1}},
    }
    for forbidden in (
        "{ auditEvents { totalCount } }",
        "{ applications { totalCount } }",
        "{ calculatorPlans { totalCount } }",
    ):
        assert (await principal.ask(forbidden)).error == FORBIDDEN


async def test_a_client_made_by_a_program_has_no_owner(world: World, program: Program) -> None:
    principal = await program.signed_in()

    async with changes(world) as found:
        payload = (await principal.ask(CREATE_CLIENT)).data["createClient"]

    assert payload == {"node": {"id": payload["node"]["id"], "fullName": "New", "owners": []}, "errors": []}
    assert found == {"clients": 1}
    assert await names(principal) == ["Ann", "Bo", "New"]
    assert await names(world.superuser) == ["Ann", "Bo", "New"]
    assert await names(world.user) == ["Ann"]
    owned = """mutation($id: ID!, $user: ID!) {
        setClientOwners(id: $id, userIds: [$user]) { node { owners { fullName } } errors { message } }
    }"""
    assert (await principal.ask(owned, id=payload["node"]["id"], user=world.user.id)).data["setClientOwners"] == {
        "node": {"owners": [{"fullName": "Ben Borg"}]},
        "errors": [],
    }
    assert await names(world.user) == ["Ann", "New"]


async def test_a_program_does_what_users_do(world: World, program: Program) -> None:
    principal = await program.signed_in()
    client = (await principal.ask(CREATE_CLIENT)).data["createClient"]["node"]["id"]
    steps = """mutation($client: ID!) {
        createEpisode(clientId: $client, input: {title: "Care", startDate: "2026-01-01"}) {
            node { id } errors { message }
        }
        createLabel(input: {name: "Winter"}) { node { id } errors { message } }
        updateClient(id: $client, input: {birthDate: "1990-01-01"}) { node { birthDate } errors { message } }
    }"""
    made = (await principal.ask(steps, client=client)).data
    assert [one["errors"] for one in made.values()] == [[], [], []]

    more = """mutation($client: ID!, $episode: ID!, $label: ID!) {
        setClientLabels(id: $client, labelIds: [$label]) { node { labels { name } } errors { message } }
        createSession(episodeId: $episode, input: {sessionDate: "2026-01-02"}) { node { id } errors { message } }
        deleteClient(id: $client, force: true) { deletedId errors { message } }
    }"""
    answer = await principal.ask(
        more, client=client, episode=made["createEpisode"]["node"]["id"], label=made["createLabel"]["node"]["id"]
    )
    assert answer.data["setClientLabels"] == {"node": {"labels": [{"name": "Winter"}]}, "errors": []}
    assert answer.data["createSession"]["errors"] == []
    assert answer.data["deleteClient"] == {"deletedId": client, "errors": []}


@pytest.fixture
async def limited(world: World) -> Program:
    """Ann is in its group; Bo is in another, Kay in the other organization's of the same name."""
    ann = await make_client(world.user, full_name="Ann")
    bo = await make_client(world.colleague, full_name="HIDDEN Bo")
    kay = await make_client(world.other_user, full_name="HIDDEN Kay")
    for owner, client in ((world.user, ann), (world.colleague, bo)):
        session = await make_session(owner, await make_episode(owner, client))
        await make_ors(owner, session, client)
    north = await make_group(world.superuser, "North", ann)
    await make_group(world.superuser, "South", bo)
    await make_group(world.other_superuser, "North", kay)
    return await make_application(world.superuser, north, name="Limited")


async def test_a_program_of_a_group_sees_its_clients_and_what_hangs_on_them(world: World, limited: Program) -> None:
    principal = await limited.signed_in()
    query = """query($bo: ID!) {
        clients { totalCount nodes { fullName } } episodes { totalCount } sessions { totalCount }
        orsScores { totalCount } found: clients(search: "HIDDEN") { totalCount }
        bo: client(id: $bo) { fullName }
    }"""

    for one in (principal, limited.with_token(await key_of(limited))):
        assert (await one.ask(query, bo=global_id("Client", 2))).data == {
            "clients": {"totalCount": 1, "nodes": [{"fullName": "Ann"}]},
            "episodes": {"totalCount": 1},
            "sessions": {"totalCount": 1},
            "orsScores": {"totalCount": 1},
            "found": {"totalCount": 0},
            "bo": None,
        }


@pytest.mark.parametrize(
    "query",
    [
        "{ organization { name } }",
        "{ organizationStatistics { total { nClients } } }",
        "{ userStatistics { total { nClients } } }",
        "{ clients(scope: ORGANIZATION) { totalCount } }",
        "{ episodes(scope: ORGANIZATION) { totalCount } }",
        'mutation { createLabel(input: {name: "x"}) { errors { code } } }',
    ],
)
async def test_what_is_of_the_whole_organization_is_not_for_a_program_of_a_group(
    world: World, limited: Program, query: str
) -> None:
    async with changes(world) as found:
        principal = await limited.signed_in()
        assert (await principal.ask(query)).error == FORBIDDEN
    assert found == {"access_tokens": 1}


async def test_a_client_made_by_a_program_of_a_group_is_in_it(world: World, limited: Program) -> None:
    principal = await limited.signed_in()

    async with changes(world) as found:
        payload = (await principal.ask(CREATE_CLIENT)).data["createClient"]

    assert payload["errors"] == []
    assert found == {"clients": 1, "client_groups": 1}
    assert await names(principal) == ["Ann", "New"]


async def test_without_a_group_it_reaches_nobody_and_makes_none(world: World, limited: Program) -> None:
    principal = await limited.signed_in()
    empty = "mutation($id: ID!) { setApplicationGroups(id: $id, groupIds: []) { errors { message } } }"
    assert (await world.superuser.ask(empty, id=limited.id)).data["setApplicationGroups"] == {"errors": []}

    async with changes(world) as found:
        payload = (await principal.ask(CREATE_CLIENT)).data["createClient"]

    assert payload == {
        "node": None,
        "errors": [{"code": "INVALID", "message": "The application has no group to put the client into", "path": None}],
    }
    assert found == {}
    assert await names(principal) == []


async def test_a_change_of_groups_holds_for_tokens_given_before(world: World, limited: Program) -> None:
    principal = await limited.signed_in()
    assert await names(principal) == ["Ann"]

    async with world.writing(world.superuser) as tx:
        await tx.execute(delete(ClientGroup))
    assert await names(principal) == []

    lift = """mutation($id: ID!) {
        updateApplication(id: $id, input: {isLimitedToGroups: false}) { errors { message } }
    }"""
    assert (await world.superuser.ask(lift, id=limited.id)).data["updateApplication"] == {"errors": []}
    assert await names(principal) == ["Ann", "HIDDEN Bo"]


async def opened(world: World, principal: Principal, number: int = 7, hours: int = 1) -> str:
    async with world.writing(principal) as tx:
        return await session_tokens.open_session(tx, number, lifetime=timedelta(hours=hours))


EVERYTHING = [
    NAMES,
    "{ me { id } }",
    "{ apiKeys { id } }",
    "{ accessToken { id } }",
    "{ organization { name } }",
    '{ node(id: "x") { id } }',
    CREATE_CLIENT,
    CREATE_KEY,
]


async def test_a_respondent_reaches_nothing_of_the_application_s(world: World, program: Program) -> None:
    token = await opened(world, world.superuser)
    access = (await program.gets())["access_token"]
    respondent = program.with_token(access, **{"X-Silicone-User-Token": token})

    assert token[:4] == "cgd_"
    for query in EVERYTHING:
        async with changes(world) as found:
            answer = await respondent.ask(query)
        assert (answer.status, answer.error) == (200, FORBIDDEN)
        assert found == {}
    assert (await respondent.ask("{ hello { helloFrom } }")).data == {"hello": {"helloFrom": "Caregraph"}}


async def test_a_session_token_is_good_beside_a_token_of_its_organization_only(world: World, program: Program) -> None:
    token, foreign = await opened(world, world.superuser), await opened(world, world.other_superuser)
    access = (await program.gets())["access_token"]
    hello = "{ hello { helloFrom } }"
    bearer = {"Authorization": f"Bearer {access}"}
    wrong: list[dict[str, str]] = [
        {"X-Silicone-User-Token": token},
        {**bearer, "X-Silicone-User-Token": foreign},
        {**bearer, "X-Silicone-User-Token": token[:-1]},
        {**bearer, "X-Silicone-User-Token": access},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {token}", "X-Silicone-User-Token": token},
        {"Authorization": program.basic._auth_header, "X-Silicone-User-Token": token},
        {**world.superuser.headers, "X-Silicone-User-Token": token},
        {**bearer, **world.superuser.headers, "X-Silicone-User-Token": token},
    ]

    for headers in wrong:
        answer = await Principal(world, "somebody", headers).ask(hello)
        assert (answer.status, answer.error) == (401, FAILED)
    right = await Principal(world, "somebody", {**bearer, "X-Silicone-User-Token": token}).ask(hello)
    assert right.status == 200


@pytest.mark.parametrize("ended", ["late", "revoked", "rotated"])
async def test_a_session_token_ends(world: World, program: Program, ended: str) -> None:
    token, other = await opened(world, world.superuser), await opened(world, world.superuser, 8)
    access = (await program.gets())["access_token"]
    fresh = ""
    async with world.writing(world.superuser) as tx:
        match ended:
            case "late":
                here = SessionToken.deployment_session_id == 7
                await tx.execute(update(SessionToken).where(here).values(expires_at=now() - timedelta(seconds=2)))
            case "revoked":
                await session_tokens.revoke_session(tx, 7)
            case _:
                fresh = await session_tokens.rotate_session(tx, 7, lifetime=timedelta(hours=1))

    async def status(session_token: str) -> int:
        principal = program.with_token(access, **{"X-Silicone-User-Token": session_token})
        return (await principal.ask("{ hello { helloFrom } }")).status

    assert (await status(token), await status(other)) == (401, 200)
    if fresh:
        assert await status(fresh) == 200
