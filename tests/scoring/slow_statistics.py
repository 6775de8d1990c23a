"""The statistics of FACTS §3 once more, row by row in plain Python, to compare the vectorised ones with."""

import math
from dataclasses import dataclass, field
from datetime import date
from statistics import NormalDist, fmean, stdev

SLACK = 1e-9


@dataclass
class Rules:
    rci: float = 5.0
    reference_sd: float = 8.0
    reference_effect_size: float = 1.0
    self_cutoffs: tuple[float, float, float, float] = (32.0, 32.0, 28.0, 25.0)
    collateral_cutoffs: tuple[float, float, float, float] = (28.0, 28.0, 28.0, 25.0)
    at_cutoff_is_nonclinical: bool = True
    srs_cutoff: float = 36.0
    srs_drop: float = 1.0
    dropout_needs_missed_target: bool = False


@dataclass
class Row:
    """One (episode, client); `series` maps informant to measure to totals in time."""

    episode: int
    client: int
    age: float | None
    status: int
    start: date
    end: date | None
    session_count: int
    last_session: date | None
    rater_count: int
    series: dict[int, dict[str, list[float]]] = field(default_factory=dict)


def end_point(intake: float) -> float:
    return 28.0 + 0.53 * (intake - 20.0)


def green_limit(intake: float, ordinal: float) -> float:
    if ordinal == 1:
        return intake
    f = 1 - math.exp(-0.48 * (ordinal - 1))
    expected = intake + (end_point(intake) - intake) * f
    spread = 0.81 * math.sqrt(1 - math.exp(-2 * 0.48 * (ordinal - 1)))
    logit = math.log(expected / (40 - expected)) + NormalDist().inv_cdf(0.31) * spread
    return 40 / (1 + math.exp(-logit))


def age_name(age: float | None) -> str:
    if age is None or age < 0:
        return "unknown_age"
    for limit, name in ((6, "under_6"), (13, "aged_6_to_12"), (18, "aged_13_to_17")):
        if age < limit:
            return name
    return "adult"


def cutoff_of(rules: Rules, age: float | None, informant: int) -> float:
    table = rules.self_cutoffs if informant == 0 else rules.collateral_cutoffs
    return table[{"under_6": 0, "aged_6_to_12": 1, "aged_13_to_17": 2}.get(age_name(age), 3)]


def healthy(rules: Rules, total: float, cutoff: float) -> bool:
    return total > cutoff - SLACK if rules.at_cutoff_is_nonclinical else total > cutoff + SLACK


def category(rules: Rules, first: float, last: float, cutoff: float) -> str:
    if last - first >= rules.rci - SLACK:
        crossed = not healthy(rules, first, cutoff) and healthy(rules, last, cutoff)
        return "recovered" if crossed else "improved"
    return "deteriorated" if first - last >= rules.rci - SLACK else "no_change"


def mean(values: list[float]) -> float | None:
    return fmean(values) if values else None


def sd(values: list[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def ratio(value: float | None, divisor: float | None) -> float | None:
    return None if value is None or divisor is None or divisor < SLACK else value / divisor


def percentage(hits: int, among: int) -> float | None:
    return 100 * hits / among if among else None


def slow_indices(rows: list[Row], chosen: set[tuple[int, int]], rules: Rules) -> dict[str, float | None]:
    """Indices of one group: `chosen` holds (position in rows, kind), kind 0 the client and 1 the raters."""
    group_rows = [rows[position] for position in {position for position, _ in chosen}]
    series = [
        (rows[position], informant, totals)
        for position, kind in chosen
        for informant, totals in rows[position].series.items()
        if (informant != 0) == (kind == 1)
    ]
    expected_scores = sum(
        rows[position].session_count * (rows[position].rater_count if kind else 1) for position, kind in chosen
    )
    found: dict[str, float | None] = {}
    found.update(cases(group_rows))
    found.update(endings(group_rows, series, rules))
    found.update(intakes(series, rules))
    found.update(changes(series, rules))
    found.update(alliance(series, rules))
    for measure in ("ors", "srs"):
        given = sum(len(totals[measure]) for _, _, totals in series)
        found[f"n_{measure}"] = given
        found[f"{measure}_completion_pct"] = percentage(given, expected_scores)
    return found


def cases(rows):
    found = {
        "n_clients": len({row.client for row in rows}),
        "n_raters": sum(row.rater_count for row in rows),
    }
    for name in ("under_6", "aged_6_to_12", "aged_13_to_17", "adult", "unknown_age"):
        found[f"n_clients_{name}"] = len({row.client for row in rows if age_name(row.age) == name})
    return found


def endings(rows, series, rules):
    episodes = {row.episode: row for row in rows}.values()
    closed = [row for row in episodes if row.status != 0]
    missed = {
        row.episode
        for row, _, totals in series
        if len(totals["ors"]) >= 2 and totals["ors"][-1] < green_limit(totals["ors"][0], len(totals["ors"])) - SLACK
    }
    if rules.dropout_needs_missed_target:
        dropped = [row for row in closed if row.status in (1, 2) and row.episode in missed]
    else:
        dropped = [row for row in closed if row.status == 1]
    days = [(until - row.start).days for row in episodes if (until := row.end or row.last_session)]
    return {
        "n_episodes": len(episodes),
        "n_open": len(episodes) - len(closed),
        "n_closed": len(closed),
        "dropout_rate": percentage(len(dropped), len(closed)),
        "unplanned_rate": percentage(sum(row.status in (1, 2) for row in closed), len(closed)),
        "planned_rate": percentage(sum(row.status == 3 for row in closed), len(closed)),
        "mean_sessions": mean([row.session_count for row in episodes]),
        "mean_duration_days": mean(days),
    }


def intakes(series, rules):
    scored = [(row, informant, totals["ors"]) for row, informant, totals in series if totals["ors"]]
    above = sum(healthy(rules, ors[0], cutoff_of(rules, row.age, informant)) for row, informant, ors in scored)
    found = {
        "n_scored": len(scored),
        "mean_intake_ors": mean([ors[0] for _, _, ors in scored]),
        "pct_intake_above_cutoff": percentage(above, len(scored)),
        "mean_most_recent_ors": mean([ors[-1] for _, _, ors in scored]),
    }
    for name in ("under_6", "aged_6_to_12", "aged_13_to_17", "adult", "unknown_age"):
        found[f"mean_intake_ors_{name}"] = mean([ors[0] for row, _, ors in scored if age_name(row.age) == name])
    return found


def changes(series, rules):
    pairs = [(row, informant, totals["ors"]) for row, informant, totals in series if len(totals["ors"]) >= 2]
    n = len(pairs)
    first, last = [ors[0] for _, _, ors in pairs], [ors[-1] for _, _, ors in pairs]
    change = [ors[-1] - ors[0] for _, _, ors in pairs]
    residual = mean([ors[-1] - end_point(ors[0]) for _, _, ors in pairs])
    pre = ratio(mean(change), sd(first))
    found = {
        "n_pairs": n,
        "mean_intake_paired": mean(first),
        "mean_last": mean(last),
        "mean_raw_change": mean(change),
        "sd_intake_paired": sd(first),
        "sd_change": sd(change),
        "es_ref_sd": ratio(mean(change), rules.reference_sd),
        "es_pre_sd": pre,
        "es_pre_sd_hedges": None if pre is None else pre * (1 - 3 / (4 * (n - 1) - 1)),
        "es_dz": ratio(mean(change), sd(change)),
        "mean_residual": residual,
        "relative_es": ratio(residual, rules.reference_sd),
        "severity_adjusted_es": None if not n else residual / rules.reference_sd + rules.reference_effect_size,
    }
    names = [category(rules, ors[0], ors[-1], cutoff_of(rules, row.age, who)) for row, who, ors in pairs]
    counts = {name: names.count(name) for name in ("recovered", "improved", "no_change", "deteriorated")}
    counts["session_target"] = sum(ors[-1] >= green_limit(ors[0], len(ors)) - SLACK for _, _, ors in pairs)
    counts["service_target"] = sum(ors[-1] >= green_limit(ors[0], math.inf) - SLACK for _, _, ors in pairs)
    for name, count in counts.items():
        found[f"n_{name}"] = count
        found[f"pct_{name}"] = percentage(count, n)
    return found


def alliance(series, rules):
    rated = [totals["srs"] for _, _, totals in series if totals["srs"]]
    below = alerts = 0
    for srs in rated:
        for position, total in enumerate(srs):
            low = total < rules.srs_cutoff - SLACK
            fell = position > 0 and srs[position - 1] - total >= rules.srs_drop - SLACK
            below += low
            alerts += low or fell
    given = [total for srs in rated for total in srs]
    return {
        "mean_srs_first": mean([srs[0] for srs in rated]),
        "mean_srs_last": mean([srs[-1] for srs in rated]),
        "mean_srs_all": mean(given),
        "pct_srs_below_cutoff": percentage(below, len(given)),
        "pct_alliance_alerts": percentage(alerts, len(given)),
    }
