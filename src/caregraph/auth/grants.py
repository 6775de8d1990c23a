"""What a token endpoint is asked for and answers, apart from how it is written on the wire."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

TOKEN_PATH = "/oauth/token"  # noqa: S105 a path
REVOCATION_PATH = "/oauth/revoke"
CLIENT_CREDENTIALS = "client_credentials"
REFRESH = "refresh_token"
ASSERTION = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANT_TYPES = (CLIENT_CREDENTIALS, REFRESH, ASSERTION)


class GrantError(Exception):
    """A request that gets no token, with its code of RFC 6749."""

    def __init__(
        self, code: str, description: str, *, status: int | None = None, retry_after: int | None = None
    ) -> None:
        """`description` is told to the client: nothing in it depends on what exists."""
        super().__init__(description)
        self.code, self.description, self.status, self.retry_after = code, description, status, retry_after


@dataclass(frozen=True, kw_only=True)
class Client:
    """How an application says who it is, from where."""

    key: str
    secret: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A token that was given, and what it reaches. Null `group_ids` limit nothing."""

    token_id: int
    organization_id: int
    access_token: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    group_ids: tuple[int, ...] | None = None


class Granting(Protocol):
    """Gives tokens and takes them back; everything that fails raises `GrantError`."""

    async def by_secret(self, client: Client, *, scope: str | None) -> Granted:
        """For an application's key and secret."""

    async def by_refresh(self, client: Client, *, refresh_token: str, scope: str | None) -> Granted:
        """For a refresh token, which is used up."""

    async def by_assertion(self, assertion: str, *, address: str, client_id: str | None, scope: str | None) -> Granted:
        """For a signed assertion, which is used up."""

    async def revoke(self, client: Client, token: str) -> None:
        """End an access or refresh token, with all that were refreshed from it; one that is unknown is fine."""

    def every_scope(self) -> Collection[str]:
        """Every scope there is."""
