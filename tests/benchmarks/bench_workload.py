"""What is measured: each query as GraphQL, and the same rows as the statements a driver would be given."""

from dataclasses import dataclass
from typing import Any

from caregraph.scoring.statistics import INDICES


@dataclass(frozen=True)
class Level:
    """Rows of one level of an answer: `columns` of `source`, by the `parent` column that they belong to."""

    name: str
    parent: str
    columns: str
    source: str
    """What follows FROM, with `{organization}`, and in nested levels `{parents}`, a condition on the parents' ids."""
    key: str = "id"
    """The id that nested rows belong to."""
    nested: tuple["Level", ...] = ()

    @property
    def rows(self) -> str:
        """The statement of this level alone, the parent's id first."""
        return f"SELECT {self.parent}, {self.columns} FROM {self.source}"

    def as_json(self, organization_id: int) -> str:
        """One statement for the bytes of the answer, with all nested levels."""
        return f"SELECT json_build_object('data', json_build_object('{self.name}', ({self._array(organization_id)})))::text"

    def _array(self, organization_id: int, parent: str = "") -> str:
        source = self.source.format(organization=organization_id, parents=f"= {parent}")
        nested = "".join(f", ({inner._array(organization_id, self.key)}) AS {inner.name}" for inner in self.nested)
        return f"SELECT coalesce(json_agg(t), '[]') FROM (SELECT {self.columns}{nested} FROM {source}) t"


@dataclass(frozen=True)
class Question:
    """A query of the comparison. `most_statements` is the bound to reach without the one that opens the snapshot."""

    name: str
    what: str
    text: str
    most_statements: int
    level: Level | None = None
    peer: str = ""
    """The same in PostGraphile's schema, which filters by tenant because it is asked to."""


_SCORES = Level(
    "scores",
    "session_id",
    "id, measure, created_at, line_1, line_2, line_3, line_4",
    "scores WHERE organization_id = {organization} AND session_id {parents} ORDER BY scores.created_at, scores.id",
)
_SESSIONS = Level(
    "sessions",
    "episode_id",
    "s.id, session_date, s.created_at",
    "sessions s WHERE organization_id = {organization} AND episode_id {parents} ORDER BY session_date, s.id",
    "s.id",
    (_SCORES,),
)
_RATERS = Level(
    "raters",
    "episode_id",
    "id, full_name, email, comment, created_at",
    "raters WHERE organization_id = {organization} AND episode_id {parents} ORDER BY full_name, id",
)
_EPISODES = Level(
    "episodes",
    "p.client_id",
    "e.id, e.title, e.start_date, e.end_date, e.status, e.group_srs",
    "episode_clients p JOIN episodes e ON e.id = p.episode_id AND e.organization_id = p.organization_id"
    " WHERE p.organization_id = {organization} AND p.client_id {parents} ORDER BY e.start_date, e.id",
    "e.id",
    (_RATERS, _SESSIONS),
)
_OWNERS = Level(
    "owners",
    "o.client_id",
    "u.id, u.full_name, u.email",
    "client_owners o JOIN users u ON u.id = o.user_id"
    " WHERE o.organization_id = {organization} AND o.client_id {parents} ORDER BY u.full_name, u.id",
)


def _clients(count: int, *nested: Level, columns: str = "birth_date, gender, phone, c.created_at") -> Level:
    source = f"clients c WHERE organization_id = {{organization}} ORDER BY full_name, c.id LIMIT {count}"
    return Level("clients", "organization_id", f"c.id, full_name, {columns}", source, "c.id", nested)


def tree(count: int) -> str:
    """So many clients with all that is below them."""
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


_THEIRS = 'orderBy: [FULL_NAME_ASC, ROW_ID_ASC], condition: { organizationId: "$ORGANIZATION" }'


