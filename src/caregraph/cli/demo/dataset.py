"""The rows of one organization before a database has numbered them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Row: TypeAlias = dict[str, Any]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """Rows by model, in the order in which foreign keys allow inserting them.

    A column such as `client_id` holds the position of its row in the list of that model, from 0; `load` turns positions
    into ids.
    """

    name: str
    rows: dict[type[Any], list[Row]] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """Rows of all models."""
        return sum(map(len, self.rows.values()))


@dataclass(frozen=True)
class Calendar:
    """Days counted from today, so that the same plan gives the same lives whenever the demo starts."""

    today: date

    def day(self, days: int) -> date:
        """The date `days` from today."""
        return self.today + timedelta(days=int(days))

    def instant(self, days: int, minutes: int) -> datetime:
        """A minute of that day, UTC; today's is midnight, because a later one may not have come."""
        return datetime.combine(self.day(days), time(), UTC) + timedelta(minutes=int(minutes) if days < 0 else 0)
