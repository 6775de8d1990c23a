"""The demo's rows before any database: as many as planned, the same each time, and believable."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from caregraph.cli.demo import plan as plans
from caregraph.cli.demo.care import dataset
from caregraph.cli.demo.dataset import Dataset
from caregraph.cli.demo.plan import OrganizationPlan, Scale
from caregraph.organizations.models import Membership, User
from caregraph.people.models import Client, ClientLabel, ClientOwner, Label
from caregraph.treatment.enums import EpisodeStatus
from caregraph.treatment.models import Episode, EpisodeClient, EpisodeLabel, OrsScore, Rater, Session, SrsScore
from caregraph.treatment.service import age_in_years

TODAY = date(2026, 3, 4)
ORS_LINES = ("individually", "interpersonally", "socially", "overall")
SRS_LINES = ("relationship", "goals_and_topics", "approach_or_method", "overall")


@pytest.fixture(
    scope="module", params=[plans.NORTHFIELD, plans.HARBOR, plans.NORTHFIELD_LARGE], ids=["n", "h", "large"]
)
def plan(request: pytest.FixtureRequest) -> OrganizationPlan:
    return request.param


@pytest.fixture(scope="module")
def data(plan: OrganizationPlan) -> Dataset:
    return dataset(plan, TODAY, "hash")


def totals(rows: list[dict[str, Any]], lines: tuple[str, ...]) -> np.ndarray:
    return np.array([sum(row[line] for line in lines) for row in rows])


def test_counts_are_as_planned(plan: OrganizationPlan, data: Dataset) -> None:
    counts = {model: len(rows) for model, rows in data.rows.items()}

    assert counts[User] == counts[Membership] == len(plan.staff)
    assert counts[Client] == plan.clients
    assert counts[Episode] == plan.episodes
    assert counts[EpisodeClient] == plan.episodes + plan.shared_episodes
    assert counts[Rater] == plan.raters
    assert counts[Session] == plan.sessions
    assert counts[OrsScore] + counts[SrsScore] == plan.scores
    assert 5 <= counts[Label] <= 8


def test_large_is_the_data_set_of_the_published_comparisons() -> None:
    large, second = plans.organizations(Scale.LARGE)

    assert (len(large.staff), large.clients, large.episodes, large.raters) == (20, 2_000, 2_624, 882)
    assert (large.sessions, large.scores) == (21_132, 42_264)
    assert second == plans.HARBOR


def test_same_plan_and_day_give_the_same_rows(plan: OrganizationPlan, data: Dataset) -> None:
    assert dataset(plan, TODAY, "hash") == data


def test_another_day_moves_the_same_lives(plan: OrganizationPlan, data: Dataset) -> None:
    later = dataset(plan, date(2026, 3, 11), "hash")

    assert [row["full_name"] for row in later.rows[Client]] == [row["full_name"] for row in data.rows[Client]]
    assert later.rows[Session][0]["session_date"] == date.fromordinal(
        data.rows[Session][0]["session_date"].toordinal() + 7
    )


def test_every_kind_of_user_works_there(data: Dataset) -> None:
    users, memberships = data.rows[User], data.rows[Membership]

    assert any(one["is_superuser"] for one in memberships)
    assert any(one["is_auditor"] for one in memberships)
    assert any(one["is_disabled"] for one in memberships)
    assert any(not one["api_enabled"] for one in users)
    assert any(
        user["api_enabled"] and not (place["is_superuser"] or place["is_auditor"] or place["is_disabled"])
        for user, place in zip(users, memberships, strict=True)
    )


def test_every_client_has_owners_and_some_share_an_episode(plan: OrganizationPlan, data: Dataset) -> None:
    owners = Counter(row["client_id"] for row in data.rows[ClientOwner])
    sizes = Counter(row["episode_id"] for row in data.rows[EpisodeClient])
    episodes = Counter(row["client_id"] for row in data.rows[EpisodeClient])

    assert set(owners) == set(range(plan.clients))
    assert max(owners.values()) <= 3
    assert sum(size == 2 for size in sizes.values()) == plan.shared_episodes
    assert {episodes[client] for client in range(plan.clients)} == {0, 1, 2, 3}


def test_owner_of_the_ordinary_credentials_has_clients(plan: OrganizationPlan, data: Dataset) -> None:
    position = plan.staff.index(plan.user)

    assert sum(row["user_id"] == position for row in data.rows[ClientOwner]) >= plan.clients // len(plan.staff)


def test_links_are_distinct(data: Dataset) -> None:
    for model, columns in {
        ClientOwner: ("client_id", "user_id"),
        ClientLabel: ("client_id", "label_id"),
        EpisodeLabel: ("episode_id", "label_id"),
        EpisodeClient: ("episode_id", "client_id"),
    }.items():
        links = [tuple(row[column] for column in columns) for row in data.rows[model]]
        assert len(set(links)) == len(links)


def test_dates_agree_and_none_is_to_come(data: Dataset) -> None:
    episodes, sessions = data.rows[Episode], data.rows[Session]
    midnight = datetime.combine(TODAY, datetime.min.time(), UTC)

    for row in episodes:
        assert (row["end_date"] is None) == (row["status"] is EpisodeStatus.ONGOING)
        assert row["start_date"] <= (row["end_date"] or TODAY) <= TODAY
    for row in sessions:
        episode = episodes[row["episode_id"]]
        assert episode["start_date"] <= row["session_date"] <= (episode["end_date"] or TODAY)
    assert all(row["created_at"] <= midnight for rows in data.rows.values() for row in rows if "created_at" in row)
    assert min(row["start_date"] for row in episodes) > date(2022, 1, 1)
    assert {row["status"] for row in episodes} == set(EpisodeStatus)


def test_ages_are_completed_years_at_the_start(data: Dataset) -> None:
    clients, episodes = data.rows[Client], data.rows[Episode]

    ages = [row["age_at_start"] for row in data.rows[EpisodeClient]]
    assert ages == [
        age_in_years(clients[row["client_id"]]["birth_date"], episodes[row["episode_id"]]["start_date"])
        for row in data.rows[EpisodeClient]
    ]
    known = [age for age in ages if age is not None]
    assert 6 <= min(known) < 13
    assert 65 < max(known) <= 85
    assert 0 < ages.count(None) < len(ages) / 10


def test_contacts_are_fictional(data: Dataset) -> None:
    phones = [row["phone"] for row in data.rows[Client] + data.rows[Episode] if row["phone"]]
    emails = [row["email"] for row in data.rows[User] + data.rows[Rater] if row["email"]]

    assert all(re.fullmatch(r"\+44 7700 900\d{3}|\+1 \d{3} 555 01\d\d", phone) for phone in phones)
    assert all(re.fullmatch(r"[a-z0-9.]+@(example\.(com|net|org)|[a-z]+\.example)", email) for email in emails)
    assert all(re.fullmatch(r"DEMO-\d{6}", row["ssn"]) for row in data.rows[Client] if row["ssn"])


def test_scores_are_one_per_session_and_informant_of_that_episode(data: Dataset) -> None:
    sessions, raters = data.rows[Session], data.rows[Rater]
    places = {(row["episode_id"], row["client_id"]) for row in data.rows[EpisodeClient]}

    for model, lines in ((OrsScore, ORS_LINES), (SrsScore, SRS_LINES)):
        rows = data.rows[model]
        informants = [(row["session_id"], row["client_id"], row["rater_id"]) for row in rows]
        assert len(set(informants)) == len(informants)
        for row in rows:
            assert row["episode_id"] == sessions[row["session_id"]]["episode_id"]
            assert (row["episode_id"], row["client_id"]) in places
            assert all(0 <= row[line] <= 10 and round(row[line], 1) == row[line] for line in lines)
            if row["rater_id"] is not None:
                rater = raters[row["rater_id"]]
                assert (rater["episode_id"], rater["client_id"]) == (row["episode_id"], row["client_id"])
    assert any(row["rater_id"] is not None for row in data.rows[OrsScore])


def test_courses_improve_on_the_whole_and_some_do_not(data: Dataset) -> None:
    own: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in data.rows[OrsScore]:
        if row["rater_id"] is None:
            own.setdefault((row["episode_id"], row["client_id"]), []).append(row)
    intakes = totals([rows[0] for rows in own.values()], ORS_LINES)
    change = totals([rows[-1] for rows in own.values() if len(rows) > 2], ORS_LINES) - totals(
        [rows[0] for rows in own.values() if len(rows) > 2], ORS_LINES
    )

    assert 16 < intakes.mean() < 20
    assert 5 < intakes.std() < 9
    assert change.mean() > 3
    assert 0.05 < (change < -3).mean() < 0.3
    assert 34 < totals(data.rows[SrsScore], SRS_LINES).mean() < 38
