"""Scores as columns: the same scores as the objects show, to the same people, in one statement."""

from datetime import date
from typing import Any

import pytest

from audit.entries import entry, written
from caregraph.graph.node import global_id
from factories.people import make_client
from factories.programs import make_application, make_group
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import Principal, World

KEYS = "sessionId sessionDate episodeId clientId raterId"
ORS = "orsIndividually orsInterpersonally orsSocially orsOverall"
SRS = "srsRelationship srsGoalsAndTopics srsApproachOrMethod srsOverall"
EVERY = f"{{ rowCount {KEYS} ors srs {ORS} {SRS} }}"
EMPTY = {"rowCount": 0, "sessionId": [], "sessionDate": [], "raterId": [], "ors": []}
ROWS = "{ rowCount sessionId sessionDate raterId ors }"


class Care:
    """Ben's Kim and Cleo's Lee share an episode; Kim's mother rates him; Kim has a later session alone."""

    async def make(self, world: World) -> "Care":
        ben = self.ben = world.user
        self.kim = await make_client(ben, full_name="Kim")
        self.lee = await make_client(world.colleague, full_name="Lee")
        self.shared = await make_episode(ben, self.kim, self.lee)
        self.alone = await make_episode(ben, self.kim, title="Alone")
        self.mum = await make_rater(ben, self.shared, self.kim)
        self.late = await make_session(ben, self.alone, date(2026, 3, 1))
        self.early = await make_session(ben, self.shared, date(2026, 1, 5))
        await make_srs(ben, self.late, self.kim, 9.1, 9.2, 9.3, 9.4)
        await make_ors(ben, self.early, self.kim, 2, 2, 2, 2, rater=self.mum)
        await make_ors(ben, self.early, self.lee, 7, 7, 7, 7)
        await make_srs(ben, self.early, self.kim, 8, 8, 8, 8.5)
        await make_ors(ben, self.early, self.kim, 0.1, 0.2, 0.3, 5)
        return self

    @property
    def bens(self) -> dict[str, Any]:
        """What Ben sees."""
        early, late = global_id("Session", self.early.id), global_id("Session", self.late.id)
        shared, alone = global_id("Episode", self.shared.id), global_id("Episode", self.alone.id)
        return {
            "rowCount": 3,
            "sessionId": [early, early, late],
            "sessionDate": ["2026-01-05", "2026-01-05", "2026-03-01"],
            "episodeId": [shared, shared, alone],
            "clientId": [global_id("Client", self.kim.id)] * 3,
            "raterId": [None, global_id("Rater", self.mum.id), None],
            "ors": [5.6, 8.0, None],
            "srs": [32.5, None, 37.0],
            "orsIndividually": [0.1, 2.0, None],
            "orsInterpersonally": [0.2, 2.0, None],
            "orsSocially": [0.3, 2.0, None],
            "orsOverall": [5.0, 2.0, None],
            "srsRelationship": [8.0, None, 9.1],
            "srsGoalsAndTopics": [8.0, None, 9.2],
            "srsApproachOrMethod": [8.0, None, 9.3],
            "srsOverall": [8.5, None, 9.4],
        }


@pytest.fixture
async def care(world: World) -> Care:
    return await Care().make(world)


@pytest.mark.parametrize("execution", ["compiled", "loaders"])
async def test_a_row_is_what_one_informant_scored_on_one_session(world: World, care: Care, execution: str) -> None:
    await world.restart(execution=execution)
    ben = Principal(world, "Ben", care.ben.headers, care.ben.organization_id, care.ben.row_id)

    assert (await ben.ask(f"{{ scoresTable {EVERY} }}")).data["scoresTable"] == care.bens


