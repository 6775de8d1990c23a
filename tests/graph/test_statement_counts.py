"""How many statements a query sends depends on its depth, never on its data."""

from datetime import date

import pytest

from caregraph.graph.compiled import below
from caregraph.people.models import Client, ClientLabel, ClientOwner, Label
from caregraph.treatment.models import Episode, EpisodeClient, EpisodeLabel, OrsScore, Rater, Session, SrsScore
from kit import World

LINES = {"individually": 5, "interpersonally": 5, "socially": 5, "overall": 5}
SRS_LINES = {"relationship": 9, "goals_and_topics": 9, "approach_or_method": 9, "overall": 9}

DEEP = """
{
  clients {
    totalCount
    nodes {
      fullName
      owners { fullName }
      labels { name }
      episodes {
        totalCount
        nodes {
          title
          clients { fullName }
          labels { name }
          raters { fullName client { fullName } scores { totalCount nodes { total } } }
          sessions {
            totalCount
            nodes {
              sessionDate
              episode { title }
              scores { total session { sessionDate } client { fullName } rater { fullName } }
              orsScores { total }
              srsScores { total }
            }
          }
        }
      }
    }
  }
}
"""
# In the order of levels: what each level asks beyond the rows it already has. The clients of scores are those of raters.
EXPECTED = [
    *("clients", "count of clients"),
    *("owners", "labels of clients", "episodes", "counts of episodes"),
    *("clients of episodes", "labels of episodes", "raters", "sessions", "counts of sessions"),
    *("clients of raters by id", "scores of raters", "counts of scores of raters"),
    *("episodes of sessions by id", "scores", "ORS", "SRS"),
    *("sessions of scores by id", "raters of scores by id"),
]
CHARTS = """
{
  clients {
    nodes {
      scoresBySession {
        episode { title }
        series {
          client { fullName } rater { fullName } change
          points { session { sessionDate } ors { total alerts explain { label } } srs { total } zone alerts }
          trajectory { expected }
        }
      }
    }
  }
}
"""
OF_CHARTS = [
    "clients",
    "episodes",
    "places",
    "scores",
    "episodes by id",
    "clients by id",
    "raters by id",
    "sessions by id",
]
STATISTICS = """
{
  organizationStatistics(groupBy: [CLIENT_LABEL, USER, MONTH]) { total { nClients } groups { keys { label } indices { nEpisodes } } }
}
"""
OF_STATISTICS = ["places", "sessions", "raters", "scores", "labels of clients", "owners of clients"]


async def _populate(world: World, start: int, clients: int) -> None:
    """Clients with two episodes each; on each episode a rater and three sessions with scores of both informants."""
    async with world.writing(world.user) as tx:
        for number in range(start, clients):
            client = Client(full_name=f"Client {number:02}", birth_date=date(1990, 1, 1))
            label = Label(name=f"Label {number:02}")
            tx.add_all([client, label])
            await tx.flush()
            tx.add(ClientOwner(client_id=client.id, user_id=world.user.row_id))
            tx.add(ClientOwner(client_id=client.id, user_id=world.colleague.row_id))
            tx.add(ClientLabel(client_id=client.id, label_id=label.id))
            for month in (1, 3):
                episode = Episode(title=f"Episode {month}", start_date=date(2026, month, 1))
                tx.add(episode)
                await tx.flush()
                tx.add(EpisodeClient(episode_id=episode.id, client_id=client.id, age_at_start=36))
                tx.add(EpisodeLabel(episode_id=episode.id, label_id=label.id))
                rater = Rater(full_name="Robin", episode_id=episode.id, client_id=client.id)
                tx.add(rater)
                await tx.flush()
                for day in (1, 8, 15):
                    session = Session(episode_id=episode.id, session_date=date(2026, month, day))
                    tx.add(session)
                    await tx.flush()
                    of = {"episode_id": episode.id, "session_id": session.id, "client_id": client.id}
                    tx.add_all([OrsScore(**of, **LINES), SrsScore(**of, **SRS_LINES)])
                    tx.add(OrsScore(**of, **LINES, rater_id=rater.id))


async def _count(world: World, query: str) -> int:
    with world.statements() as statements:
        answer = await world.superuser.ask(query)
    assert answer.data is not None
    return len(statements)


