"""Putting content away: what is archived is left out of lists and libraries, and still works where it is used."""

from typing import Annotated, TypeVar

from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.graph.fields import describe

from . import models
from .rules import held

T = TypeVar("T", bound=models.Content)
_Archived = Annotated[bool, describe("False takes it out of the archive again.")]


async def archive_assessment(
    tx: Tx, viewer: Viewer, assessment: models.Assessment, archived: _Archived = True
) -> models.Assessment:
    """Archive an assessment of your organization: lists leave it out, whatever uses it goes on."""
    return await _archive(tx, viewer, assessment, archived=archived)


async def archive_scale(tx: Tx, viewer: Viewer, scale: models.Scale, archived: _Archived = True) -> models.Scale:
    """Archive a scale of your organization: lists and libraries leave it out, whatever uses it goes on."""
    return await _archive(tx, viewer, scale, archived=archived)


async def archive_domain(tx: Tx, viewer: Viewer, domain: models.Domain, archived: _Archived = True) -> models.Domain:
    """Archive a domain of your organization: lists and libraries leave it out, whatever uses it goes on."""
    return await _archive(tx, viewer, domain, archived=archived)


async def _archive(tx: Tx, viewer: Viewer, row: T, *, archived: bool) -> T:
    await held(tx, viewer, row)
    if (row.archived_at is not None) is not archived:
        row.archived_at = now() if archived else None
    await tx.flush()
    return row
