"""How one score came about: its total, lines, cut-off, course and alerts, as the steps of a tree."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from . import trajectories
from .arrays import Floats, Ints
from .measures import ORS, SRS, AgeBand, Measure, age_bands, total
from .outcomes import (
    DEFAULT_RULES,
    ChangeCategory,
    OutcomeRules,
    Zone,
    change_categories,
    cutoffs,
    is_nonclinical,
    ors_zones,
    srs_alerts,
)
from .steps import Step

_AGE_LABELS: dict[AgeBand, str] = {
    AgeBand.UNDER_6: "under 6, an age that the measure is not scored for",
    AgeBand.AGE_6_12: "6 to 12",
    AgeBand.AGE_13_17: "13 to 17",
    AgeBand.ADULT: "18 or older",
    AgeBand.UNKNOWN: "unknown, counted as adult",
}
_TOTAL_SOURCE = "FACTS §1; Miller & Duncan scoring manual"
_CUTOFF_SOURCE = "FACTS §1.1; OpenFIT KA-01031"
_SRS_SOURCE = "FACTS §1.1; OpenFIT alert table"
_CHANGE_SOURCE = "FACTS §4; Jacobson & Truax 1991, JCCP 59(1):12-19"
_ZONE_SOURCE = "FACTS §2.1; OpenFIT alert table"
_MODEL_SOURCE = "FACTS §2.5"


def explain_ors(
    items: Sequence[float | None],
    *,
    age: float | None,
    collateral: bool,
    rules: OutcomeRules = DEFAULT_RULES,
    earlier: Sequence[float] | None = None,
) -> tuple[Step, ...]:
    """Explain an ORS; `earlier` are the ORS totals of the course before it in time, None if not known."""
    lines = _lines(items)
    steps = [*_total_steps(ORS, lines), *_cutoff_steps(lines, age, collateral=collateral, rules=rules)]
    score = total(ORS, lines)
    if earlier is None or np.isnan(score[0]):
        return tuple(steps)
    history = np.concatenate([np.asarray(earlier, np.float64), score])
    steps += _trajectory_steps(history, rules)
    if earlier:
        steps += _change_steps(history, _cutoff(age, rules, collateral=collateral), rules)
    return tuple(steps)


def explain_srs(
    items: Sequence[float | None], *, rules: OutcomeRules = DEFAULT_RULES, earlier: Sequence[float] | None = None
) -> tuple[Step, ...]:
    """Explain an SRS; `earlier` are the SRS totals of the course before it in time, None if not known."""
    lines = _lines(items)
    history = np.concatenate([np.asarray(earlier or (), np.float64), total(SRS, lines)])
    steps = _total_steps(SRS, lines)
    if np.isnan(history[-1]):
        return tuple(steps)
    alerts = srs_alerts(np.zeros(len(history), np.int64), history, rules)
    below = f"1 if the total is under {rules.srs_cutoff:g}"
    steps += [
        Step("alert", "total", "Alert", float(alerts.alert[-1]), "1 if one of its steps is 1", _SRS_SOURCE),
        Step("alert.below_cutoff", "alert", "Under the cut-off", float(alerts.below_cutoff[-1]), below, _SRS_SOURCE),
        Step("cutoff", "alert.below_cutoff", "Cut-off", rules.srs_cutoff, "the same for all ages", _SRS_SOURCE),
    ]
    if earlier:
        dropped = f"1 if the total is {rules.srs_drop:g} or more under the previous SRS"
        steps += [
            Step("alert.dropped", "alert", "Dropped", float(alerts.dropped[-1]), dropped, _SRS_SOURCE),
            Step("previous", "alert.dropped", "Previous SRS", float(history[-2]), "of the same course", _SRS_SOURCE),
        ]
    return tuple(steps)


def _lines(items: Sequence[float | None]) -> Floats:
    return np.array([[np.nan if item is None else item for item in items]], np.float64)


def _total_steps(measure: Measure, lines: Floats) -> list[Step]:
    name = measure.key.upper()
    span = f"{measure.item_minimum:g} to {measure.item_maximum:g}"
    rule = f"sum of the {len(measure.items)} lines; undefined if one is missing or not from {span}"
    return [
        Step("total", None, f"{name} total", _value(total(measure, lines)), rule, _TOTAL_SOURCE),
        *(
            Step(f"line.{item}", "total", item.replace("_", " ").capitalize(), _value(line), span, _TOTAL_SOURCE)
            for item, line in zip(measure.items, np.split(lines[0], len(measure.items)), strict=True)
        ),
        Step("measure", "total", "Measure", None, f"{measure.key} version {measure.version}", _TOTAL_SOURCE),
    ]


def _cutoff_steps(lines: Floats, age: float | None, *, collateral: bool, rules: OutcomeRules) -> list[Step]:
    cutoff = _cutoff(age, rules, collateral=collateral)
    healthy = is_nonclinical(rules, total(ORS, lines), cutoff)
    undefined = np.isnan(total(ORS, lines)[0])
    informant = "a collateral rater" if collateral else "the client"
    side = "at or above" if rules.at_cutoff_is_nonclinical else "above"
    band = AgeBand(int(_age_band(age)[0]))
    return [
        Step(
            "nonclinical",
            "total",
            "Non-clinical",
            None if undefined else float(healthy[0]),
            f"1 if the total is {side} the cut-off",
            _CUTOFF_SOURCE,
        ),
        Step("cutoff", "nonclinical", "Cut-off", _value(cutoff), f"for {informant}, by age at intake", _CUTOFF_SOURCE),
        Step("cutoff.age", "cutoff", "Age at intake in years", age, f"age band: {_AGE_LABELS[band]}", _CUTOFF_SOURCE),
    ]


def _trajectory_steps(history: Floats, rules: OutcomeRules) -> list[Step]:
    zones = ors_zones(np.zeros(len(history), np.int64), history, rules)
    course, model = zones.course, rules.trajectory
    green, red = _limit_rule(model.green_quantile), _limit_rule(model.red_quantile)
    approach = "intake + (end-point - intake) x (1 - exp(-rate x (ordinal - 1)))"
    above = trajectories.intake_above_range(model, history[:1])
    usual = f"1 above {model.usual_maximum_intake:g}"
    zone = Zone(int(zones.zone[-1])).name.lower()
    of_zone, of_model = partial(Step, source=_ZONE_SOURCE), partial(Step, source=_MODEL_SOURCE)
    return [
        of_zone("alert", "total", "Alert", float(zones.alert[-1]), f"1 if the zone is red; it is {zone}"),
        of_zone("zone", "alert", "Zone", float(zones.zone[-1]), "0 grey, 1 green, 2 amber, 3 red"),
        of_model("zone.successful", "zone", "Green limit", _value(course.successful[-1:]), green),
        of_model("zone.unsuccessful", "zone", "Red limit", _value(course.unsuccessful[-1:]), red),
        of_model("expected", "zone", "Expected ORS", _value(course.expected[-1:]), approach),
        of_model("model", "expected", "Trajectory model", None, model.version),
        of_model("intake", "expected", "Intake ORS", float(history[0]), "first ORS of the course"),
        of_model("intake.above_range", "intake", "Intake above the usual range", float(above[0]), usual),
        of_model("ordinal", "expected", "Ordinal of the score", float(len(history)), "among the ORS of the course"),
    ]


def _limit_rule(quantile: float) -> str:
    return f"{quantile:.1%} quantile around the expected ORS; zones start with the second score"


def _change_steps(history: Floats, cutoff: Floats, rules: OutcomeRules) -> list[Step]:
    category = ChangeCategory(int(change_categories(history[:1], history[-1:], cutoff, rules)[0]))
    name = category.name.lower().replace("_", " ")
    reliable = f"reliable from {rules.rci:g} points either way"
    return [
        Step("change", "total", "Change since intake", _value(history[-1:] - history[:1]), reliable, _CHANGE_SOURCE),
        Step(
            "change.category",
            "change",
            "Change category",
            float(category),
            f"{name}; 0 recovered, 1 improved, 2 no change, 3 deteriorated",
            _CHANGE_SOURCE,
        ),
        Step("change.rci", "change", "Reliable change", rules.rci, "points", "FACTS §1.2"),
    ]


def _cutoff(age: float | None, rules: OutcomeRules, *, collateral: bool) -> Floats:
    return cutoffs(rules, _age_band(age), np.array([collateral]))


def _age_band(age: float | None) -> Ints:
    return age_bands(np.array([np.nan if age is None else age], np.float64))


def _value(values: Floats) -> float | None:
    """Take the only element, None for NaN."""
    value = float(values.item())
    return None if np.isnan(value) else value
