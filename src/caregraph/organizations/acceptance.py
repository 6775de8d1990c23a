"""Accepting invitations: whoever holds the token of one, and is known by its e-mail, becomes a member."""

from typing import Annotated, Any

import strawberry
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from strawberry.types.unset import UNSET

from caregraph.auth.secrets import Passwords, token_hash
from caregraph.auth.viewer import Viewer
from caregraph.db.audit import Actor
from caregraph.db.base import now
from caregraph.db.constraints import violated
from caregraph.db.lookups import OpenInvitation, SignInLookups
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import FORBIDDEN, Code, Refused, RequestError, UserError
from caregraph.graph.fields import describe, field
from caregraph.graph.inputs import required, value
from caregraph.graph.node import global_id

from . import models
from .founding import NO_PASSWORD, joining
from .invitations import ALREADY_MEMBER, keys_of
from .permissions import grant

HAS_ACCOUNT = "This e-mail has an account: sign in with it to accept"


@strawberry.type(description="What accepting an invitation answers.")
class AcceptInvitationPayload:
    """`gloo.invitations.accept`."""

    organization_id: strawberry.ID | None = field("Where one is a member now, for `X-Organization`; null when refused.")
    user_id: strawberry.ID | None = field("One's own id as a user; null when refused.")
    errors: list[UserError] = field("Why nothing was accepted; empty when it was.")


@strawberry.input(description="The account of somebody who has none yet.")
class NewAccountInput:
    """The token has proved the e-mail."""

    password: str = required("Password, 8 to 200 characters.", shortest=8)
    first_name: str | None = value("First name; by default the one in the invitation.")
    last_name: str | None = value("Last name; by default the one in the invitation.")


async def open_invitation(
    context: Context, _root: None, *, token: Annotated[str, describe("The token in the mail.")]
) -> models.Invitation | None:
    """The invitation of a token, for whoever holds it, as long as it is pending (`gloo.invitations.get`).

    Null once it is accepted, expired, deleted or sent again with another token.
    """
    found = await context.the(SignInLookups).invitation(token_hash(token))
    if found is None:
        return None
    # Read as its organization would: whoever holds the token has no place there yet.
    async with context.database.read_session(Viewer.system(found.organization_id)) as session:
        return await session.get(models.Invitation, found.id)


async def accept_invitation(
    context: Context,
    viewer: Viewer,
    token: Annotated[str, describe("The token in the mail.")],
    account: Annotated[
        NewAccountInput | None, describe("Given without signing in, by whoever has no account with this e-mail.")
    ] = UNSET,
) -> dict[str, Any]:
    """Become a member of the organization that has invited one (`gloo.invitations.accept`).

    Signed in, in any way that tells who one is, with the e-mail that was invited; or not signed in, with the password
    of a new account, which may use the API. A token works once: used, expired, replaced, wrong or somebody else's, it
    is `NOT_FOUND`. An e-mail with an account must sign in: `CONFLICT`; so is a password that a superuser has set, as
    whoever knows it would become a member too: set one of your own first.
    """
    is_somebody = viewer.user_id is not None or viewer.identity is not None
    if not (is_somebody or viewer.is_nobody):
        raise RequestError("FORBIDDEN", FORBIDDEN)
    found = await context.the(SignInLookups).invitation(token_hash(token))
    if found is None:
        raise _not_found()
    new = account if isinstance(account, NewAccountInput) else None
    password_hash = NO_PASSWORD if is_somebody else await _password_of(context, found, new)
    await context.end_snapshot()
    try:
        async with context.database.writing(Viewer.system(found.organization_id)) as tx, context.within_time():
            held = await _held(tx, found, token)
            user_id = _known(viewer, found, held) if is_somebody else None
            if user_id is not None:
                await joining(tx, context, user_id)
            else:
                user_id = await _new_user(tx, held, _names(viewer, held, new), password_hash)
            told = {"organization_id": found.organization_id, "user_id": user_id, "actor": Actor.USER}
            tx.info["origin"] = context.origin("acceptInvitation", about="Invitation", **told)
            await _join(tx, held, user_id)
    except IntegrityError as error:  # somebody made the account, or the membership, at the same time
        raise Refused(Code.CONFLICT, ALREADY_MEMBER if violated(error) is None else HAS_ACCOUNT, "token") from error
    return {
        "organization_id": global_id("Organization", found.organization_id),
        "user_id": global_id("User", user_id),
    }


def _not_found() -> Refused:
    return Refused(Code.NOT_FOUND, "Invitation not found", "token")


async def _held(tx: Tx, found: OpenInvitation, token: str) -> models.Invitation:
    """The invitation, until the transaction ends; of two who accept at once the second finds none."""
    row = models.Invitation
    statement = select(row).where(
        row.id == found.id, row.token_hash == token_hash(token), row.accepted_at.is_(None), row.expires_at > now()
    )
    held: models.Invitation | None = await tx.scalar(statement.with_for_update())
    if held is None:
        raise _not_found()
    return held


async def _password_of(context: Context, found: OpenInvitation, new: NewAccountInput | None) -> str:
    """The hashed password of an account that is to be made; an e-mail that has one must sign in."""
    if found.user_id is not None:
        raise Refused(Code.CONFLICT, HAS_ACCOUNT, "token")
    if new is None:
        raise Refused(Code.INVALID, "Sign in, or give a password for a new account", "account")
    return await context.the(Passwords).hash(new.password)


def _known(viewer: Viewer, found: OpenInvitation, invitation: models.Invitation) -> int | None:
    """The account of whoever is signed in by the invited e-mail; null if they have none yet.

    Anybody else has found nothing.
    """
    if viewer.user_id is not None:
        is_meant = viewer.user_id == found.user_id
    else:
        is_meant = viewer.identity is not None and viewer.identity.email.casefold() == invitation.email
    if not is_meant:
        raise _not_found()
    return found.user_id


def _names(viewer: Viewer, invitation: models.Invitation, new: NewAccountInput | None) -> dict[str, str]:
    """The names of a new account, from whoever knows them best."""
    first = (new and new.first_name) or invitation.first_name
    last = (new and new.last_name) or invitation.last_name
    vouched = viewer.identity.full_name if viewer.identity is not None else None
    full = " ".join(name for name in (first, last) if name) or vouched or invitation.email.partition("@")[0]
    known = {"first_name": first, "last_name": last, "full_name": full}
    return {column: name for column, name in known.items() if name}


async def _new_user(tx: Tx, invitation: models.Invitation, names: dict[str, str], password_hash: str) -> int:
    user = models.User(
        email=invitation.email, password_hash=password_hash, password_is_own=True, api_enabled=True, **names
    )
    tx.add(user)
    await tx.flush()
    return user.id


async def _join(tx: Tx, invitation: models.Invitation, user_id: int) -> None:
    """Make the membership with what was promised, and use the invitation up."""
    member = models.Membership
    if await tx.scalar(select(member.id).where(member.user_id == user_id)) is not None:
        raise Refused(Code.CONFLICT, ALREADY_MEMBER, "token")
    tx.add(member(user_id=user_id, organization_id=invitation.organization_id))
    await tx.flush()
    await grant(tx, user_id, set(keys_of(invitation)))
    invitation.accepted_at = now()
    invitation.accepted_by_id = user_id
    invitation.token_hash = None
    await tx.flush()
