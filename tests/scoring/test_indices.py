"""The indices against exact small cases and against the slow reference on random data."""

import math
import random
import re
from datetime import date, timedelta

import numpy as np
import pytest
from slow_statistics import Row, Rules, slow_indices

from caregraph.scoring.courses import Episodes, Scores, courses
from caregraph.scoring.outcomes import AgeCutoffs, ChangeCategory, DropoutRule, OutcomeRules, Zone
from caregraph.scoring.statistics import INDICES, Groups, indices

DAY = date(2024, 1, 1)


def days(values):
    return np.array([np.datetime64("NaT") if value is None else value for value in values], "datetime64[D]")


def columns(rows, shuffle=None):
    """Episodes and Scores of slow-reference rows; positions are ordinals, scores come in any order."""
    episodes = Episodes(
        episode=np.array([row.episode for row in rows], np.int64),
        client=np.array([row.client for row in rows], np.int64),
        age=np.array([math.nan if row.age is None else row.age for row in rows], np.float64),
        status=np.array([row.status for row in rows], np.int8),
        start=days([row.start for row in rows]),
        end=days([row.end for row in rows]),
        session_count=np.array([row.session_count for row in rows], np.int64),
        last_session=days([row.last_session for row in rows]),
        rater_count=np.array([row.rater_count for row in rows], np.int64),
    )
    flat = [
        (index, informant, measure, position, total)
        for index, row in enumerate(rows)
        for informant, totals in row.series.items()
        for measure, name in enumerate(("ors", "srs"))
        for position, total in enumerate(totals[name])
    ]
    if shuffle is not None:
        shuffle(flat)
    row, informant, measure, position, total = ([entry[i] for entry in flat] for i in range(5))
    scores = Scores(
        row=np.array(row, np.int64),
        informant=np.array(informant, np.int64),
        measure=np.array(measure, np.int8),
        position=np.array(position, np.int64),
        total=np.array(total, np.float64),
    )
    return episodes, scores


def groups(entries, count):
    entries = np.array(entries, np.int64).reshape(-1, 3)
    return Groups(entries[:, 0], entries[:, 1].astype(np.int8), entries[:, 2], count)


def make_row(ors=(), srs=(), **values):
    values = {
        "episode": 1, "client": 1, "age": 30.0, "status": 0, "start": DAY, "end": None,
        "session_count": max(len(ors), len(srs)), "last_session": None, "rater_count": 0,
        "series": {0: {"ors": list(ors), "srs": list(srs)}},
    } | values  # fmt: skip
    return Row(**values)


def one_group(rows, rules=None, entries=None):
    """The indices of all own ratings as plain numbers, None for NaN."""
    entries = entries or [(index, 0, 0) for index in range(len(rows))]
    found = indices(*columns(rows), groups(entries, 1), rules or OutcomeRules())
    return {name: None if np.isnan(value[0]) else value[0].item() for name, value in found.items()}


class TestTable:
    def test_names_are_unique_and_in_the_order_of_the_result(self):
        names = [index.name for index in INDICES]

        assert len(set(names)) == len(names)
        assert list(one_group([])) == names

    def test_counts_are_integers_and_the_rest_floats(self):
        found = indices(*columns([]), groups([], 2), OutcomeRules())

        for index in INDICES:
            assert found[index.name].shape == (2,)
            assert found[index.name].dtype.kind == ("i" if index.is_count else "f"), index.name
            assert index.is_count == index.name.startswith("n_"), index.name

    def test_descriptions_are_sentences(self):
        for index in INDICES:
            assert index.description[0].isupper() or re.match(r"(relativeEs|esPreSd) ", index.description), index
            assert index.description.endswith("."), index
            assert index.unit, index

    def test_without_anything_counts_are_0_and_the_rest_undefined(self):
        found = one_group([])

        assert {found[index.name] for index in INDICES if index.is_count} == {0}
        assert {found[index.name] for index in INDICES if not index.is_count} == {None}

    def test_no_groups(self):
        found = indices(*columns([make_row([20.0, 25.0])]), groups([], 0), OutcomeRules())

        assert {values.shape for values in found.values()} == {(0,)}


class TestCounting:
    def test_an_episode_of_two_clients_counts_once_and_its_sessions_once(self):
        rows = [
            make_row([20.0], client=1, session_count=4),
            make_row([10.0], client=2, session_count=4),
            make_row([12.0], client=2, episode=2, session_count=1),
        ]

        found = one_group(rows)

        assert (found["n_episodes"], found["n_clients"], found["n_scored"]) == (2, 2, 3)
        assert found["mean_sessions"] == 2.5
        assert found["mean_intake_ors"] == 14.0
        assert found["ors_completion_pct"] == pytest.approx(100 * 3 / 9)

    def test_repeated_entries_count_once_and_a_row_may_be_in_several_groups(self):
        rows = [make_row([20.0, 26.0]), make_row([10.0, 11.0], client=2, episode=2)]
        entries = [(0, 0, 0), (0, 0, 0), (0, 0, 2), (1, 0, 2), (1, 0, 2)]

        found = indices(*columns(rows), groups(entries, 3), OutcomeRules())

        assert found["n_pairs"].tolist() == [1, 0, 2]
        assert found["n_episodes"].tolist() == [1, 0, 2]
        assert found["mean_raw_change"].tolist()[::2] == [6.0, 3.5]
        assert np.isnan(found["mean_raw_change"][1])

    def test_collateral_ratings_are_apart(self):
        row = make_row(
            age=15.0,
            session_count=2,
            rater_count=2,
            series={
                0: {"ors": [20.0, 28.0], "srs": []},
                7: {"ors": [10.0, 11.0], "srs": [30.0]},
                9: {"ors": [12.0], "srs": []},
            },
        )

        found = indices(*columns([row]), groups([(0, 0, 0), (0, 1, 1), (0, 0, 2), (0, 1, 2)], 3), OutcomeRules())

        assert found["n_scored"].tolist() == [1, 2, 3]
        assert found["n_pairs"].tolist() == [1, 1, 2]
        assert found["n_raters"].tolist() == [2, 2, 2]
        assert found["n_episodes"].tolist() == [1, 1, 1]
        assert found["ors_completion_pct"].tolist() == [100.0, 75.0, pytest.approx(500 / 6)]
        assert found["srs_completion_pct"].tolist() == [0.0, 25.0, pytest.approx(100 / 6)]
        assert found["n_recovered"].tolist() == [1, 0, 1]

    def test_a_client_counts_in_every_age_of_an_intake(self):
        rows = [
            make_row([20.0], age=17.9),
            make_row([24.0], age=18.0, episode=2),
            make_row([26.0], age=40.0, episode=3),
            make_row(age=None, client=2, episode=4),
        ]

        found = one_group(rows)

        assert found["n_clients"] == 2
        assert [
            found[f"n_clients_{age}"] for age in ("under_6", "aged_6_to_12", "aged_13_to_17", "adult", "unknown_age")
        ] == [
            0,
            0,
            1,
            1,
            1,
        ]
        assert found["mean_intake_ors_aged_13_to_17"] == 20.0
        assert found["mean_intake_ors_adult"] == 25.0
        assert found["mean_intake_ors_unknown_age"] is None


class TestEndings:
    ROWS = tuple(
        make_row(ors, episode=number, client=number, status=status)
        for number, (status, ors) in enumerate(
            [(0, [20.0, 12.0]), (1, [20.0, 30.0]), (2, [20.0, 12.0]), (2, [20.0]), (3, [20.0, 12.0])]
        )
    )

    def test_rates_are_over_closed_episodes(self):
        found = one_group(self.ROWS)

        assert (found["n_open"], found["n_closed"]) == (1, 4)
        assert (found["dropout_rate"], found["unplanned_rate"], found["planned_rate"]) == (25.0, 75.0, 25.0)

    def test_dropout_as_unplanned_ending_under_the_green_limit(self):
        found = one_group(self.ROWS[:1] + self.ROWS[2:], OutcomeRules(dropout=DropoutRule.UNPLANNED_UNDER_TARGET))

        assert found["dropout_rate"] == pytest.approx(100 / 3)

    def test_without_closed_episodes_rates_are_undefined(self):
        found = one_group(self.ROWS[:1])

        assert (found["dropout_rate"], found["unplanned_rate"], found["planned_rate"]) == (None, None, None)

    def test_duration_runs_to_the_end_else_to_the_last_session(self):
        rows = [
            make_row(end=DAY + timedelta(days=10), last_session=DAY + timedelta(days=4)),
            make_row(episode=2, last_session=DAY + timedelta(days=20)),
            make_row(episode=3),
        ]

        assert one_group(rows)["mean_duration_days"] == 15.0
        assert one_group(rows[2:])["mean_duration_days"] is None


