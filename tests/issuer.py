"""An OpenID Connect issuer of the tests: real keys, a real port, and every way to go wrong."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from streaming import listening

Key = RSAKey | ECKey
AUDIENCE = "caregraph-tests"
# Making an RSA key takes long, so tests share these.
RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC, OTHER_EC, LONG_EC = ECKey.generate_key("P-256"), ECKey.generate_key("P-256"), ECKey.generate_key("P-384")
KEYS: dict[str, Key] = {"rsa-1": RSA, "ec-1": EC}


class LocalIssuer:
    """An ASGI application that publishes `keys` and signs with them."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = dict(KEYS)
        self.requests: list[str] = []
        self.answer: Callable[[], Response] | None = None
        """Answers in place of the usual ones."""
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.discovery: dict[str, Any] = {}

    @property
    def fetches(self) -> int:
        """How often somebody asked for the keys."""
        return self.requests.count("/jwks")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = Request(scope).url.path
        self.requests.append(path)
        await self.may_answer.wait()
        response = self.answer() if self.answer is not None else self._usual(path)
        await response(scope, receive, send)

    def _usual(self, path: str) -> Response:
        if path == "/jwks":
            return JSONResponse({"keys": [public(key, key_id) for key_id, key in self.keys.items()]})
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **self.discovery})

    def token(self, email: str = "ben@northfield.example", key_id: str = "rsa-1", **changes: Any) -> str:
        """A token that holds, but for `changes`: a claim that is None is left out; `_header` changes the header."""
        now = int(time.time())
        header = {"alg": "ES256" if key_id.startswith("ec") else "RS256", "kid": key_id, "typ": "JWT"}
        header |= changes.pop("_header", {})
        key = changes.pop("_key", self.keys.get(key_id, RSA))
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 3600,
            "email": email,
            "email_verified": True,
            "name": "Somebody",
            "extra": {"firebase": [1]},
            **changes,
        }
        return signed(header, {name: value for name, value in claims.items() if value is not None}, key)

    def headers(self, email: str = "ben@northfield.example", **changes: Any) -> dict[str, str]:
        """A request's headers with a token."""
        return {"Authorization": f"Bearer {self.token(email, **changes)}"}


def signed(header: dict[str, Any], claims: Any, key: Any) -> str:
    """Header and claims, signed."""
    names = {name: value for name, value in header.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=["RS256", "ES256", "HS256", "RS512", "PS256", "ES384"])
    registry.strict_check_header = False
    return jws.serialize_compact(names, json.dumps(claims), key, registry=registry)


def shared(header: dict[str, Any], claims: Any, secret: bytes) -> str:
    """Header and claims under HMAC with a secret of any kind, which libraries refuse to make."""
    text = unsigned(header, claims)[:-1]
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def by_hand(header: dict[str, Any], claims: Any, key: RSAKey) -> str:
    """Header and claims with a good RSA signature, whatever the header says."""
    text = unsigned(header, claims)[:-1]
    return f"{text}.{encoded(key.private_key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def unsigned(header: Any, claims: Any, signature: str = "") -> str:
    """Header and claims with a signature of one's own."""
    return ".".join([*(encoded(json.dumps(part)) for part in (header, claims)), signature])


def encoded(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public(key: Key, key_id: str | None) -> dict[str, Any]:
    """The entry of a key set."""
    found = {**key.as_dict(private=False), "use": "sig"}
    return found if key_id is None else {**found, "kid": key_id}


def dripping() -> Response:
    """An answer that never ends and never rests."""

    async def bytes_of() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    return StreamingResponse(bytes_of(), media_type="application/json")


def endless() -> Response:
    """More bytes than anybody should read."""

    async def bytes_of() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 65_536

    return StreamingResponse(bytes_of(), media_type="application/json")


def elsewhere() -> Response:
    return RedirectResponse("http://127.0.0.1:9/jwks")


@asynccontextmanager
async def running(issuer: LocalIssuer) -> AsyncIterator[LocalIssuer]:
    """The issuer on a free port."""
    async with listening(issuer) as authority:
        issuer.url = f"http://{authority}"
        yield issuer
        issuer.may_answer.set()
