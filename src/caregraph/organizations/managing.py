"""What keeps an organization manageable: somebody who may sign in and manage it must always remain."""

from sqlalchemy import or_, select

from caregraph.db.dependents import tenant_of
from caregraph.db.session import Tx
from caregraph.graph.errors import Code, Refused

from . import models
from .enums import PermissionKey

LAST_SUPERUSER = "The organization's last superuser must stay"
LAST_MANAGER = "The organization's last manager must stay"


async def hold_still(tx: Tx) -> None:
    """Take turns within the organization until the transaction ends: what is then read stays true.

    Rows may still be hung on the organization meanwhile, so that nothing else waits.
    """
    here = models.Organization.id == tenant_of(tx)
    await tx.execute(select(models.Organization.id).where(here).with_for_update(key_share=True))


async def keep_managed(tx: Tx, leaving: models.Membership) -> None:
    """Refuse if without `leaving` no enabled superuser, or nobody enabled who may manage, would be left."""
    await keep_a_superuser(tx, leaving)
    if (await _managers(tx)).keys() == {leaving.id}:
        raise Refused(Code.CONFLICT, LAST_MANAGER, "id")


async def keep_a_superuser(tx: Tx, yielding: models.Membership) -> None:
    """Refuse if `yielding` is the only enabled superuser."""
    superusers = {member_id for member_id, is_superuser in (await _managers(tx)).items() if is_superuser}
    if superusers == {yielding.id}:
        raise Refused(Code.CONFLICT, LAST_SUPERUSER, "id")


async def keep_a_manager(tx: Tx, yielding: models.Membership) -> None:
    """Refuse if `yielding` is the only one enabled who may manage, and no superuser, who manages without the key."""
    if await _managers(tx) == {yielding.id: False}:
        raise Refused(Code.CONFLICT, LAST_MANAGER, "id")


async def _managers(tx: Tx) -> dict[int, bool]:
    """Memberships that may sign in and manage, each with whether as a superuser; whoever changes them waits."""
    await hold_still(tx)
    member, granted = models.Membership, models.GrantedPermission
    may_sign_in = select(models.User.id).where(models.User.api_enabled)
    holders = select(granted.user_id).where(granted.key == PermissionKey.MANAGE_ORGANIZATION.value)
    found = await tx.execute(
        select(member.id, member.is_superuser).where(
            ~member.is_disabled,
            member.user_id.in_(may_sign_in),
            or_(member.is_superuser, member.user_id.in_(holders)),
        )
    )
    return {row.id: row.is_superuser for row in found}
