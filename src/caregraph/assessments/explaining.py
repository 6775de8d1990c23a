"""How a score came about, and what a score config can come to: the engine's account of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caregraph.graph.context import Context
from caregraph.graph.loaders import RowById
from caregraph.scoring.possible import PossibleRange, possible_ranges
from caregraph.scoring.steps import Step
from caregraph.scoring.tree import explain

from .answer_models import AnswerScore, ItemResponse
from .config_models import ScoreConfig
from .rule_rows import RuleRows, rule_rows
from .scored import spec_or_none
from .specs import config_key
from .tables import answer_table, responses

_UNLIMITED = PossibleRange(None, None)


@dataclass(frozen=True)
class _RulesOfConfig:
    """The rows that score configs are made by, of many configs at once."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[RuleRows]:
        """The same rows for all: whoever takes a specification of them names the config."""
        rows = await rule_rows(context.run_unscoped, configs=keys)
        return [rows] * len(keys)


@dataclass(frozen=True)
class _NumbersOfSet:
    """The numbers that were answered in answer sets."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[list[Any]]:
        """Rows of `responses()` per set."""
        statement = responses().where(ItemResponse.answer_set_id.in_(keys))
        found: dict[int, list[Any]] = {key: [] for key in keys}
        rows = (await context.run_unscoped(statement)).all()
        for row in rows:
            found[row[0]].append(row)
        context.spend_on(self, {key: len(of_set) for key, of_set in found.items()})
        return [found[key] for key in keys]


async def explanation(context: Context, score: AnswerScore) -> list[Any]:
    """How it came about: answers, weights, reversals, missing ones, norm and result range, with their rules.

    Whoever computes the steps again from the answers gets the same number. Where the rules were changed since it was
    scored there is one step, which says so.
    """
    config = await context.load(RowById(ScoreConfig), score.score_config_id)
    numbers = await context.load(_NumbersOfSet(), score.answer_set_id)
    context.saw(AnswerScore, [score.client_id])
    if config is not None and config.version == score.score_config_version:
        rows = await context.load(_RulesOfConfig(), config.id)
        steps = _steps(rows, config, score, numbers)
        if steps and _same(steps[0].value, score.value):
            return list(steps)
    return [_stale(score, config)]


def _steps(rows: RuleRows, config: ScoreConfig, score: AnswerScore, numbers: list[Any]) -> Sequence[Step]:
    if config.id not in rows.configs:
        return ()
    spec = spec_or_none(rows, [config.id], key=config.name, version=str(config.version))
    if spec is None:
        return ()
    return explain(spec, answer_table(spec, numbers, [score.answer_set_id]), config_key(config.id))


def _same(one: float | None, other: float | None) -> bool:
    """To the last bit."""
    return one == other and (one is None) is (other is None)


def _stale(score: AnswerScore, config: ScoreConfig | None) -> Step:
    name = "Score" if config is None else config.name
    return Step(
        key=f"score:{config_key(score.score_config_id)}",
        parent=None,
        label=name,
        value=score.value,
        rule="its rules were changed since it was scored, or are not shared any more: score the answers again",
        source=f"{name} version {score.score_config_version}",
    )


@dataclass(frozen=True)
class _PossibleOfConfig:
    """What the scores of configs can come to."""

    async def load_many(self, context: Context, keys: Sequence[int]) -> list[PossibleRange]:
        """A range per config, without limits where it cannot be computed yet."""
        rows = await rule_rows(context.run_unscoped, configs=keys)
        return [_possible(rows, key) for key in keys]


def _possible(rows: RuleRows, config_id: int) -> PossibleRange:
    spec = spec_or_none(rows, [config_id]) if config_id in rows.configs else None
    return _UNLIMITED if spec is None else possible_ranges(spec)[config_key(config_id)]


async def lowest(context: Context, config: ScoreConfig) -> float | None:
    """The lowest score that it can make; null where there is no limit, and while it cannot be computed."""
    found: PossibleRange = await context.load(_PossibleOfConfig(), config.id)
    return found.minimum


async def highest(context: Context, config: ScoreConfig) -> float | None:
    """The highest score that it can make; null where there is no limit, and while it cannot be computed."""
    found: PossibleRange = await context.load(_PossibleOfConfig(), config.id)
    return found.maximum
