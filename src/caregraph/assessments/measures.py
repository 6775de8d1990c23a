"""The verbs of scales and domains: writing and changing them. They differ in what they are made of alone."""

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.inputs import Changes, given
from caregraph.graph.resource import apply

from . import models
from .content_inputs import DomainInput, ScaleInput
from .rules import Here, held, must_act_in, must_be_editable


async def create_scale(
    tx: Tx,
    viewer: Viewer,
    input: ScaleInput,  # noqa: A002
    organization_id: Here = None,
) -> models.Scale:
    """Create a scale of your organization (`gloo.scales.create`). One that is created public is never changed."""
    must_act_in(viewer, organization_id)
    scale = models.Scale(**given(input), created_by_id=viewer.user_id)
    tx.add(scale)
    await tx.flush()
    return scale


async def update_scale(
    tx: Tx,
    context: Context,
    scale: models.Scale,
    input: Changes[ScaleInput],  # noqa: A002
) -> models.Scale:
    """Change a scale of your organization (`gloo.scales.update`).

    Refused once it is public, stands in something public, or is used by other organizations.
    """
    await held(tx, context.viewer, scale)
    await must_be_editable(tx, context, scale)
    apply(scale, input)
    await tx.flush()
    return scale


async def create_domain(
    tx: Tx,
    viewer: Viewer,
    input: DomainInput,  # noqa: A002
    organization_id: Here = None,
) -> models.Domain:
    """Create a domain of your organization (`gloo.domains.create`). One that is created public is never changed."""
    must_act_in(viewer, organization_id)
    domain = models.Domain(**given(input), created_by_id=viewer.user_id)
    tx.add(domain)
    await tx.flush()
    return domain


async def update_domain(
    tx: Tx,
    context: Context,
    domain: models.Domain,
    input: Changes[DomainInput],  # noqa: A002
) -> models.Domain:
    """Change a domain of your organization (`gloo.domains.update`).

    Refused once it is public, stands in something public, or is used by other organizations.
    """
    await held(tx, context.viewer, domain)
    await must_be_editable(tx, context, domain)
    apply(domain, input)
    await tx.flush()
    return domain
