"""Statistics of outcomes for a user or the organization: which episodes, in which groups; the engine does the rest."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import numpy as np
import strawberry
from sqlalchemy import ColumnElement, func, select
from strawberry.types.unset import UNSET

from caregraph.auth.viewer import Permission
from caregraph.db.scope import ids
from caregraph.graph.context import Context
from caregraph.graph.errors import bad_input, demand
from caregraph.graph.fields import KitField, describe, field
from caregraph.graph.loaders import RowById
from caregraph.graph.node import parse_id
from caregraph.graph.search import named
from caregraph.graph.tables import ColumnReads
from caregraph.organizations.models import User
from caregraph.people.models import ClientLabel, Label
from caregraph.people.policy import owned_by
from caregraph.scoring import measures
from caregraph.scoring import statistics as engine
from caregraph.scoring.indices import Index
from caregraph.scoring.outcomes import DEFAULT_RULES

from . import models
from .enums import InformantKind
from .groups import Dimension, grouped
from .series import SUM, Scores, of_scores

MOST_DIMENSIONS = 3
LARGEST_MINIMUM = 1000
_DECIMALS = 6


def _indices_type() -> type[Any]:
    """A type with a field per index of the engine: its description, unit and denominator are the engine's."""
    annotations: dict[str, Any] = {}
    fields: dict[str, KitField] = {}
    for index in engine.INDICES:
        annotations[index.name] = int if index.is_count else float | None
        fields[index.name] = field(_described(index))
    cls = type("OutcomeIndices", (), {"__annotations__": annotations, **fields, "__doc__": "The engine's indices."})
    return strawberry.type(
        cls, description="Outcome indices of a group of episodes. What is undefined is null, never 0."
    )


def _described(index: Index) -> str:
    per = f" Per {index.denominator}; null without any." if index.denominator else ""
    return f"{index.description} Unit: {index.unit}.{per}"


OutcomeIndices = _indices_type()


@strawberry.type(description="What the episodes of a group have in common.")
class GroupKey:
    """One per dimension asked for."""

    dimension: Dimension = field("Which property.")
    value: str | None = field("Its value: an id, an enum value, a month as `2026-01` or a band; null for none.")
    label: str = field("The value for people.")


@strawberry.type(description="The indices of the episodes with the same keys.")
class StatisticsGroup:
    """A client with two labels counts in both groups."""

    keys: list[GroupKey] = field("One key per dimension asked for, in their order.")
    indices: OutcomeIndices | None = field("The indices; null below `minimumCell`.")  # type: ignore[valid-type]


@strawberry.type(description="Outcome statistics.")
class Statistics:
    """All indices in total and by group."""

    total: OutcomeIndices | None = field("The indices of all episodes; null below `minimumCell`.")  # type: ignore[valid-type]
    groups: list[StatisticsGroup] = field("The indices by group, ordered by their keys; empty without `groupBy`.")


@strawberry.input(description="Which episodes statistics are of. All conditions must hold; dates include their day.")
class StatisticsFilter:
    """FIT's documented filters."""

    episode_start_date_1: date | None = field("Started on or after this day.", default=UNSET)
    episode_start_date_2: date | None = field("Started on or before this day.", default=UNSET)
    episode_end_date_1: date | None = field("Ended on or after this day.", default=UNSET)
    episode_end_date_2: date | None = field("Ended on or before this day.", default=UNSET)
    client_labels: list[str] | None = field(
        "Clients with at least one of these labels, by exact name; an empty list: clients without labels.",
        default=UNSET,
    )
    client_labels_match_all: bool | None = field("Clients must carry all of the labels.", default=UNSET)
    episode_labels: list[str] | None = field(
        "Episodes with at least one of these labels, by exact name; an empty list: episodes without labels.",
        default=UNSET,
    )
    episode_labels_match_all: bool | None = field("Episodes must carry all of the labels.", default=UNSET)


Filter = Annotated[StatisticsFilter | None, describe("Which episodes; all by default.")]
GroupBy = Annotated[list[Dimension] | None, describe(f"Properties to group by, at most {MOST_DIMENSIONS}.")]
Informant = Annotated[
    InformantKind, describe("Whose ratings count in the total, and in groups not by `RATER_KIND`; never both mixed.")
]
MinimumCell = Annotated[int | None, describe("Hide the indices of groups with fewer clients than this, 1 to 1000.")]


