"""Root fields of assessments, scales, domains, and whom they are shared with."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, false, select

from caregraph.auth.viewer import Permission
from caregraph.db.base import table_of
from caregraph.graph.actions import DeletePayload, Payload, action
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.loaders import RowById
from caregraph.graph.node import row_id_of
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.organizations.models import Location

from . import archiving, assessment_service, cloning, linking, measures, models, sharing
from .lists import (
    ARCHIVED,
    IDS,
    INCLUDE_SHARED,
    ONLY_SHARED,
    ORGANIZATION,
    SCOPE,
    ContentScope,
    narrowed,
    of_organization,
    row_ids,
    with_shared,
)
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
_AUTHOR = Permission.CREATE_ASSESSMENT
_location_id = row_id_of("Location")


async def _assessments(
    context: Context,
    *,
    organization_id: Annotated[strawberry.ID | None, ORGANIZATION] = None,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in the title, in any case.")] = None,
    include_shared: Annotated[bool | None, INCLUDE_SHARED] = None,
    tag_ids: Annotated[list[strawberry.ID] | None, describe("Only those with one of these tags.")] = None,
    location_id: Annotated[
        strawberry.ID | None,
        describe("Only those that this location of your organization may deploy: all that the organization may use."),
    ] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    scope = with_shared(scope, include_shared=bool(include_shared))
    condition = narrowed(models.Assessment, context.viewer, scope, search=search, archived=archived, ids=ids)
    condition = and_(condition, of_organization(context.viewer, organization_id))
    if tag_ids is not None:
        condition = and_(condition, _tagged(tag_ids))
    return condition if location_id is None or await _is_here(context, location_id) else false()


async def _is_here(context: Context, location_id: str) -> bool:
    """Whether an id is that of a location of the organization in which the viewer acts."""
    row_id = _location_id(location_id)
    location = None if row_id is None else await context.load(RowById(Location), row_id)
    return location is not None and location.organization_id == context.viewer.organization_id


def _tagged(tag_ids: list[strawberry.ID]) -> ColumnElement[bool]:
    links = table_of(models.AssessmentTag).c
    chosen = links.tag_id.in_(row_ids(models.Tag, tag_ids, "tagIds"))
    return models.Assessment.id.in_(select(links.assessment_id).where(chosen).correlate(None))


async def _scales(
    context: Context,
    *,
    organization_id: Annotated[strawberry.ID | None, ORGANIZATION] = None,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in the name, in any case.")] = None,
    only_shared: Annotated[bool | None, ONLY_SHARED] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    scope = with_shared(scope, only_shared=bool(only_shared))
    condition = narrowed(models.Scale, context.viewer, scope, search=search, archived=archived, ids=ids)
    return and_(condition, of_organization(context.viewer, organization_id))


async def _domains(
    context: Context,
    *,
    organization_id: Annotated[strawberry.ID | None, ORGANIZATION] = None,
    scope: Annotated[ContentScope, SCOPE] = ContentScope.USABLE,
    search: Annotated[str | None, describe("Text in the name, in any case.")] = None,
    only_shared: Annotated[bool | None, ONLY_SHARED] = None,
    archived: Annotated[bool, ARCHIVED] = False,
    ids: Annotated[list[strawberry.ID] | None, IDS] = None,
) -> ColumnElement[bool]:
    scope = with_shared(scope, only_shared=bool(only_shared))
    condition = narrowed(models.Domain, context.viewer, scope, search=search, archived=archived, ids=ids)
    return and_(condition, of_organization(context.viewer, organization_id))


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


@strawberry.type
class Mutation:
    """Writing assessments, scales and domains, and sharing them."""

    create_assessment: Payload[Assessment] | None = action(assessment_service.create_assessment, needs=_AUTHOR)
    update_assessment: Payload[Assessment] | None = action(assessment_service.update_assessment, needs=_AUTHOR)
    clone_assessment: Payload[Assessment] | None = action(cloning.clone_assessment, needs=_AUTHOR)
    archive_assessment: Payload[Assessment] | None = action(archiving.archive_assessment, needs=_AUTHOR)
    create_scale: Payload[Scale] | None = action(measures.create_scale, needs=_AUTHOR)
    update_scale: Payload[Scale] | None = action(measures.update_scale, needs=_AUTHOR)
    clone_scale: Payload[Scale] | None = action(cloning.clone_scale, needs=_AUTHOR)
    archive_scale: Payload[Scale] | None = action(archiving.archive_scale, needs=_AUTHOR)
    create_domain: Payload[Domain] | None = action(measures.create_domain, needs=_AUTHOR)
    update_domain: Payload[Domain] | None = action(measures.update_domain, needs=_AUTHOR)
    clone_domain: Payload[Domain] | None = action(cloning.clone_domain, needs=_AUTHOR)
    archive_domain: Payload[Domain] | None = action(archiving.archive_domain, needs=_AUTHOR)
    add_scale_to_assessment: Payload[Assessment] | None = action(linking.add_scale_to_assessment, needs=_AUTHOR)
    remove_scale_from_assessment: Payload[Assessment] | None = action(
        linking.remove_scale_from_assessment, needs=_AUTHOR
    )
    add_domain_to_assessment: Payload[Assessment] | None = action(linking.add_domain_to_assessment, needs=_AUTHOR)
    remove_domain_from_assessment: Payload[Assessment] | None = action(
        linking.remove_domain_from_assessment, needs=_AUTHOR
    )
    add_scale_to_domain: Payload[Domain] | None = action(linking.add_scale_to_domain, needs=_AUTHOR)
    remove_scale_from_domain: Payload[Domain] | None = action(linking.remove_scale_from_domain, needs=_AUTHOR)
    grant_assessment_access: Payload[AccessGrant] | None = action(sharing.grant_assessment, needs=_AUTHOR)
    grant_item_access: Payload[AccessGrant] | None = action(sharing.grant_item, needs=_AUTHOR)
    grant_scale_access: Payload[AccessGrant] | None = action(sharing.grant_scale, needs=_AUTHOR)
    grant_domain_access: Payload[AccessGrant] | None = action(sharing.grant_domain, needs=_AUTHOR)
    delete_access_grant: DeletePayload | None = action(sharing.delete_grant, needs=_AUTHOR)
    share_assessment_with_organizations: Payload[Assessment] | None = action(
        sharing.share_with_organizations, needs=_AUTHOR
    )
    share_assessment_with_verticals: Payload[Assessment] | None = action(sharing.share_with_verticals, needs=_AUTHOR)
    create_network_member: Payload[NetworkMember] | None = action(
        sharing.create_network_member, needs=Permission.MANAGE_ORGANIZATION
    )
    delete_network_member: DeletePayload | None = action(
        sharing.delete_network_member, needs=Permission.MANAGE_ORGANIZATION
    )
