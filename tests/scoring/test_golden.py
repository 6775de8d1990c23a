"""Every published or independently computed vector against the engine; a vector without a runner fails."""

import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from caregraph.scoring import trajectories
from caregraph.scoring.attainment import goal_attainment_t
from caregraph.scoring.bands import ResultRange, bands
from caregraph.scoring.change import (
    Better,
    clinical_cutoffs,
    effect_sizes,
    end_point_line,
    least_squares,
    rci_threshold,
    reliable_change,
    s_diff,
    sem,
    severity_adjusted,
)
from caregraph.scoring.courses import Episodes, Scores
from caregraph.scoring.engine import score
from caregraph.scoring.expressions import evaluate, parse
from caregraph.scoring.grouping import Grouping
from caregraph.scoring.instruments import instrument
from caregraph.scoring.measures import ORS, equal_lines, total
from caregraph.scoring.norms import NO_STANINE, Norm, percentiles, stanines, t_scores, z_scores
from caregraph.scoring.outcomes import (
    AgeCutoffs,
    ChangeCategory,
    OutcomeRules,
    Zone,
    change_categories,
    ors_zones,
    srs_alerts,
)
from caregraph.scoring.parts import (
    FOUR_FIFTHS,
    Domain,
    Item,
    MissingRule,
    Scale,
    ScaleItem,
    ScoreConfig,
    ScoreKind,
)
from caregraph.scoring.reliability import cronbach_alpha, omega_of_factor
from caregraph.scoring.spec import ScoringSpec
from caregraph.scoring.statistics import Groups, indices
from caregraph.scoring.trajectories import ORS_DEFAULT_V1

VECTORS = json.loads((Path(__file__).parent / "golden.json").read_text())["vectors"]

AGES = {"adult": 30.0, "adolescent": 15.0, "child": 10.0}
NAMES = {
    "n_episodes_scored": "n_scored",
    "mean_intake_ors_paired": "mean_intake_paired",
    "mean_last_ors_paired": "mean_last",
    "pct_unplanned_endings": "unplanned_rate",
    "pct_planned_endings": "planned_rate",
}


def course_as_lists(model, inputs):
    course = trajectories.trajectory(model, np.array([inputs["intake"]]), inputs["session_count"])
    return {name: getattr(course, name)[0].tolist() for name in ("expected", "successful", "unsuccessful")}


def ors_trajectory(inputs):
    return course_as_lists(ORS_DEFAULT_V1, inputs)


def ors_trajectory_group_median(inputs):
    model = ORS_DEFAULT_V1.as_group_median()
    assert (model.green_quantile, model.red_quantile) == (inputs["p_successful"], inputs["p_unsuccessful"])
    return course_as_lists(model, inputs)


def service_target(inputs):
    intake = np.array([inputs["intake"]])
    return {
        "expected_end": trajectories.expected_end(ORS_DEFAULT_V1, intake)[0],
        "service_target": trajectories.service_target(ORS_DEFAULT_V1, intake)[0],
        "red_limit": trajectories.at(ORS_DEFAULT_V1, intake, np.array([np.inf])).unsuccessful[0],
    }


def ors_expected_end(inputs):
    return {"expected_end": trajectories.expected_end(ORS_DEFAULT_V1, np.array([inputs["intake"]]))[0]}


def ors_expected_at(inputs):
    course = trajectories.at(ORS_DEFAULT_V1, np.array([inputs["intake"]]), np.array([inputs["session"]]))
    return {"value": course.expected[0]}


def ors_expected_change(inputs):
    intake = np.array([inputs["intake"]])
    return {"change": (trajectories.expected_end(ORS_DEFAULT_V1, intake) - intake)[0]}


def visual_analogue_total(inputs):
    assert (inputs["item_min"], inputs["item_max"]) == (ORS.item_minimum, ORS.item_maximum)
    found = total(ORS, np.array([inputs["items"]], np.float64))[0]
    return {"total": found, "mean": found / len(ORS.items)}


def visual_analogue_from_total(inputs):
    assert inputs["n_items"] == len(ORS.items)
    return {"items": equal_lines(ORS, np.array([inputs["total"]]))[0].tolist()}


def srs_alert(inputs):
    totals = np.array(inputs["totals"])
    return {"alerts": srs_alerts(np.zeros(len(totals), np.int64), totals).alert.tolist()}


