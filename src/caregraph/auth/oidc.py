"""OpenID Connect: a JWT that a trusted issuer signed becomes the identity of a person, or nothing.

What is checked: signature by one of the issuer's keys, RS256 or ES256 as the key's type wants; issuer letter for
letter; every audience among ours; expiry, not before, issued at; a subject; a verified e-mail.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any, Final, TypeGuard

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from .jwks import ALGORITHMS, IssuerKeys, Timing
from .viewer import Identity

LONGEST_TOKEN: Final = 16_384
LONGEST_EMAIL: Final = 254
LONGEST_SUBJECT: Final = 255
LONGEST_NAME: Final = 200
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
# Header fields that are not known are ignored, as the specification says; `crit` is refused before.
_REGISTRY: Final = jws.JWSRegistry(algorithms=[*ALGORITHMS.values()], strict_check_header=False)

Claims = Mapping[str, Any]


class InvalidTokenError(Exception):
    """The token is not to be believed. Says nothing about which part."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """An issuer whose tokens for `audience` are believed."""

    issuer: str
    audience: str
    jwks_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """Whom an issuer vouches for, and since when."""

    identity: Identity
    issued_at: datetime


@dataclass(frozen=True)
class _Issuer:
    keys: IssuerKeys
    audiences: frozenset[str]


class IdTokens:
    """Reads the tokens of the issuers that the operator trusts; with none of them every token fails."""

    def __init__(self, trusted: Iterable[Trust], *, timing: Timing, leeway: float) -> None:
        """An issuer may be trusted for several audiences. `leeway`: seconds by which clocks may differ."""
        self._leeway = leeway
        self._issuers: dict[str, _Issuer] = {}
        for one in trusted:
            known = self._issuers.get(one.issuer)
            keys = known.keys if known else IssuerKeys(one.issuer, jwks_url=one.jwks_url, timing=timing)
            self._issuers[one.issuer] = _Issuer(keys, (known.audiences if known else frozenset()) | {one.audience})

    async def vouched(self, token: str) -> Vouched:
        """The person behind `token`; raises `InvalidTokenError`.

        What costs nothing is checked first: a token that cannot hold makes nobody fetch keys.
        """
        header, claims = _parts(token)
        name = claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if issuer is None or "crit" in header or not isinstance(key_id, str | None):
            raise InvalidTokenError
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS.values():
            raise InvalidTokenError
        vouched = self._read(claims, issuer.audiences)
        key = await issuer.keys.find(algorithm, key_id)
        if key is None:
            raise InvalidTokenError
        try:
            jws.deserialize_compact(token, key, algorithms=[algorithm], registry=_REGISTRY)
        except (JoseError, ValueError, RecursionError) as error:
            raise InvalidTokenError from error
        return vouched

    def _read(self, claims: Claims, audiences: frozenset[str]) -> Vouched:
        email, subject, name = claims.get("email"), claims.get("sub"), claims.get("name")
        if not (_audiences(claims) <= audiences and self._is_current(claims)):
            raise InvalidTokenError
        if claims.get("email_verified") is not True:
            raise InvalidTokenError
        if not (_is_text(email, LONGEST_EMAIL) and _is_text(subject, LONGEST_SUBJECT)):
            raise InvalidTokenError
        full_name = name.strip() if _is_text(name, LONGEST_NAME) else None
        return Vouched(
            identity=Identity(email=email.casefold(), subject=subject, full_name=full_name),
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        )

    def _is_current(self, claims: Claims) -> bool:
        expires, issued, starts = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
        if not (_is_instant(expires) and _is_instant(issued) and _is_instant(starts)):
            return False
        now = time()
        return bool(expires > now - self._leeway and max(issued, starts) <= now + self._leeway)


def _parts(token: str) -> tuple[Claims, Claims]:
    """Header and claims, not yet believed."""
    parts = token.split(".") if len(token) <= LONGEST_TOKEN else []
    if len(parts) != len(("header", "claims", "signature")) or not token.isascii():
        raise InvalidTokenError
    header, claims = (_object(part) for part in parts[:2])
    return header, claims


def _object(part: str) -> Claims:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error) as error:
        raise InvalidTokenError from error
    if not isinstance(found, dict):
        raise InvalidTokenError
    return found


def _audiences(claims: Claims) -> frozenset[str | None]:
    """For whom a token is; a null among them, which nobody is, stands for anything that is no audience."""
    found = claims.get("aud")
    several = found if isinstance(found, list) and found else [found]
    return frozenset(one if isinstance(one, str) else None for one in several)


def _is_text(value: Any, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= longest and "\x00" not in value


def _is_instant(value: Any) -> TypeGuard[float]:
    """Whether a claim is a NumericDate that the calendar has; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST
