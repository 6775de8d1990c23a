"""Root fields of treatment."""

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, true

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ids
from caregraph.graph.actions import DeletePayload, Payload, SecretPayload, action
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.feeds import subscription
from caregraph.graph.fields import describe
from caregraph.graph.paging import Page
from caregraph.graph.resource import Resource
from caregraph.graph.scalars import Json
from caregraph.graph.search import contains, named
from caregraph.people.lists import ListScope, owned_clients
from caregraph.people.models import Label
from caregraph.people.types import Client

from . import calculator, events, fhir_reading, models, plans, policy, service, statistics, tables  # noqa: F401 the rules of this slice are declared in policy
from .inputs import OrsScoreInput, RaterInput, SessionInput, SrsScoreInput
from .types import CalculatorPlan, Episode, OrsScore, Rater, Session, SrsScore

EPISODES = Resource(Episode)
RATERS = Resource(Rater)
SESSIONS = Resource(Session)
ORS_SCORES = Resource(OrsScore)
SRS_SCORES = Resource(SrsScore)
PLANS = Resource(CalculatorPlan)


async def _found(
    context: Context,
    *,
    scope: Annotated[ListScope, describe("Whose episodes; all that you may see by default.")] = ListScope.VISIBLE,
    user_id: Annotated[
        strawberry.ID | None, describe("With `OWNED`: of this user's clients; yours by default.")
    ] = None,
    search: Annotated[str | None, describe("Text in the title, in any case.")] = None,
    labels: Annotated[list[str] | None, describe("Only episodes with one of these labels, by exact name.")] = None,
) -> ColumnElement[bool] | None:
    conditions = [contains(models.Episode, search)]
    if (owned := owned_clients(context.viewer, scope, user_id)) is not None:
        places = ids(models.EpisodeClient.episode_id).where(models.EpisodeClient.client_id.in_(owned))
        conditions.append(models.Episode.id.in_(places))
    if labels:
        label_ids = await named(context, Label, labels, "labels")
        carrying = ids(models.EpisodeLabel.episode_id).where(models.EpisodeLabel.label_id.in_(label_ids))
        conditions.append(models.Episode.id.in_(carrying))
    return and_(true(), *(one for one in conditions if one is not None))


@strawberry.type
class Query:
    """Reading treatment."""

    episode: Episode | None = EPISODES.get()
    episodes: Page[Episode] | None = EPISODES.page(_found, order="start_date")
    rater: Rater | None = RATERS.get()
    session: Session | None = SESSIONS.get()
    sessions: Page[Session] | None = SESSIONS.page(order="session_date")
    ors_score: OrsScore | None = ORS_SCORES.get()
    ors_scores: Page[OrsScore] | None = ORS_SCORES.page()
    srs_score: SrsScore | None = SRS_SCORES.get()
    srs_scores: Page[SrsScore] | None = SRS_SCORES.page()
    scores_table: tables.ScoresTable | None = computed(tables.of_all, needs=Permission.CARE, cost=500)
    fhir_bundle: Json | None = computed(fhir_reading.fhir_bundle, needs=Permission.CARE, cost=500)
    user_statistics: statistics.Statistics | None = computed(statistics.of_user, needs=Permission.CARE, cost=500)
    organization_statistics: statistics.Statistics | None = computed(
        statistics.of_organization, needs=Permission.ORGANIZATION, cost=500
    )
    calculator_plan: CalculatorPlan | None = PLANS.get(needs=Permission.MANAGE_APPLICATIONS)
    calculator_plans: Page[CalculatorPlan] | None = PLANS.page(order="email", needs=Permission.MANAGE_APPLICATIONS)
    remaining_calculator_requests: int | None = computed(calculator.remaining_requests, needs=Permission.CALCULATE)


@strawberry.type
class Mutation:
    """Changing treatment."""

    update_client: Payload[Client] | None = action(service.update_client, needs=Permission.CARE)
    create_episode: Payload[Episode] | None = action(service.create_episode, needs=Permission.CARE)
    update_episode: Payload[Episode] | None = action(service.update_episode, needs=Permission.CARE)
    delete_episode: DeletePayload | None = action(service.delete_episode, needs=Permission.CARE)
    set_episode_labels: Payload[Episode] | None = action(service.set_episode_labels, needs=Permission.CARE)
    add_client_to_episode: Payload[Episode] | None = action(service.add_client, needs=Permission.CARE)
    remove_client_from_episode: Payload[Episode] | None = action(service.remove_client, needs=Permission.CARE)
    create_rater: Payload[Rater] | None = action(service.create_rater, needs=Permission.CARE)
    update_rater: Payload[Rater] | None = RATERS.update(RaterInput, needs=Permission.CARE)
    delete_rater: DeletePayload | None = action(service.delete_rater, needs=Permission.CARE)
    create_session: Payload[Session] | None = action(service.create_session, needs=Permission.CARE)
    update_session: Payload[Session] | None = SESSIONS.update(SessionInput, needs=Permission.CARE)
    delete_session: DeletePayload | None = action(service.delete_session, needs=Permission.CARE)
    create_client_ors_score: Payload[OrsScore] | None = action(service.create_client_ors_score, needs=Permission.CARE)
    create_rater_ors_score: Payload[OrsScore] | None = action(service.create_rater_ors_score, needs=Permission.CARE)
    update_ors_score: Payload[OrsScore] | None = ORS_SCORES.update(OrsScoreInput, needs=Permission.CARE)
    delete_ors_score: DeletePayload | None = action(service.delete_ors_score, needs=Permission.CARE)
    create_client_srs_score: Payload[SrsScore] | None = action(service.create_client_srs_score, needs=Permission.CARE)
    create_rater_srs_score: Payload[SrsScore] | None = action(service.create_rater_srs_score, needs=Permission.CARE)
    update_srs_score: Payload[SrsScore] | None = SRS_SCORES.update(SrsScoreInput, needs=Permission.CARE)
    calculate_ors_trajectory: calculator.CalculatorPayload | None = action(
        calculator.ors_trajectory, needs=Permission.CALCULATE
    )
    create_calculator_plan: SecretPayload[CalculatorPlan] | None = action(
        plans.create_plan, needs=Permission.MANAGE_APPLICATIONS
    )
    update_calculator_plan: Payload[CalculatorPlan] | None = action(
        plans.update_plan, needs=Permission.MANAGE_APPLICATIONS
    )
    rotate_calculator_credentials: SecretPayload[CalculatorPlan] | None = action(
        plans.rotate_credentials, needs=Permission.MANAGE_APPLICATIONS
    )
    revoke_calculator_credentials: Payload[CalculatorPlan] | None = action(
        plans.revoke_credentials, needs=Permission.MANAGE_APPLICATIONS
    )
    delete_srs_score: DeletePayload | None = action(service.delete_srs_score, needs=Permission.CARE)


@strawberry.type
class Subscription:
    """Following treatment."""

    session_scored: events.ScoreEvent | None = subscription(events.session_scored, needs=Permission.CARE)
    client_alert: events.AlertEvent | None = subscription(events.client_alert, needs=Permission.CARE)
    episode_changed: events.EpisodeEvent | None = subscription(events.episode_changed, needs=Permission.CARE)
