"""Engines and sessions: one snapshot for a read, one transaction for a write, both bound to their viewer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, Dialect, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

from caregraph.auth.viewer import Viewer
from caregraph.settings import Settings

from . import changes, events, keyuse, scope
from .audit import Origin
from .direct import Text
from .encryption import Keyring, equip
from .events import Bus
from .finish import finished
from .lent import READS, WRITES, Lent
from .listening import Listener
from .pools import OPENED, CountingPool, keep_alive, keep_clean, keep_least
from .snapshots import Snapshot, opening
from .tally import count_commit
from .watch import watch

Tx = AsyncSession

APP_ROLE = "caregraph_app"
_OPEN = text(
    "SELECT set_config('role', :role, true), set_config('app.organization_id', :organization_id, true),"
    " set_config('app.organization_ids', :organization_ids, true),"
    " set_config('statement_timeout', :timeout, true)"
).execution_options(opens_transaction=True)


class ScopedSession(Session):
    """The only session class of the product: `db/scope.py` watches it, PostgreSQL's row rules know its tenant."""


scope.install(ScopedSession)
events.install(ScopedSession)
changes.install(ScopedSession)


@event.listens_for(ScopedSession, "after_begin")
def _bind_tenant(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    """Leave the owner's rights and name the tenant, both until the transaction ends."""
    if connection.dialect.name != "postgresql" or OPENED in connection.info:
        return
    viewer: Viewer = session.info["viewer"]
    connection.execute(
        _OPEN,
        {
            "role": APP_ROLE,
            "organization_id": "" if viewer.organization_id is None else str(viewer.organization_id),
            "organization_ids": "{" + ",".join(map(str, viewer.organization_ids)) + "}",
            "timeout": session.info["statement_timeout"],
        },
    )


class Database:
    """The connections of one process."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet: engines connect when first used."""
        self.url = make_url(settings.database_url)
        self._timeout = str(int(settings.statement_timeout * 1000))
        self.bus = Bus()
        self.keyring = Keyring(settings.encryption_keys)
        self._knows_keys = False
        self._listener = None if self.is_sqlite else Listener(self.url, self.bus)
        pool: dict[str, Any] = {
            "pool_size": settings.pool_size,
            "max_overflow": 0,
            "pool_timeout": settings.pool_timeout,
            "poolclass": CountingPool,
            "hide_parameters": True,  # values of a request never reach an error's text
        }
        if self.is_sqlite:
            pool["pool_reset_on_return"] = None  # `keep_clean` does it, where there may be something to undo
            self._reader = _sqlite(self.url, reads_only=True, **pool)
            # One writer per process: SQLite has one anyway, and waiting for the pool is fair where BUSY is not.
            self._writer = _sqlite(self.url, reads_only=False, **pool | {"pool_size": 1})
        else:
            self._writer = create_async_engine(self.url, **pool)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._autocommit = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            keep_least(self._writer, role=APP_ROLE, timeout=int(self._timeout))
            keep_alive(self._writer)
        for engine in self.engines:
            keep_clean(engine)
            equip(engine, self.keyring)
            watch(engine, seconds=settings.statement_timeout if self.is_sqlite else None)

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def engines(self) -> tuple[AsyncEngine, ...]:
        """The engines behind reads and writes, for measuring."""
        return (self._reader, self._writer) if self.is_sqlite else (self._writer,)

    @property
    def dialect(self) -> Dialect:
        """How statements are written for this database."""
        return self._reader.dialect

    def read_session(self, viewer: Viewer) -> AsyncSession:
        """A session whose first statement opens one read-only snapshot; close it to end it."""
        return self._session(self._reader, viewer)

    def snapshot(self, viewer: Viewer) -> Snapshot:
        """What `viewer` sees from its first read on; close it to give its connection back."""
        begin = READS if self.is_sqlite else opening(APP_ROLE, viewer, int(self._timeout))
        return Snapshot(self.lent(), lambda connection: self._session(connection, viewer), begin)

    def lent(self) -> Lent:
        """A connection for reading by statements on its driver."""
        return self._lent(self._reader if self.is_sqlite else self._autocommit)

    async def append(self, text: Text, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an insertion of what nobody may change with the values of each row, in a transaction of its own."""
        await self.check_keys()
        lent = self._lent(self._writer if self.is_sqlite else self._autocommit)
        try:
            await lent.append(text, rows)
        finally:
            await lent.close()

    def _lent(self, engine: AsyncEngine) -> Lent:
        return Lent(engine, (engine if self.is_sqlite else self._writer).sync_engine.dispatch)

    @asynccontextmanager
    async def writing(self, viewer: Viewer, *, origin: Origin | None = None) -> AsyncIterator[Tx]:
        """One transaction, committed unless an exception leaves the block. A commit once begun is not cut short.

        `origin` says by what the viewer changes something.
        """
        await self.check_keys()
        async with self._session(self._writer, viewer) as session:
            session.info["origin"] = origin
            await session.begin()
            try:
                yield session
                await session.run_sync(changes.record)  # before the commit begins: what fails here changed nothing
            except BaseException:
                await finished(session.rollback())
                raise
            if session.info["viewer"].organization_id is not None:  # nobody's writes are the server's own counting
                count_commit()
            await finished(session.commit())

    async def check_keys(self) -> None:
        """Raise unless this server has the encryption keys that the database was written with; asked once."""
        if self._knows_keys:
            return
        async with self._session(self._writer, Viewer.nobody()) as session:
            if not await keyuse.check(session, self.keyring):
                await keyuse.note(session, self.keyring)
                await keyuse.check(session, self.keyring)  # somebody may just have noted another key by this name
                await session.commit()
        self._knows_keys = True

    async def listen(self, timeout: float) -> None:  # noqa: ASYNC109 raised as the pool's own
        """Make sure that `bus` hears of every commit from now on, whichever process makes it."""
        if self._listener is not None:
            await self._listener.ready(timeout)

    async def close(self) -> None:
        """Close every connection."""
        if self._listener is not None:
            await self._listener.close()
        for engine in self.engines:
            await engine.dispose()

    def _session(self, engine: AsyncEngine | AsyncConnection, viewer: Viewer) -> AsyncSession:
        return AsyncSession(
            engine,
            sync_session_class=ScopedSession,
            expire_on_commit=False,
            info={"viewer": viewer, "statement_timeout": self._timeout, "bus": self.bus},
        )


def _sqlite(url: URL, *, reads_only: bool, **pool: Any) -> AsyncEngine:
    """An engine for SQLite with explicit transactions: the driver's own would end snapshots early."""
    engine = create_async_engine(url, connect_args={"isolation_level": None, "timeout": 10}, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # What is erased or encrypted afterwards does not stay readable in free pages of the file.
        safe = ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON")
        for pragma in ("journal_mode=WAL", "busy_timeout=10000", *safe):
            cursor.execute(f"PRAGMA {pragma}")
        # Without statistics SQLite reads a whole tenant for a few rows; this gathers them when they are missing or old.
        cursor.execute("PRAGMA query_only=ON" if reads_only else "PRAGMA optimize=0x10002")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A read snapshot cannot become a write: writers say so at once, or two of them fail with BUSY.
        if OPENED not in connection.info:
            connection.exec_driver_sql(READS if reads_only else WRITES)

    return engine
