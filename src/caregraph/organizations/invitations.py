"""Invitations: asking people by mail to work in an organization."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, func, select

from caregraph.auth.viewer import Viewer
from caregraph.db.attempts import Attempts
from caregraph.db.base import now
from caregraph.db.outbox import Outbox
from caregraph.db.session import Tx
from caregraph.graph.context import Context, Info
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe, field, method
from caregraph.graph.inputs import required, value
from caregraph.graph.loaders import RowById
from caregraph.graph.locking import lock
from caregraph.graph.node import Node, global_id, node, row_id_of
from caregraph.graph.scalars import EmailAddress
from caregraph.graph.search import contains
from caregraph.mail import is_mailable
from caregraph.refs import UserRef

from . import models
from .enums import Delivery, PermissionKey
from .letters import InvitationLetter
from .managing import hold_still

ALREADY_MEMBER = "This person is a member already"
_MAILS_TO_ONE = 3
_location_id = row_id_of("Location")


@node(
    models.Invitation,
    order_by=(
        models.Invitation.email,
        models.Invitation.first_name,
        models.Invitation.last_name,
        models.Invitation.created_at,
        models.Invitation.updated_at,
        models.Invitation.last_sent_at,
    ),
)
class Invitation(Node):
    """A person asked by mail to work in an organization.

    Managers see those of their organization; whoever holds its token sees the one, until it is accepted or expires.
    The token is in the mail only: not even its hash is told, so nothing can be ordered by it.
    """

    email: EmailAddress = field("Where the mail goes, in lower case; who accepts must be known by it.")
    first_name: str | None = field("First name, as whoever invites knows it.")
    last_name: str | None = field("Last name, as whoever invites knows it.")
    organization_name: str = field("Name of the organization.")
    created_at: datetime = field("When the person was invited.")
    updated_at: datetime = field("When anything here last changed.")
    last_sent_at: datetime | None = field("When a mail server last took the mail; null: none has yet.")
    delivery: Delivery = field("Where the mail is.")
    expires_at: datetime = field("Until when it can be accepted; sending it again puts this off.")
    accepted_at: datetime | None = field("When it was accepted; null: it is pending.")

    @method("Id of the organization, for `X-Organization` once it is accepted.")
    async def organization_id(self: models.Invitation) -> strawberry.ID:
        """Global, as every id."""
        return strawberry.ID(global_id("Organization", self.organization_id))

    @method("What the person will be granted.")
    async def permission_keys(self: models.Invitation) -> list[PermissionKey]:
        """Kept as text."""
        return [PermissionKey(key) for key in keys_of(self)]

    @method("Id of the location at which the person will work, by default the headquarters; null: none.")
    async def location_id(self: models.Invitation) -> strawberry.ID | None:
        """Gloo's `location_xid`."""
        return None if self.location_id is None else strawberry.ID(global_id("Location", self.location_id))

    @method("Who invited; null if they are no member any more, or you none yet.")
    async def invited_by(self: models.Invitation, info: Info) -> UserRef | None:
        """A number without a foreign key: the invitation outlasts who made it."""
        inviter = self.invited_by_id
        return None if inviter is None else await info.context.load(RowById(models.User), inviter)


@strawberry.input(description="Whom to invite.")
class InvitationInput:
    """`gloo.invitations.create`."""

    email: EmailAddress = required("Where the mail goes.", longest=254)
    first_name: str | None = value("First name.")
    last_name: str | None = value("Last name.")
    permission_keys: list[PermissionKey] | None = value("What the person will be granted; nothing by default.")
    location_id: strawberry.ID | None = value("Id of the Location to work at; by default the headquarters.")


def keys_of(invitation: models.Invitation) -> list[str]:
    """The permission keys that an invitation carries."""
    return invitation.permission_keys.split(",") if invitation.permission_keys else []


async def pending(
    _context: Context,
    *,
    search: Annotated[str | None, describe("Text in e-mail, first or last name, in any case.")] = None,
) -> ColumnElement[bool] | None:
    """Narrow to invitations that nobody has accepted, expired ones among them."""
    is_open = models.Invitation.accepted_at.is_(None)
    found = contains(models.Invitation, search)
    return is_open if found is None else and_(is_open, found)


