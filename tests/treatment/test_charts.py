"""Charting by session, alerts and explanations."""

from datetime import date

import pytest

from caregraph.graph.node import global_id
from factories.people import make_client
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import World

CHART = """
  episode { title }
  series {
    client { fullName } rater { fullName } intake latest cutoff change
    points { session { sessionDate } ors { total } srs { total } zone alerts }
    trajectory { model expected serviceTarget intakeAboveRange }
  }
"""


async def test_a_chart_has_a_series_per_informant_with_alerts(world: World) -> None:
    client = await make_client(world.user, full_name="Kim", birth_date=date(2010, 5, 1))
    episode = await make_episode(world.user, client)
    rater = await make_rater(world.user, episode, client, full_name="Mum")
    first = await make_session(world.user, episode, date(2026, 1, 5))
    second = await make_session(world.user, episode, date(2026, 1, 12))
    await make_ors(world.user, first, client, 5, 5, 5, 5)
    await make_srs(world.user, first, client, 10, 10, 9.5, 9)
    await make_ors(world.user, second, client, 3, 3, 3, 3)
    await make_srs(world.user, second, client, 9, 9, 9, 8.9)
    await make_ors(world.user, second, client, 4, 4, 4, 4, rater=rater)

    answer = await world.user.ask(
        f"query($id: ID!) {{ client(id: $id) {{ scoresBySession {{ {CHART} }} }} }}", id=global_id("Client", client.id)
    )

    (chart,) = answer.data["client"]["scoresBySession"]
    assert chart["episode"] == {"title": "Course of care"}
    own, mum = chart["series"]
    assert {key: value for key, value in own.items() if key != "trajectory"} == {
        "client": {"fullName": "Kim"},
        "rater": None,
        "intake": 20.0,
        "latest": 12.0,
        "cutoff": 28.0,
        "change": "DETERIORATED",
        "points": [
            {
                "session": {"sessionDate": "2026-01-05"},
                "ors": {"total": 20.0},
                "srs": {"total": 38.5},
                "zone": "GREY",
                "alerts": [],
            },
            {
                "session": {"sessionDate": "2026-01-12"},
                "ors": {"total": 12.0},
                "srs": {"total": 35.9},
                "zone": "RED",
                "alerts": ["ORS_BELOW_BOUNDARY", "SRS_BELOW_CUTOFF", "SRS_DROPPED"],
            },
        ],
    }
    assert own["trajectory"] == {
        "model": "ors-default-v1",
        "expected": [20.0, pytest.approx(23.049732866)],
        "serviceTarget": pytest.approx(24.384265872),
        "intakeAboveRange": False,
    }
    assert (mum["rater"], mum["intake"], mum["change"]) == ({"fullName": "Mum"}, 16.0, None)
    assert mum["trajectory"]["expected"] == [16.0]


async def test_an_episode_answers_in_the_same_shape(world: World) -> None:
    kim = await make_client(world.user, full_name="Kim")
    lee = await make_client(world.user, full_name="Lee")
    hidden = await make_client(world.colleague, full_name="Hidden")
    episode = await make_episode(world.user, kim, lee, hidden)
    session = await make_session(world.user, episode)
    for client in (kim, lee, hidden):
        await make_ors(world.user, session, client)
    query = f"query($id: ID!, $c: ID, $n: Int) {{ episode(id: $id) {{ scoresBySession(clientId: $c, sessions: $n) {{ {CHART} }} }} }}"
    episode_id = global_id("Episode", episode.id)

    both = await world.user.ask(query, id=episode_id)
    one = await world.user.ask(query, id=episode_id, c=global_id("Client", lee.id), n=12)

    def names(answer):
        (chart,) = answer.data["episode"]["scoresBySession"]
        return [series["client"]["fullName"] for series in chart["series"]]

    assert names(both) == ["Kim", "Lee"]
    assert names(one) == ["Lee"]
    assert len(one.data["episode"]["scoresBySession"][0]["series"][0]["trajectory"]["expected"]) == 12
    assert names(await world.superuser.ask(query, id=episode_id)) == ["Kim", "Lee", "Hidden"]


