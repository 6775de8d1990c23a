"""A request's headers become a viewer; the look-ups behind it are passed in by `app.py`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from .applications import ACCESS_TOKEN, API_KEY, Application, basic_credentials, respondent
from .secrets import token_hash
from .viewer import CALCULATOR_PERMISSIONS, Membership, Viewer, user_viewer

AUTHENTICATION_FAILED = "Authentication failed"
CREDENTIALS = (
    *("authorization", "x-silicone-user-token"),
    *("x-api-email", "x-api-token", "x-calculator-email", "x-calculator-token"),
)
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
        """Plan and organization of live calculator credentials."""

    async def bearer(self, token_hash: str) -> Application | None:
        """The enabled application of a live access token or API key."""

    async def session_token(self, token_hash: str) -> tuple[int, int] | None:
        """Deployment session and organization of a live session token."""


class Clients(Protocol):
    """Tells by its secret which application asks."""

    async def owner_of(self, key: str, secret: str, address: str) -> Application | None:
        """The enabled application; null when that is not its secret, or after too many attempts."""


class SignIn:
    """Every way to say who one is. A request uses one of them; several at once are refused."""

    def __init__(self, lookups: Lookups, *, organization_of: Callable[[str], int | None], clients: Clients) -> None:
        """`organization_of` reads the id in `X-Organization`, `clients` know applications by their secrets."""
        self._lookups = lookups
        self._organization_of = organization_of
        self._clients = clients

    async def viewer(self, headers: Mapping[str, str], address: str = "") -> Viewer:
        """The viewer behind `headers`; nobody without credentials, `InvalidCredentialsError` with wrong ones.

        `address` is where they come from, for counting attempts.
        """
        ways: list[Callable[[Mapping[str, str]], Awaitable[Viewer]]] = [
            way
            for way, names in (
                (self._calculator, ("x-calculator-email", "x-calculator-token")),
                (self._api_token, ("x-api-email", "x-api-token")),
                (partial(self._authorization, address), ("authorization", "x-silicone-user-token")),
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

    async def _authorization(self, address: str, headers: Mapping[str, str]) -> Viewer:
        """The header `Authorization`, one of it; a respondent's session token comes with their application's."""
        sent = [value for name, value in headers.items() if name.lower() == "authorization"]
        scheme, _, credentials = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
        session_token = headers.get("x-silicone-user-token")
        way = {"basic": self._basic, "bearer": self._bearer}.get(scheme.lower())
        if way is None or (session_token and way != self._bearer):
            raise InvalidCredentialsError
        viewer = await way(credentials.strip(), address)
        return await self._respondent(viewer, session_token) if session_token else viewer

    async def _basic(self, credentials: str, address: str) -> Viewer:
        pair = basic_credentials(credentials)
        found = pair and await self._clients.owner_of(*pair, address)
        if not found:
            raise InvalidCredentialsError
        return found.owner()

    async def _bearer(self, token: str, _address: str) -> Viewer:
        is_ours = token.startswith((ACCESS_TOKEN, API_KEY))
        found = await self._lookups.bearer(token_hash(token)) if is_ours else None
        if found is None:
            raise InvalidCredentialsError
        return found.viewer()

    async def _respondent(self, viewer: Viewer, session_token: str) -> Viewer:
        found = await self._lookups.session_token(token_hash(session_token))
        if found is None or found[1] != viewer.organization_id or viewer.application_id is None:
            raise InvalidCredentialsError
        return respondent(viewer, found[0])

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