class TestChange:
    def test_one_pair_has_no_spread(self):
        found = one_group([make_row([14.0, 30.0, 20.0])])

        assert (found["mean_raw_change"], found["es_ref_sd"]) == (6.0, 0.75)
        assert [found[name] for name in ("es_pre_sd", "es_pre_sd_hedges", "es_dz", "sd_change")] == [None] * 4

    def test_equal_first_scores_give_no_effect_size_although_their_mean_is_inexact(self):
        rows = [make_row([10.7, last], episode=n, client=n) for n, last in enumerate((20.3, 25.3, 21.7))]

        found = one_group(rows)

        assert found["sd_intake_paired"] == 0.0
        assert (found["es_pre_sd"], found["es_pre_sd_hedges"]) == (None, None)
        assert found["es_dz"] is not None

    def test_one_score_is_no_pair(self):
        found = one_group([make_row([14.0])])

        assert (found["n_scored"], found["n_pairs"], found["mean_raw_change"]) == (1, 0, None)
        assert found["mean_most_recent_ors"] == 14.0

    def test_the_four_shares_sum_to_100(self):
        ends = ([18.0, 26.0], [10.0, 16.5], [20.0, 24.9], [20.0, 14.8], [20.0, 25.0], [3.2, 8.2], [26.0, 33.0])
        rows = [make_row(ors, episode=n, client=n, age=None if n == 0 else 30.0) for n, ors in enumerate(ends)]

        found = one_group(rows)

        names = ("recovered", "improved", "no_change", "deteriorated")
        assert [found[f"n_{name}"] for name in names] == [2, 3, 1, 1]
        assert sum(found[f"pct_{name}"] for name in names) == pytest.approx(100.0)

    def test_share_of_intakes_above_the_cutoff(self):
        rows = [make_row([first], episode=n, client=n) for n, first in enumerate((24.9, 25.0, 30.0))]

        assert one_group(rows)["pct_intake_above_cutoff"] == pytest.approx(200 / 3)
        assert one_group(rows, OutcomeRules(at_cutoff_is_nonclinical=False))[
            "pct_intake_above_cutoff"
        ] == pytest.approx(100 / 3)


class TestCourses:
    def test_scores_are_ordered_by_position_and_missing_totals_left_out(self):
        episodes, _ = columns([make_row()])
        scores = Scores(
            row=np.zeros(5, np.int64),
            informant=np.zeros(5, np.int64),
            measure=np.array([0, 0, 0, 1, 0], np.int8),
            position=np.array([9, 1, 4, 4, 12]),
            total=np.array([26.0, 20.0, np.nan, 35.0, 12.0]),
        )

        found = courses(episodes, scores)

        assert found.ors_points.source.tolist() == [1, 0, 4]
        assert (found.ors.first[0], found.ors.last[0], found.ors.count[0]) == (20.0, 12.0, 3)
        assert found.ors_zones.zone.tolist() == [Zone.GREY, Zone.GREEN, Zone.RED]
        assert (found.zone[0], found.category[0], found.ors.alert_count[0]) == (
            Zone.RED,
            ChangeCategory.DETERIORATED,
            1,
        )
        assert (found.srs.count[0], found.srs.last[0], found.srs_below_count[0]) == (1, 35.0, 1)

    def test_equal_positions_keep_the_order_of_the_rows(self):
        episodes, _ = columns([make_row()])
        zeros = np.zeros(3, np.int64)
        scores = Scores(zeros, zeros, zeros, zeros, np.array([20.0, 22.0, 21.0]))

        assert courses(episodes, scores).ors.last.tolist() == [21.0]

    def test_a_course_without_ors_has_no_first_and_is_no_pair(self):
        found = courses(*columns([make_row(srs=[38.0, 36.5])]))

        assert np.isnan(found.ors.first[0])
        assert (found.is_pair[0], found.category[0], found.zone[0]) == (False, ChangeCategory.UNDEFINED, Zone.GREY)
        assert (found.srs.alert_count[0], found.srs.total[0]) == (1, 74.5)

    def test_one_score_is_not_judged(self):
        found = courses(*columns([make_row([40.0])]))

        assert (found.category[0], found.zone[0]) == (ChangeCategory.UNDEFINED, Zone.GREY)
        assert not found.reached_service_target[0]

    def test_courses_are_sorted_by_row_then_informant(self):
        series = {9: {"ors": [1.0], "srs": []}, 0: {"ors": [2.0], "srs": []}}
        found = courses(*columns([make_row(series=series), make_row(series=series)]))

        assert found.row.tolist() == [0, 0, 1, 1]
        assert found.informant.tolist() == [0, 9, 0, 9]
        assert found.is_collateral.tolist() == [False, True, False, True]

    def test_no_scores(self):
        found = courses(*columns([make_row()]))

        assert len(found.row) == 0


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ((0, 0, 1), "groups must be numbered from 0 to 0"),
        ((0, 2, 0), "kinds must be values of InformantKind"),
        ((5, 0, 0), "groups name rows that episodes does not have"),
    ],
)
def test_groups_are_checked(entry, message):
    with pytest.raises(ValueError, match=message):
        indices(*columns([make_row()]), groups([entry], 1), OutcomeRules())


