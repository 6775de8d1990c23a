"""What the mails of organizations say, and what their rows learn of them."""

from sqlalchemy import select

from caregraph.auth.secrets import new_token, token_hash
from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.mail import Mail, plain

from . import models
from .enums import Delivery

_INVITATION = """Hello{name},

{inviter} you to work in the organization {organization}.

To accept, open this link until {expires:%d %B %Y, %H:%M} UTC:

    {link}

It works once. If you did not expect this mail, leave it: nothing happens then.
"""


class InvitationLetter:
    """The mail with which an invitation is sent. Its token is made here, so that it is stored nowhere in the clear."""

    kind = "invitation"

    def __init__(self, *, public_url: str) -> None:
        """`public_url` of the front end. What follows `#` reaches neither its server's logs nor other sites."""
        self._public_url = public_url.rstrip("/")

    async def compose(self, tx: Tx, subject_id: int) -> Mail | None:
        """The mail with a new token; the one before it, if any, opens nothing any more."""
        invitation = await _open(tx, subject_id)
        if invitation is None:
            return None
        token = new_token()
        invitation.token_hash = token_hash(token)
        inviter = await tx.get(models.User, invitation.invited_by_id) if invitation.invited_by_id else None
        name = plain(invitation.first_name or "")
        organization = plain(invitation.organization_name)
        text = _INVITATION.format(
            name=f" {name}" if name else "",
            inviter=f"{plain(inviter.full_name)} invites" if inviter else "We invite",
            organization=organization,
            expires=invitation.expires_at,
            link=f"{self._public_url}/#invitation={token}",
        )
        return Mail(to=invitation.email, subject=f"Invitation to {organization}", text=text)

    async def sent(self, tx: Tx, subject_id: int) -> None:
        """When it was, for those who wait."""
        invitation = await _open(tx, subject_id)
        if invitation is not None:
            invitation.delivery = Delivery.SENT
            invitation.last_sent_at = now()

    async def given_up(self, tx: Tx, subject_id: int) -> None:
        """That it was, for those who can correct the address."""
        invitation = await _open(tx, subject_id)
        if invitation is not None:
            invitation.delivery = Delivery.FAILED


async def _open(tx: Tx, row_id: int) -> models.Invitation | None:
    """The invitation unless it is gone, accepted or expired, held still."""
    row = models.Invitation
    statement = select(row).where(row.id == row_id, row.accepted_at.is_(None), row.expires_at > now())
    found: models.Invitation | None = await tx.scalar(statement.with_for_update())
    return found
