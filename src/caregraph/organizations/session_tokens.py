"""Tokens of deployment sessions: with one a respondent answers, sent beside their application's own token."""

from datetime import timedelta

from sqlalchemy import update

from caregraph.auth.applications import SESSION_TOKEN
from caregraph.auth.secrets import new_token, token_hash
from caregraph.db.base import now
from caregraph.db.session import Tx

from .models import SessionToken


async def open_session(tx: Tx, deployment_session_id: int, *, lifetime: timedelta) -> str:
    """A fresh token for one session, told this once; those given before stay good."""
    token = SESSION_TOKEN + new_token()
    tx.add(
        SessionToken(
            deployment_session_id=deployment_session_id, token_hash=token_hash(token), expires_at=now() + lifetime
        )
    )
    await tx.flush()
    return token


async def rotate_session(tx: Tx, deployment_session_id: int, *, lifetime: timedelta) -> str:
    """A fresh token in the place of all given before."""
    await revoke_session(tx, deployment_session_id)
    return await open_session(tx, deployment_session_id, lifetime=lifetime)


async def revoke_session(tx: Tx, deployment_session_id: int) -> None:
    """End every token of one session."""
    alive = (SessionToken.deployment_session_id == deployment_session_id, SessionToken.revoked_at.is_(None))
    await tx.execute(update(SessionToken).where(*alive).values(revoked_at=now()))
