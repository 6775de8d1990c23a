"""What the demo suggests to ask first."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """A query and whom it is for."""

    title: str
    query: str


SUGGESTIONS = (
    Suggestion(
        "How the care that goes on is going",
        """{
  episodes(where: {status: {eq: ONGOING}}, first: 5) {
    totalCount
    nodes {
      title
      startDate
      clients { fullName }
      sessions(last: 3) { nodes { sessionDate orsScores { total } } }
    }
  }
}""",
    ),
    Suggestion(
        "Clients with a label, and what people near them say",
        """{
  clients(labels: ["Anxiety"], first: 5) {
    nodes {
      fullName
      owners { fullName }
      episodes { nodes { raters { fullName comment scores(last: 2) { nodes { measure total } } } } }
    }
  }
}""",
    ),
    Suggestion(
        "What questionnaires say, and what it means",
        """{
  answerSets(last: 5) {
    totalCount
    nodes {
      client { fullName }
      assessment { title instrument { licence { notice } } }
      completedAt
      scores { value scoreConfig { name } resultRange { name } }
    }
  }
}""",
    ),
    Suggestion(
        "The same question, other rows: ask as the superuser, then as the user",
        """{
  me { fullName }
  clients(first: 3, orderBy: [BIRTH_DATE_DESC]) {
    totalCount
    nodes { fullName birthDate labels { name } }
  }
}""",
    ),
)
