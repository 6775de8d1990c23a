"""`/oauth/token`: three bodies, three grants, one way of refusing, and nothing learned from it."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from oauthlib.oauth2 import BackendApplicationClient
from sqlalchemy import Text, cast, func, or_, select, update

from caregraph.auth.secrets import token_hash
from caregraph.db import attempts
from caregraph.db.base import Base, now
from caregraph.graph.node import global_id
from caregraph.organizations.models import AccessToken, Application
from contract.asserts import changes
from factories.people import make_client
from factories.programs import TOKEN, Program, make_application, make_group
from kit import World

JSON_API = "application/vnd.api+json"
NAMES = "{ clients { nodes { fullName } } }"
FAILED = ("UNAUTHENTICATED", "Authentication failed")
UNKNOWN = {"error": "invalid_client", "error_description": "Authentication failed"}
LIMITED = {"error": "temporarily_unavailable", "error_description": "Too many attempts, try again later"}
NOT_GOOD = {"error": "invalid_grant", "error_description": "The refresh token is not good, or not any more"}


@pytest.fixture
async def program(world: World) -> Program:
    await make_client(world.user, full_name="Ann")
    return await make_application(world.superuser)


async def send(world: World, content: str | bytes, content_type: str, **headers: str) -> httpx.Response:
    return await world.http.post(TOKEN, content=content, headers={"Content-Type": content_type, **headers})


def credentials(program: Program, **more: Any) -> dict[str, Any]:
    return {"grant_type": "client_credentials", "client_id": program.row.key, "client_secret": program.secret, **more}


async def works(program: Program, token: str) -> bool:
    answer = await program.with_token(token).ask(NAMES)
    if answer.status == 401:
        assert answer.error == FAILED
        return False
    assert answer.data == {"clients": {"nodes": [{"fullName": "Ann"}]}}
    return True


async def test_key_and_secret_give_a_pair(world: World, program: Program) -> None:
    async with changes(world) as found:
        response = await program.asks()

    told = response.json()
    assert response.status_code == 200
    assert told == {
        "access_token": told["access_token"],
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": told["refresh_token"],
        "scope": "all",
    }
    assert (told["access_token"][:4], told["refresh_token"][:4]) == ("cga_", "cgr_")
    assert {len(told["access_token"]), len(told["refresh_token"])} == {47}
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert found == {"access_tokens": 1}
    assert await works(program, told["access_token"])
    assert not await works(program, told["refresh_token"])


async def test_they_may_stand_in_the_form(world: World, program: Program) -> None:
    response = await world.http.post(TOKEN, data=credentials(program))

    assert response.status_code == 200
    assert await works(program, response.json()["access_token"])


async def test_a_flat_object_of_json_serves_as_well(world: World, program: Program) -> None:
    response = await world.http.post(TOKEN, json=credentials(program))

    assert response.status_code == 200
    assert response.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert await works(program, response.json()["access_token"])


async def test_a_document_is_answered_by_a_document(world: World, program: Program) -> None:
    group = await make_group(world.superuser, "North")
    limited = await make_application(world.superuser, group, name="Limited")
    for one, groups in ((program, None), (limited, [{"type": "group", "id": global_id("Group", group.id)}])):
        body = {"data": {"type": "token", "attributes": credentials(one)}}

        response = await send(world, json.dumps(body), JSON_API)

        told = response.json()
        attributes = told["data"]["attributes"]
        assert (response.status_code, response.headers["content-type"]) == (201, JSON_API)
        row = await world.row(select(func.max(AccessToken.id)))
        related = {"organization": {"data": {"type": "organization", "id": global_id("Organization", 1)}}}
        assert told == {
            "data": {
                "type": "token",
                "id": global_id("AccessToken", row[0]),
                "attributes": {
                    "access_token": attributes["access_token"],
                    "token_type": "bearer",
                    "expires_in": 3600,
                    "refresh_token": attributes["refresh_token"],
                },
                "relationships": related if groups is None else {**related, "groups": {"data": groups}},
            }
        }
    assert await works(program, (await program.gets())["access_token"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", ""])
async def test_another_type_of_body_is_forbidden(world: World, program: Program, content_type: str) -> None:
    response = await send(world, json.dumps(credentials(program)), content_type)

    assert (response.status_code, response.headers["content-type"]) == (403, JSON_API)
    assert response.json() == {"errors": [{"status": "403", "code": "Forbidden", "title": "Forbidden"}]}


WRONG = [
    pytest.param({"client_secret": "wrong"}, id="wrong secret"),
    pytest.param({"client_id": "unknown"}, id="unknown key"),
    pytest.param({"client_id": "unk\u00f8wn"}, id="key beyond ASCII"),
    pytest.param({"client_secret": None}, id="no secret"),
    pytest.param({"client_id": None}, id="no key"),
    pytest.param({"client_id": "x" * 10_000}, id="endless key"),
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_every_failure_to_sign_in_reads_the_same(world: World, program: Program, wrong: dict[str, Any]) -> None:
    sent = {name: value for name, value in credentials(program, **wrong).items() if value is not None}
    document = {"data": {"type": "token", "attributes": sent}}

    async with changes(world) as found:
        by_form = await world.http.post(TOKEN, data=sent)
        by_json = await world.http.post(TOKEN, json=sent)
        by_document = await send(world, json.dumps(document), JSON_API)

    for response in (by_form, by_json):
        assert (response.status_code, response.json()) == (401, UNKNOWN)
        assert response.headers["www-authenticate"] == 'Basic realm="caregraph", charset="UTF-8"'
        assert response.headers["cache-control"] == "no-store"
    assert by_document.status_code == 401
    assert by_document.json() == {
        "errors": [{"status": "401", "code": "InvalidCredentials", "title": "Authentication failed"}]
    }
    assert found == {}


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(basic("no colon"), id="no colon"),
        pytest.param(basic(":"), id="nothing but a colon"),
        pytest.param(basic("key:"), id="no secret"),
        pytest.param("Basic", id="nothing"),
        pytest.param("Basic %%%", id="no base64"),
        pytest.param("Basic YWJj=ZGVm", id="base64 with padding inside"),
        pytest.param(basic(b"k\xc3\xb8y:secret"), id="beyond ASCII"),
        pytest.param(basic("k\x00y:secret"), id="character that PostgreSQL refuses"),
        pytest.param("Bearer x", id="another scheme"),
        pytest.param("x", id="no scheme"),
    ],
)
async def test_malformed_basic_credentials_are_wrong_ones(world: World, authorization: str) -> None:
    response = await world.http.post(
        TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": authorization}
    )

    assert (response.status_code, response.json()) == (401, UNKNOWN)


REQUESTS = [
    ("grant_type=password", "unsupported_grant_type", 401, "InvalidGrantType"),
    ("grant_type=authorization_code", "unsupported_grant_type", 401, "InvalidGrantType"),
    ("scope=all", "invalid_request", 409, "InvalidBodyParameter"),
    ("grant_type=", "invalid_request", 409, "InvalidBodyParameter"),
    ("grant_type=refresh_token", "invalid_request", 409, "InvalidBodyParameter"),
    ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", "invalid_request", 409, "InvalidBodyParameter"),
    ("grant_type=client_credentials&scope=bogus.read", "invalid_scope", 409, "InvalidBodyParameter"),
    ("grant_type=client_credentials&scope=clients.read%20bogus", "invalid_scope", 409, "InvalidBodyParameter"),
    ("grant_type=refresh_token&refresh_token=nonsense", "invalid_grant", 401, "InvalidCredentials"),
]


@pytest.mark.parametrize(("form", "error", "status", "code"), REQUESTS)
async def test_what_a_request_does_wrong_is_told_by_a_code(
    world: World, program: Program, form: str, error: str, status: int, code: str
) -> None:
    attributes = dict(httpx.QueryParams(form)) | {"client_id": program.row.key, "client_secret": program.secret}

    async with changes(world) as found:
        plain = await world.http.post(
            TOKEN, content=form, headers={"Content-Type": "application/x-www-form-urlencoded"}, auth=program.basic
        )
        document = await send(world, json.dumps({"data": {"attributes": attributes}}), JSON_API)

    assert (plain.status_code, plain.json()["error"]) == (400, error)
    assert document.status_code == status
    (told,) = document.json()["errors"]
    assert told == {"status": str(status), "code": code, "title": plain.json()["error_description"]}
    assert found == {}


BODIES = [
    ("application/x-www-form-urlencoded", "grant_type=client_credentials&grant_type=refresh_token"),
    ("application/x-www-form-urlencoded", b"grant_type=\xff"),
    ("application/x-www-form-urlencoded", "grant_type=%ff"),
    ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(101))),
    ("application/json", '{"grant_type": "client_credentials", "grant_type": "refresh_token"}'),
    ("application/json", '{"grant_type": ["client_credentials"]}'),
    ("application/json", '{"grant_type": "client_credentials", "client_id": "\\ud800", "client_secret": "x"}'),
    ("application/json", '{"grant_type": "client_credentials", "client_id": "\\u0000", "client_secret": "x"}'),
    ("application/json", "[]"),
    ("application/json", "null"),
    ("application/json", "{"),
    ("application/json", "[" * 50_000),
    (JSON_API, "{}"),
    (JSON_API, '{"data": {"type": "client", "attributes": {"grant_type": "client_credentials"}}}'),
    (JSON_API, '{"data": {"type": ["token"], "attributes": {}}}'),
    (JSON_API, '{"data": {"type": "token"}}'),
]


@pytest.mark.parametrize(("content_type", "body"), BODIES)
async def test_a_malformed_body_is_an_invalid_request(world: World, content_type: str, body: str | bytes) -> None:
    response = await send(world, body, content_type)

    if content_type == JSON_API:
        assert (response.status_code, response.json()["errors"][0]["code"]) == (409, "InvalidBodyParameter")
    else:
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_large_body_is_refused(world: World) -> None:
    response = await send(world, "a=" + "x" * 65_536, "application/x-www-form-urlencoded")

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")


async def test_who_asks_is_said_once(world: World, program: Program) -> None:
    asked = {"grant_type": "client_credentials"}
    twice = [
        await world.http.post(TOKEN, data=credentials(program), auth=program.basic),
        await world.http.post(TOKEN, data={**asked, "client_id": "another"}, auth=program.basic),
    ]
    same = await world.http.post(TOKEN, data={**asked, "client_id": program.row.key}, auth=program.basic)

    assert [(one.status_code, one.json()["error"]) for one in twice] == [(400, "invalid_request")] * 2
    assert same.status_code == 200


async def test_it_takes_posts_of_no_other_site(world: World, program: Program) -> None:
    foreign = await world.http.post(TOKEN, data=credentials(program), headers={"Origin": "https://evil.example"})
    own = await world.http.post(TOKEN, data=credentials(program), headers={"Origin": "http://caregraph.test"})

    assert (foreign.status_code, foreign.json()["error"]) == (403, "access_denied")
    assert own.status_code == 200
    assert (await world.http.get(TOKEN, params=credentials(program))).status_code == 405


async def test_nothing_is_read_from_the_address(world: World, program: Program) -> None:
    response = await world.http.post(TOKEN, params=credentials(program), data={"grant_type": "client_credentials"})

    assert (response.status_code, response.json()) == (401, UNKNOWN)


async def test_a_scope_narrows_the_token(world: World, program: Program) -> None:
    told = await program.gets(scope="labels.read clients.read")

    assert told["scope"] == "clients.read labels.read"
    assert await works(program, told["access_token"])
    narrow = await program.gets(scope="labels.read")
    answer = await program.with_token(narrow["access_token"]).ask(NAMES)
    assert answer.body["errors"][0]["extensions"] == {"code": "FORBIDDEN", "requiredScope": "clients.read"}


async def test_a_scope_never_goes_beyond_the_application_s(world: World) -> None:
    program = await make_application(world.superuser, scopes="clients.read labels.read")

    assert (await program.gets())["scope"] == "clients.read labels.read"
    assert (await program.gets(scope="clients.read"))["scope"] == "clients.read"
    for scope in ("all", "clients.write", "clients.read episodes.read"):
        assert (await program.asks(scope=scope)).json()["error"] == "invalid_scope"


async def test_a_refresh_token_gives_the_next_pair_once(world: World, program: Program) -> None:
    first = await program.gets(scope="clients.read")

    second = await program.gets(grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert second == {
        **first,
        "access_token": second["access_token"],
        "refresh_token": second["refresh_token"],
    }
    assert len({first["access_token"], second["access_token"], first["refresh_token"], second["refresh_token"]}) == 4
    assert await works(program, second["access_token"])
    assert await works(program, first["access_token"])


async def test_a_refresh_token_that_comes_twice_ends_all_that_came_of_it(world: World, program: Program) -> None:
    first, other = await program.gets(), await program.gets()
    second = await program.gets(grant_type="refresh_token", refresh_token=first["refresh_token"])
    third = await program.gets(grant_type="refresh_token", refresh_token=second["refresh_token"])

    again = await program.asks(grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert (again.status_code, again.json()) == (400, NOT_GOOD)
    assert [await works(program, one["access_token"]) for one in (first, second, third)] == [False] * 3
    last = await program.asks(grant_type="refresh_token", refresh_token=third["refresh_token"])
    assert last.json() == NOT_GOOD
    assert await works(program, other["access_token"])


async def test_of_simultaneous_uses_of_a_refresh_token_one_at_most_succeeds(world: World, program: Program) -> None:
    first = await program.gets()

    asked = [program.asks(grant_type="refresh_token", refresh_token=first["refresh_token"]) for _ in range(5)]
    responses = await asyncio.gather(*asked)

    assert sorted(one.status_code for one in responses) == [200, 400, 400, 400, 400]
    (given,) = (one.json() for one in responses if one.status_code == 200)
    assert not await works(program, given["access_token"])


async def test_refreshing_narrows_one_access_token_and_not_the_next(world: World, program: Program) -> None:
    first = await program.gets(scope="clients.read labels.read")

    second = await program.gets(grant_type="refresh_token", refresh_token=first["refresh_token"], scope="clients.read")
    refused = await program.asks(grant_type="refresh_token", refresh_token=second["refresh_token"], scope="all")
    third = await program.gets(grant_type="refresh_token", refresh_token=second["refresh_token"])

    assert second["scope"] == "clients.read"
    assert refused.json()["error"] == "invalid_scope"
    assert third["scope"] == "clients.read labels.read"


@pytest.mark.parametrize(
    "change", ["cut", "access token", "other application", "other organization", "revoked", "late"]
)
async def test_a_refresh_token_that_is_not_good_gives_nothing(world: World, program: Program, change: str) -> None:
    pair = await program.gets()
    token, asking = pair["refresh_token"], program
    match change:
        case "cut":
            token = token[:-1]
        case "access token":
            token = pair["access_token"]
        case "other application":
            asking = await make_application(world.superuser, name="Other")
        case "other organization":
            asking = await make_application(world.other_superuser)
        case "revoked":
            await world.http.post("/oauth/revoke", data={"token": token}, auth=program.basic)
        case "late":
            async with world.writing(world.superuser) as tx:
                await tx.execute(update(AccessToken).values(ends_at=now() - timedelta(seconds=1)))

    async with changes(world) as found:
        response = await asking.asks(grant_type="refresh_token", refresh_token=token)

    assert (response.status_code, response.json()) == (400, NOT_GOOD)
    assert found == {}


async def test_an_access_token_ends_with_its_time(world: World, program: Program) -> None:
    pair = await program.gets()
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(AccessToken).values(expires_at=now() - timedelta(seconds=1)))

    assert not await works(program, pair["access_token"])
    next_pair = await program.gets(grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert await works(program, next_pair["access_token"])


async def test_pairs_of_no_use_are_swept(world: World, program: Program) -> None:
    other = await make_application(world.superuser, name="Other")
    await program.gets()
    await other.gets()
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(AccessToken).values(ends_at=now() - timedelta(seconds=1)))

    async with changes(world) as found:
        await program.gets()

    assert found == {}  # one gone, one made; the other application sweeps its own


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_ends_the_pair_and_what_was_refreshed_from_it(world: World, program: Program, kind: str) -> None:
    first, other = await program.gets(), await program.gets()
    second = await program.gets(grant_type="refresh_token", refresh_token=first["refresh_token"])

    response = await world.http.post("/oauth/revoke", data={"token": first[kind]}, auth=program.basic)

    assert (response.status_code, response.content) == (200, b"")
    assert [await works(program, one["access_token"]) for one in (first, second, other)] == [False, False, True]
    refreshed = await program.asks(grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert refreshed.json() == NOT_GOOD


async def test_revoking_what_is_not_ones_own_changes_nothing_and_says_nothing(world: World, program: Program) -> None:
    pair = await program.gets()
    strangers = [await make_application(one, name="Other") for one in (world.superuser, world.other_superuser)]

    for stranger in strangers:
        for token in (pair["access_token"], pair["refresh_token"], "nonsense"):
            response = await world.http.post("/oauth/revoke", data={"token": token}, auth=stranger.basic)
            assert (response.status_code, response.content) == (200, b"")
    wrong = await world.http.post("/oauth/revoke", data={"token": pair["access_token"]}, auth=("x", "y"))
    missing = await world.http.post("/oauth/revoke", data={}, auth=program.basic)

    assert (wrong.status_code, wrong.json()) == (401, UNKNOWN)
    assert (missing.status_code, missing.json()["error"]) == (403, "access_denied")  # an empty form has no type
    assert await works(program, pair["access_token"])


async def test_a_disabled_application_is_unknown_and_its_tokens_are_dead(world: World, program: Program) -> None:
    pair = await program.gets()
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Application).values(is_enabled=False))

    assert (await program.asks()).json() == UNKNOWN
    refreshed = await program.asks(grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert refreshed.json() == UNKNOWN
    assert not await works(program, pair["access_token"])


async def test_failures_are_limited_per_application_even_with_the_right_secret(world: World, program: Program) -> None:
    wrong = [await world.http.post(TOKEN, data=credentials(program, client_secret="x")) for _ in range(11)]

    right = await program.asks()

    assert [one.json() for one in wrong] == [UNKNOWN] * 10 + [LIMITED]
    assert (right.status_code, right.json()) == (429, LIMITED)
    assert right.headers["retry-after"] == "900"
    other = await make_application(world.superuser, name="Other")
    assert (await other.asks()).status_code == 200


async def test_unknown_applications_are_limited_like_known_ones(world: World) -> None:
    sent = {"grant_type": "client_credentials", "client_id": "unknown", "client_secret": "x"}

    answers = [(await world.http.post(TOKEN, data=sent)).json() for _ in range(11)]

    assert answers == [UNKNOWN] * 10 + [LIMITED]


async def test_simultaneous_failures_count_each_other(world: World, program: Program) -> None:
    asked = [world.http.post(TOKEN, data=credentials(program, client_secret="x")) for _ in range(30)]

    outcomes = [one.json() for one in await asyncio.gather(*asked)]

    assert outcomes.count(UNKNOWN) <= 10
    assert outcomes.count(UNKNOWN) + outcomes.count(LIMITED) == 30


async def test_many_workers_of_one_application_may_ask_at_once(world: World, program: Program) -> None:
    responses = await asyncio.gather(*(program.asks() for _ in range(25)))

    assert [one.status_code for one in responses] == [200] * 25


async def test_getting_in_forgets_the_application_s_failures(world: World, program: Program) -> None:
    for _ in range(3):
        for _ in range(9):
            assert (await world.http.post(TOKEN, data=credentials(program, client_secret="x"))).json() == UNKNOWN
        assert (await program.asks()).status_code == 200


async def test_failures_are_limited_per_address_across_applications(world: World, program: Program) -> None:
    for number in range(100):
        sent = {"grant_type": "client_credentials", "client_id": f"no{number}", "client_secret": "x"}
        assert (await world.http.post(TOKEN, data=sent)).json() == UNKNOWN

    assert (await program.asks()).json() == LIMITED
    transport = httpx.ASGITransport(app=world.app, client=("192.0.2.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://caregraph.test") as elsewhere:
        assert (await elsewhere.post(TOKEN, data=credentials(program))).status_code == 200


async def test_failures_are_forgotten_after_the_window(
    world: World, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(11):
        await world.http.post(TOKEN, data=credentials(program, client_secret="x"))
    present = attempts.now
    monkeypatch.setattr(attempts, "now", lambda: present() + timedelta(seconds=world.settings.sign_in_window + 1))

    assert (await program.asks()).status_code == 200


async def test_known_and_unknown_applications_take_the_same_statements(world: World, program: Program) -> None:
    shapes = []
    for sent in (credentials(program, client_secret="x"), credentials(program, client_id="unknown")):
        with world.statements() as statements:
            await world.http.post(TOKEN, data=sent)
        shapes.append(list(statements))

    assert shapes[0] == shapes[1]
    assert [one.split()[0] for one in shapes[0]][:2] == ["DELETE", "INSERT"]


async def test_only_hashes_are_kept(world: World, program: Program) -> None:
    pair = await program.gets()

    kept = AccessToken.__table__
    hashes = token_hash(pair["access_token"]), token_hash(pair["refresh_token"])
    assert await world.row(select(kept.c.token_hash, kept.c.refresh_token_hash)) == hashes
    secrets = (pair["access_token"], pair["refresh_token"], program.secret)
    for table in Base.metadata.sorted_tables:
        holding = or_(*(cast(column, Text).contains(secret) for column in table.c for secret in secrets))
        assert (table.name, *await world.row(select(func.count()).select_from(table).where(holding))) == (table.name, 0)


async def test_an_oauth_client_of_others_gets_refreshes_and_revokes(
    world: World, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client = BackendApplicationClient(program.row.key, scope="clients.read")
    form = "application/x-www-form-urlencoded"

    body = client.prepare_request_body(include_client_id=True, client_secret=program.secret)
    first = client.parse_request_body_response((await send(world, body, form)).text)
    url, headers, _ = client.add_token("http://caregraph.test/graphql", "POST", headers={})
    found = await world.http.post(url, json={"query": NAMES}, headers=headers)
    body = client.prepare_refresh_body(
        refresh_token=first["refresh_token"], client_id=program.row.key, client_secret=program.secret
    )
    second = client.parse_request_body_response((await send(world, body, form)).text)
    url, headers, body = client.prepare_token_revocation_request(
        "http://caregraph.test/oauth/revoke", second["access_token"], "access_token"
    )
    revoked = await world.http.post(url, content=body, headers=headers, auth=program.basic)

    assert found.json() == {"data": {"clients": {"nodes": [{"fullName": "Ann"}]}}}
    assert first["access_token"] != second["access_token"]
    assert revoked.status_code == 200
    assert not await works(program, second["access_token"])


async def test_the_metadata_are_told_where_the_server_knows_its_address(world: World) -> None:
    path = "/.well-known/oauth-authorization-server"
    assert (await world.http.get(path)).status_code == 404

    await world.restart(server_url="https://care.example/")

    told = (await world.http.get(path)).json()
    assert {"all", "clients.read", "clients.write", "scores.read"} <= set(told.pop("scopes_supported"))
    assert told == {
        "issuer": "https://care.example",
        "token_endpoint": "https://care.example/oauth/token",
        "revocation_endpoint": "https://care.example/oauth/revoke",
        "grant_types_supported": [
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }
