"""A request's headers become a viewer; the look-ups behind it are passed in by `app.py`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .secrets import token_hash
from .viewer import CALCULATOR_PERMISSIONS, Membership, Viewer, user_viewer

AUTHENTICATION_FAILED = "Authentication failed"
CREDENTIALS = ("authorization", "x-api-email", "x-api-token", "x-calculator-email", "x-calculator-token")
"""The headers that can carry credentials."""


class InvalidCredentialsError(Exception):
    """The request carries credentials, and they are wrong. Says nothing about which part."""


@dataclass(frozen=True)
class SignedInUser:
    """A user whose credentials hold, with every organization in which they are enabled; at least one."""

    user_id: int
    memberships: Sequence[Membership]


class Lookups(Protocol):
    """What a sign-in has to know before a tenant is known."""

    async def api_token(self, email: str, token_hash: str) -> SignedInUser | None:
        """The user of a live token of an enabled account."""

    async def calculator(self, email: str, token_hash: str) -> tuple[int, int] | None:
        """Plan and organization of calculator credentials."""


class SignIn:
    """Every way to say who one is. A request uses one of them; several at once are refused."""

    def __init__(self, lookups: Lookups, *, organization_of: Callable[[str], int | None]) -> None:
        """`organization_of` reads the id in `X-Organization`."""
        self._lookups = lookups
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
        if len(ways) > 1:
            raise InvalidCredentialsError
        return await ways[0](headers) if ways else Viewer.nobody()

    async def _api_token(self, headers: Mapping[str, str]) -> Viewer:
        email, token = headers.get("x-api-email"), headers.get("x-api-token")
        found = email and token and await self._lookups.api_token(email.casefold(), token_hash(token))
        if not found:
            raise InvalidCredentialsError
        return self._user(found, headers)

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

    def _user(self, found: SignedInUser, headers: Mapping[str, str]) -> Viewer:
        """The user in the organization that `X-Organization` names, or in their only one."""
        named = headers.get("x-organization")
        if named is None:
            here = found.memberships[0] if len(found.memberships) == 1 else None
        else:
            wanted = self._organization_of(named)
            here = next((one for one in found.memberships if one.organization_id == wanted), None)
            if here is None:
                raise InvalidCredentialsError
        return user_viewer(user_id=found.user_id, here=here, memberships=found.memberships)
