"""`fit.statistics.*`: the golden agency through the database and over HTTP, its filters and its principals."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from caregraph.graph.node import global_id
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_session, make_srs
from kit import World

GOLDEN = {
    vector["name"]: vector
    for vector in json.loads((Path(__file__).parent.parent / "scoring" / "golden.json").read_text())["vectors"]
}
BIRTH = {"adult": date(1980, 1, 1), "adolescent": date(2009, 1, 1)}
# The vector's names where the graph has other ones; the rest differ by case only.
RENAMED = {
    "n_episodes_scored": "nScored",
    "mean_intake_ors_paired": "meanIntakePaired",
    "mean_last_ors_paired": "meanLast",
    "pct_unplanned_endings": "unplannedRate",
    "pct_planned_endings": "plannedRate",
}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


async def golden_agency(world: World) -> None:
    """The agency of the golden vector: Ben owns everyone but c2, whom Cleo owns; labels on some."""
    clients: dict[str, Any] = {}
    for entry in GOLDEN["agency_statistics_small"]["inputs"]["episodes"]:
        name = entry["client"]
        if name not in clients:
            owner = world.colleague if name == "c2" else world.user
            clients[name] = await make_client(owner, full_name=name, birth_date=BIRTH[entry["age_group"]])
        await _episode(world, clients[name], entry)
    await make_label(world.superuser, "north", clients["c1"], clients["c2"])
    await make_label(world.superuser, "group", clients["c1"])
    await make_client(world.other_user, full_name="Elsewhere")


async def _episode(world: World, client: Any, entry: dict[str, Any]) -> None:
    from caregraph.treatment.enums import EpisodeStatus

    episode = await make_episode(
        world.superuser,
        client,
        title=entry["start"],
        start_date=date.fromisoformat(entry["start"]),
        end_date=entry["end"] and date.fromisoformat(entry["end"]),
        status=EpisodeStatus(entry["status"]),
    )
    for held in entry["sessions"]:
        session = await make_session(world.superuser, episode, date.fromisoformat(held["date"]))
        for make, total in ((make_ors, held["ors"]), (make_srs, held["srs"])):
            if total is not None:
                await make(world.superuser, session, client, *(total / 4,) * 4)


async def test_the_golden_agency(world: World) -> None:
    await golden_agency(world)
    expected = GOLDEN["agency_statistics_small"]["expected"]

    result = (await world.superuser.run("fit.statistics.agency")).result["total"]

    for name, value in expected.items():
        assert result[RENAMED.get(name, camel(name))] == (value if value is None else pytest.approx(value, abs=1e-6)), (
            name
        )


async def test_an_empty_agency_has_counts_of_zero_and_nothing_else(world: World) -> None:
    result = (await world.superuser.run("fit.statistics.agency")).result["total"]

    assert {name for name, value in result.items() if value == 0} == {
        name for name in result if result[name] is not None
    }
    assert (result["nClients"], result["nPairs"], result["meanIntakeOrs"], result["dropoutRate"]) == (0, 0, None, None)


async def test_a_user_counts_own_clients(world: World) -> None:
    await golden_agency(world)

    own = (await world.colleague.run("fit.statistics.current_user")).result["total"]
    asked = (await world.superuser.run("fit.statistics.user", id=world.colleague.id)).result["total"]

    assert own == asked
    assert {name: own[name] for name in ("nClients", "nEpisodes", "nClosed", "meanIntakeOrs", "meanRawChange")} == {
        "nClients": 1,
        "nEpisodes": 1,
        "nClosed": 1,
        "meanIntakeOrs": 21.0,
        "meanRawChange": 5.2,
    }


@pytest.mark.parametrize(
    ("variables", "episodes"),
    [
        ({"episodeStartDate1": "2024-03-11"}, 4),
        ({"episodeStartDate1": "2024-03-12"}, 3),
        ({"episodeStartDate2": "2024-01-15"}, 2),
        ({"episodeStartDate2": "2024-01-14"}, 1),
        ({"episodeEndDate1": "2024-04-08"}, 2),
        ({"episodeEndDate2": "2024-02-20"}, 1),
        ({"episodeStartDate1": "2024-02-05", "episodeEndDate2": "2024-04-08"}, 2),
        ({"clientLabels": ["north"]}, 3),
        ({"clientLabels": ["north", "group"]}, 3),
        ({"clientLabels": ["north", "group"], "clientLabelsMatchAll": True}, 2),
        ({"clientLabels": []}, 6),
        ({"episodeLabels": []}, 9),
    ],
)
async def test_filters(world: World, variables: dict[str, Any], episodes: int) -> None:
    await golden_agency(world)

    result = (await world.superuser.run("fit.statistics.agency", **variables)).result

    assert result["total"]["nEpisodes"] == episodes


async def test_episode_labels_filter_by_any_all_and_none(world: World) -> None:
    client = await make_client(world.user)
    one, two = await make_label(world.superuser, "one"), await make_label(world.superuser, "two")
    await make_episode(world.superuser, client, labels=(one, two))
    await make_episode(world.superuser, client, labels=(one,))
    await make_episode(world.superuser, client)

    async def count(**variables: Any) -> int:
        return (await world.user.run("fit.statistics.current_user", **variables)).result["total"]["nEpisodes"]

    assert await count() == 3
    assert await count(episodeLabels=["one", "two"]) == 2
    assert await count(episodeLabels=["one", "two"], episodeLabelsMatchAll=True) == 1
    assert await count(episodeLabels=["two"]) == 1
    assert await count(episodeLabels=[]) == 1


async def test_an_unknown_label_name_is_the_callers_mistake(world: World) -> None:
    await make_label(world.other_superuser, "theirs")

    answer = await world.superuser.run("fit.statistics.agency", clientLabels=["theirs"])

    assert answer.error == ("BAD_USER_INPUT", "There is no label named 'theirs'")
    assert answer.body["errors"][0]["extensions"]["argument"] == "clientLabels"


async def test_who_may_ask_for_whom(world: World) -> None:
    forbidden = ("FORBIDDEN", "Access denied")
    unauthenticated = ("UNAUTHENTICATED", "Authentication failed")

    assert (await world.nobody.run("fit.statistics.current_user")).error == unauthenticated
    assert (await world.nobody.run("fit.statistics.agency")).error == unauthenticated
    assert (await world.user.run("fit.statistics.agency")).error == forbidden
    for other in (world.colleague.id, world.other_user.id, global_id("User", 999), "nonsense"):
        assert (await world.user.run("fit.statistics.user", id=other)).error == forbidden
    assert (await world.user.run("fit.statistics.user", id=world.user.id)).result["total"]["nClients"] == 0
    for unknown in (world.other_user.id, global_id("User", 999), "nonsense"):
        assert (await world.superuser.run("fit.statistics.user", id=unknown)).result is None
