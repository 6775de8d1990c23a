"""Root fields of assessments, scales, domains, and whom they are shared with."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, select

from caregraph.db.base import table_of
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource

from . import models
from .lists import ARCHIVED, IDS, SCOPE, ContentScope, narrowed, row_ids
from .types import (
    AccessGrant,
    Assessment,
    AssessmentDomain,
    AssessmentScale,
    Domain,
    DomainScale,
    NetworkMember,
    Scale,
    VerticalAccessGrant,
)

ASSESSMENTS = Resource(Assessment)
SCALES = Resource(Scale)
DOMAINS = Resource(Domain)


async def _assessments(
    context: Context,
    *,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in the title, in any case.")] = None,
    tag_ids: Annotated[list[strawberry.ID] | None, describe("Only those with one of these tags.")] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    condition = narrowed(models.Assessment, context.viewer, scope, search=search, archived=archived, ids=ids)
    return condition if tag_ids is None else and_(condition, _tagged(tag_ids))


def _tagged(tag_ids: list[strawberry.ID]) -> ColumnElement[bool]:
    links = table_of(models.AssessmentTag).c
    chosen = links.tag_id.in_(row_ids(models.Tag, tag_ids, "tagIds"))
    return models.Assessment.id.in_(select(links.assessment_id).where(chosen).correlate(None))


async def _scales(
    context: Context,
    *,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in the name, in any case.")] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    return narrowed(models.Scale, context.viewer, scope, search=search, archived=archived, ids=ids)


async def _domains(
    context: Context,
    *,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in the name, in any case.")] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    return narrowed(models.Domain, context.viewer, scope, search=search, archived=archived, ids=ids)


@strawberry.type
class Query:
    """Reading assessments, scales and domains."""

    assessment: Assessment | None = ASSESSMENTS.get()
    assessments: Page[Assessment] | None = ASSESSMENTS.page(
        _assessments, description="Assessments that your organization may use, page by page; which says `scope`."
    )
    scale: Scale | None = SCALES.get()
    scales: Page[Scale] | None = SCALES.page(
        _scales, description="Scales that your organization may use, page by page; which of them says `scope`."
    )
    domain: Domain | None = DOMAINS.get()
    domains: Page[Domain] | None = DOMAINS.page(
        _domains, description="Domains that your organization may use, page by page; which of them says `scope`."
    )
    assessment_scale: AssessmentScale | None = Resource(AssessmentScale).get()
    assessment_domain: AssessmentDomain | None = Resource(AssessmentDomain).get()
    domain_scale: DomainScale | None = Resource(DomainScale).get()
    access_grant: AccessGrant | None = Resource(AccessGrant).get()
    vertical_access_grant: VerticalAccessGrant | None = Resource(VerticalAccessGrant).get()
    network_member: NetworkMember | None = Resource(NetworkMember).get()
    network_members: Page[NetworkMember] | None = Resource(NetworkMember).page(
        description="Members of your organization's network, and the networks that it belongs to, page by page."
    )
