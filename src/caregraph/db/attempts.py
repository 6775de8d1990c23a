"""Counting of sign-in attempts, in transactions of its own: a refused attempt still counts."""

from datetime import datetime, timedelta

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.auth.secrets import token_hash
from caregraph.auth.viewer import Viewer

from .base import Base, now
from .scope import UNSCOPED, everyone, rule
from .session import Database, Tx


class SignInAttempt(Base):
    """One attempt on one account or from one address; `subject` is a hash, so nobody is named here."""

    __tablename__ = "sign_in_attempts"
    is_bookkeeping = True
    __table_args__ = (Index(None, "subject", "attempted_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    attempted_at: Mapped[datetime] = mapped_column(default=now)


rule(SignInAttempt, resource=UNSCOPED)(everyone)


class Attempts:
    """Counts attempts per subject within a window."""

    def __init__(self, database: Database, *, window: int) -> None:
        """`window` in seconds."""
        self._database = database
        self._window = timedelta(seconds=window)

    async def record(self, **limits: tuple[str, int]) -> bool:
        """Record one attempt per kind of subject (`account=(email, 10)`); whether all are within their limits.

        Recording comes before counting, so that simultaneous attempts count each other.
        """
        since = now() - self._window
        subjects = [_subject(kind, name) for kind, (name, _) in limits.items()]
        async with self._database.writing(Viewer.nobody()) as tx:
            await tx.execute(delete(SignInAttempt).where(SignInAttempt.attempted_at < since))
            tx.add_all(SignInAttempt(subject=subject) for subject in subjects)
        counts = await self.counted(**{kind: name for kind, (name, _) in limits.items()})
        return all(counts[kind] <= limit for kind, (_, limit) in limits.items())

    async def counted(self, **names: str) -> dict[str, int]:
        """How many attempts there were within the window, per kind of subject; without recording one."""
        since = now() - self._window
        async with self._database.read_session(Viewer.nobody()) as session:
            return {
                kind: await session.scalar(
                    select(func.count()).where(
                        SignInAttempt.subject == _subject(kind, name), SignInAttempt.attempted_at >= since
                    )
                )
                or 0
                for kind, name in names.items()
            }

    async def spend(self, tx: Tx, **limits: tuple[str, int]) -> bool:
        """Count one use per kind of subject inside `tx`; whether all are within their limits.

        For what is only counted when it happens: a transaction that is undone has spent nothing.
        """
        since = now() - self._window
        for kind, (name, limit) in limits.items():
            subject = _subject(kind, name)
            uses = select(func.count()).where(SignInAttempt.subject == subject, SignInAttempt.attempted_at >= since)
            if (await tx.scalar(uses) or 0) >= limit:
                return False
            tx.add(SignInAttempt(subject=subject))
        return True

    async def forget(self, **names: str) -> None:
        """Forget the attempts on subjects that have signed in."""
        subjects = [_subject(kind, name) for kind, name in names.items()]
        async with self._database.writing(Viewer.nobody()) as tx:
            await tx.execute(delete(SignInAttempt).where(SignInAttempt.subject.in_(subjects)))


def _subject(kind: str, name: str) -> str:
    return token_hash(f"{kind}:{name}")
