"""Answers as the scoring engine wants them: a table with a row per answer set and a column per item."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Select, select

from caregraph.scoring.arrays import Floats, Ints
from caregraph.scoring.spec import ScoringSpec

from .answer_models import ItemResponse
from .specs import item_key

Response = tuple[int, int, float]
"""An answer set, an item and a number; an item that takes several options has several."""


def responses() -> Select[int, int, float | None]:
    """Select the numbers that were answered."""
    columns = (ItemResponse.answer_set_id, ItemResponse.item_id, ItemResponse.value)
    return select(*columns).where(ItemResponse.value.is_not(None))


def answer_table(spec: ScoringSpec, given: Sequence[Any], set_ids: Sequence[int]) -> Floats:
    """Answers of some answer sets to the items of a specification, NaN where there is none.

    `given` are rows of `responses()`; those to other items or of other sets are passed over. Several options of one
    item add up.
    """
    shape = (len(set_ids), len(spec.items))
    if not given:
        return np.full(shape, np.nan)
    sets, items, values = (np.array(column) for column in zip(*given, strict=True))
    rows, is_set = _places(np.array(set_ids, np.int64), sets)
    item_ids = np.array([int(item.key.removeprefix(item_key(0)[:-1])) for item in spec.items], np.int64)
    columns, is_item = _places(item_ids, items)
    known = is_set & is_item
    cells = rows[known] * shape[1] + columns[known]
    size = shape[0] * shape[1]
    sums = np.bincount(cells, values[known].astype(np.float64), minlength=size)
    counts = np.bincount(cells, minlength=size)
    return np.where(counts > 0, sums, np.nan).reshape(shape)


def _places(known: Ints, wanted: Ints) -> tuple[Ints, Any]:
    """Where each of `wanted` stands in `known`, and whether it does."""
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    found = order[place]
    return found, known[found] == wanted
