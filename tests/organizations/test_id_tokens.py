"""Signing in by the JWT of a trusted issuer: who it makes one, and everything that it must not be."""

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.responses import JSONResponse, PlainTextResponse, Response

from caregraph.auth import jwks
from caregraph.auth.viewer import Identity, Permission
from caregraph.graph.node import global_id
from caregraph.http.streams import Caller
from caregraph.organizations.models import Membership, User
from caregraph.settings import InvalidSettingError, Settings
from issuer import (
    AUDIENCE,
    EC,
    LONG_EC,
    OTHER_EC,
    OTHER_RSA,
    RSA,
    LocalIssuer,
    by_hand,
    dripping,
    elsewhere,
    encoded,
    endless,
    public,
    running,
    shared,
    unsigned,
)
from kit import Answer, Principal, World

ME = "{ me { fullName } }"
BEN = {"me": {"fullName": "Ben Borg"}}
FAILED = (401, ("UNAUTHENTICATED", "Authentication failed"))
FORBIDDEN = ("FORBIDDEN", "Access denied")


@pytest.fixture
async def issuer(world: World) -> AsyncIterator[LocalIssuer]:
    async with running(LocalIssuer()) as found:
        await world.restart(oidc_issuers=found.url, oidc_audiences=AUDIENCE, sign_in_attempts_per_address=1000)
        yield found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass for whoever keeps keys."""

    def pass_by(seconds: float) -> None:
        before = jwks.monotonic()
        monkeypatch.setattr(jwks, "monotonic", lambda: before + seconds)

    return pass_by


async def ask(world: World, headers: dict[str, str], query: str = ME, **variables: Any) -> Answer:
    return await Principal(world, "somebody", headers).ask(query, **variables)


async def send(world: World, token: str, **headers: str) -> Answer:
    return await ask(world, {"Authorization": f"Bearer {token}", **headers})


def refused(answer: Answer) -> tuple[int, tuple[str, str]]:
    """Status and error of a request that was refused before anything ran."""
    assert "data" not in answer.body
    assert answer.body["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    return answer.status, answer.error


async def change_membership(principal: Principal, organization_id: int, **values: Any) -> None:
    async with principal.world.database.writing(principal.viewer) as tx:
        of_user = (Membership.user_id == principal.row_id, Membership.organization_id == organization_id)
        await tx.execute(update(Membership).where(*of_user).values(**values))


async def join(world: World, principal: Principal, at: Principal, **membership: Any) -> None:
    """Make a user of one organization a member of another too."""
    async with world.database.writing(at.viewer) as tx:
        tx.add(Membership(user_id=principal.row_id, organization_id=at.organization_id, **membership))


@pytest.mark.parametrize("key_id", ["rsa-1", "ec-1"])
async def test_a_token_makes_its_bearer_the_user_with_its_e_mail(
    world: World, issuer: LocalIssuer, key_id: str
) -> None:
    token = issuer.token("Ben@Northfield.EXAMPLE", key_id)

    assert (await send(world, token)).data == BEN
    for scheme in ("bearer", "BEARER", "Bearer "):
        assert (await ask(world, {"Authorization": f"{scheme} {token}"})).data == BEN
    users = await ask(world, issuer.headers("ada@northfield.example"), "{ users { totalCount } }")
    assert users.data == {"users": {"totalCount": 3}}
    assert (await ask(world, issuer.headers(), "{ users { totalCount } }")).error == FORBIDDEN
    assert issuer.requests == ["/.well-known/openid-configuration", "/jwks"]


async def test_what_the_issuer_says_of_the_person_goes_along(world: World, issuer: LocalIssuer) -> None:
    for name, full_name in ((" Ben B. ", "Ben B."), ("", None), (7, None), ("x" * 201, None), (None, None)):
        viewer = await world.app.state.streams.viewer(
            Caller({"authorization": f"bearer {issuer.token(name=name)}"}, "")
        )
        identity = Identity(email="ben@northfield.example", subject="subject-1", full_name=full_name)
        assert (viewer.identity, viewer.user_id) == (identity, world.user.row_id)
        assert (viewer.organization_id, viewer.api_token_id) == (1, None)


async def test_a_person_without_an_account_is_signed_in_and_no_more(world: World, issuer: LocalIssuer) -> None:
    headers = issuer.headers("New@Elsewhere.example")

    viewer = await world.app.state.streams.viewer(Caller({"authorization": headers["Authorization"]}, ""))

    identity = Identity(email="new@elsewhere.example", subject="subject-1", full_name="Somebody")
    assert (viewer.identity, viewer.permissions) == (identity, frozenset({Permission.PERSON}))
    assert (viewer.user_id, viewer.organization_id, viewer.organization_ids) == (None, None, ())
    for query in (ME, "{ clients { totalCount } }", "{ users { totalCount } }", "{ organization { name } }"):
        assert (await ask(world, headers, query)).error == FORBIDDEN
    for organization in (global_id("Organization", 1), global_id("Organization", 9), "nonsense"):
        assert refused(await ask(world, {**headers, "X-Organization": organization})) == FAILED


def _hours(number: float) -> int:
    return int(time.time() + 3600 * number)


# What is wrong with a token: claims and header that differ from those of one that holds.
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": _hours(-1)},
    "never expires": {"exp": None},
    "expiry is a text": {"exp": str(_hours(1))},
    "expiry is true": {"exp": True},
    "expiry beyond the calendar": {"exp": 1e300},
    "never issued": {"iat": None},
    "issued in an hour": {"iat": _hours(1)},
    "issued before there were dates": {"iat": -1},
    "holds from the next hour on": {"nbf": _hours(1)},
    "holds from nonsense on": {"nbf": "soon"},
    "another issuer": {"iss": "https://issuer.example"},
    "no issuer": {"iss": None},
    "issuers": {"iss": ["http://127.0.0.1"]},
    "another audience": {"aud": "somebody-else"},
    "an audience in another case": {"aud": AUDIENCE.upper()},
    "no audience": {"aud": None},
    "an empty list of audiences": {"aud": []},
    "also for somebody else": {"aud": [AUDIENCE, "somebody-else"]},
    "an audience that is no text": {"aud": [AUDIENCE, {"a": 1}]},
    "no subject": {"sub": None},
    "an empty subject": {"sub": " "},
    "no e-mail": {"email": None},
    "an e-mail with U+0000": {"email": "ben@northfield.example\x00"},
    "several e-mails": {"email": ["ben@northfield.example"]},
    "an endless e-mail": {"email": "ben@northfield.example" + "x" * 300},
    "an e-mail that nobody verified": {"email_verified": False},
    "nobody says whether it is verified": {"email_verified": None},
    "verified by a word": {"email_verified": "true"},
    "verified by a number": {"email_verified": 1},
    "another key": {"_key": OTHER_RSA},
    "the other type's key": {"key_id": "ec-1", "_key": OTHER_EC},
    "a key nobody knows": {"_header": {"kid": "rsa-9"}},
    "another algorithm of the same key": {"_header": {"alg": "RS512"}},
    "the same with another padding": {"_header": {"alg": "PS256"}},
    "demands what we do not know": {"_header": {"crit": ["b64"], "b64": True}},
    "endless": {"extra": "x" * 20_000},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
async def test_a_token_with_something_wrong_is_refused(
    world: World, issuer: LocalIssuer, changes: dict[str, Any]
) -> None:
    before = await world.counts()

    answers = [
        await send(world, issuer.token(**{"email": email, **changes}))
        for email in ("ben@northfield.example", "no@one.example")
    ]

    assert [refused(answer) for answer in answers] == [FAILED] * 2
    assert answers[0].body == answers[1].body
    assert await world.counts() == before
    assert (await send(world, issuer.token())).data == BEN


def _forged(issuer: LocalIssuer) -> dict[str, str]:
    """Tokens that no issuer signed."""
    good = issuer.token()
    header, claims, signature = good.split(".")
    other = json.dumps({**json.loads(_decoded(claims)), "email": "ada@northfield.example"})
    body = json.loads(_decoded(claims))
    nested = '{"alg": "RS256", "kid": "rsa-1", "x": ' + "[" * 1010 + "]" * 1010 + "}"
    secrets = (RSA.as_pem(private=False), json.dumps(public(RSA, "rsa-1")).encode(), b"rsa-1" * 8)
    confused = {
        f"HS256 with the public key {number}": shared({"alg": "HS256", "kid": "rsa-1"}, body, secret)
        for number, secret in enumerate(secrets)
    }
    unsafe = {
        f"alg {alg!r}": unsigned({"alg": alg, "kid": "rsa-1"}, body, signature)
        for alg in ("none", "None", "NONE", "", None, 1, ["RS256"], "HS256", "ES256")
    }
    return {
        **confused,
        **unsafe,
        "alg none, unsigned": unsigned({"alg": "none"}, body),
        "a good signature under another alg": by_hand({"alg": "none", "kid": "rsa-1"}, body, RSA),
        "a key whose name is no text": by_hand({"alg": "RS256", "kid": 1}, body, RSA),
        "no alg": unsigned({"kid": "rsa-1"}, body, signature),
        "unsigned": f"{header}.{claims}.",
        "without a signature": f"{header}.{claims}",
        "truncated": good[:-1],
        "truncated in the claims": f"{header}.{claims[:-4]}.{signature}",
        "other claims": f"{header}.{encoded(other)}.{signature}",
        "another signature": f"{header}.{claims}.{issuer.token(email='x@x.example').split('.')[2]}",
        "its own key in the header": issuer.token(
            _key=OTHER_RSA, _header={"jwk": public(OTHER_RSA, "rsa-1"), "jku": f"{issuer.url}/mine"}
        ),
        "five parts": f"{good}.a.b",
        "no JSON": f"{encoded('x')}.{claims}.{signature}",
        "no object": f"{encoded('[]')}.{claims}.{signature}",
        "claims that are no object": f"{header}.{encoded('7')}.{signature}",
        "nested deeply": f"{encoded('[' * 4000)}.{claims}.{signature}",
        "header nested as deep as JSON may be": f"{encoded(nested)}.{claims}.{signature}",
        "no UTF-8": f"{encoded(bytes((255, 254)))}.{claims}.{signature}",
        "no base64": f"ä.{claims}.{signature}",
        "dots": "..",
        "empty": "",
        "a word": "token",
        "a space": f"{header} {claims}.{signature}",
    }


def _decoded(part: str) -> str:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


async def test_a_token_that_no_issuer_signed_is_refused(world: World, issuer: LocalIssuer) -> None:
    before = await world.counts()

    outcomes = {}
    for name, token in _forged(issuer).items():
        headers = [(b"authorization", f"Bearer {token}".encode())]
        response = await world.http.post("/graphql", json={"query": ME}, headers=headers)
        outcomes[name] = refused(Answer(response.status_code, response.json()))

    assert outcomes == dict.fromkeys(outcomes, FAILED)
    assert len(outcomes) == 35
    assert await world.counts() == before
    assert (await send(world, issuer.token())).data == BEN


async def test_clocks_may_differ_a_little(world: World, issuer: LocalIssuer) -> None:
    now = int(time.time())

    assert (await send(world, issuer.token(exp=now - 30))).data == BEN
    assert (await send(world, issuer.token(iat=now + 30, nbf=now + 30))).data == BEN
    assert refused(await send(world, issuer.token(exp=now - 61))) == FAILED


async def test_without_an_issuer_no_token_holds(world: World) -> None:
    issuer = LocalIssuer()
    for url in ("", "http://127.0.0.1:9"):
        issuer.url = url
        assert refused(await send(world, issuer.token())) == FAILED


async def test_a_token_signed_by_hand_holds(world: World, issuer: LocalIssuer) -> None:
    """Else those of the forgers would prove nothing."""
    claims = json.loads(_decoded(issuer.token().split(".")[1]))

    assert (await send(world, by_hand({"alg": "RS256", "kid": "rsa-1"}, claims, RSA))).data == BEN
    assert refused(await send(world, by_hand({"alg": "RS256", "kid": "rsa-1"}, claims, OTHER_RSA))) == FAILED


async def test_one_request_signs_in_one_way(world: World, issuer: LocalIssuer) -> None:
    for others in (world.user.headers, world.calculator.headers, {"X-Api-Token": "x"}):
        assert refused(await send(world, issuer.token(), **others)) == FAILED


async def test_a_key_without_a_name_is_taken_if_it_is_the_only_one(world: World, issuer: LocalIssuer) -> None:
    nameless = {"kid": None}

    assert (await send(world, issuer.token(_header=nameless))).data == BEN
    issuer.keys["rsa-2"] = OTHER_RSA
    await world.restart()
    assert refused(await send(world, issuer.token(_header=nameless))) == FAILED
    assert (await send(world, issuer.token(key_id="rsa-2"))).data == BEN


async def test_each_issuer_is_trusted_for_its_own_audience_and_keys(world: World, issuer: LocalIssuer) -> None:
    async with running(LocalIssuer()) as second:
        second.keys = {"rsa-1": OTHER_RSA}
        urls = f"{issuer.url},{second.url},{issuer.url}"
        await world.restart(oidc_issuers=urls, oidc_audiences=f"{AUDIENCE}, second ,third")

        assert (await send(world, issuer.token())).data == BEN
        assert (await send(world, issuer.token(aud=["third", AUDIENCE]))).data == BEN
        assert (await send(world, second.token(aud="second"))).data == BEN
        wrong = [issuer.token(aud="second"), second.token(), second.token(aud="second", _key=RSA)]
        assert [refused(await send(world, token)) for token in wrong] == [FAILED] * 3


async def test_keys_can_be_at_an_address_that_the_operator_names(world: World, issuer: LocalIssuer) -> None:
    await world.restart(oidc_jwks_urls=f"{issuer.url}/jwks")

    assert (await send(world, issuer.token())).data == BEN
    assert issuer.requests == ["/jwks"]


async def test_a_disabled_user_is_refused_where_disabled(world: World, issuer: LocalIssuer) -> None:
    token = issuer.token()
    assert (await send(world, token)).data == BEN

    await change_membership(world.user, 1, is_disabled=True)
    assert refused(await send(world, token)) == FAILED

    await join(world, world.user, world.other_superuser)
    found = await ask(world, {"Authorization": f"Bearer {token}"}, "{ me { fullName } organizationId: me { id } }")
    assert found.data["me"] == {"fullName": "Ben Borg"}
    assert refused(await send(world, token, **{"X-Organization": global_id("Organization", 1)})) == FAILED
    here = await send(world, token, **{"X-Organization": global_id("Organization", 2)})
    assert here.data == BEN


async def test_an_account_without_api_use_is_refused(world: World, issuer: LocalIssuer) -> None:
    async with world.writing(world.user) as tx:
        await tx.execute(update(User).where(User.id == world.user.row_id).values(api_enabled=False))

    assert refused(await send(world, issuer.token())) == FAILED


async def test_a_token_from_before_one_was_signed_out_fails_there(world: World, issuer: LocalIssuer) -> None:
    await join(world, world.user, world.other_superuser)
    now = datetime.now(UTC)
    old, new = (issuer.token(iat=int((now - timedelta(seconds=age)).timestamp())) for age in (600, 10))
    northfield, harbor = ({"X-Organization": global_id("Organization", number)} for number in (1, 2))

    await change_membership(world.user, 1, signed_out_at=now - timedelta(minutes=5))

    assert refused(await send(world, old, **northfield)) == FAILED
    assert (await send(world, old, **harbor)).data == BEN
    assert (await send(world, old)).data == BEN
    assert (await send(world, new, **northfield)).data == BEN
    assert (await send(world, new)).error == (
        "ORGANIZATION_REQUIRED",
        "Say in X-Organization in which organization you act",
    )


async def test_keys_are_fetched_once_for_all_who_wait_for_them(world: World, issuer: LocalIssuer) -> None:
    issuer.may_answer.clear()
    leaving = asyncio.create_task(send(world, issuer.token()))
    staying = [asyncio.create_task(send(world, issuer.token())) for _ in range(20)]
    while not issuer.requests:
        await asyncio.sleep(0.01)

    leaving.cancel()
    issuer.may_answer.set()

    assert [answer.data for answer in await asyncio.gather(*staying)] == [BEN] * 20
    assert issuer.fetches == 1
    assert leaving.cancelled()


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(
    world: World, issuer: LocalIssuer, later: Callable[[float], None]
) -> None:
    async def flood() -> None:
        tokens = [issuer.token(_header={"kid": random.randbytes(8).hex()}) for _ in range(50)]
        answers = await asyncio.gather(*(send(world, token) for token in tokens))
        assert [refused(answer) for answer in answers] == [FAILED] * 50

    assert (await send(world, issuer.token())).data == BEN
    await flood()
    assert issuer.fetches == 1  # the keys were fetched a moment ago
    later(world.settings.oidc_keys_interval)
    await flood()
    assert issuer.fetches == 2
    assert (await send(world, issuer.token())).data == BEN


async def test_a_rotated_key_is_found_when_it_is_first_used(
    world: World, issuer: LocalIssuer, later: Callable[[float], None]
) -> None:
    old = issuer.token()
    assert (await send(world, old)).data == BEN
    issuer.keys = {"rsa-2": OTHER_RSA}
    new = issuer.token(key_id="rsa-2")

    assert refused(await send(world, new)) == FAILED  # asked a moment ago
    later(world.settings.oidc_keys_interval)
    assert (await send(world, new)).data == BEN
    assert refused(await send(world, old)) == FAILED
    assert issuer.fetches == 2


async def test_a_withdrawn_key_is_gone_after_the_keys_lifetime(
    world: World, issuer: LocalIssuer, later: Callable[[float], None]
) -> None:
    token = issuer.token()
    assert (await send(world, token)).data == BEN
    issuer.keys = {}

    later(world.settings.oidc_keys_lifetime - 1)
    assert (await send(world, token)).data == BEN
    assert issuer.fetches == 1
    later(1)
    assert refused(await send(world, token)) == FAILED
    assert issuer.fetches == 2


BROKEN: dict[str, Callable[[], Response]] = {
    "an error": lambda: PlainTextResponse("", 503),
    "elsewhere": elsewhere,
    "no JSON": lambda: PlainTextResponse("keys"),
    "a list": lambda: JSONResponse([]),
    "no keys": lambda: JSONResponse({"keys": None}),
    "another issuer's discovery": lambda: JSONResponse(
        {"issuer": "https://x.example", "jwks_uri": "https://x.example"}
    ),
    "never ends": dripping,
    "huge": endless,
    "nested": lambda: PlainTextResponse("[" * 100_000),
    "compressed": lambda: PlainTextResponse("x", headers={"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_keys_serve_on_while_their_issuer_is_away_but_not_for_ever(
    world: World, issuer: LocalIssuer, later: Callable[[float], None], broken: Callable[[], Response]
) -> None:
    await world.restart(oidc_timeout=0.3)
    token = issuer.token()
    assert (await send(world, token)).data == BEN
    issuer.answer = broken

    later(world.settings.oidc_keys_lifetime)
    assert (await send(world, token)).data == BEN
    asked = len(issuer.requests)
    assert asked > 2
    assert (await send(world, token)).data == BEN
    assert len(issuer.requests) == asked
    later(world.settings.oidc_keys_grace)
    assert refused(await send(world, token)) == FAILED
    issuer.answer = None
    assert refused(await send(world, token)) == FAILED  # asked a moment ago
    later(world.settings.oidc_keys_interval)
    assert (await send(world, token)).data == BEN


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_an_issuer_that_never_answered_signs_nobody_in_until_it_does(
    world: World, issuer: LocalIssuer, later: Callable[[float], None], broken: Callable[[], Response]
) -> None:
    await world.restart(oidc_timeout=0.3)
    issuer.answer = broken

    assert refused(await send(world, issuer.token())) == FAILED
    assert (await world.user.ask(ME)).data == BEN
    issuer.answer = None
    later(world.settings.oidc_keys_interval)
    assert (await send(world, issuer.token())).data == BEN


async def test_an_issuer_that_is_not_there_signs_nobody_in(world: World) -> None:
    issuer = LocalIssuer()
    issuer.url = "http://127.0.0.1:9"
    await world.restart(oidc_issuers=issuer.url, oidc_audiences=AUDIENCE)

    assert refused(await send(world, issuer.token())) == FAILED
    assert (await world.user.ask(ME)).data == BEN


@pytest.mark.parametrize("address", ["http://keys.example/jwks", "ftp://127.0.0.1/", "file:///etc/passwd", "", 7])
async def test_keys_come_from_where_nobody_can_change_them(world: World, issuer: LocalIssuer, address: Any) -> None:
    issuer.discovery = {"jwks_uri": address}

    assert refused(await send(world, issuer.token())) == FAILED
    assert issuer.requests == ["/.well-known/openid-configuration"]


def test_only_keys_that_sign_with_what_we_take_are_used() -> None:
    good = [public(RSA, "rsa"), public(EC, "ec"), {**public(OTHER_RSA, None), "alg": "RS256", "d": "secret"}]
    bad = [
        public(LONG_EC, "P-384"),
        {**public(RSA, "encrypts"), "use": "enc"},
        {**public(RSA, "PS"), "alg": "PS256"},
        {**public(RSA, "short"), "n": encoded(b"\x01" * 128)},
        {**public(RSA, "nonsense"), "n": "é"},
        {**public(RSA, "number"), "n": 7},
        {**public(EC, "off the curve"), "x": encoded(b"\x01" * 32)},
        {"kty": "RSA", "kid": "nothing"},
        {"kty": "oct", "kid": "shared", "k": encoded(b"x" * 64)},
        {"kty": ["RSA"]},
        {**public(RSA, "uses"), "use": ["sig"]},
        {**public(RSA, "algs"), "alg": {"RS256": 1}},
        {},
        "no key",
        None,
    ]

    found = jwks.usable_keys({"keys": [*bad, *good]})

    assert found.keys() == {("RS256", "rsa"), ("ES256", "ec"), ("RS256", None)}
    assert not any(key.is_private for key in found.values())
    assert len(jwks.usable_keys({"keys": [public(EC, f"{number}") for number in range(200)]})) == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"oidc_issuers": "https://a.example"},
            "OIDC_AUDIENCES must name an audience for each of CAREGRAPH_OIDC_ISSUERS",
        ),
        (
            {"oidc_issuers": "https://a.example,https://b.example", "oidc_audiences": "a,"},
            "OIDC_AUDIENCES must name an audience for each of CAREGRAPH_OIDC_ISSUERS",
        ),
        ({"oidc_audiences": "a"}, "OIDC_AUDIENCES must name an audience for each of CAREGRAPH_OIDC_ISSUERS"),
        ({"oidc_issuers": "http://a.example", "oidc_audiences": "a"}, "OIDC_ISSUERS must begin with https://"),
        ({"oidc_issuers": "http://localhost.example", "oidc_audiences": "a"}, "OIDC_ISSUERS must begin with https://"),
        ({"oidc_issuers": ",", "oidc_audiences": "a,b"}, "OIDC_ISSUERS must begin with https://"),
        (
            {"oidc_issuers": "https://a.example", "oidc_audiences": "a", "oidc_jwks_urls": "http://a.example"},
            "OIDC_JWKS_URLS must begin with https://",
        ),
        (
            {"oidc_issuers": "https://a.example", "oidc_audiences": "a", "oidc_jwks_urls": ","},
            "OIDC_JWKS_URLS must be as many as CAREGRAPH_OIDC_ISSUERS",
        ),
        ({"oidc_leeway": -1.0}, "OIDC_LEEWAY must not be below 0"),
        ({"oidc_keys_interval": 0.0}, "OIDC_KEYS_INTERVAL must be above 0"),
    ],
)
def test_settings_that_trust_nobody_in_particular_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSettingError) as raised:
        Settings(**settings)

    assert str(raised.value) == f"CAREGRAPH_{message}"
