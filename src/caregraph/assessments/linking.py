"""The verbs of what assessments and domains are made of: scales and domains put in and taken out."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, func, select

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused

from . import models
from .limits import keep_limits
from .rules import held, must_be_editable

NOT_ALL_SHARED = "Parts of it are not shared with your organization"


async def add_scale_to_assessment(
    tx: Tx, context: Context, assessment: models.Assessment, scale: models.Scale
) -> models.Assessment:
    """Put a scale on an assessment (`gloo.scales.add_to_assessment`).

    Its items that are not on the assessment yet are added too, at the end.
    """
    await _hold(tx, context, assessment)
    tx.add(models.AssessmentScale(assessment_id=assessment.id, scale_id=scale.id))
    await tx.flush()
    await _place_items(tx, assessment, [scale.id], "scaleId")
    return assessment


async def remove_scale_from_assessment(
    tx: Tx, context: Context, assessment: models.Assessment, scale: models.Scale
) -> models.Assessment:
    """Take a scale off an assessment, and every domain that contains it (`gloo.scales.remove_from_assessment`).

    The other scales of those domains stay on the assessment, and so do all items.
    """
    await _hold(tx, context, assessment)
    await _unlink(tx, models.AssessmentScale, "scaleId", assessment_id=assessment.id, scale_id=scale.id)
    containing = list(await tx.scalars(select(models.DomainScale.domain_id).filter_by(scale_id=scale.id)))
    of_them = models.AssessmentDomain.domain_id.in_(containing)
    await tx.execute(delete(models.AssessmentDomain).filter_by(assessment_id=assessment.id).where(of_them))
    return assessment


async def add_domain_to_assessment(
    tx: Tx, context: Context, assessment: models.Assessment, domain: models.Domain
) -> models.Assessment:
    """Put a domain on an assessment (`gloo.domains.add_to_assessment`).

    Its scales that are not on the assessment yet are added too, and their items at the end.
    """
    await _hold(tx, context, assessment)
    tx.add(models.AssessmentDomain(assessment_id=assessment.id, domain_id=domain.id))
    await tx.flush()
    scale_ids = await readable_parts(tx, models.DomainScale, "domainId", domain_id=domain.id)
    on_it = set(await tx.scalars(select(models.AssessmentScale.scale_id).filter_by(assessment_id=assessment.id)))
    missing = [scale_id for scale_id in scale_ids if scale_id not in on_it]
    tx.add_all(models.AssessmentScale(assessment_id=assessment.id, scale_id=scale_id) for scale_id in missing)
    await tx.flush()
    await _place_items(tx, assessment, scale_ids, "domainId")
    return assessment


async def remove_domain_from_assessment(
    tx: Tx, context: Context, assessment: models.Assessment, domain: models.Domain
) -> models.Assessment:
    """Take a domain off an assessment; its scales and items stay on it (`gloo.domains.remove_from_assessment`)."""
    await _hold(tx, context, assessment)
    await _unlink(tx, models.AssessmentDomain, "domainId", assessment_id=assessment.id, domain_id=domain.id)
    return assessment


async def add_scale_to_domain(tx: Tx, context: Context, domain: models.Domain, scale: models.Scale) -> models.Domain:
    """Put a scale into a domain (`gloo.scales.add_to_domain`). Assessments that the domain is on stay as they are."""
    await _hold(tx, context, domain)
    tx.add(models.DomainScale(domain_id=domain.id, scale_id=scale.id))
    await keep_limits(tx, domains=[domain.id])
    return domain


async def remove_scale_from_domain(
    tx: Tx, context: Context, domain: models.Domain, scale: models.Scale
) -> models.Domain:
    """Take a scale out of a domain. Assessments that the domain is on stay as they are."""
    await _hold(tx, context, domain)
    await _unlink(tx, models.DomainScale, "scaleId", domain_id=domain.id, scale_id=scale.id)
    await keep_limits(tx, domains=[domain.id])
    return domain


async def readable_parts(tx: Tx, link: type[Any], *path: str, **whole: Any) -> list[int]:
    """Ids of what links of a kind lead to, in their order; refused when the viewer may not read all of it.

    A part that was left out silently would change what is measured.
    """
    far_end, model = _FAR_ENDS[link]
    orders = (link.position, link.id) if hasattr(link, "position") else (link.id,)
    conditions = [getattr(link, name).in_(one if isinstance(one, list) else [one]) for name, one in whole.items()]
    found = select(far_end, model.id).join(model, model.id == far_end, isouter=True).where(*conditions)
    rows = (await tx.execute(found.order_by(*orders))).all()
    if any(readable is None for _, readable in rows):
        raise Refused(Code.CONFLICT, NOT_ALL_SHARED, *path)
    return list(dict.fromkeys(row_id for row_id, _ in rows))


_FAR_ENDS: dict[type[Any], tuple[Any, Any]] = {
    models.AssessmentItem: (models.AssessmentItem.item_id, models.Item),
    models.AssessmentScale: (models.AssessmentScale.scale_id, models.Scale),
    models.AssessmentDomain: (models.AssessmentDomain.domain_id, models.Domain),
    models.DomainScale: (models.DomainScale.scale_id, models.Scale),
    models.ItemScale: (models.ItemScale.item_id, models.Item),
}


async def _hold(tx: Tx, context: Context, whole: models.Assessment | models.Domain) -> None:
    await held(tx, context.viewer, whole)
    await must_be_editable(tx, context, whole)


async def _place_items(tx: Tx, assessment: models.Assessment, scale_ids: Collection[int], argument: str) -> None:
    """Add the items of scales to an assessment that are not on it yet, behind those that are."""
    item_ids = await readable_parts(tx, models.ItemScale, argument, scale_id=list(scale_ids))
    placed = set(await tx.scalars(select(models.AssessmentItem.item_id).filter_by(assessment_id=assessment.id)))
    end = await tx.scalar(select(func.max(models.AssessmentItem.position)).filter_by(assessment_id=assessment.id)) or 0
    missing = [item_id for item_id in item_ids if item_id not in placed]
    tx.add_all(
        models.AssessmentItem(assessment_id=assessment.id, item_id=item_id, position=position)
        for position, item_id in enumerate(missing, start=end + 1)
    )
    await tx.flush()


async def _unlink(tx: Tx, link: type[Any], argument: str, **ends: int) -> None:
    row = await tx.scalar(select(link).filter_by(**ends))
    if row is None:
        raise Refused(Code.NOT_FOUND, f"{_FAR_ENDS[link][1].__name__} not found", argument)
    await tx.delete(row)
    await tx.flush()
