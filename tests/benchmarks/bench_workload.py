"""What is measured: each query as GraphQL, and the same rows as the statements a driver would be given."""

from dataclasses import dataclass

from caregraph.scoring.statistics import INDICES


@dataclass(frozen=True)
class Level:
    """Rows of one level of an answer. The first column of nested rows is the id of the row they belong to."""

    name: str
    sql: str
    """`{organization}`, and for nested rows `{parents}`, a condition on the parents' ids."""
    nested: tuple["Level", ...] = ()


@dataclass(frozen=True)
class Question:
    """A query of the comparison. `most_statements` is the bound to reach without the one that opens the snapshot."""

    name: str
    what: str
    text: str
    most_statements: int
    level: Level | None = None


_SCORES = Level(
    "scores",
    "SELECT session_id, id, measure, created_at, line_1, line_2, line_3, line_4 FROM scores"
    " WHERE organization_id = {organization} AND session_id {parents} ORDER BY created_at, id",
)
_SESSIONS = Level(
    "sessions",
    "SELECT episode_id, id, session_date, created_at FROM sessions"
    " WHERE organization_id = {organization} AND episode_id {parents} ORDER BY session_date, id",
    (_SCORES,),
)
_RATERS = Level(
    "raters",
    "SELECT episode_id, id, full_name, email, comment, created_at FROM raters"
    " WHERE organization_id = {organization} AND episode_id {parents} ORDER BY full_name, id",
)
_EPISODES = Level(
    "episodes",
    "SELECT p.client_id, e.id, e.title, e.start_date, e.end_date, e.status, e.group_srs FROM episode_clients p"
    " JOIN episodes e ON e.id = p.episode_id AND e.organization_id = p.organization_id"
    " WHERE p.organization_id = {organization} AND p.client_id {parents} ORDER BY e.start_date, e.id",
    (_RATERS, _SESSIONS),
)
_OWNERS = Level(
    "owners",
    "SELECT o.client_id, u.id, u.full_name, u.email FROM client_owners o JOIN users u ON u.id = o.user_id"
    " WHERE o.organization_id = {organization} AND o.client_id {parents} ORDER BY u.full_name, u.id",
)


def _clients(count: int, *nested: Level, columns: str = "birth_date, gender, phone, created_at") -> Level:
    return Level(
        "clients",
        f"SELECT organization_id, id, full_name, {columns} FROM clients"
        f" WHERE organization_id = {{organization}} ORDER BY full_name, id LIMIT {count}",
        nested,
    )


def _tree(count: int) -> str:
    return """{
  clients(first: COUNT) { nodes {
    id fullName birthDate gender phone createdAt
    episodes { nodes {
      id title startDate endDate status groupSrs
      raters { id fullName email comment createdAt }
      sessions { nodes {
        id sessionDate createdAt
        scores {
          measure createdAt
          ... on OrsScore { id individually interpersonally socially overall }
          ... on SrsScore { id relationship goalsAndTopics approachOrMethod overall }
        }
      } }
    } }
  } }
}""".replace("COUNT", str(count))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


QUESTIONS = (
    Question("Q1", "50 clients with all below", _tree(50), 5, _clients(50, _EPISODES)),
    Question("Q1b", "500 clients with all below", _tree(500), 5, _clients(500, _EPISODES)),
    Question(
        "Q2",
        "100 clients, 6 scalars",
        "{ clients(first: 100) { nodes { id fullName alias birthDate gender phone } } }",
        1,
        _clients(100, columns="alias, birth_date, gender, phone"),
    ),
    Question(
        "Q3",
        "one client with owners",
        "{ client(id: $CLIENT) { id fullName birthDate gender owners { id fullName email } } }",
        2,
        _clients(1, _OWNERS, columns="birth_date, gender"),
    ),
    Question(
        "Q4",
        "5,000 scores, 8 scalars",
        "{ orsScores(first: 5000) { nodes {"
        " id measure createdAt total individually interpersonally socially overall } } }",
        1,
        Level(
            "scores",
            "SELECT organization_id, id, measure, created_at, line_1 + line_2 + line_3 + line_4 AS total,"
            " line_1, line_2, line_3, line_4 FROM scores"
            " WHERE organization_id = {organization} AND measure = 0 ORDER BY id LIMIT 5000",
        ),
    ),
    Question(
        "S",
        "organization's statistics",
        f"{{ organizationStatistics {{ total {{ {' '.join(_camel(index.name) for index in INDICES)} }} }} }}",
        5,
    ),
)


def text_of(question: Question, client_id: str) -> str:
    """The query about one particular client."""
    return question.text.replace("$CLIENT", f'"{client_id}"')
