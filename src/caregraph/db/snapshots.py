"""Snapshots: one read-only transaction of one viewer on one connection, opened by its first read.

On PostgreSQL one round trip begins the transaction, takes the rights of `APP_ROLE` and names the tenants; the values
are literals there, the only ones in a statement of ours, and numbers. SQLAlchemy does not know of this transaction (its
connection is in autocommit), so it is ended here, and once more by the pool when a connection comes back with it
(`pools.keep_clean`). On SQLite `BEGIN` travels with the first read. Statements that SQLAlchemy executes see the same
snapshot through `session`.

PostgreSQL plans a prepared statement anew for each execution whose values might make a difference, which takes several
times as long as reading a few rows by their keys. Those have one best plan, so a snapshot that begins with such a
statement keeps plans, until one comes that may need its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from caregraph.auth.viewer import Viewer

from .direct import Text
from .lent import Bind, Lent

_BEGIN = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT set_config('role', '{role}', true),"
    " set_config('app.organization_id', '{organization_id}', true),"
    " set_config('app.organization_ids', '{{{organization_ids}}}', true),"
    " set_config('statement_timeout', '{timeout:d}', true)"
)
_KEEP_PLANS = ", set_config('plan_cache_mode', 'force_generic_plan', true)"
_PLAN_EACH = "SET LOCAL plan_cache_mode = auto"


def opening(role: str, viewer: Viewer, timeout: int) -> str:
    """What begins a snapshot of one viewer on PostgreSQL; `timeout` is that of one statement, in milliseconds."""
    tenant = "" if viewer.organization_id is None else int(viewer.organization_id)
    tenants = ",".join(str(int(one)) for one in viewer.organization_ids)
    return _BEGIN.format(role=role, organization_id=tenant, organization_ids=tenants, timeout=timeout)


class Snapshot:
    """What one viewer sees at one moment."""

    def __init__(self, lent: Lent, bound: Bind, opening: str) -> None:
        """`bound` makes a session on a connection, `opening` begins the transaction."""
        self._lent = lent
        self._bound = bound
        self._opening = opening
        self._is_open = self._keeps_plans = False

    async def rows(self, text: Text, values: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of a statement of our own, as the driver gives them."""
        await self._open(keeps_plans=text.is_by_keys)
        return await self._lent.rows(text, values)

    async def session(self) -> AsyncSession:
        """A session in this snapshot, for statements that SQLAlchemy executes."""
        await self._open(keeps_plans=False)
        return await self._lent.session(self._bound)

    async def close(self) -> None:
        """End the transaction and give the connection back."""
        await self._lent.close()

    async def _open(self, *, keeps_plans: bool) -> None:
        if not self._is_open:
            self._keeps_plans = keeps_plans and not self._lent.is_sqlite
            await self._lent.begin(self._opening + (_KEEP_PLANS if self._keeps_plans else ""))
            self._is_open = True
        elif self._keeps_plans and not keeps_plans:
            await self._lent.begin(_PLAN_EACH)
            self._keeps_plans = False
