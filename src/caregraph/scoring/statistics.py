"""The aggregate indices of FACTS §3, for any number of groups of episodes in one pass."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np

from .arrays import Bools, Floats, Ints, divide
from .change import effect_sizes, severity_adjusted
from .courses import (
    Courses,
    Episodes,
    EpisodeStatus,
    Scores,
    check_lengths,
    courses,
)
from .grouping import Grouping
from .indices import AGE_BAND_NAMES, INDICES, Index
from .measures import age_bands
from .outcomes import DEFAULT_RULES, ChangeCategory, DropoutRule, OutcomeRules, Zone

__all__ = ["INDICES", "Courses", "Episodes", "Groups", "Index", "InformantKind", "Scores", "courses", "indices"]

_Columns: TypeAlias = dict[str, Floats | Ints]


class InformantKind(IntEnum):
    """Whose ratings a group takes from an episode row; collateral ratings are kept apart (FACTS §3)."""

    CLIENT = 0
    COLLATERAL = 1


@dataclass(frozen=True, eq=False)
class Groups:
    """Which ratings of which episode rows are in which of `count` groups; repeated entries count once."""

    row: Ints
    """Index into Episodes."""
    kind: Ints
    group: Ints
    count: int

    def __post_init__(self) -> None:
        check_lengths(self)
        if np.any((self.group < 0) | (self.group >= self.count)):
            raise ValueError(f"groups must be numbered from 0 to {self.count - 1}")
        if np.any((self.kind < 0) | (self.kind >= len(InformantKind))):
            raise ValueError("kinds must be values of InformantKind")


def indices(
    episodes: Episodes, scores: Scores, groups: Groups, rules: OutcomeRules = DEFAULT_RULES
) -> dict[str, Floats | Ints]:
    """Every index of INDICES by name, each of shape (groups.count,): counts are integers, undefined is NaN."""
    if np.any((groups.row < 0) | (groups.row >= len(episodes.episode))):
        raise ValueError("groups name rows that episodes does not have")
    sample = _sample(episodes, courses(episodes, scores, rules), groups)
    values = {
        **_cases(sample),
        **_endings(sample, rules),
        **_intakes(sample),
        **_change(sample, rules),
        **_outcomes(sample),
        **_alliance(sample),
    }
    return {index.name: values[index.name] for index in INDICES}


@dataclass(frozen=True, eq=False)
class _Sample:
    """The rows, episodes and courses of each group; a row stands for one (episode, client)."""

    episodes: Episodes
    courses: Courses
    rows: Grouping
    row: Ints
    members: Grouping
    course: Ints
    """Index into courses, one entry per (group, course)."""
    expected_scores: Floats
    """Scores of each measure there would be if no informant had ever left one out, by group."""


def _sample(episodes: Episodes, ordered: Courses, groups: Groups) -> _Sample:
    entries = Grouping(groups.group, groups.count)
    slots = _slots(groups.row, groups.kind)
    chosen = entries.first_of_each(slots)
    entries, slots = entries.take(chosen), slots[chosen]
    row, kind = groups.row[chosen], groups.kind[chosen]
    distinct = entries.first_of_each(row)
    entry, course = _joined(slots, _slots(ordered.row, ordered.is_collateral))
    informants = np.where(kind == InformantKind.CLIENT, 1, episodes.rater_count[row])
    return _Sample(
        episodes=episodes,
        courses=ordered,
        rows=entries.take(distinct),
        row=row[distinct],
        members=entries.take(entry),
        course=course,
        expected_scores=entries.sums(episodes.session_count[row] * informants),
    )


def _slots(row: Ints, kind: Ints | Bools) -> Ints:
    return row.astype(np.int64) * len(InformantKind) + kind


def _joined(wanted: Ints, offered: Ints) -> tuple[Ints, Ints]:
    """All pairs of positions (in wanted, in offered) that hold the same number."""
    order = np.argsort(offered, kind="stable")
    low = np.searchsorted(offered, wanted, "left", sorter=order)
    counts = np.searchsorted(offered, wanted, "right", sorter=order) - low
    skipped = np.cumsum(counts) - counts
    positions = np.arange(counts.sum()) + np.repeat(low - skipped, counts)
    return np.repeat(np.arange(len(wanted)), counts), order[positions]


def _cases(sample: _Sample) -> _Columns:
    clients = sample.episodes.client[sample.row]
    bands = age_bands(sample.episodes.age[sample.row])
    columns: _Columns = {
        "n_clients": sample.rows.take(sample.rows.first_of_each(clients)).counts(),
        "n_raters": sample.rows.sums(sample.episodes.rater_count[sample.row]).astype(np.int64),
    }
    for band, name in AGE_BAND_NAMES.items():
        of_age = sample.rows.take(bands == band)
        columns[f"n_clients_{name}"] = of_age.take(of_age.first_of_each(clients[bands == band])).counts()
    return columns


def _endings(sample: _Sample, rules: OutcomeRules) -> _Columns:
    """Count whole episodes, each once however many of its clients are in the group."""
    episodes = sample.episodes
    once = sample.rows.first_of_each(episodes.episode[sample.row])
    row, grouping = sample.row[once], sample.rows.take(once)
    closed = episodes.status[row] != EpisodeStatus.ONGOING
    last_day = np.where(np.isnat(episodes.end[row]), episodes.last_session[row], episodes.end[row])
    # NaT becomes NaN, which means leave out.
    days = (last_day - episodes.start[row]) / np.timedelta64(1, "D")
    unplanned = _is_unplanned(episodes.status[row])
    return {
        "n_episodes": grouping.counts(),
        "n_open": grouping.counts(~closed),
        "n_closed": grouping.counts(closed),
        "dropout_rate": divide(100 * _dropouts(sample, row, grouping, rules), grouping.counts(closed)),
        "unplanned_rate": grouping.percentages(unplanned, closed),
        "planned_rate": grouping.percentages(episodes.status[row] == EpisodeStatus.MUTUAL_AGREEMENT, closed),
        "mean_sessions": grouping.means(episodes.session_count[row]),
        "mean_duration_days": grouping.means(days),
    }


def _is_unplanned(status: Ints) -> Bools:
    return np.isin(status, (EpisodeStatus.TERMINATED_NO_EFFECT, EpisodeStatus.TERMINATED_WITH_EFFECT))


def _dropouts(sample: _Sample, row: Ints, grouping: Grouping, rules: OutcomeRules) -> Ints:
    if rules.dropout is DropoutRule.TERMINATED_WITHOUT_EFFECT:
        return grouping.counts(sample.episodes.status[row] == EpisodeStatus.TERMINATED_NO_EFFECT)
    zone, course_row = sample.courses.zone[sample.course], sample.courses.row[sample.course]
    missed = _is_unplanned(sample.episodes.status[course_row]) & ((zone == Zone.AMBER) | (zone == Zone.RED))
    members = sample.members.take(missed)
    return members.take(members.first_of_each(sample.episodes.episode[course_row[missed]])).counts()


def _intakes(sample: _Sample) -> _Columns:
    ordered, course, members = sample.courses, sample.course, sample.members
    intake = ordered.ors.first[course]
    scored = ordered.ors.count[course] > 0
    bands = age_bands(sample.episodes.age[ordered.row[course]])
    columns: _Columns = {
        "n_scored": members.counts(scored),
        "mean_intake_ors": members.means(intake),
        "pct_intake_above_cutoff": members.percentages(ordered.intake_nonclinical[course], scored),
        "mean_most_recent_ors": members.means(ordered.ors.last[course]),
    }
    for band, name in AGE_BAND_NAMES.items():
        columns[f"mean_intake_ors_{name}"] = members.means(np.where(bands == band, intake, np.nan))
    return columns


def _change(sample: _Sample, rules: OutcomeRules) -> _Columns:
    paired = sample.courses.is_pair[sample.course]
    members, course = sample.members.take(paired), sample.course[paired]
    first, last = sample.courses.ors.first[course], sample.courses.ors.last[course]
    sizes = effect_sizes(members, first, last, rules.reference_sd)
    adjusted = severity_adjusted(
        members,
        first,
        last,
        model=rules.trajectory,
        reference_sd=rules.reference_sd,
        reference_effect_size=rules.reference_effect_size,
    )
    return {
        "n_pairs": sizes.n,
        "mean_intake_paired": members.means(first),
        "mean_last": members.means(last),
        "mean_raw_change": sizes.mean_change,
        "sd_intake_paired": sizes.sd_first,
        "sd_change": sizes.sd_change,
        "es_ref_sd": sizes.es_ref_sd,
        "es_pre_sd": sizes.es_pre_sd,
        "es_pre_sd_hedges": sizes.es_pre_sd_hedges,
        "es_dz": sizes.es_dz,
        "mean_residual": adjusted.mean_residual,
        "relative_es": adjusted.relative_es,
        "severity_adjusted_es": adjusted.severity_adjusted_es,
    }


def _outcomes(sample: _Sample) -> _Columns:
    paired = sample.courses.is_pair[sample.course]
    members, course = sample.members.take(paired), sample.course[paired]
    category = sample.courses.category[course]
    hits: dict[str, Bools] = {
        "session_target": sample.courses.zone[course] == Zone.GREEN,
        "service_target": sample.courses.reached_service_target[course],
        "recovered": category == ChangeCategory.RECOVERED,
        "improved": category == ChangeCategory.IMPROVED,
        "no_change": category == ChangeCategory.NO_CHANGE,
        "deteriorated": category == ChangeCategory.DETERIORATED,
    }
    counts: _Columns = {f"n_{name}": members.counts(hit) for name, hit in hits.items()}
    shares: _Columns = {f"pct_{name}": members.percentages(hit) for name, hit in hits.items()}
    return counts | shares


def _alliance(sample: _Sample) -> _Columns:
    """Judge the SRS, and count how many of the scores of either measure were given."""
    ordered, course, members = sample.courses, sample.course, sample.members
    srs_given = members.sums(ordered.srs.count[course])
    ors_given = members.sums(ordered.ors.count[course])
    return {
        "mean_srs_first": members.means(ordered.srs.first[course]),
        "mean_srs_last": members.means(ordered.srs.last[course]),
        "mean_srs_all": divide(members.sums(ordered.srs.total[course]), srs_given),
        "pct_srs_below_cutoff": divide(100 * members.sums(ordered.srs_below_count[course]), srs_given),
        "pct_alliance_alerts": divide(100 * members.sums(ordered.srs.alert_count[course]), srs_given),
        "n_ors": ors_given.astype(np.int64),
        "n_srs": srs_given.astype(np.int64),
        "ors_completion_pct": divide(100 * ors_given, sample.expected_scores),
        "srs_completion_pct": divide(100 * srs_given, sample.expected_scores),
    }
