"""What each aggregate index is called, counts or divides, and is measured in: the text of its GraphQL field."""

from dataclasses import dataclass

from .measures import AgeBand


@dataclass(frozen=True)
class Index:
    """One aggregate index (FACTS §3)."""

    name: str
    unit: str
    description: str
    denominator: str | None = None
    """What the number is per; the index is null where there is none of it. Counts have none."""

    @property
    def is_count(self) -> bool:
        """Whether the index is a whole number and never null."""
        return self.denominator is None


AGE_BAND_NAMES: dict[AgeBand, str] = {
    AgeBand.UNDER_6: "under_6",
    AgeBand.AGE_6_12: "aged_6_to_12",
    AgeBand.AGE_13_17: "aged_13_to_17",
    AgeBand.ADULT: "adult",
    AgeBand.UNKNOWN: "unknown_age",
}
_AGES: dict[AgeBand, str] = {
    AgeBand.UNDER_6: "under 6 years old at intake",
    AgeBand.AGE_6_12: "6 to 12 years old at intake",
    AgeBand.AGE_13_17: "13 to 17 years old at intake",
    AgeBand.ADULT: "18 years or older at intake",
    AgeBand.UNKNOWN: "of unknown age at intake",
}

_PAIRS = "pairs"
_CLOSED = "closed episodes"
_SCORED = "courses with an ORS"
_RATED = "courses with an SRS"
_SRS = "SRS given"

_CASES = (
    Index("n_clients", "clients", "Distinct clients."),
    Index("n_episodes", "episodes", "Distinct episodes; a client with several counts once for each."),
    Index("n_open", "episodes", "Episodes that are ongoing."),
    Index("n_closed", "episodes", "Episodes that have ended, in whatever way."),
    Index(
        "n_raters",
        "raters",
        "Collateral raters of these clients on these episodes, whosever ratings the rest is about.",
    ),
    *(
        Index(
            f"n_clients_{name}",
            "clients",
            f"Distinct clients {_AGES[band]}; one with several intakes may count in several ages.",
        )
        for band, name in AGE_BAND_NAMES.items()
    ),
    Index("dropout_rate", "percent", "Episodes ended one-sidedly without effect.", _CLOSED),
    Index("unplanned_rate", "percent", "Episodes ended one-sidedly, with or without effect.", _CLOSED),
    Index("planned_rate", "percent", "Episodes ended by mutual agreement.", _CLOSED),
    Index("mean_sessions", "sessions", "Mean number of sessions.", "episodes"),
    Index(
        "mean_duration_days",
        "days",
        "Mean time from the start to the end, or to the last session while there is no end.",
        "episodes with an end or a session",
    ),
)

_INTAKE = (
    Index("n_scored", "courses", "Courses (a client on an episode, rated by one informant) with 1 ORS or more."),
    Index("mean_intake_ors", "points 0-40", "Mean first ORS.", _SCORED),
    *(
        Index(
            f"mean_intake_ors_{name}",
            "points 0-40",
            f"Mean first ORS of clients {_AGES[band]}.",
            f"{_SCORED}, of that age",
        )
        for band, name in AGE_BAND_NAMES.items()
    ),
    Index(
        "pct_intake_above_cutoff",
        "percent",
        "First ORS on the non-clinical side of the cut-off; such courses cannot recover.",
        _SCORED,
    ),
    Index("mean_most_recent_ors", "points 0-40", "Mean latest ORS, also of courses with only one.", _SCORED),
)

_CHANGE = (
    Index("n_pairs", "pairs", "Courses with 2 ORS or more by the same informant."),
    Index("mean_intake_paired", "points 0-40", "Mean first ORS.", _PAIRS),
    Index("mean_last", "points 0-40", "Mean last ORS.", _PAIRS),
    Index("mean_raw_change", "points", "Mean of last minus first ORS.", _PAIRS),
    Index("sd_intake_paired", "points", "Sample standard deviation of the first ORS.", "pairs, 2 or more"),
    Index("sd_change", "points", "Sample standard deviation of the change.", "pairs, 2 or more"),
    Index(
        "es_ref_sd",
        "standard deviations",
        "Mean change divided by the reference standard deviation: the effect size to report first.",
        _PAIRS,
    ),
    Index(
        "es_pre_sd",
        "standard deviations",
        "Mean change divided by the standard deviation of the first ORS.",
        "pairs, 2 or more, first ORS not all equal",
    ),
    Index(
        "es_pre_sd_hedges",
        "standard deviations",
        "esPreSd times 1 - 3 / (4 (n - 1) - 1) for small samples; always 0 with exactly 2 pairs.",
        "pairs, 2 or more, first ORS not all equal",
    ),
    Index(
        "es_dz",
        "standard deviations",
        "Mean change divided by the standard deviation of the change; not Cohen's d.",
        "pairs, 2 or more, changes not all equal",
    ),
    Index("mean_residual", "points", "Mean of last ORS minus the expected end-point for its intake.", _PAIRS),
    Index(
        "relative_es",
        "standard deviations",
        "Mean residual divided by the reference standard deviation; 0 is as expected.",
        _PAIRS,
    ),
    Index("severity_adjusted_es", "standard deviations", "relativeEs plus the reference effect size.", _PAIRS),
)

_OUTCOMES = (
    Index("n_session_target", "pairs", "Last ORS at or above the green limit of its session."),
    Index("pct_session_target", "percent", "Last ORS at or above the green limit of its session.", _PAIRS),
    Index("n_service_target", "pairs", "Last ORS at or above the green limit of the end of treatment."),
    Index("pct_service_target", "percent", "Last ORS at or above the green limit of the end of treatment.", _PAIRS),
    Index("n_recovered", "pairs", "Reliable gain from below the cut-off to the non-clinical side."),
    Index("pct_recovered", "percent", "Reliable gain from below the cut-off to the non-clinical side.", _PAIRS),
    Index("n_improved", "pairs", "Reliable gain without recovery."),
    Index("pct_improved", "percent", "Reliable gain without recovery.", _PAIRS),
    Index("n_no_change", "pairs", "No reliable change."),
    Index("pct_no_change", "percent", "No reliable change.", _PAIRS),
    Index("n_deteriorated", "pairs", "Reliable loss."),
    Index("pct_deteriorated", "percent", "Reliable loss.", _PAIRS),
)

_ALLIANCE = (
    Index("mean_srs_first", "points 0-40", "Mean first SRS: the average intake SRS.", _RATED),
    Index("mean_srs_last", "points 0-40", "Mean latest SRS.", _RATED),
    Index("mean_srs_all", "points 0-40", "Mean of all SRS.", _SRS),
    Index("pct_srs_below_cutoff", "percent", "SRS under the cut-off.", _SRS),
    Index("pct_alliance_alerts", "percent", "SRS under the cut-off or clearly lower than the one before.", _SRS),
)

_COMPLETION = (
    Index("n_ors", "scores", "ORS given."),
    Index("n_srs", "scores", "SRS given."),
    Index("ors_completion_pct", "percent", "ORS given.", "sessions times informants"),
    Index("srs_completion_pct", "percent", "SRS given.", "sessions times informants"),
)

INDICES: tuple[Index, ...] = (*_CASES, *_INTAKE, *_CHANGE, *_OUTCOMES, *_ALLIANCE, *_COMPLETION)
