"""The verbs of groups: who is in which. A name stands for a group as an id does; one that no group has makes one."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import demand_write
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.deletion import delete_row
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.links import replace_links
from caregraph.graph.locking import lock
from caregraph.graph.node import parse_id
from caregraph.organizations.models import User

from . import models
from .inputs import GroupLink

STAYS = "The client must stay in one of your groups"


async def set_client_groups(
    tx: Tx,
    context: Context,
    client: models.Client,
    groups: Annotated[list[GroupLink], describe("All groups from now on, at most 100; an empty list removes all.")],
) -> models.Client:
    """Replace a client's groups, named by id or by name (`fitbit.patients`, `meta.query`).

    A name that no group has makes one, for those who may create groups; for others it is not found. Credentials of
    groups replace only those that they hold, one of which must remain.
    """
    await lock(tx, client)
    rows = await _linked(tx, context, groups)
    if not rows:
        _must_stay(context.viewer, "groups")
    await replace_links(tx, models.ClientGroup, "group_id", rows, client_id=client.id)
    return client


async def add_client(tx: Tx, client: models.Client, group: models.Group) -> models.Client:
    """Put a client into a group; one who is in it stays."""
    await lock(tx, client)
    if await tx.get(models.ClientGroup, (client.id, group.id)) is None:
        tx.add(models.ClientGroup(client_id=client.id, group_id=group.id))
        await tx.flush()
    return client


async def remove_client(tx: Tx, viewer: Viewer, client: models.Client, group: models.Group) -> models.Client:
    """Take a client out of a group; one who is not in it stays away.

    Credentials of groups cannot take a client out of the last group that they hold.
    """
    await lock(tx, client)
    place = models.ClientGroup.client_id == client.id
    held = set(await tx.scalars(select(models.ClientGroup.group_id).where(place)))
    if held == {group.id}:
        _must_stay(viewer, "groupId")
    await tx.execute(delete(models.ClientGroup).where(place, models.ClientGroup.group_id == group.id))
    return client


async def set_user_groups(
    tx: Tx,
    user: User,
    groups: Annotated[list[models.Group], describe("Ids of all groups from now on; an empty list removes all.")],
) -> User:
    """Replace the groups that a user works with; they say nothing about whom the user sees (`fitbit.coaches`)."""
    await replace_links(tx, models.UserGroup, "group_id", groups, user_id=user.id)
    return user


async def delete_group(
    tx: Tx,
    group: models.Group,
    force: Annotated[bool, describe("Delete although clients are in it; they stay.")] = False,
) -> None:
    """Delete a group. Refused while clients are in it, unless forced; users' places in it go along."""
    await delete_row(tx, group, force=force, forcing="take them out of it")


def _must_stay(viewer: Viewer, argument: str) -> None:
    """Whoever sees clients through groups would lose sight of one without knowing where to."""
    if viewer.group_ids is not None:
        raise Refused(Code.CONFLICT, STAYS, argument)


async def _linked(tx: Tx, context: Context, links: Sequence[GroupLink]) -> list[models.Group]:
    """The groups that `links` speak of, each once, in their order."""
    wanted = [_wanted(context.viewer, link, place) for place, link in enumerate(links)]
    ids, names = ({one for one in wanted if isinstance(one, kind)} for kind in (int, str))
    of_them = or_(models.Group.id.in_(ids), models.Group.name.in_(names))
    found: dict[int | str, models.Group] = {}
    for group in await tx.scalars(select(models.Group).where(of_them)):
        found |= {group.id: group, group.name: group}
    if context.viewer.may(Permission.ORGANIZATION) and context.viewer.group_ids is None:
        for name in sorted(name for name in names if name not in found):  # one order: nobody waits for each other
            found[name] = await _made(tx, context, str(name))
    for place, one in enumerate(wanted):
        if one not in found:
            path = ("id",) if isinstance(one, int) else ("query", "name")
            raise Refused(Code.NOT_FOUND, "Group not found", "groups", f"{place}", *path)
    return list({found[one].id: found[one] for one in wanted}.values())


def _wanted(viewer: Viewer, link: GroupLink, place: int) -> int | str:
    """The id or the name that a link names."""
    if bool(link.id) == bool(link.query):
        raise Refused(Code.INVALID, "must have either id or query", "groups", f"{place}")
    if link.query:
        if parse_id(link.query.organization_id) != ("Organization", viewer.organization_id):
            path = ("groups", f"{place}", "query", "organizationId")
            raise Refused(Code.NOT_FOUND, "Organization not found", *path)
        return link.query.name
    name, row_id = parse_id(link.id or "") or ("", 0)
    return row_id if name == "Group" else 0


async def _made(tx: Tx, context: Context, name: str) -> models.Group:
    """A new group, or the one that somebody else has made at the same moment: the name is unique, so there is one."""
    demand_write(models.Group, context.viewer)
    group = models.Group(name=name)
    try:
        async with tx.begin_nested():
            tx.add(group)
            await tx.flush()
    except IntegrityError:
        found = await tx.scalar(select(models.Group).where(models.Group.name == name))
        if found is None:
            raise
        return found
    return group
