"""A request's headers become a viewer; the look-ups behind it are passed in by `app.py`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from .applications import ACCESS_TOKEN, API_KEY, Application, basic_credentials, respondent
from .oidc import IdTokens, InvalidTokenError
from .secrets import token_hash
from .viewer import CALCULATOR_PERMISSIONS, IDENTITY_PERMISSIONS, Identity, Membership, Viewer, user_viewer

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

    def __init__(
        self,
        lookups: Lookups,
        *,
        organization_of: Callable[[str], int | None],
        id_tokens: IdTokens,
        clients: Clients,
    ) -> None:
        """`organization_of` reads the id in `X-Organization`, `id_tokens` the JWTs of trusted issuers.

        `clients` know applications by their secrets.
        """
        self._lookups = lookups
        self._id_tokens = id_tokens
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

    async def _id_token(self, token: str, headers: Mapping[str, str]) -> Viewer:
        """A person with an account as any of its users; one without as nothing but who they are."""
        try:
            vouched = await self._id_tokens.vouched(token)
        except InvalidTokenError as error:
            raise InvalidCredentialsError from error
        found = await self._lookups.identified(vouched.identity.email, vouched.issued_at)
        if found is not None:
            return self._user(found, headers, vouched.identity)
        if headers.get("x-organization") is not None:
            raise InvalidCredentialsError
        return Viewer(identity=vouched.identity, permissions=IDENTITY_PERMISSIONS)

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
        match scheme.lower(), credentials.strip():
            case "bearer", token if token.startswith((ACCESS_TOKEN, API_KEY)):
                viewer = await self._bearer(token)
                return await self._respondent(viewer, session_token) if session_token else viewer
            case "bearer", token if not session_token:
                return await self._id_token(token, headers)
            case "basic", pair if not session_token:
                return await self._basic(pair, address)
        raise InvalidCredentialsError

    async def _basic(self, credentials: str, address: str) -> Viewer:
        pair = basic_credentials(credentials)
        found = pair and await self._clients.owner_of(*pair, address)
        if not found:
            raise InvalidCredentialsError
        return found.owner()

    async def _bearer(self, token: str) -> Viewer:
        found = await self._lookups.bearer(token_hash(token))
        if found is None:
            raise InvalidCredentialsError
        return found.viewer()

    async def _respondent(self, viewer: Viewer, session_token: str) -> Viewer:
        found = await self._lookups.session_token(token_hash(session_token))
        if found is None or found[1] != viewer.organization_id or viewer.application_id is None:
            raise InvalidCredentialsError
        return respondent(viewer, found[0])

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
