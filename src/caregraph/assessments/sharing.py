"""The verbs of sharing: access of organizations and verticals to content, and networks of organizations."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import strawberry
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from caregraph.auth.viewer import Viewer
from caregraph.db.constraints import violated
from caregraph.db.session import Tx
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.graph.node import row_id_of
from caregraph.organizations.enums import Vertical

from . import models
from .rules import held, must_be_own
from .sharing_models import AccessGrant, NetworkMember, VerticalAccessGrant

OWNS_IT = "The organization owns it already"
NO_ORGANIZATION = "Organization not found"
EMPTY = "must not be empty"
_organization_id = row_id_of("Organization")
_Grantee = Annotated[strawberry.ID, describe("Id of the organization that is given access.")]


async def grant_assessment(
    tx: Tx, viewer: Viewer, assessment: models.Assessment, organization_id: _Grantee
) -> AccessGrant:
    """Give another organization access to an assessment of yours (`gloo.access_grants.create_for_assessment`).

    It counts while the assessment's privacy is `LIMITED_TO_ORGANIZATIONS`. A network's members have it too.
    """
    return await _grant(tx, viewer, assessment, organization_id)


async def grant_item(tx: Tx, viewer: Viewer, item: models.Item, organization_id: _Grantee) -> AccessGrant:
    """Give another organization access to an item of yours (`gloo.access_grants.create_for_item`).

    It counts while the item's privacy is `LIMITED_TO_ORGANIZATIONS`. A network's members have it too.
    """
    return await _grant(tx, viewer, item, organization_id)


async def grant_scale(tx: Tx, viewer: Viewer, scale: models.Scale, organization_id: _Grantee) -> AccessGrant:
    """Give another organization access to a scale of yours (`gloo.access_grants.create_for_scale`).

    It counts while the scale's privacy is `LIMITED_TO_ORGANIZATIONS`. A network's members have it too.
    """
    return await _grant(tx, viewer, scale, organization_id)


async def grant_domain(tx: Tx, viewer: Viewer, domain: models.Domain, organization_id: _Grantee) -> AccessGrant:
    """Give another organization access to a domain of yours (`gloo.access_grants.create_for_domain`).

    It counts while the domain's privacy is `LIMITED_TO_ORGANIZATIONS`. A network's members have it too.
    """
    return await _grant(tx, viewer, domain, organization_id)


async def delete_grant(tx: Tx, viewer: Viewer, grant: AccessGrant) -> None:
    """End an organization's access to content of yours (`gloo.access_grants.delete`).

    What it has put into something of its own stays readable to it there.
    """
    must_be_own(viewer, grant)
    await tx.delete(grant)
    await tx.flush()


async def share_with_organizations(
    tx: Tx,
    viewer: Viewer,
    assessment: models.Assessment,
    organization_ids: Annotated[list[strawberry.ID], describe("Ids of the organizations, 1 to 100.")],
) -> models.Assessment:
    """Give organizations access to an assessment of yours (`gloo.access_grants.bulk_assign_to_assessment`).

    Those that have it keep it, also when they are not named. It counts while the privacy is
    `LIMITED_TO_ORGANIZATIONS`.
    """
    if not organization_ids:
        raise Refused(Code.INVALID, EMPTY, "organizationIds")
    await held(tx, viewer, assessment)
    await _grant_to(tx, assessment, _ids(organization_ids, "organizationIds"))
    return assessment


async def share_with_verticals(
    tx: Tx,
    viewer: Viewer,
    assessment: models.Assessment,
    vertical_keys: Annotated[list[Vertical], describe("The verticals, at least one.")],
) -> models.Assessment:
    """Open an assessment of yours to all of some verticals (`gloo.vertical_access_grants.bulk_assign_to_assessment`).

    Verticals that have access keep it, also when they are not named. It counts while the privacy is
    `LIMITED_TO_VERTICALS`.
    """
    if not vertical_keys:
        raise Refused(Code.INVALID, EMPTY, "verticalKeys")
    await held(tx, viewer, assessment)
    await _open_to(tx, assessment, vertical_keys)
    return assessment


async def share_with_organizations_only(
    tx: Tx, assessment: models.Assessment, organization_ids: Sequence[str], *path: str
) -> None:
    """Let these organizations have access to an assessment, and no others."""
    wanted = _ids(organization_ids, *path)
    others = AccessGrant.grantee_id.not_in(list(wanted))
    await tx.execute(delete(AccessGrant).where(AccessGrant.assessment_id == assessment.id, others))
    await _grant_to(tx, assessment, wanted)


async def share_with_verticals_only(tx: Tx, assessment: models.Assessment, verticals: Sequence[Vertical]) -> None:
    """Let these verticals have access to an assessment, and no others."""
    of_it = VerticalAccessGrant.assessment_id == assessment.id
    await tx.execute(delete(VerticalAccessGrant).where(of_it, VerticalAccessGrant.vertical.not_in(verticals)))
    await _open_to(tx, assessment, verticals)


async def create_network_member(
    tx: Tx,
    organization_id: Annotated[strawberry.ID, describe("Id of the organization that joins.")],
) -> NetworkMember:
    """Let an organization belong to yours as its parent network: what is shared with yours is shared with it."""
    member = NetworkMember(member_id=_one_id(organization_id, "organizationId"))
    await _add_for(tx, member, "organizationId")
    return member


async def delete_network_member(tx: Tx, viewer: Viewer, member: NetworkMember) -> None:
    """Let an organization no longer belong to yours."""
    must_be_own(viewer, member)
    await tx.delete(member)
    await tx.flush()


async def _grant(tx: Tx, viewer: Viewer, content: models.Content, organization_id: str) -> AccessGrant:
    kind = type(content).__name__.lower()
    must_be_own(viewer, content, f"{kind}Id")
    grant = AccessGrant(grantee_id=_one_id(organization_id, "organizationId"), **{f"{kind}_id": content.id})
    await _add_for(tx, grant, "organizationId")
    return grant


async def _grant_to(tx: Tx, assessment: models.Assessment, wanted: dict[int, tuple[str, ...]]) -> None:
    """Give access to organizations that have none; `wanted` says by what argument each is named."""
    of_it = select(AccessGrant.grantee_id).where(AccessGrant.assessment_id == assessment.id)
    held_already = set(await tx.scalars(of_it))
    for grantee_id in sorted(wanted.keys() - held_already):
        grant = AccessGrant(assessment_id=assessment.id, grantee_id=grantee_id)
        if grantee_id == assessment.organization_id:
            raise Refused(Code.INVALID, OWNS_IT, *wanted[grantee_id])
        await _add_for(tx, grant, *wanted[grantee_id])


async def _open_to(tx: Tx, assessment: models.Assessment, verticals: Iterable[Vertical]) -> None:
    of_it = select(VerticalAccessGrant.vertical).where(VerticalAccessGrant.assessment_id == assessment.id)
    held_already = set(await tx.scalars(of_it))
    missing = [one for one in dict.fromkeys(verticals) if one not in held_already]
    tx.add_all(VerticalAccessGrant(assessment_id=assessment.id, vertical=one) for one in missing)
    await tx.flush()


async def _add_for(tx: Tx, row: Any, *path: str) -> None:
    """Add a row that names another organization: nobody reads others, so the foreign key says if there is one."""
    try:
        async with tx.begin_nested():
            tx.add(row)
            await tx.flush()
    except IntegrityError as error:
        found = violated(error)
        if found is None or found.path is not None:
            raise
        raise Refused(Code.NOT_FOUND, NO_ORGANIZATION, *path) from error


def _ids(texts: Sequence[str], *path: str) -> dict[int, tuple[str, ...]]:
    """Row ids behind ids of organizations, each with the path to where it stands."""
    return {_one_id(text, *path, f"{place}"): (*path, f"{place}") for place, text in enumerate(texts)}


def _one_id(text: str, *path: str) -> int:
    row_id = _organization_id(text)
    if row_id is None:
        raise Refused(Code.NOT_FOUND, NO_ORGANIZATION, *path)
    return row_id
