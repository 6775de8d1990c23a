"""Which content a list shows: one's own, what others share, or everything that one may use."""

import enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, and_, false, true

from caregraph.auth.viewer import Viewer
from caregraph.graph.errors import bad_input
from caregraph.graph.fields import describe, member
from caregraph.graph.filters import LONGEST_LIST
from caregraph.graph.node import parse_id, row_id_of
from caregraph.graph.search import contains

from . import models
from .policy import shared_with


@strawberry.enum(description="Whose content a list shows; never more than you may see.")
class ContentScope(enum.Enum):
    """Gloo's lists of an organization, its library, and what is shared with it."""

    USABLE = member("USABLE", "All that your organization may use: its own, what is shared with it, what is public.")
    OWN = member("OWN", "Your organization's own.")
    SHARED = member(
        "SHARED",
        "Others' that your organization, a parent network of it, or its vertical was given; none of its own, and not"
        " what is merely public.",
    )
    OWN_AND_SHARED = member("OWN_AND_SHARED", "`OWN` and `SHARED` together.")


SCOPE = describe("Whose; by default all that your organization may use.")
ARCHIVED = describe("With `OWN`: only what is archived, instead of only what is in use.")
ORGANIZATION = describe(
    "As this organization lists them; the one in which you act by default, of others nothing is listed."
)
INCLUDE_SHARED = describe("With `OWN`: also what was shared with your organization, as `OWN_AND_SHARED`.")
ONLY_SHARED = describe("With `USABLE`: only what was shared with your organization, as `SHARED`.")
IDS = describe("Only those of these ids, archived ones too, at most 100.")


def with_shared(scope: ContentScope, *, include_shared: bool = False, only_shared: bool = False) -> ContentScope:
    """The scope that Gloo's two switches come to; each goes with one scope."""
    if include_shared and scope is not ContentScope.OWN:
        raise bad_input("includeShared goes with scope OWN", "includeShared")
    if only_shared and scope is not ContentScope.USABLE:
        raise bad_input("onlyShared goes with scope USABLE", "onlyShared")
    if include_shared:
        return ContentScope.OWN_AND_SHARED
    return ContentScope.SHARED if only_shared else scope


def narrowed(
    model: type[models.Content],
    viewer: Viewer,
    scope: ContentScope,
    *,
    search: str | None,
    archived: bool,
    ids: list[strawberry.ID] | None,
) -> ColumnElement[bool]:
    """The condition of a list. Archived content is listed apart, or where it is named by id."""
    if archived and scope is not ContentScope.OWN:
        raise bad_input("archived goes with scope OWN", "archived")
    conditions = [_whose(model, viewer, scope), contains(model, search)]
    if ids is None:
        conditions.append(model.archived_at.is_not(None) if archived else model.archived_at.is_(None))
    else:
        conditions.append(model.id.in_(row_ids(model, ids, "ids")))
    return and_(true(), *(one for one in conditions if one is not None))


def _whose(model: type[models.Content], viewer: Viewer, scope: ContentScope) -> ColumnElement[bool]:
    own = model.organization_id == viewer.organization_id
    if scope is ContentScope.USABLE:
        return true()
    if scope is ContentScope.OWN:
        return own
    shared = and_(~own, shared_with(model, viewer))
    return shared if scope is ContentScope.SHARED else own | shared


def row_ids(model: type[Any], ids: list[strawberry.ID], argument: str) -> list[int]:
    """Row ids behind global ids; those of nothing are passed over, as rows that one does not see are."""
    if len(ids) > LONGEST_LIST:
        raise bad_input(f"{argument} takes at most {LONGEST_LIST} ids", argument)
    read = row_id_of(model.__name__)
    return [row_id for text in ids if (row_id := read(text)) is not None]


def of_organization(viewer: Viewer, organization_id: strawberry.ID | None) -> ColumnElement[bool]:
    """Everything for the organization in which the viewer acts, nothing for others; null is that one."""
    is_here = organization_id is None or parse_id(organization_id) == ("Organization", viewer.organization_id)
    return true() if is_here else false()