@pytest.mark.parametrize("sessions", [0, -1, 1001])
async def test_a_trajectory_has_1_to_1000_sessions(world: World, sessions: int) -> None:
    client = await make_client(world.user)
    query = "query($id: ID!, $n: Int) { client(id: $id) { scoresBySession(sessions: $n) { series { intake } } } }"

    answer = await world.user.ask(query, id=global_id("Client", client.id), n=sessions)

    assert answer.error == ("BAD_USER_INPUT", "sessions must be between 1 and 1000")


async def test_an_episode_without_scores_has_no_series_and_only_srs_no_trajectory(world: World) -> None:
    client = await make_client(world.user)
    await make_episode(world.user, client, title="Empty", start_date=date(2025, 1, 1))
    episode = await make_episode(world.user, client, title="SRS only")
    session = await make_session(world.user, episode)
    await make_srs(world.user, session, client)
    query = f"query($id: ID!, $e: ID) {{ client(id: $id) {{ scoresBySession(episodeId: $e) {{ {CHART} }} }} }}"
    client_id = global_id("Client", client.id)

    empty, srs_only = (await world.user.ask(query, id=client_id)).data["client"]["scoresBySession"]
    one = (await world.user.ask(query, id=client_id, e=global_id("Episode", episode.id))).data
    none = (await world.user.ask(query, id=client_id, e="nonsense")).data

    assert empty == {"episode": {"title": "Empty"}, "series": []}
    assert (srs_only["series"][0]["intake"], srs_only["series"][0]["trajectory"]) == (None, None)
    assert [chart["episode"]["title"] for chart in one["client"]["scoresBySession"]] == ["SRS only"]
    assert none["client"]["scoresBySession"] == []


async def test_a_score_explains_itself_down_to_its_lines(world: World) -> None:
    client = await make_client(world.user)
    episode = await make_episode(world.user, client)
    first = await make_session(world.user, episode, date(2026, 1, 5))
    second = await make_session(world.user, episode, date(2026, 1, 12))
    await make_ors(world.user, first, client, 5, 5, 5, 5)
    score = await make_ors(world.user, second, client, 1.5, 2.5, 3, 4)
    query = "query($id: ID!) { orsScore(id: $id) { total alerts explain { key parent label value rule source } } }"

    answer = (await world.user.ask(query, id=global_id("OrsScore", score.id))).data["orsScore"]

    steps = {step["key"]: step for step in answer["explain"]}
    root = next(step for step in answer["explain"] if step["parent"] is None)
    assert (answer["total"], root["value"]) == (11.0, 11.0)
    assert answer["alerts"] == ["ORS_BELOW_BOUNDARY"]
    children = [step["value"] for step in answer["explain"] if step["parent"] == root["key"]]
    assert children[:4] == [1.5, 2.5, 3.0, 4.0]
    assert all(step["parent"] is None or step["parent"] in steps for step in answer["explain"])
    assert all(step["rule"] and step["source"] for step in answer["explain"])


async def test_charts_take_the_same_statements_for_two_episodes_and_twenty(world: World) -> None:
    few, many = await make_client(world.user), await make_client(world.user)
    for client, count in ((few, 2), (many, 20)):
        for number in range(count):
            episode = await make_episode(world.user, client, title=f"Episode {number}")
            session = await make_session(world.user, episode)
            await make_ors(world.user, session, client)
    query = f"query($id: ID!) {{ client(id: $id) {{ scoresBySession {{ {CHART} }} }} }}"
    counts = []
    for client in (few, many):
        with world.statements() as sent:
            await world.user.ask(query, id=global_id("Client", client.id))
        counts.append(len(sent))

    assert counts[0] == counts[1] == 6
