"""Permissions, invitations and features."""

from datetime import timedelta
from typing import Any

from caregraph.auth.secrets import token_hash
from caregraph.db.base import now
from caregraph.organizations import models
from kit import Principal


async def make_permission(user: Principal, key: str = "MANAGE_ORGANIZATION") -> models.GrantedPermission:
    """A permission that `user` holds."""
    async with user.world.writing(user) as tx:
        granted = models.GrantedPermission(user_id=user.row_id, key=key)
        tx.add(granted)
    return granted


async def make_invitation(
    inviter: Principal, email: str = "dina@away.example", *, token: str | None = None, **overrides: Any
) -> models.Invitation:
    """A pending invitation, as if its mail with `token` had been sent."""
    values = {"permission_keys": "CREATE_DEPLOYMENT", "expires_at": now() + timedelta(days=7), **overrides}
    async with inviter.world.writing(inviter) as tx:
        invitation = models.Invitation(
            email=email, invited_by_id=inviter.row_id, token_hash=token and token_hash(token), **values
        )
        tx.add(invitation)
    return invitation


async def make_feature(
    principal: Principal, name: str, *users: Principal, for_everyone: bool = False
) -> models.FeatureFlag:
    """A feature of the principal's organization, for `users` or for everyone."""
    async with principal.world.writing(principal) as tx:
        flag = models.FeatureFlag(name=name, for_everyone=for_everyone)
        tx.add(flag)
        await tx.flush()
        tx.add_all(models.FeatureUser(feature_flag_id=flag.id, user_id=one.row_id) for one in users)
    return flag
