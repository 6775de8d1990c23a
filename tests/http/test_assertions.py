"""Tokens for signed assertions (RFC 7523): by the secret, by a registered key, once, for this server, for an hour."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import func, select, update

from caregraph.auth.assertions import public_jwk
from caregraph.db.base import now
from caregraph.organizations.models import AccessToken, Application, ApplicationSecret, UsedAssertion
from contract.asserts import changes
from factories.people import make_client
from factories.programs import TOKEN, Program, make_application
from kit import World

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HERE = "https://care.example/oauth/token"
NAMES = "{ clients { nodes { fullName } } }"
RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
DOES_NOT_HOLD = "The assertion's signature does not hold"
NO_TOKEN = "The assertion is not a signed JSON web token"


@pytest.fixture
async def program(world: World) -> Program:
    await world.restart(server_url="https://care.example", secret_key="of this server")
    await make_client(world.user, full_name="Ann")
    return await make_application(world.superuser, public_key=public_jwk(json.dumps(RSA.as_dict(private=False))))


def signed(program: Program, key: Any = None, alg: str = "HS256", **claims: Any) -> str:
    """By the secret unless `key` is given; a claim that is null is left out."""
    now = int(time.time())
    said = {"iss": program.row.key, "aud": HERE, "exp": now + 3600, "iat": now, **claims}
    said = {name: value for name, value in said.items() if value is not None}
    algorithms = [*JWSRegistry.recommended, "none", "HS256", "HS512", "RS256", "RS512", "ES256"]
    return jwt.encode({"alg": alg}, said, key or OctKey.import_key(program.secret), algorithms=algorithms)


async def ask(world: World, assertion: str, **more: str) -> httpx.Response:
    return await world.http.post(TOKEN, data={"grant_type": GRANT, "assertion": assertion, **more})


def refused(response: httpx.Response) -> str:
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant"), response.text
    return str(response.json()["error_description"])


async def works(program: Program, token: str) -> bool:
    answer = await program.with_token(token).ask(NAMES)
    return answer.body.get("data") == {"clients": {"nodes": [{"fullName": "Ann"}]}}


@pytest.mark.parametrize("kind", ["form", "json", "document"])
async def test_an_assertion_signed_with_the_secret_gives_a_token(world: World, program: Program, kind: str) -> None:
    sent = {"grant_type": GRANT, "assertion": signed(program)}
    async with changes(world) as found:
        if kind == "form":
            response = await world.http.post(TOKEN, data=sent)
        elif kind == "json":
            response = await world.http.post(TOKEN, json=sent)
        else:
            body = json.dumps({"data": {"attributes": sent}})
            response = await world.http.post(TOKEN, content=body, headers={"Content-Type": "application/vnd.api+json"})

    told = response.json()["data"]["attributes"] if kind == "document" else response.json()
    assert response.status_code == (201 if kind == "document" else 200)
    assert told.keys() - {"scope"} == {"access_token", "token_type", "expires_in"}
    assert found == {"access_tokens": 1, "used_assertions": 1}
    assert await works(program, told["access_token"])


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256")])
async def test_one_signed_with_a_registered_key_gives_a_token(
    world: World, program: Program, key: Any, alg: str
) -> None:
    async with world.writing(world.superuser) as tx:
        pem = key.as_pem(private=False).decode()
        await tx.execute(update(Application).values(public_key=public_jwk(pem)))

    response = await ask(world, signed(program, key, alg))

    assert response.status_code == 200
    assert await works(program, response.json()["access_token"])


async def test_scopes_of_claim_and_request_narrow_the_token(world: World, program: Program) -> None:
    claimed = await ask(world, signed(program, scope="clients.read labels.read"))
    both = await ask(world, signed(program, scope="clients.read labels.read", jti="2"), scope="clients.read")
    beyond = await ask(world, signed(program, scope="clients.read", jti="3"), scope="all")
    unknown = await ask(world, signed(program, scope="bogus", jti="4"))

    assert claimed.json()["scope"] == "clients.read labels.read"
    assert both.json()["scope"] == "clients.read"
    assert [one.json()["error"] for one in (beyond, unknown)] == ["invalid_scope"] * 2


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"aud": "https://other.example/oauth/token"}, "aud must be the address of this token endpoint"),
        ({"aud": "https://care.example"}, "aud must be the address of this token endpoint"),
        ({"aud": [HERE[:-1]]}, "aud must be the address of this token endpoint"),
        ({"aud": {"x": HERE}}, "aud must be the address of this token endpoint"),
        ({"aud": None}, "aud must be the address of this token endpoint"),
        ({"sub": "someone else"}, "sub must be the application's key, as iss is"),
        ({"exp": None}, "exp is missing or not a number of seconds"),
        ({"exp": 1}, "The assertion has expired"),
        ({"exp": int(time.time()) + 86_400}, "exp must be at most 3600 seconds ahead"),
        ({"exp": 1e300}, "exp must be at most 3600 seconds ahead"),
        ({"nbf": int(time.time()) + 86_400}, "The assertion is not good yet (nbf)"),
        ({"iat": int(time.time()) + 86_400}, "The assertion is from the future (iat)"),
        ({"scope": ["clients.read"]}, "scope must be text"),
        ({"iss": None}, "iss must be the application's key"),
        ({"iss": 7}, "iss must be the application's key"),
        ({"iss": "unknown"}, DOES_NOT_HOLD),
        ({"iss": "unkn\x00wn"}, DOES_NOT_HOLD),
    ],
)
async def test_what_an_assertion_must_say(
    world: World, program: Program, claims: dict[str, Any], description: str
) -> None:
    async with changes(world) as found:
        response = await ask(world, signed(program, **claims))

    assert refused(response) == description
    assert found == {}


async def test_text_in_the_place_of_a_time_is_refused(world: World, program: Program) -> None:
    for name in ("exp", "nbf", "iat"):
        claims = {"iss": program.row.key, "aud": HERE, "exp": time.time() + 60, name: "2026-01-01T00:00:00Z"}
        by_hand = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(program.secret))

        assert refused(await ask(world, by_hand)).endswith(("seconds", f"({name})"))


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_what_nobody_signed_is_refused(world: World, program: Program) -> None:
    await world.restart(sign_in_attempts_per_account=1000)
    good = signed(program)
    head, body, signature = good.split(".")
    claims = {"iss": program.row.key, "aud": HERE, "exp": int(time.time()) + 60}
    algorithms = "The algorithm must be one of HS256, RS256, ES256"
    wrong = {
        f"{encoded({'alg': 'none'})}.{encoded(claims)}.": algorithms,
        f"{encoded({'alg': 'None'})}.{encoded(claims)}.{signature}": algorithms,
        f"{head}.{body}.": DOES_NOT_HOLD,
        f"{head}.{body}.{signature[:-2]}": DOES_NOT_HOLD,
        f"{head}.{encoded(claims | {'scope': 'all'})}.{signature}": DOES_NOT_HOLD,
        signed(program, OctKey.import_key("cgs_" + "guess" * 8)): DOES_NOT_HOLD,
        signed(program, OTHER_RSA, "RS256"): DOES_NOT_HOLD,
        signed(program, EC, "ES256"): DOES_NOT_HOLD,
        signed(program, alg="HS512"): algorithms,
        signed(program, RSA, "RS512"): algorithms,
        good.rpartition(".")[0]: NO_TOKEN,
        "a.b.c": NO_TOKEN,
        "x": NO_TOKEN,
        f"{head}.{encoded([1])}.{signature}": "iss must be the application's key",
        "x" * 8193: "An assertion has at most 8192 characters",
    }

    async with changes(world) as found:
        for assertion, description in wrong.items():
            assert (assertion[:40], refused(await ask(world, assertion))) == (assertion[:40], description)
    assert found == {}
    assert (await ask(world, good)).status_code == 200


@pytest.mark.parametrize("form", ["jwk", "pem", "n"])
async def test_a_public_key_is_no_secret(world: World, program: Program, form: str) -> None:
    """Whoever signs by HS256 with what everyone knows, signs nothing."""
    public = RSA.as_dict(private=False)
    known = {
        "jwk": public_jwk(json.dumps(public)),
        "pem": RSA.as_pem(private=False).decode(),
        "n": str(public["n"]),
    }[form]

    forged = (
        f"{encoded({'alg': 'HS256'})}.{encoded({'iss': program.row.key, 'aud': HERE, 'exp': int(time.time()) + 60})}"
    )
    signature = hmac.digest(known.encode(), forged.encode(), hashlib.sha256)
    text = f"{forged}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert refused(await ask(world, text)) == DOES_NOT_HOLD


async def test_an_assertion_is_taken_once(world: World, program: Program) -> None:
    used = "It was used already, or its application is gone"
    plain, named = signed(program), signed(program, jti="7")

    for assertion in (plain, named):
        assert (await ask(world, assertion)).status_code == 200
        assert refused(await ask(world, assertion)) == used
    same_name = signed(program, jti="7", exp=int(time.time()) + 30)
    assert refused(await ask(world, same_name)) == used
    assert (await ask(world, signed(program, jti="8"))).status_code == 200


async def test_of_simultaneous_uses_one_succeeds(world: World, program: Program) -> None:
    assertion = signed(program)

    responses = await asyncio.gather(*(ask(world, assertion) for _ in range(5)))

    assert sorted(one.status_code for one in responses) == [200, 400, 400, 400, 400]
    assert await world.row(select(func.count(AccessToken.id))) == (1,)


async def test_another_way_to_write_the_signature_is_the_same_assertion(world: World, program: Program) -> None:
    """(r, s) and (r, n - s) are signatures of the same by the same key."""
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Application).values(public_key=public_jwk(json.dumps(EC.as_dict(private=False)))))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    assertion = signed(program, EC, "ES256")
    content, _, signature = assertion.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    other = raw[:32] + (order - int.from_bytes(raw[32:])).to_bytes(32)

    assert (await ask(world, assertion)).status_code == 200
    rewritten = f"{content}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}"
    assert refused(await ask(world, rewritten)) == "It was used already, or its application is gone"


async def test_used_ones_are_kept_until_they_would_have_expired(world: World, program: Program) -> None:
    assert (await ask(world, signed(program))).status_code == 200
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(UsedAssertion).values(expires_at=now()))

    async with changes(world) as found:
        assert (await ask(world, signed(program, jti="2"))).status_code == 200

    assert found == {"access_tokens": 1}


async def test_an_application_signs_for_itself_alone(world: World, program: Program) -> None:
    other = await make_application(world.other_superuser)
    forged = signed(program, OctKey.import_key(other.secret))

    assert refused(await ask(world, forged)) == DOES_NOT_HOLD
    named = await ask(world, signed(program), client_id=other.row.key)
    assert refused(named) == "client_id must be the application's key, as iss is"
    assert (await ask(world, signed(program), client_id=program.row.key)).status_code == 200


async def test_a_disabled_application_is_unknown(world: World, program: Program) -> None:
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Application).values(is_enabled=False))

    assert refused(await ask(world, signed(program))) == DOES_NOT_HOLD


async def test_wrong_assertions_count_as_wrong_secrets(world: World, program: Program) -> None:
    forged = signed(program, OctKey.import_key("cgs_" + "guess" * 8))

    statuses = [(await ask(world, forged)).status_code for _ in range(11)]

    assert statuses == [400] * 10 + [429]
    assert (await ask(world, signed(program))).status_code == 429
    assert (await program.asks()).status_code == 429


async def test_a_server_that_knows_not_its_address_takes_none(world: World, program: Program) -> None:
    await world.restart(server_url="")

    description = "Assertions are not taken: this server was not told its public address"
    assert refused(await ask(world, signed(program))) == description


async def test_without_a_secret_key_only_public_keys_serve(world: World, program: Program) -> None:
    await world.restart(secret_key="")

    by_secret, by_key = await ask(world, signed(program)), await ask(world, signed(program, RSA, "RS256"))

    assert refused(by_secret) == "This server keeps no secrets to check HS256 with: register a public key"
    assert by_key.status_code == 200


async def test_a_secret_sealed_under_another_key_opens_nothing(world: World, program: Program) -> None:
    await world.restart(secret_key="another")

    assert refused(await ask(world, signed(program))) == DOES_NOT_HOLD
    assert (await program.asks()).status_code == 200


async def test_a_sealed_secret_opens_for_its_own_application_only(world: World, program: Program) -> None:
    other = await make_application(world.superuser, name="Other")
    sealed = await world.row(select(ApplicationSecret.sealed).where(ApplicationSecret.application_id == program.row.id))
    async with world.writing(world.superuser) as tx:
        moved = update(ApplicationSecret).where(ApplicationSecret.application_id == other.row.id)
        await tx.execute(moved.values(sealed=sealed[0]))

    assert program.secret not in sealed[0]
    assert refused(await ask(world, signed(other, OctKey.import_key(program.secret)))) == DOES_NOT_HOLD
