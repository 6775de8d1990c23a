"""Copies of assessments, scales and domains: private and one's own, made of the same parts as the original."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from caregraph.auth.viewer import Viewer
from caregraph.db.session import Tx

from . import models
from .content_inputs import LONGEST_NAME, LONGEST_TITLE
from .linking import readable_parts

ASSESSMENT_PREFIX = "[CLONE] "
PREFIX = "[Clone] "
_OF_ASSESSMENTS = (
    *("display_title", "description", "display_description", "short_description", "long_description"),
    *("author_name", "author_description", "type", "videos", "testimonials", "custom_support_url"),
    *("user_result_preview_url", "org_result_preview_url", "logo_cloudinary_xid", "background_cloudinary_xid"),
    *("icon_name", "highlighted", "highlighted_text", "show_longitudinal_results", "has_results_app"),
    *("deploy_anonymously", "allow_csv_download"),
)
_OF_MEASURES = (
    *("display_name", "description", "display_score_type", "longitudinal_label_type"),
    *("min_sum_score", "max_sum_score", "min_mean_score", "max_mean_score"),
)
_OF_SCALES = (*_OF_MEASURES, "scale_type")
_OF_DOMAINS = (
    *(*_OF_MEASURES, "preferred_visualization", "table_sort", "scale_count_type", "table_row_count"),
    *("show_bar_chart_labels", "std_dev"),
)


async def clone_assessment(tx: Tx, viewer: Viewer, assessment: models.Assessment) -> models.Assessment:
    """Copy an assessment that you may use, as a private draft of your organization (`gloo.assessments.clone`).

    The title gets `[CLONE]` before it and is cut to 50 characters. The copy has the same items, scales, domains and
    tags, not copies of them. Refused when parts of it are not shared with you.
    """
    title = f"{ASSESSMENT_PREFIX}{assessment.title}"[:LONGEST_TITLE]
    copy = models.Assessment(title=title, **_values(assessment, _OF_ASSESSMENTS), created_by_id=viewer.user_id)
    tx.add(copy)
    await tx.flush()
    for link in (models.AssessmentItem, models.AssessmentScale, models.AssessmentDomain):
        await readable_parts(tx, link, "id", assessment_id=assessment.id)
    await _link_again(
        tx,
        (models.AssessmentItem, ("item_id", "position", "required", "profile_attribute")),
        (models.AssessmentScale, ("scale_id",)),
        (models.AssessmentDomain, ("domain_id",)),
        (models.AssessmentTag, ("tag_id",)),
        assessment_id=(assessment.id, copy.id),
    )
    return copy


async def clone_scale(tx: Tx, viewer: Viewer, scale: models.Scale) -> models.Scale:
    """Copy a scale that you may use, as a private scale of your organization (`gloo.scales.clone`).

    The name gets `[Clone]` before it, and a number behind it where that name is taken. The copy has the same items
    with their weights, not copies of them, and the same tags. Refused when some of its items are not shared with you.
    """
    await readable_parts(tx, models.ItemScale, "id", scale_id=scale.id)
    copy = models.Scale(
        name=await _free_name(tx, scale, viewer), **_values(scale, _OF_SCALES), created_by_id=viewer.user_id
    )
    tx.add(copy)
    await tx.flush()
    await _link_again(
        tx,
        (models.ItemScale, ("item_id", "position", "weight", "is_reversed")),
        (models.ScaleTag, ("tag_id",)),
        scale_id=(scale.id, copy.id),
    )
    return copy


async def clone_domain(tx: Tx, viewer: Viewer, domain: models.Domain) -> models.Domain:
    """Copy a domain that you may use, as a private domain of your organization.

    The name gets `[Clone]` before it, and a number behind it where that name is taken. The copy has the same scales,
    not copies of them, and the same tags. Refused when some of its scales are not shared with you.
    """
    await readable_parts(tx, models.DomainScale, "id", domain_id=domain.id)
    copy = models.Domain(
        name=await _free_name(tx, domain, viewer), **_values(domain, _OF_DOMAINS), created_by_id=viewer.user_id
    )
    tx.add(copy)
    await tx.flush()
    await _link_again(
        tx,
        (models.DomainScale, ("scale_id",)),
        (models.DomainTag, ("tag_id",)),
        domain_id=(domain.id, copy.id),
    )
    return copy


def _values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


async def _free_name(tx: Tx, row: models.Scale | models.Domain, viewer: Viewer) -> str:
    """The name of a copy: unique in its organization, and not longer than names are."""
    model: type[Any] = type(row)
    wanted = f"{PREFIX}{row.name}"[:LONGEST_NAME]
    stem = wanted[: LONGEST_NAME - 10]
    alike = model.name.startswith(stem, autoescape=True)
    here = model.organization_id == viewer.organization_id
    taken = set(await tx.scalars(select(model.name).where(here, alike)))
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{stem} ({number})"
    return name


async def _link_again(tx: Tx, *links: tuple[type[Any], tuple[str, ...]], **whole: tuple[int, int]) -> None:
    """Let a copy have the links of its original; `whole` names the column and the ids of both.

    Tags of others that the viewer does not see are left out.
    """
    ((column, (original, copy)),) = whole.items()
    for link, names in links:
        of_it = select(link).filter_by(**{column: original})
        rows = await tx.scalars(of_it.join(models.Tag, models.Tag.id == link.tag_id) if "tag_id" in names else of_it)
        tx.add_all(link(**{column: copy}, **_values(row, names)) for row in rows)
        await tx.flush()
