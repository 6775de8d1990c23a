"""GraphQL types of answers and of the scores that came of them."""

from datetime import datetime
from decimal import Decimal

from caregraph.graph.computed import computed
from caregraph.graph.fields import field
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import many, one
from caregraph.graph.scalars import Json
from caregraph.refs import (
    AnswerScoreRef,
    AnswerSetRef,
    AssessmentRef,
    ClientRef,
    ExplanationStepRef,
    ItemOptionRef,
    ItemRef,
    ItemResponseRef,
    ResultRangeRef,
    ScoreConfigRef,
)

from . import answer_models, explaining
from .enums import AnswerSource
from .fhir import reading


@node(
    answer_models.AnswerSet,
    where=(answer_models.AnswerSet.created_at, answer_models.AnswerSet.completed_at),
    order_by=(
        answer_models.AnswerSet.created_at,
        answer_models.AnswerSet.updated_at,
        answer_models.AnswerSet.completed_at,
    ),
)
class AnswerSet(Node):
    """One person's answers to one assessment. Seen as the client, anonymous ones by whoever sees all clients."""

    source: AnswerSource = field("How the answers came in.")
    assessment_version: int = field("The version of the assessment that was answered.")
    title: str | None = field("What the sender called it.")
    spec_name: str | None = field("What the sender called the assessment.")
    spec_version: str | None = field("Which version of it the sender meant.")
    model: Json | None = field("The answers as another system sent them.")
    completed_at: datetime | None = field("When the last answer was given; null: it is not complete.")
    last_scored_at: datetime | None = field("When it was last scored; null: not yet.")
    created_at: datetime = field("When it was begun.")
    updated_at: datetime = field("When it was last changed.")
    client: ClientRef | None = one("answer_sets.client_id", "Whose answers they are; null: they are anonymous.")
    assessment: AssessmentRef | None = one("answer_sets.assessment_id", "The assessment; null if it is no more shared.")
    responses: Page[ItemResponseRef] = many("item_responses.answer_set_id", description="The answers.", size=20)
    scores: list[AnswerScoreRef] = many("answer_scores.answer_set_id", description="What came of them.", size=5)
    fhir_response: Json = computed(reading.fhir_response, cost=20)
    fhir_observations: list[Json] = computed(reading.fhir_observations, cost=20, size=3)


@node(answer_models.ItemResponse, order_by=(answer_models.ItemResponse.created_at,))
class ItemResponse(Node):
    """An answer to one item; an item that takes several options has one for each. Seen as the answer set."""

    text: str | None = field("The answer in words, where that is what is asked for.")
    value: Decimal | None = field("The number that it counted for when it was given.")
    source_type: AnswerSource = field("How it came in.")
    created_at: datetime = field("When it was given.")
    updated_at: datetime = field("When it was last changed.")
    answer_set: AnswerSetRef = one("item_responses.answer_set_id", "The answer set.")
    item: ItemRef | None = one("item_responses.item_id", "The item; null if it is no more shared.")
    item_option: ItemOptionRef | None = one("item_responses.item_option_id", "The option that was chosen.")


@node(answer_models.AnswerScore, order_by=(answer_models.AnswerScore.created_at,))
class AnswerScore(Node):
    """A number that came of an answer set. Seen as the answer set."""

    value: Decimal | None = field("The number; null: too much is missing.")
    score_config_version: int = field("The version of the score config that made it.")
    created_at: datetime = field("When it was first computed.")
    updated_at: datetime = field("When it was last computed.")
    answer_set: AnswerSetRef = one("answer_scores.answer_set_id", "The answer set.")
    score_config: ScoreConfigRef | None = one(
        "answer_scores.score_config_id", "What made it; null if it is no more shared."
    )
    result_range: ResultRangeRef | None = one("answer_scores.result_range_id", "What such a score is called.")
    explain: list[ExplanationStepRef] = computed(explaining.explanation, size=30)