def change_category(inputs):
    first, last, cutoff = (np.array([inputs[name]]) for name in ("first", "last", "cutoff"))
    found = change_categories(first, last, cutoff, OutcomeRules(rci=inputs["rci"]))
    return {"category": ChangeCategory(found[0]).name.lower()}


def ors_zone(inputs):
    totals = np.full(inputs["session"], inputs["intake"])
    totals[-1] = inputs["score"]
    found = ors_zones(np.zeros(len(totals), np.int64), totals)
    return {
        "zone": Zone(found.zone[-1]).name.lower(),
        "successful": found.course.successful[-1],
        "unsuccessful": found.course.unsuccessful[-1],
    }


def jacobson_truax(inputs):
    sd, reliability = inputs["sd_clinical"], inputs["reliability"]
    clinical, functional = Norm(inputs["m_clinical"], sd), Norm(inputs["m_functional"], inputs["sd_functional"])
    found = clinical_cutoffs(clinical, functional, Better[inputs["better"].upper()])
    pre, post = np.array([inputs["pre"]]), np.array([inputs["post"]])
    return {
        "sem": sem(sd, reliability),
        "s_diff": s_diff(sd, reliability),
        "rc": reliable_change(pre, post, sd, reliability)[0],
        "rci_threshold": rci_threshold(sd, reliability, inputs.get("z", 1.96)),
        "cutoff_a": found.a,
        "cutoff_b": found.b,
        "cutoff_c": found.c,
    }


def threshold(inputs):
    sd, reliability = inputs["sd"], inputs["reliability"]
    return {
        "sem": sem(sd, reliability),
        "s_diff": s_diff(sd, reliability),
        "rci_threshold": rci_threshold(sd, reliability, inputs["z"]),
    }


def sizes(inputs):
    pre, post = np.array(inputs["pre"]), np.array(inputs["post"])
    found = effect_sizes(Grouping.single(len(pre)), pre, post, inputs["reference_sd"])
    names = ("n", "mean_change", "es_pre_sd", "es_pre_sd_hedges", "es_ref_sd", "es_dz", "es_av")
    return {name: getattr(found, name)[0] for name in names}


def severity_adjusted_es(inputs):
    pre, post = np.array(inputs["pre"]), np.array(inputs["post"])
    found = severity_adjusted(
        Grouping.single(len(pre)),
        pre,
        post,
        model=ORS_DEFAULT_V1,
        reference_sd=inputs["reference_sd"],
        reference_effect_size=inputs["es_reference"],
    )
    names = ("mean_residual", "relative_es", "severity_adjusted_es")
    return {name: getattr(found, name)[0] for name in names} | {"es_ref_sd": sizes(inputs)["es_ref_sd"]}


def ols_last_on_first(inputs):
    line = least_squares(np.array(inputs["first"]), np.array(inputs["last"]))
    return {"slope": line.slope, "intercept": line.intercept, "r": line.correlation, "resid_sd": line.residual_sd}


def refit_linear_given_k(inputs):
    intake, session, score = np.array(inputs["rows_intake_session_score"]).T
    intercept, slope = end_point_line(intake, session, score, inputs["k"])
    return {"intercept": intercept, "slope": slope, "m_end_at_20": intercept + 20 * slope}


def agency_statistics(inputs):
    found = indices(*agency_columns(inputs["episodes"]), agency_rules(inputs))
    return {name: values[0] for name, values in found.items()}


def agency_rules(inputs):
    if "rci" not in inputs:
        return OutcomeRules()
    ages = inputs["cutoffs"]
    return OutcomeRules(
        rci=inputs["rci"],
        reference_sd=inputs["reference_sd"],
        reference_effect_size=inputs["es_reference"],
        srs_cutoff=inputs["srs_cutoff"],
        self_cutoffs=AgeCutoffs(ages["child"], ages["child"], ages["adolescent"], ages["adult"]),
    )