async def create_invitation(tx: Tx, context: Context, viewer: Viewer, input: InvitationInput) -> models.Invitation:  # noqa: A002
    """Invite somebody to your organization by mail, which is sent after this has succeeded (`gloo.invitations.create`).

    What accepting grants is what a manager may grant; roles are not among it. Refused for members and for who has a
    pending invitation. Nothing tells whether the e-mail has an account elsewhere.
    """
    email = input.email.casefold()
    if not is_mailable(email):
        raise Refused(Code.INVALID, "mail cannot be sent to this address", "input", "email")
    await hold_still(tx)
    if await tx.scalar(select(models.User.id).where(models.User.email == email)) is not None:
        raise Refused(Code.CONFLICT, ALREADY_MEMBER, "input", "email")
    await _demand_room(tx, context, email)
    keys = {key.value for key in input.permission_keys or ()}
    invitation = models.Invitation(
        email=email,
        first_name=input.first_name or None,
        last_name=input.last_name or None,
        permission_keys=",".join(sorted(keys)),
        location_id=await _location(tx, viewer, input.location_id or None),
        invited_by_id=viewer.user_id,
        expires_at=_expiry(context),
    )
    tx.add(invitation)
    await tx.flush()
    await _send(tx, context, viewer, invitation)
    return invitation


async def resend_invitation(
    tx: Tx, context: Context, viewer: Viewer, invitation: models.Invitation
) -> models.Invitation:
    """Send the mail of an invitation again, with a new token and time to accept (`gloo.invitations.resend`).

    The mail before opens nothing from now on. `lastSentAt` moves when a mail server has taken the new one. Refused with
    `LIMIT` within a minute, by default, of the last time.
    """
    await hold_still(tx)
    await _demand_pending(tx, invitation)
    if invitation.asked_at > now() - timedelta(seconds=context.settings.invitation_pause):
        raise Refused(Code.LIMIT, "It was sent just now: wait before you send it again", "id")
    invitation.token_hash = None
    invitation.delivery = Delivery.WAITING
    invitation.asked_at = now()
    invitation.expires_at = _expiry(context)
    await tx.flush()
    await _send(tx, context, viewer, invitation)
    return invitation


async def delete_invitation(tx: Tx, context: Context, invitation: models.Invitation) -> None:
    """Delete an invitation: its token opens nothing any more (`gloo.invitations.delete`). Who accepted it stays."""
    await context.the(Outbox).withdraw(tx, InvitationLetter.kind, invitation)
    await tx.delete(invitation)


async def _demand_room(tx: Tx, context: Context, email: str) -> None:
    """Refuse a second invitation of the same person, and more than an organization may have."""
    row, most = models.Invitation, context.settings.pending_invitations
    if await tx.scalar(select(row.id).where(row.email == email, row.accepted_at.is_(None)).limit(1)) is not None:
        raise Refused(Code.CONFLICT, "This person is invited already: send that invitation again", "input", "email")
    if (await tx.scalar(select(func.count()).select_from(row).where(row.accepted_at.is_(None))) or 0) >= most:
        raise Refused(Code.LIMIT, f"At most {most} invitations may be pending: delete some first")


async def _demand_pending(tx: Tx, invitation: models.Invitation) -> None:
    """Hold the invitation still; one that was accepted is none any more."""
    await lock(tx, invitation)
    await tx.refresh(invitation)
    if invitation.accepted_at is not None:
        raise Refused(Code.CONFLICT, "This invitation has been accepted", "id")


async def _location(tx: Tx, viewer: Viewer, text: str | None) -> int | None:
    """The location meant, or the headquarters; of the organization in which the request acts."""
    row = models.Location
    here = select(row.id).where(row.organization_id == viewer.organization_id)
    if text is None:
        headquarters: int | None = await tx.scalar(here.where(row.is_headquarters).order_by(row.id).limit(1))
        return headquarters
    found: int | None = await tx.scalar(here.where(row.id == (_location_id(text) or 0)))
    if found is None:
        raise Refused(Code.NOT_FOUND, "Location not found", "input", "locationId")
    return found


async def _send(tx: Tx, context: Context, viewer: Viewer, invitation: models.Invitation) -> None:
    """Have the mail sent, unless too many were."""
    here = str(viewer.organization_id)
    within_limits = await context.the(Attempts).spend(
        tx,
        invitations=(here, context.settings.invitation_mails),
        invited=(f"{here}:{invitation.email}", _MAILS_TO_ONE),
    )
    if not within_limits:
        raise Refused(Code.LIMIT, "Too many invitations were sent: try again later")
    await context.the(Outbox).post(tx, InvitationLetter.kind, invitation)


def _expiry(context: Context) -> datetime:
    return now() + timedelta(seconds=context.settings.invitation_lifetime)
