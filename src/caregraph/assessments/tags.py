"""The verbs of tags: making them, and putting them on content of one's own. They change nothing that others rely on."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Tx
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.inputs import Changes
from caregraph.graph.links import replace_links
from caregraph.graph.locking import lock
from caregraph.graph.resource import apply

from . import models
from .item_inputs import TagInput
from .rules import must_be_own

LINKS: dict[type[Any], Any] = {
    models.Assessment: models.AssessmentTag,
    models.Domain: models.DomainTag,
    models.Item: models.ItemTag,
    models.Scale: models.ScaleTag,
}
Verb = Callable[..., Awaitable[Any]]


async def update_tag(tx: Tx, viewer: Viewer, tag: models.Tag, input: Changes[TagInput]) -> models.Tag:  # noqa: A002
    """Change a tag of your organization."""
    must_be_own(viewer, tag)
    apply(tag, input)
    await tx.flush()
    return tag


async def delete_tag(
    tx: Tx,
    viewer: Viewer,
    tag: models.Tag,
    force: Annotated[bool, describe("Delete although it stands on content of yours; it is taken off.")] = False,
) -> None:
    """Delete a tag of your organization. Refused while it stands on content, unless forced.

    It stays as long as it stands on another organization's.
    """
    must_be_own(viewer, tag)
    await lock(tx, tag)
    for link in LINKS.values():
        own = (link.tag_id == tag.id) & (link.organization_id == tag.organization_id)
        if not force and (await tx.scalars(select(link.tag_id).where(own).limit(1))).first() is not None:
            raise Refused(Code.CONFLICT, "The tag stands on content: set force to take it off", "force")
        await tx.execute(delete(link).where(own))
    try:
        async with tx.begin_nested():
            await tx.delete(tag)
    except IntegrityError as error:
        raise Refused(Code.CONFLICT, "The tag stands on content of another organization", "id") from error


def adding_to(content: type[Any]) -> Verb:
    """The verb that puts a tag on a kind of content."""
    link, column = LINKS[content], _column(content)

    async def add(tx: Tx, viewer: Viewer, row: Any, tag: models.Tag) -> Any:
        must_be_own(viewer, row)
        await lock(tx, row)
        if await tx.get(link, {column: row.id, "tag_id": tag.id}) is None:
            tx.add(link(**{column: row.id}, tag_id=tag.id))
            await tx.flush()
        return row

    return _about(add, content, f"Put a tag on {_named(content)}; one that stands there stays")


def removing_from(content: type[Any]) -> Verb:
    """The verb that takes a tag off a kind of content."""
    link, column = LINKS[content], _column(content)

    async def remove(tx: Tx, viewer: Viewer, row: Any, tag: models.Tag) -> Any:
        must_be_own(viewer, row)
        await tx.execute(delete(link).where(getattr(link, column) == row.id, link.tag_id == tag.id))
        return row

    return _about(remove, content, f"Take a tag off {_named(content)}; one that does not stand there stays away")


def replacing_of(content: type[Any]) -> Verb:
    """The verb that replaces the tags on a kind of content."""
    link, column = LINKS[content], _column(content)

    async def replace(
        tx: Tx,
        viewer: Viewer,
        row: Any,
        tags: Annotated[list[models.Tag], describe("Ids of all tags from now on; an empty list removes all.")],
    ) -> Any:
        must_be_own(viewer, row)
        await replace_links(tx, link, "tag_id", tags, **{column: row.id})
        return row

    return _about(replace, content, f"Replace the tags on {_named(content)}: those not named are taken off")


def _about(verb: Verb, content: type[Any], description: str) -> Verb:
    """The verb with the type of its row, by which the kit makes its argument, and its description."""
    verb.__annotations__["row"] = content
    verb.__doc__ = f"{description} (`gloo.tags`)."
    return verb


def _column(content: type[Any]) -> str:
    return f"{content.__name__.lower()}_id"


def _named(content: type[Any]) -> str:
    noun = content.__name__.lower()
    return f"an {noun} of yours" if noun[0] in "ai" else f"a {noun} of yours"
