"""Instruments of the library as assessments of an organization: what a file says becomes rows that are ready to use."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Any

from sqlalchemy import select

from caregraph.auth.viewer import Viewer
from caregraph.db.base import now
from caregraph.db.scope import visible
from caregraph.db.session import Tx
from caregraph.graph.context import Context
from caregraph.graph.errors import Code, Refused
from caregraph.graph.fields import describe
from caregraph.scoring.bands import bands
from caregraph.scoring.instruments import Instrument, InstrumentItem, instrument
from caregraph.scoring.parts import COMPLETE, Scale, ScoreConfig, ScoreKind

from . import config_models, models
from .enums import DisplayScoreType, ItemType, PublicationStatus, ScoreType
from .limits import keep_limits

_TYPES = {
    ScoreKind.SUM: ScoreType.SCALE_SUM,
    ScoreKind.MEAN: ScoreType.SCALE_MEAN,
    ScoreKind.GOAL_ATTAINMENT: ScoreType.GOAL_ATTAINMENT,
}
_YEAR = re.compile(r"[ ,]*\b\d{4}\b")
_LONGEST_AUTHOR = 50


async def install_instrument(
    tx: Tx,
    viewer: Viewer,
    key: Annotated[str, describe("Key of an instrument of the library, such as `phq_9`; `instruments` has them all.")],
) -> models.Assessment:
    """Make an instrument of the library an assessment of your organization: published, private, ready to be answered.

    Its items with options, its scales, score configs and result ranges are rows of your organization from then on, with
    LOINC codes where they are known, its licence notice as `longDescription`. An instrument is installed once; the ORS
    and the SRS are recorded in sessions and need no installation.
    """
    found = _instrument(key)
    own = models.Assessment.organization_id == viewer.organization_id
    there = await tx.scalar(select(models.Assessment.id).where(own, models.Assessment.instrument_key == key).limit(1))
    if there is not None:
        raise Refused(Code.CONFLICT, f"The {found.name} is installed already", "key")
    await _must_be_free(tx, viewer, [_name(found, scale) for scale in found.spec.scales])
    return await _Installation(tx, found, {"created_by_id": viewer.user_id}).run()


def is_installable(found: Instrument) -> bool:
    """Whether its answers are chosen from options: the lines of the ORS and the SRS are numbers, and have sessions."""
    return all(item.options for item in found.items)


@dataclass(frozen=True)
class InstalledByKey:
    """The organization's assessments that were installed from instruments, the oldest of each."""

    async def load_many(self, context: Context, keys: Sequence[str]) -> list[models.Assessment | None]:
        """One assessment or none per instrument."""
        own = models.Assessment.organization_id == context.viewer.organization_id
        statement = visible(models.Assessment, context.viewer).where(own, models.Assessment.instrument_key.in_(keys))
        newest_first = statement.order_by(models.Assessment.id.desc()).limit(context.rows_left + 1)
        rows = list((await context.run(newest_first)).scalars())
        context.spend_on(self, {row.instrument_key: 1 for row in rows})
        context.saw_rows(models.Assessment, rows)
        found = {row.instrument_key: row for row in rows}
        return [found.get(key) for key in keys]


def _instrument(key: str) -> Instrument:
    try:
        found = instrument(key)
    except KeyError:
        raise Refused(Code.NOT_FOUND, "Instrument not found", "key") from None
    if not is_installable(found):
        raise Refused(Code.CONFLICT, f"The {found.name} is recorded in sessions and needs no installation", "key")
    return found


async def _must_be_free(tx: Tx, viewer: Viewer, names: list[str]) -> None:
    """Scales are named once in an organization."""
    own = models.Scale.organization_id == viewer.organization_id
    taken = await tx.scalar(select(models.Scale.name).where(own, models.Scale.name.in_(names)).limit(1))
    if taken is not None:
        raise Refused(Code.CONFLICT, f"A scale named “{taken}” is there already", "key")


def _name(found: Instrument, scale: Scale) -> str:
    return f"{found.name}: {scale.label}"


