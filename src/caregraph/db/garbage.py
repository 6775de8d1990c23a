"""Objects whose row is gone: a trigger notes their keys, whatever deleted the row, and a sweep removes them."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.auth.viewer import Viewer

from .base import Base
from .scope import UNSCOPED, everyone, rule
from .session import Database
from .storage import Storage

_AT_ONCE = 100


class FileGarbage(Base):
    """The random key of an object that no row names any more."""

    __tablename__ = "file_garbage"
    is_bookkeeping = True
    id: Mapped[int] = mapped_column(primary_key=True)
    storage_key: Mapped[str]


rule(FileGarbage, resource=UNSCOPED)(everyone)


async def sweep(database: Database, storage: Storage) -> int:
    """Remove noted objects, then their notes; how many. One that cannot be removed now stays noted."""
    nobody = Viewer.nobody()
    async with database.read_session(nobody) as session:
        noted = (await session.scalars(select(FileGarbage).order_by(FileGarbage.id).limit(_AT_ONCE))).all()
    for one in noted:
        await storage.delete(one.storage_key)
    if noted:
        async with database.writing(nobody) as tx:
            await tx.execute(delete(FileGarbage).where(FileGarbage.id.in_([one.id for one in noted])))
    return len(noted)
