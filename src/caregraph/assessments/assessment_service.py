"""The verbs of assessments: writing, publishing and sharing them."""

from typing import Any

from sqlalchemy import delete, func, select

from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.filters import camel
from caregraph.graph.inputs import Changes, given
from caregraph.graph.node import row_id_of
from caregraph.graph.resource import apply

from . import models
from .content_inputs import AssessmentInput, AssessmentPatch
from .enums import ItemType, Privacy, PublicationStatus
from .rules import Here, held, must_act_in, must_be_editable
from .sharing import share_with_organizations_only, share_with_verticals_only

WITHOUT_QUESTIONS = "An assessment without questions cannot be published"
_APART = {
    *("status", "privacy", "share_with_organization_ids", "share_with_verticals"),
    *("tag_ids", "related_assessment_ids"),
}
"""What may change although the assessment is published: whom it is shared with, and what it is filed under."""


async def create_assessment(
    tx: Tx,
    viewer: Viewer,
    input: AssessmentInput,  # noqa: A002
    organization_id: Here = None,
) -> models.Assessment:
    """Begin an assessment: a private draft of your organization (`gloo.assessments.create`)."""
    must_act_in(viewer, organization_id)
    assessment = models.Assessment(**_columns(given(input)), created_by_id=viewer.user_id)
    tx.add(assessment)
    await tx.flush()
    return assessment


async def update_assessment(
    tx: Tx,
    context: Context,
    assessment: models.Assessment,
    input: Changes[AssessmentPatch],  # noqa: A002
) -> models.Assessment:
    """Change, publish or share an assessment of your organization (`gloo.assessments.update`).

    Once it is published its texts, items, scales and domains are frozen, and only sharing, tags and related
    assessments change; so too once others use it. What is public stays public. **The lists of organizations,
    verticals, tags and related assessments are replaced as wholes by every call: left out, they are emptied.**
    """
    await held(tx, context.viewer, assessment)
    texts = {name: one for name, one in _columns(input).items() if name not in _APART}
    changed = {name: one for name, one in texts.items() if getattr(assessment, name) != one}
    narrows = assessment.privacy is Privacy.PUBLIC and input.get("privacy", Privacy.PUBLIC) is not Privacy.PUBLIC
    if changed or narrows:
        await must_be_editable(tx, context, assessment)
    apply(assessment, Changes(changed))
    assessment.privacy = input.get("privacy", assessment.privacy)
    await _publish(tx, assessment, input.get("status"))
    await tx.flush()
    await _share(tx, assessment, input)
    tags = await _rows(tx, models.Tag, input, "tag_ids")
    await _link_only(tx, assessment, models.AssessmentTag.tag_id, tags)
    related = await _rows(tx, models.Assessment, input, "related_assessment_ids")
    await _link_only(tx, assessment, models.RelatedAssessment.related_id, related)
    return assessment


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """Input values as columns: lists of objects are kept as JSON."""
    lists: dict[str, Any] = {
        name: [given(one) for one in values[name]] for name in ("videos", "testimonials") if name in values
    }
    return {**values, **lists}


async def _publish(tx: Tx, assessment: models.Assessment, status: PublicationStatus | None) -> None:
    if status is PublicationStatus.DRAFT:
        raise Refused(Code.INVALID, "must be PUBLISHED", "input", "status")
    if status is None or assessment.status is status:
        return
    placed = (
        select(func.count())
        .select_from(models.AssessmentItem)
        .join(models.Item, models.Item.id == models.AssessmentItem.item_id)
        .where(models.AssessmentItem.assessment_id == assessment.id, models.Item.item_type != ItemType.INSTRUCTION)
    )
    if not await tx.scalar(placed):
        raise Refused(Code.INVALID, WITHOUT_QUESTIONS, "input", "status")
    assessment.status = status
    assessment.published_at = now()


async def _share(tx: Tx, assessment: models.Assessment, changes: Changes[AssessmentPatch]) -> None:
    """Let the lists of the input be all that it is shared with."""
    for name, privacy in (
        ("share_with_organization_ids", Privacy.LIMITED_TO_ORGANIZATIONS),
        ("share_with_verticals", Privacy.LIMITED_TO_VERTICALS),
    ):
        if changes.get(name) and assessment.privacy is not privacy:
            raise Refused(Code.INVALID, f"goes with the privacy {privacy.name}", "input", camel(name))
    path = "input", "shareWithOrganizationIds"
    await share_with_organizations_only(tx, assessment, changes.get("share_with_organization_ids", ()), *path)
    await share_with_verticals_only(tx, assessment, changes.get("share_with_verticals", ()))


async def _link_only(tx: Tx, assessment: models.Assessment, end: Any, rows: list[Any]) -> None:
    """Let an assessment be linked to these rows and no others.

    Links that stay are not made anew: without them, what they lead to may be out of reach.
    """
    link, wanted = end.class_, {row.id for row in rows}
    of_it = link.assessment_id == assessment.id
    await tx.execute(delete(link).where(of_it, end.not_in(wanted)))
    missing = wanted - set(await tx.scalars(select(end).where(of_it)))
    tx.add_all(link(**{"assessment_id": assessment.id, end.key: row_id}) for row_id in sorted(missing))
    await tx.flush()


async def _rows(tx: Tx, model: type[Any], changes: Changes[AssessmentPatch], name: str) -> list[Any]:
    """The rows whose ids a list of the input names; all must be there for the viewer."""
    texts = list(dict.fromkeys(changes.get(name, ())))
    read = row_id_of(model.__name__)
    ids = [row_id for text in texts if (row_id := read(text)) is not None]
    rows = list(await tx.scalars(select(model).where(model.id.in_(ids)))) if ids else []
    if len(rows) < len(texts):
        raise Refused(Code.NOT_FOUND, f"{model.__name__} not found", "input", camel(name))
    return rows
