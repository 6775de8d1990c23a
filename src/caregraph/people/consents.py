"""Consents: recorded with time and actor, never changed; the newest of a kind holds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import func, select

from caregraph.auth.viewer import Viewer
from caregraph.db.scope import visible
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.fields import describe
from caregraph.graph.loaders import among
from caregraph.graph.locking import lock

from . import models
from .enums import ConsentKind


async def record_consent(
    tx: Tx,
    viewer: Viewer,
    client: models.Client,
    kind: Annotated[ConsentKind, describe("What it is about.")],
    given: Annotated[bool, describe("True: allowed. False: refused or withdrawn.")],
) -> models.Consent:
    """Record what a client allows or refuses, now and by you. `DATA_PROCESSING` also sets `gdprApproval`."""
    await lock(tx, client)  # the newest row is the one that holds: one after the other
    if kind is ConsentKind.DATA_PROCESSING:
        client.gdpr_approval = given
    consent = _consent(viewer, client, kind, given=given)
    tx.add(consent)
    await tx.flush()
    return consent


def note_approval(tx: Tx, viewer: Viewer, client: models.Client, *, before: bool) -> None:
    """Keep a consent for a changed `gdprApproval`."""
    if client.gdpr_approval is not before:
        tx.add(_consent(viewer, client, ConsentKind.DATA_PROCESSING, given=client.gdpr_approval))


def _consent(viewer: Viewer, client: models.Client, kind: ConsentKind, *, given: bool) -> models.Consent:
    return models.Consent(
        client_id=client.id,
        kind=kind,
        given=given,
        recorded_by=viewer.user_id,
        application_id=viewer.application_id,
    )


@dataclass(frozen=True)
class CurrentConsents:
    """The newest consent of each kind, by client."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[list[models.Consent]]:
        """One statement for all clients."""
        own = models.Consent.organization_id == context.viewer.organization_id
        newest = (
            select(func.max(models.Consent.id))
            .where(own, among(context, models.Consent.client_id, keys))
            .group_by(models.Consent.client_id, models.Consent.kind)
        )
        statement = visible(models.Consent, context.viewer).where(models.Consent.id.in_(newest))
        rows = (await context.run(statement.order_by(models.Consent.kind))).scalars().all()
        context.spend(len(rows))
        context.saw_rows(models.Consent, rows)
        found = defaultdict(list)
        for row in rows:
            found[row.client_id].append(row)
        return [found[key] for key in keys]


async def current_consents(context: Context, client: models.Client) -> list[models.Consent]:
    """What holds now: the newest consent of each kind that was ever recorded."""
    found: list[models.Consent] = await context.load(CurrentConsents(), client.id)
    return found