async def of_user(
    context: Context,
    _root: None,
    *,
    user_id: Annotated[strawberry.ID | None, describe("Of this user's clients; of yours by default.")] = None,
    filter: Filter = None,  # noqa: A002 the argument's name in the graph
    group_by: GroupBy = None,
    informant: Informant = InformantKind.CLIENT,
    minimum_cell: MinimumCell = None,
) -> Statistics | None:
    """Statistics of the clients whom a user owns (`fit.statistics.current_user`, `fit.statistics.user`).

    Of another user for superusers only; null for a user who is not there.
    """
    viewer = context.viewer
    wanted = viewer.user_id
    if user_id is not None:
        parsed = parse_id(user_id)
        wanted = parsed[1] if parsed is not None and parsed[0] == "User" else None
    if wanted != viewer.user_id or wanted is None:
        demand(viewer, Permission.ORGANIZATION)
        if wanted is None or await context.load(RowById(User), wanted) is None:
            return None
    owned = models.EpisodeClient.client_id.in_(owned_by(viewer.organization_id, wanted))
    return await _statistics(context, [owned], filter, _Asked.of(group_by, informant, minimum_cell))


async def of_organization(
    context: Context,
    _root: None,
    *,
    filter: Filter = None,  # noqa: A002 the argument's name in the graph
    group_by: GroupBy = None,
    informant: Informant = InformantKind.CLIENT,
    minimum_cell: MinimumCell = None,
) -> Statistics:
    """Statistics of the whole organization (`fit.statistics.agency`)."""
    return await _statistics(context, [], filter, _Asked.of(group_by, informant, minimum_cell))


@dataclass(frozen=True)
class _Asked:
    """What was asked about the chosen episodes, checked."""

    dimensions: list[Dimension]
    informant: InformantKind
    minimum_cell: int | None

    @classmethod
    def of(cls, group_by: Sequence[Dimension] | None, informant: InformantKind, minimum_cell: int | None) -> "_Asked":
        dimensions = list(dict.fromkeys(group_by or ()))
        if len(dimensions) > MOST_DIMENSIONS:
            raise bad_input(f"groupBy takes at most {MOST_DIMENSIONS} properties", "groupBy")
        if minimum_cell is not None and not 1 <= minimum_cell <= LARGEST_MINIMUM:
            raise bad_input(f"minimumCell must be between 1 and {LARGEST_MINIMUM}", "minimumCell")
        return cls(dimensions, informant, minimum_cell)


async def _statistics(
    context: Context, conditions: list[ColumnElement[bool]], wanted: StatisticsFilter | None, asked: _Asked
) -> Statistics:
    if wanted is not None:
        conditions = [*conditions, *await _conditions(context, wanted)]
    sample = await read_sample(context, conditions)
    total = engine.Groups(*_everything(sample, asked.informant), 1)
    columns = engine.indices(sample.episodes, sample.scores, total, DEFAULT_RULES)
    groups = await _groups(context, sample, asked) if asked.dimensions else []
    return Statistics(total=_indices(columns, 0, asked.minimum_cell), groups=groups)


def _everything(sample: "Sample", informant: InformantKind) -> tuple[Any, Any, Any]:
    count = len(sample.episodes.episode)
    zeros = np.zeros(count, np.int64)
    return np.arange(count), zeros + informant.value, zeros


async def _groups(context: Context, sample: "Sample", asked: _Asked) -> list[StatisticsGroup]:
    members, keys = await grouped(context, sample.episodes, sample.scores, asked.dimensions, asked.informant)
    columns = engine.indices(sample.episodes, sample.scores, members, DEFAULT_RULES)
    return [
        StatisticsGroup(
            keys=[
                GroupKey(dimension=dimension, value=value, label=label)
                for dimension, (value, label) in zip(asked.dimensions, key, strict=True)
            ],
            indices=_indices(columns, number, asked.minimum_cell),
        )
        for number, key in enumerate(keys)
    ]


def _indices(columns: dict[str, Any], number: int, minimum_cell: int | None) -> Any:
    if minimum_cell is not None and columns["n_clients"][number] < minimum_cell:
        return None
    values = {}
    for index in engine.INDICES:
        value = columns[index.name][number].item()
        rounded = value if index.is_count else round(value, _DECIMALS)
        values[index.name] = None if rounded != rounded else rounded  # noqa: PLR0124 NaN alone differs from itself
    return OutcomeIndices(**values)