def _their_tree(count: int) -> str:
    return (
        """{
  clients: allClients(first: COUNT, THEIRS) { nodes {
    id: rowId fullName birthDate gender phone createdAt
    episodes: episodeClientsByOrganizationIdAndClientId { nodes { episodeByOrganizationIdAndEpisodeId {
      id: rowId title startDate endDate status groupSrs
      raters(orderBy: [FULL_NAME_ASC, ROW_ID_ASC]) { nodes { id: rowId fullName email comment createdAt } }
      sessions: sessionsByOrganizationIdAndEpisodeId(orderBy: [SESSION_DATE_ASC, ROW_ID_ASC]) { nodes {
        id: rowId sessionDate createdAt
        scores: scoresByOrganizationIdAndEpisodeIdAndSessionId(orderBy: [CREATED_AT_ASC, ROW_ID_ASC]) { nodes {
          id: rowId measure createdAt line1 line2 line3 line4
        } }
      } }
    } } }
  } }
}""".replace("COUNT", str(count))
    ).replace("THEIRS", _THEIRS)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


QUESTIONS = (
    Question("Q1", "50 clients with all below", tree(50), 5, _clients(50, _EPISODES), _their_tree(50)),
    Question("Q1b", "500 clients with all below", tree(500), 5, _clients(500, _EPISODES), _their_tree(500)),
    Question(
        "Q2",
        "100 clients, 6 scalars",
        "{ clients(first: 100) { nodes { id fullName alias birthDate gender phone } } }",
        1,
        _clients(100, columns="alias, birth_date, gender, phone"),
        f"{{ clients: allClients(first: 100, {_THEIRS}) {{ nodes {{"
        " id: rowId fullName alias birthDate gender phone } } }",
    ),
    Question(
        "Q3",
        "one client with owners",
        "{ client(id: $CLIENT) { id fullName birthDate gender owners { id fullName email } } }",
        2,
        _clients(1, _OWNERS, columns="birth_date, gender"),
        "{ client: clientByRowId(rowId: $CLIENT) { id: rowId fullName birthDate gender"
        " owners: clientOwnersByOrganizationIdAndClientId { nodes { user { id: rowId fullName email } } } } }",
    ),
    Question(
        "Q4",
        "5,000 scores, 8 scalars",
        "{ orsScores(first: 5000) { nodes {"
        " id measure createdAt total individually interpersonally socially overall } } }",
        1,
        Level(
            "scores",
            "organization_id",
            "id, measure, created_at, line_1 + line_2 + line_3 + line_4 AS total, line_1, line_2, line_3, line_4",
            "scores WHERE organization_id = {organization} AND measure = 0 ORDER BY id LIMIT 5000",
        ),
        '{ scores: allScores(first: 5000, orderBy: ROW_ID_ASC, condition: { measure: 0, organizationId: "$ORGANIZATION" })'
        " { nodes { id: rowId measure createdAt sessionId line1 line2 line3 line4 } } }",
    ),
    Question(
        "S",
        "organization's statistics",
        f"{{ organizationStatistics {{ total {{ {' '.join(_camel(index.name) for index in INDICES)} }} }} }}",
        5,
    ),
)
COMPARED = tuple(one for one in QUESTIONS if one.peer)


def text_of(question: Question, client_id: str) -> str:
    """The query about one particular client."""
    return question.text.replace("$CLIENT", f'"{client_id}"')


def their_text_of(question: Question, client_id: int, organization_id: int) -> str:
    """The query about the same rows, in PostGraphile's words."""
    return question.peer.replace("$CLIENT", f'"{client_id}"').replace("$ORGANIZATION", str(organization_id))


def counted(answer: Any) -> tuple[int, int]:
    """How many objects with values of their own are in an answer, and how many values."""
    if isinstance(answer, list):
        inside, own = answer, 0
    elif isinstance(answer, dict):
        inside = [one for one in answer.values() if isinstance(one, (dict, list))]
        own = len(answer) - len(inside)
    else:
        return 0, 1
    below = [counted(one) for one in inside]
    return sum(one for one, _ in below) + (own > 0), sum(one for _, one in below) + own