async def test_everybody_sees_the_scores_of_their_clients(world: World, care: Care) -> None:
    group = await make_group(world.superuser, "North", care.lee)
    limited = await (await make_application(world.superuser, group)).signed_in()
    program = await (await make_application(world.superuser, name="Reports")).signed_in()
    query = "{ scoresTable { ors } }"

    seen = [
        (await one.ask(query)).data["scoresTable"]["ors"]
        for one in (world.superuser, program, world.user, world.colleague, limited, world.other_superuser)
    ]

    assert seen == [[5.6, 8.0, 28.0, None], [5.6, 8.0, 28.0, None], [5.6, 8.0, None], [28.0], [28.0], []]
    assert (await world.nobody.ask(query)).error == ("UNAUTHENTICATED", "Authentication failed")
    assert (await world.calculator.ask(query)).error == ("FORBIDDEN", "Access denied")


async def test_totals_are_those_of_the_objects(world: World, care: Care) -> None:
    for number in range(8):
        session = await make_session(world.user, care.alone, date(2026, 4, 1 + number))
        await make_ors(world.user, session, care.kim, number / 3, number / 7, 0.1 * number, 1.1)
    query = "{ orsScores { nodes { total session { sessionDate } } } scoresTable { sessionDate ors raterId } }"

    found = (await world.user.ask(query)).data

    table = found["scoresTable"]
    columns = sorted((day, total) for day, total in zip(table["sessionDate"], table["ors"], strict=True) if total)
    assert columns == sorted((one["session"]["sessionDate"], one["total"]) for one in found["orsScores"]["nodes"])


async def test_clients_and_episodes_have_their_own(world: World, care: Care) -> None:
    query = f"""{{
      clients {{ nodes {{ fullName scoresTable(to: "2026-02-01") {EVERY} }} }}
      episodes(orderBy: [TITLE_ASC]) {{ nodes {{ scoresTable {{ rowCount ors clientId }} }} }}
    }}"""

    with world.statements() as of_ben:
        bens = (await world.user.ask(query)).data
    with world.statements() as of_ada:
        adas = (await world.superuser.ask(query)).data

    early = {name: value if name == "rowCount" else value[:2] for name, value in (care.bens | {"rowCount": 2}).items()}
    assert bens["clients"]["nodes"] == [{"fullName": "Kim", "scoresTable": early}]
    assert [one["scoresTable"]["ors"] for one in bens["episodes"]["nodes"]] == [[None], [5.6, 8.0]]
    assert [one["scoresTable"]["ors"] for one in adas["clients"]["nodes"]] == [[5.6, 8.0], [28.0]]
    assert [one["scoresTable"]["rowCount"] for one in adas["episodes"]["nodes"]] == [1, 3]
    assert len(of_ben) == len(of_ada) == 4


async def test_scores_are_narrowed(world: World, care: Care) -> None:
    kim, lee = global_id("Client", care.kim.id), global_id("Client", care.lee.id)
    alone, hidden = global_id("Episode", care.alone.id), global_id("Client", 999_999)
    narrowed = {
        'from: "2026-01-06"': [None],
        'to: "2026-01-05"': [5.6, 8.0, 28.0],
        'from: "2026-01-05", to: "2026-01-05"': [5.6, 8.0, 28.0],
        f'scope: OWNED, userId: "{world.user.id}"': [5.6, 8.0, None],
        "scope: OWNED": [],
        f'clientId: "{lee}"': [28.0],
        f'clientId: "{kim}", episodeId: "{alone}"': [None],
        f'clientId: "{hidden}"': [],
        f'clientId: "{alone}"': [],
        'episodeId: "nonsense"': [],
        'from: "2027-01-01"': [],
        "from: null, to: null, clientId: null": [5.6, 8.0, 28.0, None],
    }

    for arguments, expected in narrowed.items():
        answer = await world.superuser.ask(f"{{ scoresTable({arguments}) {{ ors }} }}")
        assert answer.data["scoresTable"]["ors"] == expected, arguments

    assert (await world.colleague.ask(f'{{ scoresTable(clientId: "{kim}") {ROWS} }}')).data["scoresTable"] == EMPTY


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ('userId: "x"', ("BAD_USER_INPUT", "userId goes with scope OWNED")),
        ("scope: ORGANIZATION", ("FORBIDDEN", "Access denied")),
    ],
)
async def test_what_does_not_go_together_is_refused(world: World, arguments: str, error: tuple[str, str]) -> None:
    answer = await world.user.ask(f"{{ scoresTable({arguments}) {{ ors srs rowCount }} }}")

    assert answer.error == error
    assert answer.body["data"] == {"scoresTable": None}


