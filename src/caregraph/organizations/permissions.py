"""Permissions: what a member may do in an organization beside what the roles give, granted by those who manage it."""

from datetime import datetime
from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, select

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import FORBIDDEN, Code, Refused, RequestError
from caregraph.graph.fields import describe, field, method
from caregraph.graph.node import Node, node, row_id_of

from . import models
from .enums import PermissionKey
from .managing import hold_still, keep_a_manager

_user_id = row_id_of("User")


@node(models.GrantedPermission)
class GrantedPermission(Node):
    """A permission that a user was granted in an organization. Managers see everyone's, others their own.

    Superusers hold every permission without being granted any. A change holds from the next request on.
    """

    key: PermissionKey = field("What is permitted.")
    created_at: datetime = field("When it was granted.")
    updated_at: datetime = field("When it was last changed.")

    @method("The key in words.")
    async def name(self: models.GrantedPermission) -> str:
        """Gloo's `name`."""
        return self.key.replace("_", " ").capitalize()


async def of_user(
    _context: Context, *, user_id: Annotated[strawberry.ID, describe("Id of a user of your organization.")]
) -> ColumnElement[bool]:
    """Narrow a list of permissions to those of one user."""
    return models.GrantedPermission.user_id == (_user_id(user_id) or 0)


async def set_user_permissions(
    tx: Tx,
    viewer: Viewer,
    user: models.User,
    permission_keys: Annotated[
        list[PermissionKey], describe("All that the user is granted from now on; an empty list removes everything.")
    ],
) -> models.User:
    """Replace what a user is granted in your organization (`gloo.permissions.replace_for_user`).

    A manager may grant and take any of the keys, `MANAGE_ORGANIZATION` included; roles are not among them. What a
    superuser is granted is changed by superusers only. Somebody enabled who may manage must remain.
    """
    await hold_still(tx)
    membership = (await tx.scalars(select(models.Membership).where(models.Membership.user_id == user.id))).one_or_none()
    if membership is None:
        raise Refused(Code.NOT_FOUND, "User not found", "id")
    if membership.is_superuser and not viewer.may(Permission.MANAGE_USERS):
        raise RequestError("FORBIDDEN", FORBIDDEN)
    if PermissionKey.MANAGE_ORGANIZATION not in permission_keys:
        await keep_a_manager(tx, membership)
    await grant(tx, user.id, {key.value for key in permission_keys})
    return user


async def grant(tx: Tx, user_id: int, keys: set[str]) -> None:
    """Let a member hold exactly `keys`; those already held stay as they are."""
    granted = models.GrantedPermission
    held = {one.key: one for one in await tx.scalars(select(granted).where(granted.user_id == user_id))}
    for key in held.keys() - keys:
        await tx.delete(held[key])
    tx.add_all(granted(user_id=user_id, key=key) for key in sorted(keys - held.keys()))
    await tx.flush()
