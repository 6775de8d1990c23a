"""Signed assertions by which an application asks for a token (RFC 7523): who signed, for whom, until when."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import extract_compact

LONGEST = 8_192
LIFETIME = 3_600
"""Seconds that an assertion may be good for, from now on."""
_SKEW = 60
_SECRET = "HS256"  # noqa: S105 an algorithm
_PUBLIC: dict[str, type[RSAKey | ECKey]] = {"RS256": RSAKey, "ES256": ECKey}
_SHORTEST_RSA = 2_048

ALGORITHMS = (_SECRET, *_PUBLIC)


class InvalidAssertionError(ValueError):
    """An assertion that proves nothing. Its text may be told to whoever sent it."""


class UnusableKeyError(ValueError):
    """No public key that an assertion could be checked with."""


@dataclass(frozen=True)
class Claims:
    """What a good assertion says."""

    scope: str | None
    expires_at: int
    fingerprint: str
    """The same for every copy of the assertion, however its signature is written."""


@dataclass(frozen=True)
class Assertion:
    """A token of the shape a.b.c whose signature is still to be checked."""

    text: str
    algorithm: str
    issuer: str

    @classmethod
    def read(cls, text: str) -> "Assertion":
        """Take the parts that say which key to check with."""
        if len(text) > LONGEST:
            raise InvalidAssertionError(f"An assertion has at most {LONGEST} characters")
        try:
            unchecked = extract_compact(text.encode("ascii"))
            claims = json.loads(unchecked.payload)
            algorithm = unchecked.headers()["alg"]
        except (JoseError, ValueError, KeyError) as error:
            raise InvalidAssertionError("The assertion is not a signed JSON web token") from error
        issuer = claims.get("iss") if isinstance(claims, dict) else None
        if not isinstance(issuer, str) or not issuer:
            raise InvalidAssertionError("iss must be the application's key")
        if algorithm not in ALGORITHMS:
            raise InvalidAssertionError(f"The algorithm must be one of {', '.join(ALGORITHMS)}")
        return cls(text, algorithm, issuer)

    @property
    def is_by_secret(self) -> bool:
        """Whether it must be signed with the application's secret; a public key is never taken for one."""
        return self.algorithm == _SECRET

    def checked(self, *, secrets: Sequence[str], public_key: str | None, audience: str) -> Claims:
        """What it says, once signature, audience and times hold."""
        keys: list[Any] = (
            [OctKey.import_key(one) for one in secrets] if self.is_by_secret else self._public_keys(public_key)
        )
        for key in keys:
            try:
                token = jwt.decode(self.text, key, algorithms=[self.algorithm])
            except (JoseError, ValueError):
                continue
            return self._claims(token.claims, audience)
        raise InvalidAssertionError("The assertion's signature does not hold")

    def _public_keys(self, public_key: str | None) -> list[Any]:
        if public_key is None:
            return []
        key = imported(public_key)
        return [key] if isinstance(key, _PUBLIC[self.algorithm]) else []

    def _claims(self, claims: Mapping[str, Any], audience: str) -> Claims:
        now = time.time()
        named = claims.get("aud")
        is_for_us = audience in named if isinstance(named, list) else named == audience
        expires_at = _number(claims, "exp")
        for is_wrong, message in (
            (not is_for_us, "aud must be the address of this token endpoint"),
            (claims.get("sub", self.issuer) != self.issuer, "sub must be the application's key, as iss is"),
            (expires_at is None, "exp is missing or not a number of seconds"),
            ((expires_at or 0) <= now, "The assertion has expired"),
            ((expires_at or 0) > now + LIFETIME + _SKEW, f"exp must be at most {LIFETIME} seconds ahead"),
            (_is_ahead(claims, "nbf", now), "The assertion is not good yet (nbf)"),
            (_is_ahead(claims, "iat", now), "The assertion is from the future (iat)"),
            (not isinstance(claims.get("scope"), str | None), "scope must be text"),
        ):
            if is_wrong:
                raise InvalidAssertionError(message)
        return Claims(claims.get("scope"), int(expires_at or 0), self._fingerprint(claims.get("jti")))

    def _fingerprint(self, unique: object) -> str:
        # Signatures can be rewritten without becoming wrong; what they sign cannot.
        text = f"jti:{unique}" if isinstance(unique, str) else self.text.rpartition(".")[0]
        return hashlib.sha256(text.encode()).hexdigest()


def imported(text: str) -> RSAKey | ECKey:
    """The public key in a JWK or PEM; raises `UnusableKeyError`."""
    kinds: list[Callable[[Any], RSAKey | ECKey]] = [RSAKey.import_key, ECKey.import_key]
    for kind in kinds:
        try:
            key = kind(json.loads(text) if text.lstrip().startswith("{") else text)
            return _usable(key)
        except UnusableKeyError:
            raise
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
    raise UnusableKeyError("must be an RSA or P-256 public key, as JWK or PEM")


def public_jwk(text: str) -> str:
    """A public key as it is kept: the members of its JWK that make it up, and no others."""
    key = imported(text)
    members = key.as_dict(private=False)
    return json.dumps({name: members[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in members})


def _usable(key: RSAKey | ECKey) -> RSAKey | ECKey:
    if key.is_private:
        raise UnusableKeyError("must be a public key: keep the private one to yourself")
    if isinstance(key, RSAKey) and key.public_key.key_size < _SHORTEST_RSA:
        raise UnusableKeyError(f"must have at least {_SHORTEST_RSA} bits")
    if isinstance(key, ECKey) and key.curve_name != "P-256":
        raise UnusableKeyError("must be of the curve P-256")
    return key


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _is_ahead(claims: Mapping[str, Any], name: str, now: float) -> bool:
    return name in claims and ((found := _number(claims, name)) is None or found > now + _SKEW)
