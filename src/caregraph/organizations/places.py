"""The verbs of organizations that are there, and of the locations where they work."""

from collections.abc import Mapping
from typing import Any

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Tx
from caregraph.graph.errors import Code, Refused
from caregraph.graph.inputs import Changes, given
from caregraph.graph.resource import apply

from . import models
from .inputs import LocationInput, OrganizationInput

OF_ONE_PERSON = "Locations cannot be added to an organization made for an individual user"


async def update_organization(
    tx: Tx,
    viewer: Viewer,
    organization: models.Organization,
    input: Changes[OrganizationInput],  # noqa: A002
) -> models.Organization:
    """Change the organization that you act in (`gloo.organizations.update`). Its headquarters keeps its own name."""
    _must_act_in(viewer, organization, "id")
    apply(organization, Changes(as_columns(input)))
    await tx.flush()
    return organization


async def create_location(
    tx: Tx,
    viewer: Viewer,
    organization: models.Organization,
    input: LocationInput,  # noqa: A002
) -> models.Location:
    """Add a location to the organization that you act in (`gloo.locations.create`).

    Refused for organizations made for an individual user.
    """
    _must_act_in(viewer, organization, "organizationId")
    if organization.individual_creator_id is not None:
        raise Refused(Code.CONFLICT, OF_ONE_PERSON, "organizationId")
    location = models.Location(**{"name": organization.name, **as_columns(given(input))})
    tx.add(location)
    await tx.flush()
    return location


async def update_location(
    tx: Tx,
    location: models.Location,
    input: Changes[LocationInput],  # noqa: A002
) -> models.Location:
    """Change a location of the organization that you act in (`gloo.locations.update`)."""
    apply(location, Changes(as_columns(input)))
    await tx.flush()
    return location


def as_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Input values with the parts of the address beside them, as the tables have them."""
    columns = dict(values)
    address = columns.pop("address", None)
    return columns if address is None else {**columns, **given(address)}


def _must_act_in(viewer: Viewer, organization: models.Organization, path: str) -> None:
    """One reads all one's organizations, but changes the one that the request acts in."""
    if organization.id != viewer.organization_id:
        raise Refused(Code.NOT_FOUND, "Organization not found", path)