async def _conditions(context: Context, wanted: StatisticsFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on episodes and the clients on them."""
    episode, place = models.Episode, models.EpisodeClient
    conditions = [
        compare(column, day)
        for column, compare, day in (
            (episode.start_date, operator.ge, wanted.episode_start_date_1),
            (episode.start_date, operator.le, wanted.episode_start_date_2),
            (episode.end_date, operator.ge, wanted.episode_end_date_1),
            (episode.end_date, operator.le, wanted.episode_end_date_2),
        )
        if day
    ]
    for names, match_all, carrier, column, argument in (
        (wanted.client_labels, wanted.client_labels_match_all, ClientLabel.client_id, place.client_id, "clientLabels"),
        (
            wanted.episode_labels,
            wanted.episode_labels_match_all,
            models.EpisodeLabel.episode_id,
            episode.id,
            "episodeLabels",
        ),
    ):
        if names is not None and names is not UNSET:
            label_ids = await named(context, Label, names, argument)
            conditions.append(_carries(column, carrier, label_ids, match_all=bool(match_all)))
    return conditions


def _carries(column: Any, carrier: Any, label_ids: list[int], *, match_all: bool) -> ColumnElement[bool]:
    carriers = ids(carrier)
    if not label_ids:
        return column.not_in(carriers)  # type: ignore[no-any-return]
    label = carrier.class_.label_id
    carriers = carriers.where(label.in_(label_ids))
    if match_all:
        carriers = carriers.group_by(carrier).having(func.count(label) == len(label_ids))
    return column.in_(carriers)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Sample:
    """The columns that statistics are made of."""

    episodes: engine.Episodes
    scores: engine.Scores


async def read_sample(context: Context, conditions: list[ColumnElement[bool]]) -> Sample:
    """Four statements, however many episodes there are."""
    context.saw(models.EpisodeClient)
    episode, place, session, rater = models.Episode, models.EpisodeClient, models.Session, models.Rater
    places = await context.run_unscoped(
        select(
            place.episode_id,
            place.client_id,
            place.age_at_start,
            episode.status,
            episode.start_date,
            episode.end_date,
        )
        .join(episode, episode.id == place.episode_id)
        .where(*conditions)
        .order_by(place.episode_id, place.client_id)
    )
    rows = places.all()
    chosen = ids(place.episode_id).join(episode, episode.id == place.episode_id).where(*conditions)
    held = await context.run_unscoped(
        select(session.episode_id, func.count(), func.max(session.session_date))
        .where(session.episode_id.in_(chosen))
        .group_by(session.episode_id)
    )
    sessions = {episode_id: (count, last) for episode_id, count, last in held}
    rated = await context.run_unscoped(
        select(rater.episode_id, rater.client_id, func.count())
        .where(rater.episode_id.in_(chosen))
        .group_by(rater.episode_id, rater.client_id)
    )
    raters = {(episode_id, client_id): count for episode_id, client_id, count in rated}
    episodes = _episode_columns(rows, sessions, raters)
    return Sample(episodes, await _read_scores(context, episodes, chosen))


def _episode_columns(rows: Sequence[Any], sessions: dict[int, Any], raters: dict[tuple[int, int], int]) -> Any:
    columns = list(zip(*rows, strict=True)) or [()] * 6
    episode_ids, client_ids, ages, statuses, starts, ends = columns
    held = [sessions.get(episode_id, (0, None)) for episode_id in episode_ids]
    return engine.Episodes(
        episode=np.array(episode_ids, np.int64),
        client=np.array(client_ids, np.int64),
        age=np.array([np.nan if age is None else age for age in ages], float),
        status=np.array([status.value for status in statuses], np.int8),
        start=np.array(starts, "datetime64[D]"),
        end=np.array(ends, "datetime64[D]"),
        session_count=np.array([count for count, _ in held], np.int64),
        last_session=np.array([last for _, last in held], "datetime64[D]"),
        rater_count=np.array([raters.get(place, 0) for place in zip(episode_ids, client_ids, strict=True)], np.int64),
    )


async def _read_scores(context: Context, episodes: engine.Episodes, chosen: Any) -> engine.Scores:
    statement = of_scores().where(models.Score.episode_id.in_(chosen))
    found = Scores.of(await context.the(ColumnReads).read_unscoped(context, statement)).ordered()
    keys = found.keys
    row, known = _rows_of(episodes, keys["episode_id"], keys["client_id"])
    return engine.Scores(
        row=row[known],
        informant=keys["rater_id"][known],
        measure=keys["measure"][known],
        position=np.flatnonzero(known),
        total=measures.of_sums(found.lines[SUM][known]),
    )


def _rows_of(episodes: engine.Episodes, episode_ids: Any, client_ids: Any) -> tuple[Any, Any]:
    """Which row of `episodes` each score belongs to; scores of clients who are filtered out belong to none."""
    clients = np.unique(episodes.client)
    places = _numbered(clients, episodes.episode, episodes.client)  # ascending, as they were read
    wanted = _numbered(clients, episode_ids, client_ids)
    return np.searchsorted(places, wanted), np.isin(wanted, places) & np.isin(client_ids, clients)


def _numbered(clients: Any, episode_ids: Any, client_ids: Any) -> Any:
    """One number for each pair of an episode and a known client."""
    return episode_ids * (len(clients) + 1) + np.searchsorted(clients, client_ids)
