"""`fit.clients.scores_by_session` and `fit.episodes.scores_by_session`: the same chart from either side."""

from datetime import date
from typing import Any

import pytest

from caregraph.graph.node import global_id
from factories.people import make_client
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import World


async def chart(world: World) -> tuple[str, str, dict[str, Any]]:
    """Ids of a client and an episode, and the chart that both answer."""
    client = await make_client(world.user, full_name="Kim")
    episode = await make_episode(world.user, client, title="Course")
    rater = await make_rater(world.user, episode, client, full_name="Mum")
    later = await make_session(world.user, episode, date(2026, 1, 12))
    first = await make_session(world.user, episode, date(2026, 1, 5))
    ors = await make_ors(world.user, first, client, 4, 5, 6, 5)
    srs = await make_srs(world.user, first, client, 9, 9, 9, 9)
    second = await make_ors(world.user, later, client, 6, 6, 6, 6)
    mums = await make_ors(world.user, later, client, 5, 5, 5, 1, rater=rater)
    kim = {"id": global_id("Client", client.id), "fullName": "Kim"}

    def ors_of(score: Any, *lines: float) -> dict[str, Any]:
        names = ("individually", "interpersonally", "socially", "overall")
        return {"id": global_id("OrsScore", score.id), **dict(zip(names, lines, strict=True)), "total": sum(lines)}

    held = {
        day: {"id": global_id("Session", session.id), "sessionDate": day}
        for day, session in (("2026-01-05", first), ("2026-01-12", later))
    }
    expected = {
        "episode": {"id": global_id("Episode", episode.id), "title": "Course"},
        "series": [
            {
                "client": kim,
                "rater": None,
                "intake": 20.0,
                "points": [
                    {
                        "session": held["2026-01-05"],
                        "ors": ors_of(ors, 4.0, 5.0, 6.0, 5.0),
                        "srs": {
                            "id": global_id("SrsScore", srs.id),
                            "relationship": 9.0,
                            "goalsAndTopics": 9.0,
                            "approachOrMethod": 9.0,
                            "overall": 9.0,
                            "total": 36.0,
                        },
                        "alerts": [],
                    },
                    {
                        "session": held["2026-01-12"],
                        "ors": ors_of(second, 6.0, 6.0, 6.0, 6.0),
                        "srs": None,
                        "alerts": [],
                    },
                ],
                "trajectory": {
                    "expected": [20.0, pytest.approx(23.049732866)],
                    "successful": [20.0, pytest.approx(19.92, abs=0.005)],
                    "unsuccessful": [20.0, pytest.approx(15.03, abs=0.005)],
                },
            },
            {
                "client": kim,
                "rater": {"id": global_id("Rater", rater.id), "fullName": "Mum"},
                "intake": 16.0,
                "points": [
                    {"session": held["2026-01-12"], "ors": ors_of(mums, 5.0, 5.0, 5.0, 1.0), "srs": None, "alerts": []}
                ],
                "trajectory": {"expected": [16.0], "successful": [16.0], "unsuccessful": [16.0]},
            },
        ],
    }
    return kim["id"], expected["episode"]["id"], expected


async def test_the_chart_of_a_client(world: World) -> None:
    client_id, episode_id, expected = await chart(world)
    other = await make_episode(world.user, await make_client(world.user))

    result = (await world.user.run("fit.clients.scores_by_session", id=client_id)).result
    one = (await world.user.run("fit.clients.scores_by_session", id=client_id, episodeId=episode_id)).result
    none = await world.user.run("fit.clients.scores_by_session", id=client_id, episodeId=global_id("Episode", other.id))

    assert result == one == {"id": client_id, "scoresBySession": [expected]}
    assert none.result == {"id": client_id, "scoresBySession": []}


async def test_the_chart_of_an_episode(world: World) -> None:
    client_id, episode_id, expected = await chart(world)

    result = (await world.user.run("fit.episodes.scores_by_session", id=episode_id)).result
    one = (await world.user.run("fit.episodes.scores_by_session", id=episode_id, clientId=client_id)).result
    none = (await world.user.run("fit.episodes.scores_by_session", id=episode_id, clientId="nonsense")).result

    assert result == one == {"id": episode_id, "scoresBySession": [expected]}
    assert none["scoresBySession"] == [{"episode": expected["episode"], "series": []}]


@pytest.mark.parametrize("contract_id", ["fit.clients.scores_by_session", "fit.episodes.scores_by_session"])
async def test_charts_are_for_those_who_see_the_client(world: World, contract_id: str) -> None:
    client_id, episode_id, _ = await chart(world)
    row_id = client_id if contract_id == "fit.clients.scores_by_session" else episode_id

    assert (await world.nobody.run(contract_id, id=row_id)).error == ("UNAUTHENTICATED", "Authentication failed")
    for stranger in (world.colleague, world.other_superuser):
        assert (await stranger.run(contract_id, id=row_id)).result is None
