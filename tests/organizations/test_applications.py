"""Applications as superusers manage them: made, changed, given new secrets, limited, ended."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import select, update

from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.organizations.models import Application, ApplicationSecret
from contract.asserts import changes
from factories.people import make_client
from factories.programs import TOKEN, Program, make_application, make_group
from kit import World

FORBIDDEN = ("FORBIDDEN", "Access denied")
FAILED = ("UNAUTHENTICATED", "Authentication failed")
FIELDS = "id name key scopes isEnabled isLimitedToGroups publicKey lastUsedAt groups { name } apiKeys { id }"
CREATE = f"""mutation($input: ApplicationInput!) {{
  result: createApplication(input: $input) {{ node {{ {FIELDS} }} secret errors {{ code message path }} }}
}}"""
UPDATE = f"""mutation($id: ID!, $input: ApplicationPatch!) {{
  result: updateApplication(id: $id, input: $input) {{ node {{ {FIELDS} }} errors {{ code message path }} }}
}}"""
ROTATE = """mutation($id: ID!, $grace: Int! = 0, $revoke: Boolean! = false) {
  result: rotateApplicationSecret(id: $id, graceSeconds: $grace, revokeTokens: $revoke) {
    node { id } secret errors { code message path }
  }
}"""
GROUPS = f"""mutation($id: ID!, $groups: [ID!]!) {{
  result: setApplicationGroups(id: $id, groupIds: $groups) {{ node {{ {FIELDS} }} errors {{ code message path }} }}
}}"""
DELETE = "mutation($id: ID!) { result: deleteApplication(id: $id) { deletedId errors { code message path } } }"
REVOKE = """mutation($id: ID!) {
  result: revokeAccessToken(id: $id) { node { id revokedAt } errors { code message path } }
}"""
LIST = "{ result: applications { totalCount nodes { name } } }"
NAMES = "{ clients { nodes { fullName } } }"
NEW = {
    "id": global_id("Application", 1),
    "name": "Nightly sync",
    "key": ANY,
    "scopes": ["all"],
    "isEnabled": True,
    "isLimitedToGroups": False,
    "publicKey": None,
    "lastUsedAt": None,
    "groups": [],
    "apiKeys": [],
}


@pytest.fixture
async def program(world: World) -> Program:
    await make_client(world.user, full_name="Ann")
    return await make_application(world.superuser)


async def status(world: World, key: str, secret: str) -> int:
    """What the token endpoint thinks of key and secret."""
    response = await world.http.post(
        TOKEN, data={"grant_type": "client_credentials"}, auth=httpx.BasicAuth(key, secret)
    )
    return response.status_code


async def test_a_new_application_gets_tokens_by_its_secret(world: World) -> None:
    async with changes(world) as found:
        made = (await world.superuser.ask(CREATE, input={"name": "Nightly sync"})).result

    assert made == {"node": NEW, "secret": made["secret"], "errors": []}
    assert (made["secret"][:4], len(made["secret"]), len(made["node"]["key"])) == ("cgs_", 47, 22)
    assert found == {"applications": 1, "application_secrets": 1}
    assert await status(world, made["node"]["key"], made["secret"]) == 200
    assert (await world.superuser.ask(LIST)).result == {"totalCount": 1, "nodes": [{"name": "Nightly sync"}]}
    used = await world.superuser.ask("query($id: ID!) { application(id: $id) { lastUsedAt } }", id=made["node"]["id"])
    assert used.data["application"]["lastUsedAt"] is not None


async def test_each_has_its_own_key_and_secret(world: World) -> None:
    made = [(await world.superuser.ask(CREATE, input={"name": name})).result for name in ("One", "Two")]

    assert made[0]["node"]["key"] != made[1]["node"]["key"]
    assert await status(world, made[0]["node"]["key"], made[1]["secret"]) == 401


@pytest.mark.parametrize(
    ("values", "message", "path"),
    [
        ({"name": " "}, "must not be empty", "name"),
        ({"name": "x" * 201}, "must have at most 200 characters", "name"),
        ({"scopes": []}, "must have at least one scope", "scopes"),
        ({"publicKey": "nonsense"}, "must be an RSA or P-256 public key, as JWK or PEM", "publicKey"),
        ({"publicKey": "{}"}, "must be an RSA or P-256 public key, as JWK or PEM", "publicKey"),
        (
            {"publicKey": '{"kty": "oct", "k": "c2VjcmV0"}'},
            "must be an RSA or P-256 public key, as JWK or PEM",
            "publicKey",
        ),
    ],
)
async def test_what_is_wrong_with_an_application_is_told(
    world: World, program: Program, values: dict[str, Any], message: str, path: str
) -> None:
    refused = {"errors": [{"code": "INVALID", "message": message, "path": ["input", path]}], "node": None}

    async with changes(world) as found:
        made = await world.superuser.ask(CREATE, input={"name": "New", **values})
        changed = await world.superuser.ask(UPDATE, id=program.id, input=values)
    assert made.result == {**refused, "secret": None}
    assert changed.result == refused
    assert found == {}


@pytest.mark.parametrize(
    "scope", ["bogus.read", "clients", "clients.delete", "ALL", "clients.read labels.read", "", ".read"]
)
async def test_an_unknown_scope_is_refused_with_all_there_are(world: World, program: Program, scope: str) -> None:
    answer = await world.superuser.ask(UPDATE, id=program.id, input={"scopes": ["clients.read", scope]})

    (error,) = answer.result["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["input", "scopes"])
    assert error["message"].startswith(f"There is no scope '{scope}'. There are: all, answers.read, answers.write, ")
    assert ", scores.read, scores.write, " in error["message"]


async def test_private_and_short_keys_are_refused(world: World, program: Program) -> None:
    private = json.dumps(ECKey.generate_key("P-256").as_dict(private=True))
    other_curve = json.dumps(ECKey.generate_key("P-384").as_dict(private=False))
    with pytest.warns(match="Key size"):
        short = RSAKey.generate_key(1024).as_pem(private=False).decode()

    told = []
    for key in (private, other_curve):
        answer = await world.superuser.ask(UPDATE, id=program.id, input={"publicKey": key})
        told.append(answer.result["errors"][0]["message"])
    assert told == ["must be a public key: keep the private one to yourself", "must be of the curve P-256"]
    with pytest.warns(match="Key size"):
        answer = await world.superuser.ask(UPDATE, id=program.id, input={"publicKey": short})
    assert answer.result["errors"][0]["message"] == "must have at least 2048 bits"


async def test_a_public_key_is_kept_as_its_bare_jwk(world: World, program: Program) -> None:
    key = ECKey.generate_key("P-256")
    bare = key.as_dict(private=False)
    sent = json.dumps({**bare, "kid": "mine", "use": "sig", "comment": "kept by nobody"})

    for text in (sent, key.as_pem(private=False).decode()):
        answer = await world.superuser.ask(UPDATE, id=program.id, input={"publicKey": text})
        told = json.loads(answer.result["node"]["publicKey"])
        assert told == {name: bare[name] for name in ("kty", "crv", "x", "y")}
    gone = await world.superuser.ask(UPDATE, id=program.id, input={"publicKey": None})
    assert gone.result["node"]["publicKey"] is None


async def test_a_name_is_unique_within_the_organization(world: World, program: Program) -> None:
    foreign = await make_application(world.other_superuser, name="Elsewhere")

    async with changes(world) as found:
        taken = await world.superuser.ask(CREATE, input={"name": "Nightly sync"})
    assert taken.result == {
        "node": None,
        "secret": None,
        "errors": [
            {"code": "CONFLICT", "message": "An application with this name already exists", "path": ["input", "name"]}
        ],
    }
    assert found == {}
    assert (await world.superuser.ask(CREATE, input={"name": foreign.row.name})).result["errors"] == []


async def test_disabling_ends_tokens_and_enabling_brings_them_back(world: World, program: Program) -> None:
    principal = await program.signed_in()

    for is_enabled, outcome in ((False, 401), (True, 200)):
        answer = await world.superuser.ask(UPDATE, id=program.id, input={"isEnabled": is_enabled})
        assert answer.result["node"]["isEnabled"] is is_enabled
        assert (await principal.ask(NAMES)).status == outcome
        assert await status(world, program.row.key, program.secret) == outcome


async def test_a_new_secret_ends_the_old_one_at_once(world: World, program: Program) -> None:
    principal = await program.signed_in()

    rotated = (await world.superuser.ask(ROTATE, id=program.id)).result

    assert rotated == {"node": {"id": program.id}, "secret": rotated["secret"], "errors": []}
    assert await status(world, program.row.key, program.secret) == 401
    assert await status(world, program.row.key, rotated["secret"]) == 200
    assert (await principal.ask(NAMES)).status == 200


async def test_with_a_grace_the_latest_one_goes_on_for_a_while(world: World, program: Program) -> None:
    second = (await world.superuser.ask(ROTATE, id=program.id, grace=60)).result["secret"]
    assert await status(world, program.row.key, program.secret) == 200

    third = (await world.superuser.ask(ROTATE, id=program.id, grace=60)).result["secret"]

    statuses = [await status(world, program.row.key, one) for one in (program.secret, second, third)]
    assert statuses == [401, 200, 200]
    async with world.writing(world.superuser) as tx:
        in_grace = ApplicationSecret.expires_at.is_not(None)
        await tx.execute(update(ApplicationSecret).where(in_grace).values(expires_at=now() - timedelta(seconds=2)))
    assert [await status(world, program.row.key, one) for one in (second, third)] == [401, 200]


async def test_a_new_secret_can_end_tokens_and_keys_too(world: World, program: Program) -> None:
    principal = await program.signed_in()
    made = await program.with_secret.ask("mutation { createApiKey { secret } }")
    key = program.with_token(made.data["createApiKey"]["secret"])
    other = await (await make_application(world.superuser, name="Other")).signed_in()

    async with changes(world) as found:
        await world.superuser.ask(ROTATE, id=program.id, revoke=True)

    assert found == {"access_tokens": -1, "api_keys": -1}
    assert [(await one.ask(NAMES)).status for one in (principal, key, other)] == [401, 401, 200]


@pytest.mark.parametrize("grace", [-1, 2_592_001])
async def test_an_impossible_grace_changes_nothing(world: World, program: Program, grace: int) -> None:
    answer = await world.superuser.ask(ROTATE, id=program.id, grace=grace)

    assert answer.result == {
        "node": None,
        "secret": None,
        "errors": [{"code": "INVALID", "message": "must be between 0 and 2592000", "path": ["graceSeconds"]}],
    }
    assert await status(world, program.row.key, program.secret) == 200


async def test_groups_limit_an_application_from_then_on(world: World, program: Program) -> None:
    principal = await program.signed_in()
    groups = [await make_group(world.superuser, name) for name in ("South", "North")]
    foreign = await make_group(world.other_superuser, "Elsewhere")
    ids = [global_id("Group", one.id) for one in groups]

    async with changes(world) as found:
        answer = await world.superuser.ask(GROUPS, id=program.id, groups=ids)
    assert answer.result == {
        "node": {**NEW, "lastUsedAt": ANY, "isLimitedToGroups": True, "groups": [{"name": "North"}, {"name": "South"}]},
        "errors": [],
    }
    assert found == {"application_groups": 2}
    assert (await principal.ask(NAMES)).data == {"clients": {"nodes": []}}

    async with changes(world) as found:
        strange = await world.superuser.ask(GROUPS, id=program.id, groups=[ids[0], global_id("Group", foreign.id)])
    assert strange.result["errors"] == [{"code": "NOT_FOUND", "message": "Group not found", "path": ["groupIds"]}]
    assert found == {}


async def test_deleting_takes_everything_along(world: World, program: Program) -> None:
    principal = await program.signed_in()
    await program.with_secret.ask("mutation { createApiKey { secret } }")
    group = await make_group(world.superuser, "North")
    await world.superuser.ask(GROUPS, id=program.id, groups=[global_id("Group", group.id)])

    async with changes(world) as found:
        answer = await world.superuser.ask(DELETE, id=program.id)

    assert answer.result == {"deletedId": program.id, "errors": []}
    gone = ("applications", "application_secrets", "application_groups", "access_tokens", "api_keys")
    assert found == dict.fromkeys(gone, -1)
    assert (await principal.ask(NAMES)).error == FAILED


async def test_a_revoked_token_is_dead_with_all_that_came_of_it(world: World, program: Program) -> None:
    first, other = await program.gets(), await program.gets()
    second = await program.gets(grant_type="refresh_token", refresh_token=first["refresh_token"])

    answer = await world.superuser.ask(REVOKE, id=global_id("AccessToken", 3))

    assert answer.result["errors"] == []
    assert answer.result["node"]["revokedAt"] is not None
    tokens = [one["access_token"] for one in (first, second, other)]
    assert [(await program.with_token(one).ask(NAMES)).status for one in tokens] == [401, 401, 200]
    refreshed = await program.asks(grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"


async def test_a_superuser_sees_tokens_and_keys_of_an_application(world: World, program: Program) -> None:
    await program.gets(scope="clients.read")
    await program.with_secret.ask("mutation { createApiKey { secret } }")
    query = """query($id: ID!) { application(id: $id) {
        apiKeys { id expiresAt application { name } }
        accessTokens { totalCount nodes { id scopes revokedAt application { name } } }
    } }"""

    assert (await world.superuser.ask(query, id=program.id)).data["application"] == {
        "apiKeys": [{"id": global_id("ApiKey", 1), "expiresAt": None, "application": {"name": "Nightly sync"}}],
        "accessTokens": {
            "totalCount": 1,
            "nodes": [
                {
                    "id": global_id("AccessToken", 1),
                    "scopes": ["clients.read"],
                    "revokedAt": None,
                    "application": {"name": "Nightly sync"},
                }
            ],
        },
    }
    assert (await world.other_superuser.ask(query, id=program.id)).data == {"application": None}


async def test_applications_are_for_superusers(world: World, program: Program) -> None:
    token = await program.signed_in()
    operations: list[tuple[str, dict[str, Any]]] = [
        (CREATE, {"input": {"name": "New"}}),
        (UPDATE, {"id": program.id, "input": {"scopes": ["all"]}}),
        (ROTATE, {"id": program.id}),
        (GROUPS, {"id": program.id, "groups": []}),
        (DELETE, {"id": program.id}),
        (REVOKE, {"id": global_id("AccessToken", 1)}),
        (LIST, {}),
    ]

    async with changes(world) as found:
        for query, variables in operations:
            for principal in (world.user, world.calculator, token, program.with_secret):
                assert (await principal.ask(query, **variables)).error == FORBIDDEN
            assert (await world.nobody.ask(query, **variables)).error == FAILED
    assert found == {}


async def test_secrets_are_sealed_only_where_the_server_has_a_key(world: World) -> None:
    sealed = []
    for secret_key in ("", "of this server"):
        await world.restart(secret_key=secret_key)
        made = (await world.superuser.ask(CREATE, input={"name": f"With {secret_key or 'none'}"})).result
        kept = select(ApplicationSecret.sealed).order_by(ApplicationSecret.id.desc()).limit(1)
        sealed.append((await world.row(kept))[0])
        assert made["secret"] not in str(sealed)

    assert sealed[0] is None
    assert len(sealed[1]) == 100
    assert await world.row(select(Application.public_key).limit(1)) == (None,)
