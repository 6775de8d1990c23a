"""API keys: bearer tokens that an application makes for itself by its key and secret."""

from datetime import datetime
from typing import Annotated

from sqlalchemy import func, select

from caregraph.auth.applications import API_KEY
from caregraph.auth.secrets import new_token, token_hash
from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.scope import visible
from caregraph.db.session import Tx
from caregraph.graph.actions import Minted
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.locking import lock

from . import models
from .types import ApiKey

MOST_KEYS = 100


async def create_api_key(
    tx: Tx,
    viewer: Viewer,
    expires_at: Annotated[datetime | None, describe("When it ends; never by default.")] = None,
) -> Minted:
    """Make an API key of your application, to be sent as `Authorization: Bearer …` (`gloo.api_keys.create`).

    It may whatever the application may, until it expires or is deleted. An application has at most 100.
    """
    if expires_at is not None and expires_at <= now():
        raise Refused(Code.INVALID, "must be in the future", "expiresAt")
    own = models.Application.id == viewer.application_id
    application = (await tx.scalars(select(models.Application).where(own))).one()
    await lock(tx, application)
    here = models.ApiKey.application_id == application.id
    count = await tx.scalar(select(func.count()).select_from(models.ApiKey).where(here)) or 0
    if count >= MOST_KEYS:
        raise Refused(Code.LIMIT, f"An application has at most {MOST_KEYS} API keys: delete one")
    token = API_KEY + new_token()
    key = models.ApiKey(application_id=application.id, token_hash=token_hash(token), expires_at=expires_at)
    tx.add(key)
    await tx.flush()
    return Minted(key, token)


async def delete_api_key(tx: Tx, key: models.ApiKey) -> None:
    """Delete an API key: whoever uses it is signed out at once (`gloo.api_keys.delete`).

    An application deletes its own keys, a superuser those of all.
    """
    await tx.delete(key)


async def own_api_keys(context: Context, _root: None) -> list[ApiKey]:
    """The API keys of your application by age, at most 100, without the keys themselves (`gloo.api_keys.list`)."""
    own = models.ApiKey.application_id == context.viewer.application_id
    statement = visible(models.ApiKey, context.viewer).where(own).order_by(models.ApiKey.id)
    return list((await context.run(statement)).scalars())