async def test_counts_do_not_grow_with_the_data(world: World) -> None:
    await _populate(world, 0, 2)
    two = [await _count(world, query) for query in (DEEP, CHARTS, STATISTICS)]
    await _populate(world, 2, 20)

    twenty = [await _count(world, query) for query in (DEEP, CHARTS, STATISTICS)]

    assert two == twenty == [len(EXPECTED), len(OF_CHARTS), len(OF_STATISTICS)]
    found = (await world.superuser.ask(DEEP)).data["clients"]
    assert found["totalCount"] == 20
    scores = [
        score
        for client in found["nodes"]
        for episode in client["episodes"]["nodes"]
        for session in episode["sessions"]["nodes"]
        for score in session["scores"]
    ]
    assert len(scores) == 20 * 2 * 3 * 3


async def test_one_row_by_id_is_one_statement_however_often_it_is_asked_for(world: World) -> None:
    await _populate(world, 0, 1)
    first = (await world.superuser.ask("{ clients { nodes { id } } }")).data["clients"]["nodes"][0]["id"]
    query = """query($id: ID!) {
        client(id: $id) { fullName } again: client(id: $id) { birthDate }
        node(id: $id) { id } nodes(ids: [$id, $id]) { id }
    }"""

    with world.statements() as statements:
        answer = await world.superuser.ask(query, id=first)

    assert answer.data["nodes"] == [{"id": first}, {"id": first}]
    assert len(statements) == 1


async def test_a_statement_does_not_grow_with_its_ids(world: World) -> None:
    """Ids travel as one parameter, so the database knows the statement again."""
    await _populate(world, 0, below._SEVERAL)
    with world.statements() as few:
        await world.superuser.ask(DEEP)
    await _populate(world, below._SEVERAL, 2 * below._SEVERAL)

    with world.statements() as many:
        await world.superuser.ask(DEEP)

    assert set(few) == set(many)


def _at_once(told: list[str]) -> int:
    """How many statements read children without a window for each parent."""
    return sum("of_parent" in one for one in told)


EPISODES = "{ clients { nodes { fullName episodes%s { totalCount nodes { title startDate } } } } }"


@pytest.mark.parametrize(
    ("page", "at_once"),
    [
        ("", 1),
        ("(first: 30)", 1),
        ("(last: 40)", 1),
        ('(where: {title: {eq: "Episode 3"}})', 1),
        ("(orderBy: [END_DATE_ASC, TITLE_DESC])", 1),
        ("(first: 23)", 0),
        ("(first: 30, offset: 1)", 0),
    ],
)
async def test_few_children_of_many_parents_are_read_at_once_for_long_windows(
    world: World, page: str, at_once: int
) -> None:
    """And the answer is that of windows for each."""
    await _populate(world, 0, 9)

    with world.statements() as statements:
        found = (await world.superuser.ask(EPISODES % page)).data
    await world.restart(execution="loaders")

    assert (len(statements), _at_once(statements)) == (3, at_once)
    assert found == (await world.superuser.ask(EPISODES % page)).data
    assert len(found["clients"]["nodes"]) == 9


async def test_children_that_turn_out_to_be_many_are_read_by_windows_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(below, "_FEW_EACH", 2)  # as many as there are: there may be more
    monkeypatch.setattr(below, "_RUNS", 2)
    await _populate(world, 0, 9)
    query = EPISODES % ""

    counts, answers = [], []
    for _ in range(4):
        with world.statements() as statements:
            answers.append((await world.superuser.ask(query)).data)
        counts.append((len(statements), _at_once(statements)))
    await world.restart(execution="loaders")

    assert counts == [(4, 1), (3, 0), (3, 0), (4, 1)]
    assert answers == [(await world.superuser.ask(query)).data] * 4


async def test_who_asks_changes_the_rows_not_the_count(world: World) -> None:
    await _populate(world, 0, 2)

    with world.statements() as statements:
        await world.user.ask(DEEP)

    assert len(statements) == len(EXPECTED)


async def test_a_mutation_reads_its_payload_in_constant_statements(world: World) -> None:
    create = 'mutation { createClient(input: {fullName: "New"}) { node { id owners { fullName } labels { name } } errors { code } } }'

    counts = []
    for _ in range(2):
        with world.statements() as statements:
            await world.user.ask(create)
        counts.append(len(statements))
        await _populate(world, len(counts) * 5 - 5, len(counts) * 5)

    assert counts[0] == counts[1]