def test_columns_are_checked():
    episodes, scores = columns([make_row([20.0])])

    with pytest.raises(ValueError, match="columns of Scores differ in length"):
        Scores(scores.row, scores.informant, scores.measure, scores.position, np.zeros(2))
    with pytest.raises(ValueError, match="scores name rows that episodes does not have"):
        courses(episodes, Scores(scores.row + 1, scores.informant, scores.measure, scores.position, scores.total))


def random_total(random_, low):
    return round(random_.choice([low, 25.0, 28.0, 36.0, random_.randrange(0, 401) / 10]), 1)


def random_series(random_):
    return {
        "ors": [random_total(random_, 20.0) for _ in range(random_.choice((0, 1, 1, 2, 2, 3, 7)))],
        "srs": [random_total(random_, 37.0) for _ in range(random_.choice((0, 1, 2, 5)))],
    }


def random_rows(random_):
    rows = []
    for episode in range(random_.randrange(9)):
        status = random_.randrange(4)
        last = random_.choice([None, DAY + timedelta(days=random_.randrange(300))])
        end = DAY + timedelta(days=random_.randrange(300)) if status else None
        sessions = random_.randrange(8)
        for client in random_.sample(range(5), random_.choice((1, 1, 2, 3))):
            raters = random_.choice((0, 0, 1, 3))
            informants = [0, *(100 + 10 * len(rows) + rater for rater in range(raters))]
            rows.append(
                Row(
                    episode=episode * 7 + 3,
                    client=client,
                    age=random_.choice([None, 3.0, 5.9, 6.0, 12.0, 13.0, 17.99, 18.0, 40.0]),
                    status=status,
                    start=DAY,
                    end=end,
                    session_count=sessions,
                    last_session=last,
                    rater_count=raters,
                    series={who: random_series(random_) for who in informants if random_.random() < 0.9},
                )
            )
    return rows


RULES = {
    "default": (OutcomeRules(), Rules()),
    "vendor": (
        OutcomeRules(
            rci=6.0,
            reference_sd=7.75,
            reference_effect_size=0.8,
            self_cutoffs=AgeCutoffs(28.0, 28.0, 28.0, 25.0),
            at_cutoff_is_nonclinical=False,
            srs_drop=2.0,
            dropout=DropoutRule.UNPLANNED_UNDER_TARGET,
        ),
        Rules(
            rci=6.0,
            reference_sd=7.75,
            reference_effect_size=0.8,
            self_cutoffs=(28.0, 28.0, 28.0, 25.0),
            at_cutoff_is_nonclinical=False,
            srs_drop=2.0,
            dropout_needs_missed_target=True,
        ),
    ),
}


@pytest.mark.parametrize("rules_name", RULES)
@pytest.mark.parametrize("seed", range(200))
def test_equals_the_slow_reference(seed, rules_name):
    random_ = random.Random(seed)
    rules, slow_rules = RULES[rules_name]
    rows = random_rows(random_)
    count = 4
    entries = [
        (index, random_.randrange(2), random_.randrange(count - 1))
        for index in range(len(rows))
        for _ in range(random_.randrange(5))
    ]

    found = indices(*columns(rows, random_.shuffle), groups(entries, count), rules)

    for group in range(count):
        chosen = {(index, kind) for index, kind, of in entries if of == group}
        expected = slow_indices(rows, chosen, slow_rules)
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            wanted = math.nan if value is None else value
            assert found[name][group] == pytest.approx(wanted, abs=1e-9, nan_ok=True), (name, group)
