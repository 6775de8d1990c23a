"""Properties by which statistics group episodes: which rows share which value."""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import strawberry
from sqlalchemy import select

from caregraph.graph.context import Context
from caregraph.graph.fields import member
from caregraph.graph.node import global_id
from caregraph.organizations.models import User
from caregraph.people.models import ClientLabel, ClientOwner, Label
from caregraph.scoring import courses as engine_courses
from caregraph.scoring import measures
from caregraph.scoring import statistics as engine

from . import models
from .enums import EpisodeStatus, InformantKind


@strawberry.enum(description="A property that statistics can be grouped by.")
class Dimension(enum.Enum):
    """Any of them, alone or together."""

    CLIENT_LABEL = member("CLIENT_LABEL", "Label on the client; one with two counts twice.")
    EPISODE_LABEL = member("EPISODE_LABEL", "Label on the episode.")
    USER = member("USER", "User who owns the client.")
    MONTH = member("MONTH", "Month in which the episode started.")
    AGE_BAND = member("AGE_BAND", "The client's age at the start, in the bands of cut-offs.")
    INTAKE_BAND = member("INTAKE_BAND", "The first ORS, in bands.")
    RATER_KIND = member("RATER_KIND", "Who rated: the clients, or collateral raters.")
    EPISODE_STATUS = member("EPISODE_STATUS", "How the episode stands or ended.")


Key = tuple[str | None, str]
"""A value and how people call it."""


async def grouped(
    context: Context,
    episodes: engine.Episodes,
    scores: engine.Scores,
    dimensions: list[Dimension],
    informant: InformantKind,
) -> tuple[engine.Groups, list[tuple[Key, ...]]]:
    """The groups that occur, by the values of all dimensions together, and the keys of each."""
    kinds = [informant.value] if Dimension.RATER_KIND not in dimensions else [kind.value for kind in InformantKind]
    rows = np.tile(np.arange(len(episodes.episode)), len(kinds))
    kind = np.repeat(np.array(kinds, np.int64), len(episodes.episode))
    if Dimension.RATER_KIND in dimensions:
        present = (kind == InformantKind.CLIENT.value) | (episodes.rater_count[rows] > 0)
        rows, kind = rows[present], kind[present]
    base = _Base(context, episodes, scores, rows, kind)
    values: list[Any] = []
    keys: list[list[Key]] = []
    position = np.arange(len(rows))
    for dimension in dimensions:
        at, value, found = await _READERS[dimension](base)
        left, right = _join(position, at)
        position = position[left]
        values = [*(one[left] for one in values), value[right]]
        keys.append(found)
    combined = np.stack(values, axis=1)
    distinct, group = np.unique(combined, axis=0, return_inverse=True)
    names = [tuple(found[code] for found, code in zip(keys, row, strict=True)) for row in distinct.tolist()]
    return engine.Groups(rows[position], kind[position], group.reshape(-1), len(names)), names


@dataclass(frozen=True)
class _Base:
    """What readers look at; they answer positions in `row`, a value code for each, and the keys of the codes."""

    context: Context
    episodes: engine.Episodes
    scores: engine.Scores
    row: Any
    kind: Any


Reader = Callable[[_Base], Awaitable[tuple[Any, Any, list[Key]]]]


def _join(wanted: Any, offered: Any) -> tuple[Any, Any]:
    """All pairs of indices at which two columns of positions agree."""
    order = np.argsort(offered, kind="stable")
    start = np.searchsorted(offered[order], wanted, "left")
    count = np.searchsorted(offered[order], wanted, "right") - start
    left = np.repeat(np.arange(len(wanted)), count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    return left, order[np.repeat(start, count) + within]


async def _linked(base: _Base, ids_here: Any, statement: Any, type_name: str, none: str) -> Any:
    """Values by a link table: `statement` gives (id here, id there, name)."""
    found = (await base.context.run_unscoped(statement)).all()
    there = sorted({(name, other) for _, other, name in found})
    code = {other: number for number, (_, other) in enumerate(there)}
    at, right = _join(
        ids_here[base.row],
        np.array([here for here, _, _ in found], np.int64),
    )
    value = np.array([code[other] for _, other, _ in found], np.int64)[right]
    missing = np.setdiff1d(np.arange(len(base.row)), at)
    keys: list[Key] = [(global_id(type_name, other), name) for name, other in there]
    return (
        np.concatenate([at, missing]),
        np.concatenate([value, np.full(len(missing), len(there))]),
        [*keys, (None, none)],
    )


async def _client_label(base: _Base) -> Any:
    statement = select(ClientLabel.client_id, Label.id, Label.name).join(Label, Label.id == ClientLabel.label_id)
    return await _linked(base, base.episodes.client, statement, "Label", "Without label")


async def _episode_label(base: _Base) -> Any:
    link = models.EpisodeLabel
    statement = select(link.episode_id, Label.id, Label.name).join(Label, Label.id == link.label_id)
    return await _linked(base, base.episodes.episode, statement, "Label", "Without label")


async def _user(base: _Base) -> Any:
    statement = select(ClientOwner.client_id, User.id, User.full_name).join(User, User.id == ClientOwner.user_id)
    return await _linked(base, base.episodes.client, statement, "User", "Without owner")


async def _month(base: _Base) -> Any:
    months, value = np.unique(base.episodes.start.astype("datetime64[M]")[base.row], return_inverse=True)
    return np.arange(len(base.row)), value, [(str(month), str(month)) for month in months]


async def _age_band(base: _Base) -> Any:
    value = measures.age_bands(base.episodes.age)[base.row].astype(np.int64)
    names = {
        measures.AgeBand.UNDER_6: "Under 6",
        measures.AgeBand.AGE_6_12: "6 to 12",
        measures.AgeBand.AGE_13_17: "13 to 17",
        measures.AgeBand.ADULT: "18 and older",
        measures.AgeBand.UNKNOWN: "Unknown age",
    }
    return np.arange(len(base.row)), value, [(band.name, names[band]) for band in measures.AgeBand]


async def _intake_band(base: _Base) -> Any:
    """By the client's own first ORS, whoever's ratings the indices are of."""
    found = engine_courses.courses(base.episodes, base.scores)
    intake = np.full(len(base.episodes.episode), np.nan)
    own = ~found.is_collateral
    intake[found.row[own]] = found.ors.first[own]
    band = measures.intake_bands(intake)[base.row].astype(np.int64)
    count = len(measures.INTAKE_BANDS)
    keys: list[Key] = [(one.label, one.label) for one in measures.INTAKE_BANDS]
    return (
        np.arange(len(base.row)),
        np.where(band == measures.NO_INTAKE_BAND, count, band),
        [*keys, (None, "Without ORS")],
    )


async def _rater_kind(base: _Base) -> Any:
    keys = [(kind.name, kind.name.capitalize()) for kind in InformantKind]
    return np.arange(len(base.row)), base.kind, keys


async def _episode_status(base: _Base) -> Any:
    keys = [(status.name, status.name.replace("_", " ").capitalize()) for status in EpisodeStatus]
    return np.arange(len(base.row)), base.episodes.status[base.row].astype(np.int64), keys


_READERS: dict[Dimension, Reader] = {
    Dimension.CLIENT_LABEL: _client_label,
    Dimension.EPISODE_LABEL: _episode_label,
    Dimension.USER: _user,
    Dimension.MONTH: _month,
    Dimension.AGE_BAND: _age_band,
    Dimension.INTAKE_BAND: _intake_band,
    Dimension.RATER_KIND: _rater_kind,
    Dimension.EPISODE_STATUS: _episode_status,
}