def agency_columns(episodes):
    scores = [
        (row, measure, date.fromisoformat(session["date"]).toordinal(), session[name])
        for row, episode in enumerate(episodes)
        for session in episode["sessions"]
        for measure, name in enumerate(("ors", "srs"))
        if session[name] is not None
    ]
    row, measure, position, totals = ([score[column] for score in scores] for column in range(4))
    count = len(episodes)
    last = [max(session["date"] for session in episode["sessions"]) for episode in episodes]
    return (
        Episodes(
            episode=np.arange(count),
            client=np.array([int(episode["client"][1:]) for episode in episodes], np.int64),
            age=np.array([AGES[episode["age_group"]] for episode in episodes], np.float64),
            status=np.array([episode["status"] for episode in episodes], np.int8),
            start=np.array([episode["start"] for episode in episodes], "datetime64[D]"),
            end=np.array([episode["end"] or "NaT" for episode in episodes], "datetime64[D]"),
            session_count=np.array([len(episode["sessions"]) for episode in episodes], np.int64),
            last_session=np.array(last, "datetime64[D]"),
            rater_count=np.zeros(count, np.int64),
        ),
        Scores(
            row=np.array(row, np.int64),
            informant=np.zeros(len(row), np.int64),
            measure=np.array(measure, np.int8),
            position=np.array(position, np.int64),
            total=np.array(totals, np.float64),
        ),
        Groups(np.arange(count), np.zeros(count, np.int8), np.zeros(count, np.int64), 1),
    )


def one_row(values):
    return np.array([values], np.float64)


def scale_of(items, minimum, maximum, kind=ScoreKind.SUM, **config):
    """A specification of one scale over all items, whose score has the key `score`."""
    keys = [f"q{place}" for place in range(len(items))]
    scale = Scale("scale", tuple(ScaleItem(key) for key in keys))
    items = tuple(Item(key, minimum, maximum) for key in keys)
    return ScoringSpec(items, (scale,), (), (ScoreConfig("score", "scale", kind, **config),))


def only(spec, items):
    return score(spec, one_row(items))["score"].score[0]


def alpha(inputs):
    matrix = np.array(inputs["matrix"], np.float64)
    return {"alpha": cronbach_alpha(matrix), "n_used": int((~np.isnan(matrix).any(axis=1)).sum())}


def omega(inputs):
    return {"omega": omega_of_factor(np.array(inputs["loadings"]), np.array(inputs["residual_variances"]))}


def normative_scores(inputs):
    norm = Norm(inputs["mean"], inputs["sd"])
    z = z_scores(np.array([inputs["raw"]], np.float64), norm)
    stanine = int(stanines(z)[0])
    return {
        "z": z[0],
        "percentile_rank": percentiles(z)[0],
        "t_score": t_scores(z)[0],
        "stanine": math.nan if stanine == NO_STANINE else stanine,
    }


def prorate(inputs):
    items = inputs["items"]
    assert inputs["n_items"] == len(items)
    missing = MissingRule(share=inputs.get("min_frac", 1.0), count=inputs.get("min_answered"))
    given = [item for item in items if item is not None]
    return {
        "answered": len(given),
        "raw_sum": only(scale_of(given, 0, 3), given),
        "prorated_sum": only(scale_of(items, 0, 3, missing=missing), items),
        "mean": only(scale_of(items, 0, 3, ScoreKind.MEAN, missing=missing), items),
    }


def reverse_score(inputs):
    items = [Item(f"q{place}", inputs["item_min"], inputs["item_max"]) for place in range(len(inputs["items"]))]
    scales = [Scale(f"of {item.key}", (ScaleItem(item.key, reverse=True),)) for item in items]
    configs = [ScoreConfig(scale.key, scale.key, ScoreKind.SUM) for scale in scales]
    found = score(ScoringSpec(tuple(items), tuple(scales), (), tuple(configs)), one_row(inputs["items"]))
    return {"reversed": [column.score[0] for column in found.values()]}


def result_range(inputs):
    ranges = [ResultRange(*one) for one in inputs["ranges"]]
    return {"label": ranges[bands(ranges).of(np.array([inputs["score"]], np.float64))[0]].label}


def custom_expression(inputs):
    variables = {letter: np.array([value]) for letter, value in inputs["variables"].items()}
    return {"value": evaluate(parse(inputs["expression"]), variables)[0]}


def hierarchy(inputs):
    items, scales, configs, answers = [], [], [], []
    for key, scale in inputs["scales"].items():
        members = [Item(f"{key} {place}", 1, 5) for place in range(len(scale["items"]))]
        items += members
        answers += scale["items"]
        scales.append(Scale(key, tuple(ScaleItem(item.key) for item in members)))
        configs.append(ScoreConfig(key, key, ScoreKind(scale["score"]), FOUR_FIFTHS))
    domain = Domain("domain", tuple(inputs["domain"]["scales"]))
    configs += [
        ScoreConfig("domain_sum", "domain", ScoreKind.SUM),
        ScoreConfig("domain_mean", "domain", ScoreKind.MEAN),
    ]
    found = score(ScoringSpec(tuple(items), tuple(scales), (domain,), tuple(configs)), one_row(answers))
    return {key: column.score[0] for key, column in found.items()}


