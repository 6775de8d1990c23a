"""Counts, means and spreads of rows by group, for all groups at once."""

from dataclasses import dataclass

import numpy as np

from .arrays import SLACK, Bools, Floats, Ints, divide


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which of `count` groups each row is in, numbered from 0; results have shape (count,)."""

    groups: Ints
    count: int

    @classmethod
    def single(cls, rows: int) -> "Grouping":
        """All rows in one group."""
        return cls(np.zeros(rows, np.int64), 1)

    def counts(self, where: Bools | None = None) -> Ints:
        """Count the rows for which `where` holds."""
        return np.bincount(self.groups if where is None else self.groups[where], minlength=self.count)

    def sums(self, values: Floats | Ints) -> Floats:
        """Sum of the values that are not NaN."""
        given = ~np.isnan(values)
        weights = values[given].astype(np.float64)
        return np.bincount(self.groups[given], weights, minlength=self.count).astype(np.float64)

    def means(self, values: Floats | Ints) -> Floats:
        """Mean of the values that are not NaN; NaN without any."""
        return divide(self.sums(values), self.counts(~np.isnan(values)))

    def sds(self, values: Floats) -> Floats:
        """Sample standard deviation (n - 1) of the values that are not NaN; NaN for fewer than 2."""
        given = ~np.isnan(values)
        squares = self.sums((values - self.means(values)[self.groups]) ** 2)
        sds: Floats = np.sqrt(divide(squares, self.counts(given) - 1))
        # Equal values leave binary noise, which must not become an enormous effect size.
        return np.where(sds < SLACK, 0.0, sds)

    def percentages(self, hits: Bools, among: Bools | None = None) -> Floats:
        """Rows with a hit per 100 rows of `among`; NaN without any."""
        among = np.ones(len(hits), np.bool_) if among is None else among
        return divide(100 * self.counts(hits & among), self.counts(among))

    def first_of_each(self, ids: Ints) -> Ints:
        """Positions of one row for each distinct (group, id)."""
        _, numbers = np.unique(ids, return_inverse=True)
        width = numbers.max(initial=0) + 1
        _, positions = np.unique(self.groups * width + numbers, return_index=True)
        return positions

    def take(self, rows: Ints | Bools) -> "Grouping":
        """Keep the groups but only some rows."""
        return Grouping(self.groups[rows], self.count)
