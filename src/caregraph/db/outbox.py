"""Mails on their way: noted in the transaction that wants them sent, sent after it has committed.

A note says which kind of mail is due about which row, and nothing of its text: what the mail says, and any secret in
it, is made when it is sent. Whoever takes a note has it for a while; one whose sender dies is taken again. So a mail
whose wish was committed is sent at least once, or given up visibly.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ForeignKey, Index, UniqueConstraint, delete, event, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.auth.viewer import Viewer
from caregraph.mail import Mail, MailError, Sender, UndeliverableError

from .base import Base, Timestamped, now
from .scope import UNSCOPED, everyone, rule
from .session import Database, Tx

LOG = logging.getLogger("caregraph.outbox")

DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720))
"""How long to wait after each failure; after the last try the mail is given up."""

LEASE = timedelta(minutes=5)
"""How long a note belongs to who took it; sending ends well before."""

_LONGEST_SENDING = 60
_AT_ONCE = 20
_PAUSE = 5


class OutgoingMail(Timestamped, Base):
    """A mail that is to be sent: about row `subject_id` of an organization, of a kind that a `Letter` writes."""

    __tablename__ = "outgoing_mails"
    is_bookkeeping = True
    __table_args__ = (
        UniqueConstraint("kind", "subject_id", info={"message": "A mail is on its way already", "path": None}),
        Index(None, "due_at", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    kind: Mapped[str]
    subject_id: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    taken_by: Mapped[str | None]
    """Drawn anew by each who takes it: SQLite gives the number of a deleted row to the next."""


# Ids only, read across organizations by whoever sends; nothing in the graph shows them.
rule(OutgoingMail, resource=UNSCOPED)(everyone)


class Letter(Protocol):
    """A kind of mail: what it says about a row, and what the row learns of it. Each in a transaction of its tenant."""

    async def compose(self, tx: Tx, subject_id: int) -> Mail | None:
        """The mail as things are now; null if none is due any more."""

    async def sent(self, tx: Tx, subject_id: int) -> None:
        """A mail server has taken it."""

    async def given_up(self, tx: Tx, subject_id: int) -> None:
        """It was tried for the last time."""


@dataclass(frozen=True)
class _Taken:
    mail_id: int
    organization_id: int
    kind: str
    subject_id: int
    attempts: int
    claim: str
    mail: Mail


class Outbox:
    """Notes mails and sends what is due. Several processes may send from one database."""

    def __init__(self, database: Database, sender: Sender, letters: Mapping[str, Letter]) -> None:
        """`letters` by the kind of mail."""
        self._database = database
        self._sender = sender
        self._letters = letters
        self._woken = asyncio.Event()

    async def post(self, tx: Tx, kind: str, subject: Any) -> None:
        """Have a mail about row `subject` sent once `tx` is committed, in place of one that is still on its way."""
        await self.withdraw(tx, kind, subject)
        tx.add(OutgoingMail(organization_id=subject.organization_id, kind=kind, subject_id=subject.id))
        await tx.flush()
        event.listen(tx.sync_session, "after_commit", lambda _session: self._woken.set(), once=True)

    async def withdraw(self, tx: Tx, kind: str, subject: Any) -> None:
        """Forget a mail that is still on its way."""
        mine = (OutgoingMail.kind == kind, OutgoingMail.subject_id == subject.id)
        await tx.execute(delete(OutgoingMail).where(*mine))

    async def run(self) -> None:
        """Send for ever: at once what this process posts, after a pause what others left."""
        while True:
            self._woken.clear()
            try:
                tried = await self.deliver()
            except (SQLAlchemyError, OSError):
                LOG.warning("mails could not be looked for; trying again")
                tried = 0
            if not tried:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _PAUSE)

    async def deliver(self) -> int:
        """Try everything that is due; how many mails were tried."""
        tried = 0
        for mail_id, organization_id in await self._due():
            taken = await self._take(mail_id, organization_id)
            if taken is not None:
                await self._send(taken)
                tried += 1
        return tried

    async def _due(self) -> Sequence[Any]:
        async with self._database.read_session(Viewer.nobody()) as session:
            due = select(OutgoingMail.id, OutgoingMail.organization_id).where(OutgoingMail.due_at <= now())
            found = await session.execute(due.order_by(OutgoingMail.due_at, OutgoingMail.id).limit(_AT_ONCE))
            return [tuple(row) for row in found]

    async def _take(self, mail_id: int, organization_id: int) -> _Taken | None:
        """Write the mail and keep others off it; null if somebody else has it, or none is due any more."""
        async with self._database.writing(Viewer.system(organization_id)) as tx:
            note = await tx.scalar(
                select(OutgoingMail)
                .where(OutgoingMail.id == mail_id, OutgoingMail.due_at <= now())
                .with_for_update(skip_locked=True)
            )
            if note is None:
                return None
            mail = await self._letters[note.kind].compose(tx, note.subject_id)
            if mail is None:
                await tx.delete(note)
                return None
            note.attempts += 1
            note.due_at = now() + LEASE
            note.taken_by = claim = secrets.token_hex(8)
            return _Taken(mail_id, organization_id, note.kind, note.subject_id, note.attempts, claim, mail)

    async def _send(self, taken: _Taken) -> None:
        try:
            async with asyncio.timeout(_LONGEST_SENDING):
                await self._sender.send(taken.mail)
        except (MailError, TimeoutError) as error:
            is_last = isinstance(error, UndeliverableError) or taken.attempts > len(DELAYS)
            fields = {"kind": taken.kind, "attempts": taken.attempts, "error": type(error).__name__}
            LOG.warning("a mail was given up" if is_last else "a mail was not taken", extra={"fields": fields})
            await self._settle(taken, self._letters[taken.kind].given_up if is_last else None)
        else:
            await self._settle(taken, self._letters[taken.kind].sent)

    async def _settle(self, taken: _Taken, tell: Any) -> None:
        """End the note and `tell` its row, or leave it for later. Whoever lost the note meanwhile has no say."""
        mine = (OutgoingMail.id == taken.mail_id, OutgoingMail.taken_by == taken.claim)
        async with self._database.writing(Viewer.system(taken.organization_id)) as tx:
            if tell is None:
                later = now() + DELAYS[taken.attempts - 1]
                await tx.execute(update(OutgoingMail).where(*mine).values(due_at=later))
            elif (await tx.execute(delete(OutgoingMail).where(*mine).returning(OutgoingMail.id))).first() is not None:
                await tell(tx, taken.subject_id)
