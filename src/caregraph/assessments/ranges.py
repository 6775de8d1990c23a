"""The verbs of result ranges: what the scores of a scale or a domain are called."""

from typing import Any

from sqlalchemy import select

from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.inputs import Changes, given
from caregraph.graph.locking import lock
from caregraph.scoring.bands import ResultRange as Band
from caregraph.scoring.bands import bands
from caregraph.scoring.errors import SpecError

from . import models
from .answer_models import AnswerScore
from .config_inputs import ResultRangeInput
from .config_models import ResultRange
from .config_rules import whole_of
from .rule_rows import RuleRows
from .rules import must_be_editable, must_be_own
from .specs import refusal

_BOUNDS = ("range_start", "range_end")


async def create_scale_result_range(
    tx: Tx,
    context: Context,
    scale: models.Scale,
    input: ResultRangeInput,  # noqa: A002
) -> ResultRange:
    """Name a stretch of a scale's scores. Ranges do not overlap. The source has no call that creates ranges."""
    return await _create(tx, context, scale, input, scale_id=scale.id)


async def create_domain_result_range(
    tx: Tx,
    context: Context,
    domain: models.Domain,
    input: ResultRangeInput,  # noqa: A002
) -> ResultRange:
    """Name a stretch of a domain's scores. Ranges do not overlap. The source has no call that creates ranges."""
    return await _create(tx, context, domain, input, domain_id=domain.id)


async def update_result_range(
    tx: Tx,
    context: Context,
    result_range: ResultRange,
    input: Changes[ResultRangeInput],  # noqa: A002
) -> ResultRange:
    """Change a result range; only the fields sent change. Its ends are frozen once a score was found to be in it."""
    whole = await _open(tx, context, result_range)
    values = _as_columns(input)
    moved = [name for name in _BOUNDS if values.get(name, getattr(result_range, name)) != getattr(result_range, name)]
    if moved:
        await _must_be_empty(tx, result_range, "input", "rangeStart" if moved[0] == "range_start" else "rangeEnd")
    for name, value in values.items():
        setattr(result_range, name, value)
    if moved:
        with tx.no_autoflush:
            await _must_fit(tx, whole, result_range)
    await tx.flush()
    return result_range


async def delete_result_range(tx: Tx, context: Context, result_range: ResultRange) -> None:
    """Delete a result range that no score was found to be in."""
    await _open(tx, context, result_range)
    await _must_be_empty(tx, result_range, "id")
    await tx.delete(result_range)
    await tx.flush()


async def _create(tx: Tx, context: Context, whole: models.Content, values: ResultRangeInput, **of: int) -> ResultRange:
    await must_be_editable(tx, context, whole, "scaleId" if "scale_id" in of else "domainId")
    await lock(tx, whole)
    made = ResultRange(**of, **_as_columns(given(values)))
    await _must_fit(tx, whole, made)
    tx.add(made)
    await tx.flush()
    return made


async def _open(tx: Tx, context: Context, result_range: ResultRange) -> models.Content:
    """Of two changes of the ranges of one thing the second sees the first."""
    must_be_own(context.viewer, result_range)
    whole = await whole_of(tx, result_range)
    await must_be_editable(tx, context, whole, "id")
    await lock(tx, whole)
    await tx.refresh(result_range)
    return whole


def _as_columns(values: Any) -> dict[str, Any]:
    return {name: float(value) if name in _BOUNDS else value for name, value in values.items()}


async def _must_be_empty(tx: Tx, result_range: ResultRange, *path: str) -> None:
    inside = select(AnswerScore.id).where(AnswerScore.result_range_id == result_range.id).limit(1)
    if await tx.scalar(inside.execution_options(scoped=True)) is not None:  # whoever sees the answers
        raise Refused(Code.CONFLICT, "The result range has scores", *path)


async def _must_fit(tx: Tx, whole: models.Content, changed: ResultRange) -> None:
    if not changed.range_start < changed.range_end:
        raise Refused(Code.INVALID, "A range must end above its start", "input", "rangeEnd")
    column = ResultRange.scale_id if isinstance(whole, models.Scale) else ResultRange.domain_id
    others = await tx.scalars(select(ResultRange).where(column == whole.id).order_by(ResultRange.range_start))
    ranges = [*(one for one in others if one.id != changed.id), changed]
    try:
        bands([Band(one.range_start, one.range_end, one.name) for one in ranges])
    except SpecError as error:
        raise refusal(RuleRows(), error, "input", "rangeStart") from None
