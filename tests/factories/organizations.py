"""Locations, people of several organizations, managers, groups of users, permissions, invitations, features."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from caregraph.auth.secrets import token_hash
from caregraph.auth.tokens import SignIn
from caregraph.auth.viewer import APPLICATION_PERMISSIONS, IDENTITY_PERMISSIONS, Identity, Viewer
from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.organizations import models
from caregraph.people.models import Group, UserGroup
from kit import Principal, World


async def make_location(principal: Principal, name: str = "Annex", **overrides: Any) -> models.Location:
    """A location of the principal's organization."""
    async with principal.world.writing(principal) as tx:
        location = models.Location(name=name, **overrides)
        tx.add(location)
    return location


def acting_in(principal: Principal, organization_id: int) -> Principal:
    """The same person, saying where they act."""
    headers = {**principal.headers, "X-Organization": global_id("Organization", organization_id)}
    return replace(principal, headers=headers, organization_id=organization_id)


async def employ(principal: Principal, organization_id: int, **membership: bool) -> Principal:
    """The principal as a member of another organization too, acting there."""
    there = acting_in(principal, organization_id)
    async with there.world.writing(there) as tx:
        tx.add(models.Membership(user_id=principal.row_id, **membership))
    return there


async def make_wanderer(world: World, **membership: bool) -> tuple[Principal, Principal, Principal]:
    """Wanda, an ordinary user of Northfield who also works in Harbor: acting in the one, in the other, and in none."""
    wanda = await world.member(1, "wanda@northfield.example", "Wanda Wolf")
    return acting_in(wanda, 1), await employ(wanda, 2, **membership), wanda


async def grant(principal: Principal, *keys: str) -> Principal:
    """The principal, with permissions in their organization."""
    async with principal.world.writing(principal) as tx:
        tx.add_all(models.GrantedPermission(user_id=principal.row_id, key=key) for key in keys)
    return principal


async def make_manager(world: World) -> Principal:
    """Mona, who manages Northfield without being superuser."""
    return await grant(await world.member(1, "mona@northfield.example", "Mona Marsh"), "MANAGE_ORGANIZATION")


async def make_group(principal: Principal, name: str, *users: Principal) -> Group:
    """A group with some users in it."""
    async with principal.world.writing(principal) as tx:
        group = Group(name=name)
        tx.add(group)
        await tx.flush()
        tx.add_all(UserGroup(user_id=one.row_id, group_id=group.id) for one in users)
    return group


@contextmanager
def signed_in_as(monkeypatch: pytest.MonkeyPatch, viewer: Viewer) -> Iterator[None]:
    """Every request of the block comes from `viewer`, whatever its headers."""

    async def answer(_self: SignIn, _headers: Any) -> Viewer:
        return viewer

    with monkeypatch.context() as patch:
        patch.setattr(SignIn, "viewer", answer)
        yield


def application(organization_id: int) -> Viewer:
    """A program that acts in an organization with everything programs may."""
    return Viewer(
        organization_id=organization_id,
        organization_ids=(organization_id,),
        application_id=1,
        permissions=APPLICATION_PERMISSIONS,
    )


def stranger(email: str = "nia@new.example", full_name: str | None = "Nia New") -> Viewer:
    """A person without an account, whom an identity provider vouches for."""
    identity = Identity(email=email, subject="idp-nia", full_name=full_name)
    return Viewer(identity=identity, permissions=IDENTITY_PERMISSIONS)


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
