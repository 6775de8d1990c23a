"""Every published or independently computed vector against the engine; a vector without a runner fails."""

import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from caregraph.scoring import trajectories
from caregraph.scoring.change import (
    Better,
    Norm,
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
from caregraph.scoring.grouping import Grouping
from caregraph.scoring.measures import ORS, equal_lines, total
from caregraph.scoring.outcomes import (
    AgeCutoffs,
    ChangeCategory,
    OutcomeRules,
    Zone,
    change_categories,
    ors_zones,
    srs_alerts,
)
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
    measure = replace(ORS, item_minimum=inputs["item_min"], item_maximum=inputs["item_max"])
    found = total(measure, np.array([inputs["items"]], np.float64))[0]
    return {"total": found, "mean": found / len(measure.items)}


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


RUNNERS = {
    "agency_statistics": agency_statistics,
    "change_category": change_category,
    "effect_sizes": sizes,
    "jacobson_truax": jacobson_truax,
    "ols_last_on_first": ols_last_on_first,
    "ors_expected_at": ors_expected_at,
    "ors_expected_change": ors_expected_change,
    "ors_expected_end": ors_expected_end,
    "ors_trajectory": ors_trajectory,
    "ors_trajectory_group_median": ors_trajectory_group_median,
    "ors_zone": ors_zone,
    "rci_threshold": threshold,
    "refit_linear_given_k": refit_linear_given_k,
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
