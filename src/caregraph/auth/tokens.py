"""A request's headers become a viewer; the look-ups behind it are passed in by `app.py`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from .oidc import IdTokens, InvalidTokenError
from .secrets import token_hash
from .viewer import CALCULATOR_PERMISSIONS, Identity, Membership, Permission, Viewer, user_viewer

AUTHENTICATION_FAILED = "Authentication failed"
CREDENTIALS = ("authorization", "x-api-email", "x-api-token", "x-calculator-email", "x-calculator-token")
"""The headers that can carry credentials."""


class InvalidCredentialsError(Exception):
    """The request carries credentials, and they are wrong. Says nothing about which part."""


@dataclass(frozen=True)
class SignedInUser:
    """A user whose credentials hold, with every organization in which they are enabled; none: they may not sign in."""

    user_id: int
    memberships: Sequence[Membership]
    api_token_id: int | None = None


class Lookups(Protocol):
    """What a sign-in has to know before a tenant is known."""

    async def api_token(self, email: str, token_hash: str) -> SignedInUser | None:
        """The user of a live token of an enabled account."""

    async def identified(self, email: str, issued_at: datetime) -> SignedInUser | None:
        """The account of a person, with the memberships for which a token from `issued_at` holds; null without one."""

    async def calculator(self, email: str, token_hash: str) -> tuple[int, int] | None:
        """Plan and organization of calculator credentials."""


class SignIn:
    """Every way to say who one is. A request uses one of them; several at once are refused."""

    def __init__(self, lookups: Lookups, *, organization_of: Callable[[str], int | None], id_tokens: IdTokens) -> None:
        """`organization_of` reads the id in `X-Organization`, `id_tokens` the JWTs of trusted issuers."""
        self._lookups = lookups
        self._id_tokens = id_tokens
        self._organization_of = organization_of

    async def viewer(self, headers: Mapping[str, str]) -> Viewer:
        """The viewer behind `headers`; nobody without credentials, `InvalidCredentialsError` with wrong ones."""
        ways: list[Callable[[Mapping[str, str]], Awaitable[Viewer]]] = [
            way
            for way, names in (
                (self._calculator, ("x-calculator-email", "x-calculator-token")),
                (self._api_token, ("x-api-email", "x-api-token")),
            )
            if any(headers.get(name) for name in names)
        ]
        if _bearer(headers) is not None:
            ways.append(self._id_token)
        if len(ways) > 1:
            raise InvalidCredentialsError
        return await ways[0](headers) if ways else Viewer.nobody()

    async def _api_token(self, headers: Mapping[str, str]) -> Viewer:
        email, token = headers.get("x-api-email"), headers.get("x-api-token")
        found = email and token and await self._lookups.api_token(email.casefold(), token_hash(token))
        if not found:
            raise InvalidCredentialsError
        return self._user(found, headers)

    async def _id_token(self, headers: Mapping[str, str]) -> Viewer:
        """A person with an account as any of its users; one without as nothing but who they are."""
        try:
            vouched = await self._id_tokens.vouched(_bearer(headers) or "")
        except InvalidTokenError as error:
            raise InvalidCredentialsError from error
        found = await self._lookups.identified(vouched.identity.email, vouched.issued_at)
        if found is not None:
            return self._user(found, headers, vouched.identity)
        if headers.get("x-organization") is not None:
            raise InvalidCredentialsError
        return Viewer(identity=vouched.identity, permissions=frozenset({Permission.ACCOUNT}))

    async def _calculator(self, headers: Mapping[str, str]) -> Viewer:
        email, token = headers.get("x-calculator-email"), headers.get("x-calculator-token")
        found = email and token and await self._lookups.calculator(email.casefold(), token_hash(token))
        if not found:
            raise InvalidCredentialsError
        plan_id, organization_id = found
        return Viewer(
            calculator_plan_id=plan_id,
            organization_id=organization_id,
            organization_ids=(organization_id,),
            permissions=CALCULATOR_PERMISSIONS,
        )

    def _user(self, found: SignedInUser, headers: Mapping[str, str], identity: Identity | None = None) -> Viewer:
        """The user in the organization that `X-Organization` names, or in their only one."""
        if not found.memberships:
            raise InvalidCredentialsError
        named = headers.get("x-organization")
        if named is None:
            here = found.memberships[0] if len(found.memberships) == 1 else None
        else:
            wanted = self._organization_of(named)
            here = next((one for one in found.memberships if one.organization_id == wanted), None)
            if here is None:
                raise InvalidCredentialsError
        viewer = user_viewer(user_id=found.user_id, here=here, memberships=found.memberships)
        return replace(viewer, identity=identity, api_token_id=found.api_token_id)


def _bearer(headers: Mapping[str, str]) -> str | None:
    """The bearer token of a request; null when it has none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
