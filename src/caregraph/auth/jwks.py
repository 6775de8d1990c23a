"""The public keys of an issuer: fetched when first needed, kept for a time, fetched again for a key that is not there.

Whoever sends a token names the key, so an unknown name must not become a request to the issuer each time: there is at
most one fetch in an interval, and whoever needs it meanwhile waits for the same one.
"""

import asyncio
import base64
import binascii
import logging
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

LOG = logging.getLogger("caregraph.auth")

Key = RSAKey | ECKey

DISCOVERY = "/.well-known/openid-configuration"
LARGEST_ANSWER = 262_144
MOST_KEYS = 100
SMALLEST_RSA_KEY = 2048
# An algorithm goes with one type of key: a public key is never taken for a shared secret.
ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class KeysUnavailableError(Exception):
    """The issuer answered something else than its keys."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long keys are used and how often their issuer is asked, in seconds."""

    lifetime: float
    """After this keys are fetched again."""
    grace: float
    """For so long after that they serve on while the issuer does not answer."""
    interval: float
    """At most one fetch in this time."""
    timeout: float
    """After this a fetch has failed, however slowly the issuer goes on talking."""


class IssuerKeys:
    """The keys of one issuer, by algorithm and id."""

    def __init__(self, issuer: str, *, jwks_url: str, timing: Timing) -> None:
        """Without `jwks_url` the issuer's discovery document says where its keys are."""
        self._issuer, self._jwks_url, self._timing = issuer, jwks_url, timing
        self._keys: Mapping[tuple[str, str | None], Key] = {}
        self._fetched_at = -math.inf
        self._next_attempt = -math.inf
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, key_id: str | None) -> Key | None:
        """The key for `algorithm` named `key_id`; without a name the only one for it."""
        if monotonic() >= self._fetched_at + self._timing.lifetime:
            await self._refresh()
        found = self._known(algorithm, key_id)
        if found is None:
            await self._refresh()
            found = self._known(algorithm, key_id)
        return found

    def _known(self, algorithm: str, key_id: str | None) -> Key | None:
        if monotonic() >= self._fetched_at + self._timing.lifetime + self._timing.grace:
            return None
        if key_id is not None:
            return self._keys.get((algorithm, key_id))
        candidates = [key for (of, _), key in self._keys.items() if of == algorithm]
        return candidates[0] if len(candidates) == 1 else None

    async def _refresh(self) -> None:
        """Wait for the fetch under way, or begin one unless the last was a moment ago."""
        if self._fetching is None:
            if monotonic() < self._next_attempt:
                return
            self._next_attempt = monotonic() + self._timing.interval
            self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(self._fetching)  # whoever leaves takes it from nobody else

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._timing.timeout), httpx.AsyncClient(verify=_tls()) as client:
                answer = await _answer(client, self._jwks_url or await self._discovered(client))
            self._keys = usable_keys(answer)
            self._fetched_at = monotonic()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeysUnavailableError) as error:
            LOG.warning("cannot fetch the keys of %s: %s", self._issuer, type(error).__name__)
        finally:
            self._fetching = None

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        found = await _answer(client, self._issuer.rstrip("/") + DISCOVERY)
        url = found.get("jwks_uri")
        if found.get("issuer") != self._issuer or not isinstance(url, str):
            raise KeysUnavailableError("the discovery document is of another issuer or names no keys")
        if not is_safe(url) or (self._issuer.startswith("https:") and not url.startswith("https:")):
            raise KeysUnavailableError("the keys are not at an https address")
        return url


def is_safe(url: str) -> bool:
    """Whether keys from `url` can be believed: over TLS, or from this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def usable_keys(answer: Mapping[str, Any]) -> dict[tuple[str, str | None], Key]:
    """The keys of a JSON Web Key Set that sign with an algorithm we take; others are left out."""
    entries = answer.get("keys")
    if not isinstance(entries, list):
        raise KeysUnavailableError("no list of keys")
    found = {}
    for entry in entries[:MOST_KEYS]:
        if isinstance(entry, dict) and (key := _usable(entry)) is not None:
            key_id = entry.get("kid")
            found[ALGORITHMS[entry["kty"]], key_id if isinstance(key_id, str) else None] = key
    return found


def _usable(entry: dict[str, Any]) -> Key | None:
    algorithm = ALGORITHMS.get(str(entry.get("kty")))
    if algorithm is None or entry.get("use") not in (None, "sig") or entry.get("alg") not in (None, algorithm):
        return None
    try:
        if algorithm == "ES256":
            is_wanted = entry.get("crv") == "P-256"
            return ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y")}) if is_wanted else None
        return RSAKey.import_key({name: entry[name] for name in ("kty", "n", "e")}) if _is_long(entry["n"]) else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _is_long(modulus: str) -> bool:
    try:
        number = base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))
    except binascii.Error:
        return False
    return int.from_bytes(number).bit_length() >= SMALLEST_RSA_KEY


@cache
def _tls() -> ssl.SSLContext:
    """Trusted authorities, read once: that takes longer than all the rest of a fetch."""
    return httpx.create_ssl_context()


async def _answer(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The JSON object at `url`; not a byte more than the limit is read, redirects are not followed."""
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    body = bytearray()
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            raise KeysUnavailableError(f"status {response.status_code}")
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise KeysUnavailableError("the answer is too long")
    answer = orjson.loads(body)
    if not isinstance(answer, dict):
        raise KeysUnavailableError("the answer is no object")
    return answer