INSTRUMENTS = {"PHQ-9": "phq_9", "GAD-7": "gad_7", "CORE-10": "core_10", "DASS-21": "dass_21", "K10": "k10"}
UNSHIPPED = {"WHO-5": (5, "percentage"), "AUDIT": (4, "total"), "SDQ": (2, "prorated_sum")}


def of_instrument(inputs):
    """Instruments whose licence keeps them out of the library are scored by specifications of their own."""
    name, items = inputs["instrument"], inputs["items"]
    if name in UNSHIPPED:
        return of_licensed_instrument(name, inputs)
    one = instrument(INSTRUMENTS[name])
    columns = score(one.spec, one_row(items))
    found = {key: column.score[0] for key, column in columns.items()}
    for column in columns.values():
        if column.band[0] >= 0:
            found["band"] = found["band_abs"] = column.config.ranges[column.band[0]].label
    flagged = {
        flag.item: items[[item.key for item in one.items].index(flag.item)] >= flag.at_least for flag in one.flags
    }
    cutoffs = {cutoff.at_least: found[cutoff.score] >= cutoff.at_least for cutoff in one.cutoffs}
    return found | {"item9_flag": flagged.get("q9"), "at_or_above_cutoff_11": cutoffs.get(11)}


def of_licensed_instrument(name, inputs):
    highest, items = UNSHIPPED[name][0], inputs["items"]
    if name == "SDQ":
        missing = MissingRule(count=inputs["min_answered"])
        return {
            "prorated_sum": only(scale_of(items, 0, highest, missing=missing), items),
            "rounded": only(scale_of(items, 0, highest, missing=missing, decimals=0), items),
        }
    if name == "WHO-5":
        percentage = only(scale_of(items, 0, highest, multiplier=4), items)
        return {
            "raw": only(scale_of(items, 0, highest), items),
            "percentage": percentage,
            "below_or_equal_50": percentage <= 50,
        }
    zones = (ResultRange(0, 7, "I (0-7)"), ResultRange(8, 15, "II (8-15)"), ResultRange(16, 19, "III (16-19)"))
    column = score(scale_of(items, 0, highest, ranges=zones), one_row(items))["score"]
    audit_c = score(instrument("audit_c").spec, one_row(items[:3]))["total"].score[0]
    return {"total": column.score[0], "zone": zones[column.band[0]].label, "audit_c": audit_c}


def goal_attainment(inputs):
    found = goal_attainment_t(one_row(inputs["attainments"]), one_row(inputs["weights"]), inputs["rho"])
    goals = [*inputs["attainments"], *[None] * (5 - len(inputs["attainments"]))]
    assert score(instrument("goal_attainment").spec, one_row(goals))["t"].score[0] == found[0]
    return {"t": found[0]}


RUNNERS = {
    "agency_statistics": agency_statistics,
    "change_category": change_category,
    "cronbach_alpha": alpha,
    "custom_expression": custom_expression,
    "effect_sizes": sizes,
    "goal_attainment_t": goal_attainment,
    "hierarchy": hierarchy,
    "instrument": of_instrument,
    "jacobson_truax": jacobson_truax,
    "mcdonald_omega": omega,
    "normative_scores": normative_scores,
    "ols_last_on_first": ols_last_on_first,
    "ors_expected_at": ors_expected_at,
    "ors_expected_change": ors_expected_change,
    "ors_expected_end": ors_expected_end,
    "ors_trajectory": ors_trajectory,
    "ors_trajectory_group_median": ors_trajectory_group_median,
    "ors_zone": ors_zone,
    "prorate": prorate,
    "rci_threshold": threshold,
    "refit_linear_given_k": refit_linear_given_k,
    "result_range": result_range,
    "reverse_score": reverse_score,
    "service_target": service_target,
    "severity_adjusted_es": severity_adjusted_es,
    "srs_alert": srs_alert,
    "visual_analogue_from_total": visual_analogue_from_total,
    "visual_analogue_total": visual_analogue_total,
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector(vector):
    assert vector["function"] in RUNNERS, "give this function a runner"

    found = RUNNERS[vector["function"]](vector["inputs"])

    for name, expected in vector["expected"].items():
        value = found[NAMES.get(name, name)]
        if expected is None:
            assert math.isnan(value), name
        elif isinstance(expected, str) or vector["tolerance"] == 0:
            assert value == expected, name
        else:
            assert value == pytest.approx(expected, abs=vector["tolerance"], rel=0), name