async def test_only_the_asked_columns_are_read_and_in_one_statement(world: World, care: Care) -> None:
    query = """query($no: Boolean!) {
      scoresTable { more: rowCount ...Lines ... on ScoresTable { day: sessionDate } srs @include(if: $no) }
    }
    fragment Lines on ScoresTable { orsInterpersonally again: orsInterpersonally }"""

    with world.statements() as sent:
        found = (await world.user.ask(query, no=False)).data["scoresTable"]

    assert found == {
        "more": 3,
        "orsInterpersonally": [0.2, 2.0, None],
        "day": care.bens["sessionDate"],
        "again": [0.2, 2.0, None],
    }
    (statement,) = sent
    assert [f"line_{number}" in statement for number in (1, 2, 3, 4)] == [False, True, False, False]


async def test_more_scores_than_an_operation_may_read_stop_it(world: World, care: Care) -> None:
    for most, expected in ((4, [5.6, 8.0, None]), (3, None)):
        await world.restart(maximum_rows=most)
        ben = Principal(world, "Ben", care.ben.headers)
        answer = await ben.ask("{ scoresTable { ors srs rowCount } }")
        if expected is None:
            assert answer.error == ("COST_ACTUAL_TOO_EXPENSIVE", "An operation may read at most 3 rows")
            assert answer.body["data"] is None
        else:
            assert answer.data["scoresTable"]["ors"] == expected


@pytest.mark.parametrize(
    ("selection", "kind", "names"),
    [
        ("ors srs", "READ", ["kim"]),
        ("clientId raterId", "READ", ["kim"]),
        ("sessionDate", "READ", ["kim", "lee"]),
        ("episodeId", "READ", ["kim", "lee"]),
        ("rowCount", "AGGREGATE", []),
    ],
)
async def test_the_audit_knows_whose_records_were_read(
    world: World, care: Care, selection: str, kind: str, names: list[str]
) -> None:
    async with written(world) as entries:
        await world.user.ask(f"{{ scoresTable {{ {selection} }} }}")

    assert entries == [entry(kind, "scoresTable", client_ids=[getattr(care, name).id for name in names])]


@pytest.mark.parametrize(
    ("scopes", "selection", "missing"),
    [
        ("sessions.read", "ors", {"scoresTable": "scores.read"}),
        ("scores.read", "ors", {"scoresTable": "sessions.read"}),
        ("scores.read sessions.read", "ors sessionId sessionDate", {}),
        (
            "scores.read sessions.read",
            "ors clientId episodeId raterId",
            {
                "scoresTable.clientId": "clients.read",
                "scoresTable.episodeId": "episodes.read",
                "scoresTable.raterId": "raters.read",
            },
        ),
    ],
)
async def test_a_column_needs_the_scope_of_its_rows(
    world: World, care: Care, scopes: str, selection: str, missing: dict[str, str]
) -> None:
    program = await (await make_application(world.superuser)).signed_in(scope=scopes)

    answer = await program.ask(f"{{ scoresTable {{ {selection} }} }}")

    errors = answer.body.get("errors", [])
    assert {".".join(one["path"]): one["extensions"]["requiredScope"] for one in errors} == missing
    if "scoresTable" in missing:
        assert answer.body["data"] == {"scoresTable": None}
    else:
        assert answer.body["data"]["scoresTable"]["ors"] == [5.6, 8.0, 28.0, None]
        assert all(answer.body["data"]["scoresTable"][name.partition(".")[2]] is None for name in missing)
