"""A request's headers become a viewer; the look-ups behind it are passed in by `app.py`."""

from collections.abc import Mapping
from typing import Protocol

from .secrets import token_hash
from .viewer import CALCULATOR_PERMISSIONS, Viewer, user_viewer

AUTHENTICATION_FAILED = "Authentication failed"


class InvalidCredentialsError(Exception):
    """The request carries credentials, and they are wrong. Says nothing about which part."""


class Lookups(Protocol):
    """What a sign-in has to know before a tenant is known."""

    async def api_token(self, email: str, token_hash: str) -> tuple[int, int, bool, bool] | None:
        """User, organization, superuser and auditor of a live token of an enabled account."""

    async def calculator(self, email: str, token_hash: str) -> tuple[int, int] | None:
        """Plan and organization of calculator credentials."""


async def viewer_of(headers: Mapping[str, str], lookups: Lookups) -> Viewer:
    """The viewer behind `headers`; nobody without credentials, refused with wrong ones."""
    calculator = headers.get("x-calculator-email"), headers.get("x-calculator-token")
    user = headers.get("x-api-email"), headers.get("x-api-token")
    if any(calculator) and any(user):
        raise InvalidCredentialsError
    if any(calculator):
        return await _calculator(*calculator, lookups)
    if any(user):
        return await _user(*user, lookups)
    return Viewer.nobody()


async def _user(email: str | None, token: str | None, lookups: Lookups) -> Viewer:
    found = email and token and await lookups.api_token(email.casefold(), token_hash(token))
    if not found:
        raise InvalidCredentialsError
    user_id, organization_id, is_superuser, is_auditor = found
    return user_viewer(
        user_id=user_id, organization_id=organization_id, is_superuser=is_superuser, is_auditor=is_auditor
    )


async def _calculator(email: str | None, token: str | None, lookups: Lookups) -> Viewer:
    found = email and token and await lookups.calculator(email.casefold(), token_hash(token))
    if not found:
        raise InvalidCredentialsError
    plan_id, organization_id = found
    return Viewer(calculator_plan_id=plan_id, organization_id=organization_id, permissions=CALCULATOR_PERMISSIONS)
