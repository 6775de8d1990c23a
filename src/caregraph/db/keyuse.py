"""Which encryption keys a database was written with, so that no server works on it without them or with others.

A key's name and a proof derived from it are noted before anything is encrypted under it, and struck out when rotation
has left nothing under it.
"""

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Timestamped, table_of
from .encryption import SETTING, Keyring
from .scope import UNSCOPED, everyone, rule


class EncryptionKeyError(Exception):
    """The database was written with keys that this server does not have. The message says which."""


class EncryptionKey(Timestamped, Base):
    """A key that values may be stored under. The proof is derived from it and gives nothing away."""

    __tablename__ = "encryption_keys"
    name: Mapped[str] = mapped_column(primary_key=True)
    proof: Mapped[str]


rule(EncryptionKey, resource=UNSCOPED)(everyone)


async def check(session: AsyncSession, keyring: Keyring) -> bool:
    """Raise unless `keyring` has every key in use; whether its first is among them."""
    rows = await session.execute(select(EncryptionKey).execution_options(signs_in=True))
    used = {row.name: row.proof for row in rows.scalars()}
    for name, proof in used.items():
        if name not in keyring.keys:
            raise EncryptionKeyError(
                f"The database holds values under the encryption key {name}, which is not in {SETTING}"
            )
        if keyring.keys[name].proof != proof:
            raise EncryptionKeyError(
                f"The encryption key {name} in {SETTING} is another than the database was written with"
            )
    return keyring.first is None or keyring.first.name in used


async def note(session: AsyncSession, keyring: Keyring) -> None:
    """Note the first key as one in use, unless somebody did."""
    if keyring.first is not None:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        values = {"name": keyring.first.name, "proof": keyring.first.proof}
        await session.execute(
            dialect.insert(EncryptionKey).values(values).on_conflict_do_nothing().execution_options(signs_in=True)
        )


async def strike_out(session: AsyncSession, keyring: Keyring) -> None:
    """Forget every key but the first: nothing is stored under them any more."""
    first = keyring.first.name if keyring.first is not None else ""
    await session.execute(delete(EncryptionKey).where(table_of(EncryptionKey).c.name != first))
