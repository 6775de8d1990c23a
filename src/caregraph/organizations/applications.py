"""Applications: programs with scopes, secrets that can be rotated, and an end to all of their tokens."""

import secrets
from datetime import timedelta
from typing import Annotated, Any

from sqlalchemy import delete, select, update

from caregraph.auth import scopes
from caregraph.auth.applications import SECRET
from caregraph.auth.assertions import UnusableKeyError, public_jwk
from caregraph.auth.sealing import Seal
from caregraph.auth.secrets import new_token, token_hash
from caregraph.auth.viewer import EVERYTHING
from caregraph.db.base import now
from caregraph.db.scope import known_scopes
from caregraph.db.session import Tx
from caregraph.graph.actions import Minted
from caregraph.graph.context import Context
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes, given
from caregraph.graph.locking import lock
from caregraph.graph.resource import apply

from . import models
from .inputs import ApplicationInput

LONGEST_GRACE = 30 * 86_400


async def create_application(tx: Tx, context: Context, input: ApplicationInput) -> Minted:  # noqa: A002
    """Create an application; its secret is shown this once.

    With key and secret it asks `/oauth/token` for access tokens or makes API keys (`createApiKey`).
    """
    values = {"scopes": EVERYTHING, **_storable({name: one for name, one in given(input).items() if one is not None})}
    application = models.Application(**values, key=secrets.token_urlsafe(16))
    tx.add(application)
    await tx.flush()
    return await _with_secret(tx, context, application)


async def update_application(
    tx: Tx,
    application: models.Application,
    input: Changes[ApplicationInput],  # noqa: A002
) -> models.Application:
    """Change an application. What it may no longer do, tokens given before may no longer do either."""
    apply(application, Changes(_storable(input)))
    await tx.flush()
    return application


async def rotate_secret(
    tx: Tx,
    context: Context,
    application: models.Application,
    grace_seconds: Annotated[
        int, describe("For how long the secret until now still works, 0 to 2592000; older ones end at once.")
    ] = 0,
    revoke_tokens: Annotated[bool, describe("Also end all access tokens and API keys given so far.")] = False,
) -> Minted:
    """Give an application a new secret, shown this once."""
    if not 0 <= grace_seconds <= LONGEST_GRACE:
        raise Refused(Code.INVALID, f"must be between 0 and {LONGEST_GRACE}", "graceSeconds")
    await lock(tx, application)
    here = models.ApplicationSecret.application_id == application.id
    latest = await tx.scalar(select(models.ApplicationSecret.id).where(here).order_by(_NEWEST).limit(1))
    if latest is not None and grace_seconds:
        until = now() + timedelta(seconds=grace_seconds)
        is_latest = models.ApplicationSecret.id == latest
        await tx.execute(delete(models.ApplicationSecret).where(here, ~is_latest))
        await tx.execute(update(models.ApplicationSecret).where(is_latest).values(expires_at=until))
    else:
        await tx.execute(delete(models.ApplicationSecret).where(here))
    if revoke_tokens:
        for model in (models.AccessToken, models.ApiKey):
            await tx.execute(delete(model).where(model.application_id == application.id))
    return await _with_secret(tx, context, application)


async def delete_application(tx: Tx, application: models.Application) -> None:
    """Delete an application; its secrets, access tokens and API keys end with it."""
    await delete_row(tx, application, force=True)


async def revoke_access_token(tx: Tx, token: models.AccessToken) -> models.AccessToken:
    """End an access token at once, with its refresh token and all tokens refreshed from one another."""
    await revoke_family(tx, token.family)
    await tx.refresh(token)
    return token


async def revoke_family(tx: Tx, family: str) -> None:
    """End all tokens refreshed from one another."""
    alive = (models.AccessToken.family == family, models.AccessToken.revoked_at.is_(None))
    await tx.execute(update(models.AccessToken).where(*alive).values(revoked_at=now()))


_NEWEST = models.ApplicationSecret.id.desc()


async def _with_secret(tx: Tx, context: Context, application: models.Application) -> Minted:
    secret = SECRET + new_token()
    sealed = context.the(Seal).sealed(secret, belongs_to=application.key)
    tx.add(models.ApplicationSecret(application_id=application.id, secret_hash=token_hash(secret), sealed=sealed))
    await tx.flush()
    return Minted(application, secret)


def _storable(values: dict[str, Any]) -> dict[str, Any]:
    """Input values as columns: scopes known and in one text, the key checked and bare."""
    stored = dict(values)
    if "scopes" in stored:
        stored["scopes"] = _known(stored["scopes"])
    if stored.get("public_key") is not None:
        try:
            stored["public_key"] = public_jwk(stored["public_key"])
        except UnusableKeyError as error:
            raise Refused(Code.INVALID, str(error), "input", "publicKey") from error
    return stored


def _known(wanted: list[str]) -> str:
    if not wanted:
        raise Refused(Code.INVALID, "must have at least one scope", "input", "scopes")
    known = known_scopes()
    unknown = [one for one in wanted if one not in known]
    if unknown:
        listed = ", ".join(sorted(known))
        raise Refused(Code.INVALID, f"There is no scope {unknown[0][:100]!r}. There are: {listed}", "input", "scopes")
    return scopes.written(frozenset(wanted))