@dataclass(eq=False)
class _Installation:
    """The rows of one instrument, as they come to be."""

    tx: Tx
    instrument: Instrument
    by: dict[str, Any]

    async def run(self) -> models.Assessment:
        """Write all of them."""
        assessment = models.Assessment(**_texts(self.instrument), **self.by)
        items = {one.key: self._item(one) for one in self.instrument.items}
        scales = {one.key: self._scale(one) for one in self.instrument.spec.scales}
        configs = {one.key: self._config(one) for one in self.instrument.spec.configs}
        stem = [self._stem()] if self.instrument.instruction else []
        await self._write([assessment, *stem, *items.values(), *scales.values()])
        await self._write(self._parts(assessment, [*stem, *items.values()], items, scales))
        for one in self.instrument.spec.configs:
            configs[one.key].scale_id = scales[one.of].id
        await self._write(configs.values())
        await self._write(self._meanings(configs))
        await keep_limits(self.tx, scales=[one.id for one in scales.values()])
        return assessment

    async def _write(self, rows: Any) -> None:
        self.tx.add_all(rows)
        await self.tx.flush()

    def _stem(self) -> models.Item:
        return models.Item(text=self.instrument.instruction, item_type=ItemType.INSTRUCTION, **self.by)

    def _item(self, one: InstrumentItem) -> models.Item:
        code = one.code or None
        return models.Item(
            text=one.text, item_type=ItemType.MULTIPLE_CHOICE, identifier=one.key, loinc_code=code, **self.by
        )

    def _scale(self, one: Scale) -> models.Scale:
        kinds = {config.kind for config in self.instrument.spec.configs if config.of == one.key}
        shown = DisplayScoreType.MEAN_SCORE if kinds == {ScoreKind.MEAN} else DisplayScoreType.SUM_SCORE
        return models.Scale(
            name=_name(self.instrument, one),
            display_name=one.label,
            description=self.instrument.title,
            display_score_type=shown,
            identifier=one.key,
            **self.by,
        )

    def _config(self, one: ScoreConfig) -> config_models.ScoreConfig:
        codes = dict(self.instrument.score_codes)
        return config_models.ScoreConfig(
            name=one.label,
            description=self.instrument.source,
            score_type=_TYPES[one.kind],
            status=PublicationStatus.PUBLISHED,
            published_at=now(),
            minimum_answered_share=_share(one, len(self._scale_of(one).items)),
            loinc_code=codes.get(one.key),
        )

    def _scale_of(self, config: ScoreConfig) -> Scale:
        return next(one for one in self.instrument.spec.scales if one.key == config.of)

    def _parts(
        self,
        assessment: models.Assessment,
        shown: list[models.Item],
        items: dict[str, models.Item],
        scales: dict[str, models.Scale],
    ) -> Iterator[Any]:
        """Options, and what stands where."""
        goals = {one.kind for one in self.instrument.spec.configs} == {ScoreKind.GOAL_ATTAINMENT}
        for position, item in enumerate(shown, start=1):
            required = item.item_type is not ItemType.INSTRUCTION and not goals
            yield models.AssessmentItem(
                assessment_id=assessment.id, item_id=item.id, position=position, required=required
            )
        for one in self.instrument.items:
            for position, choice in enumerate(one.options, start=1):
                yield models.ItemOption(
                    item_id=items[one.key].id,
                    text=choice.text,
                    value=choice.value,
                    position=position,
                    loinc_code=choice.code or None,
                )
        for scale in self.instrument.spec.scales:
            yield models.AssessmentScale(assessment_id=assessment.id, scale_id=scales[scale.key].id)
            yield from self._members(scale, items, scales[scale.key].id)

    def _members(self, scale: Scale, items: dict[str, models.Item], scale_id: int) -> Iterator[models.ItemScale]:
        """A score that is multiplied is a sum of answers that weigh as much."""
        times = {one.multiplier for one in self.instrument.spec.configs if one.of == scale.key and one.kind in _TYPES}
        multiplier = times.pop() if len(times) == 1 else 1.0
        for position, one in enumerate(scale.items, start=1):
            yield models.ItemScale(
                scale_id=scale_id,
                item_id=items[one.item].id,
                position=position,
                weight=one.weight * multiplier,
                is_reversed=one.reverse,
            )

    def _meanings(self, configs: dict[str, config_models.ScoreConfig]) -> Iterator[Any]:
        """Norms and result ranges."""
        for one in self.instrument.spec.configs:
            if one.norm is not None:
                yield config_models.PercentileRankConfig(
                    score_config_id=configs[one.key].id, mean=one.norm.mean, standard_deviation=one.norm.sd
                )
            for start, end, label in half_open(one):
                yield config_models.ResultRange(
                    scale_id=configs[one.key].scale_id,
                    name=label,
                    description=self.instrument.title,
                    range_start=start,
                    range_end=end,
                )


def half_open(config: ScoreConfig) -> list[tuple[float, float, str]]:
    """Published ranges as rows keep them: 0-4 and 5-9 as 0 up to 5, and 5 up to 9, which is included as the last."""
    known = bands(config.ranges)
    found = []
    for place, following, end in zip_longest(known.positions, known.starts[1:], known.ends):
        one = config.ranges[place]
        found.append((one.start, one.end if following is None or end != float("inf") else following, one.label))
    return found


def _share(config: ScoreConfig, parts: int) -> float | None:
    """The share of answers that a score needs; null where it needs all."""
    required = config.missing.required(parts)
    return None if config.missing == COMPLETE or required >= parts else required / parts


def _texts(found: Instrument) -> dict[str, Any]:
    notices = (found.licence.notice, found.licence.codes)
    return {
        "title": found.name,
        "display_title": found.name,
        "description": found.note or None,
        "display_description": found.title,
        "short_description": found.title,
        "long_description": " ".join(one for one in notices if one),
        "author_name": _YEAR.split(found.source)[0][:_LONGEST_AUTHOR],
        "author_description": found.source,
        "identifier": found.key,
        "instrument_key": found.key,
        "instrument_version": found.version,
        "loinc_code": found.panel_code or None,
        "status": PublicationStatus.PUBLISHED,
        "published_at": now(),
    }
