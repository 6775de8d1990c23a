"""A million answers to scores, z, percentiles, ranges and cohort means: the engine beside bare NumPy, pandas, polars.

Run it by itself: `python tests/benchmarks/bench_scoring.py`. Contenders take turns in every round, what is printed are
medians of the ratios within the rounds. pandas and polars are left out where they are not installed.
"""

import importlib
import sys
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

import numpy as np

from caregraph.scoring.bands import ResultRange
from caregraph.scoring.engine import score
from caregraph.scoring.norms import Norm, normal_cdf
from caregraph.scoring.parts import Item, MissingRule, Scale, ScaleItem, ScoreConfig, ScoreKind
from caregraph.scoring.spec import ScoringSpec

RESPONDENTS, ITEMS, SCALES = 50_000, 20, 5
EACH = ITEMS // SCALES
HIGHEST, REQUIRED = 4.0, 3
REVERSED = np.arange(ITEMS) % EACH == 1
SCALE_OF_ITEM = np.arange(ITEMS) // EACH
MEAN, SD = 8.0, 3.0
STARTS = np.array([0.0, 5.0, 10.0])
ROUNDS = 15


def answers() -> np.ndarray:
    """Answers from 0 to 4, one in twenty missing."""
    random = np.random.default_rng(20)
    drawn = random.integers(0, 5, (RESPONDENTS, ITEMS)).astype(np.float64)
    drawn[random.random(drawn.shape) < 0.05] = np.nan
    return drawn


def specification() -> ScoringSpec:
    """Five prorated scales of four items with a norm and ranges, and their means over the cohort."""
    ranges = (ResultRange(0, 4, "low"), ResultRange(5, 9, "middle"), ResultRange(10, 16, "high"))
    scales, configs = [], []
    for scale in range(SCALES):
        members = range(scale * EACH, (scale + 1) * EACH)
        scales.append(Scale(f"s{scale}", tuple(ScaleItem(f"q{item}", 1.0, bool(REVERSED[item])) for item in members)))
        missing = MissingRule(count=REQUIRED)
        configs.append(
            ScoreConfig(f"score{scale}", f"s{scale}", ScoreKind.SUM, missing, norm=Norm(MEAN, SD), ranges=ranges)
        )
        configs.append(ScoreConfig(f"mean{scale}", f"s{scale}", ScoreKind.AVERAGE_OF_SUMS, missing))
    return ScoringSpec(
        tuple(Item(f"q{item}", 0.0, HIGHEST) for item in range(ITEMS)), tuple(scales), (), tuple(configs)
    )


SPEC = specification()


def engine(table: np.ndarray) -> list[np.ndarray]:
    """The engine's public function and every column of what it gives."""
    found = score(SPEC, table)
    columns = [found[f"score{scale}"] for scale in range(SCALES)]
    return [
        np.stack([getattr(column, name) for column in columns], axis=1) for name in ("score", "z", "percentile", "band")
    ] + [np.array([found[f"mean{scale}"].score[0] for scale in range(SCALES)])]


def bare(table: np.ndarray) -> list[np.ndarray]:
    """NumPy by hand, with `bincount`; NumPy has no normal distribution, so the engine's serves both."""
    turned = np.where(REVERSED, HIGHEST - table, table)
    given = ~np.isnan(turned)
    groups = (np.arange(len(table))[:, np.newaxis] * SCALES + SCALE_OF_ITEM)[given]
    size = len(table) * SCALES
    counts = np.bincount(groups, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.bincount(groups, turned[given], minlength=size) * (EACH / counts)
    return _meaning(np.where(counts >= REQUIRED, scores, np.nan).reshape(-1, SCALES))


def reshaped(table: np.ndarray) -> list[np.ndarray]:
    """NumPy by hand for scales of one size that stand side by side, the fastest that this case allows."""
    turned = np.where(REVERSED, HIGHEST - table, table).reshape(len(table), SCALES, EACH)
    given = ~np.isnan(turned)
    counts = given.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(given, turned, 0.0).sum(axis=2) * (EACH / counts)
    return _meaning(np.where(counts >= REQUIRED, scores, np.nan))


def _meaning(scores: np.ndarray) -> list[np.ndarray]:
    z = (scores - MEAN) / SD
    band = np.where(np.isnan(scores), -1, np.searchsorted(STARTS, scores, "right") - 1)
    return [scores, z, 100 * normal_cdf(z), band, np.nanmean(scores, axis=0)]


def with_pandas(pandas: object, table: np.ndarray) -> list[np.ndarray]:
    """Pandas as one writes it: long rows, grouped by respondent and scale."""
    long = pandas.DataFrame(  # type: ignore[attr-defined]
        {
            "respondent": np.repeat(np.arange(len(table)), ITEMS),
            "scale": np.tile(SCALE_OF_ITEM, len(table)),
            "value": np.where(REVERSED, HIGHEST - table, table).ravel(),
        }
    )
    grouped = long.groupby(["respondent", "scale"])["value"].agg(["sum", "count"])
    scores = (grouped["sum"] * EACH / grouped["count"]).where(grouped["count"] >= REQUIRED)
    z = (scores - MEAN) / SD
    band = pandas.cut(scores, [*STARTS, np.inf], right=False, labels=False)  # type: ignore[attr-defined]
    means = scores.groupby("scale").mean()
    return [one.to_numpy().reshape(-1, SCALES) for one in (scores, z)] + [
        100 * normal_cdf(z.to_numpy()).reshape(-1, SCALES),
        band.fillna(-1).to_numpy().reshape(-1, SCALES),
        means.to_numpy(),
    ]


def with_polars(polars: object, table: np.ndarray) -> list[np.ndarray]:
    """Polars as one writes it: a lazy query over long rows."""
    p = polars
    scored = (
        p.DataFrame(  # type: ignore[attr-defined]
            {
                "respondent": np.repeat(np.arange(len(table)), ITEMS),
                "scale": np.tile(SCALE_OF_ITEM, len(table)),
                "value": np.where(REVERSED, HIGHEST - table, table).ravel(),
            },
            nan_to_null=True,
        )
        .lazy()
        .group_by("respondent", "scale")
        .agg(p.col("value").sum().alias("sum"), p.col("value").count().alias("count"))  # type: ignore[attr-defined]
        .with_columns(
            p.when(p.col("count") >= REQUIRED)  # type: ignore[attr-defined]
            .then(p.col("sum") * EACH / p.col("count"))  # type: ignore[attr-defined]
            .alias("score")
        )
        .with_columns(
            ((p.col("score") - MEAN) / SD).alias("z"),  # type: ignore[attr-defined]
            sum((p.col("score") >= start).cast(p.Int64) for start in STARTS[1:]).alias("band"),  # type: ignore[attr-defined]
        )
        .sort("respondent", "scale")
        .collect()
    )
    means = scored.group_by("scale").agg(p.col("score").mean()).sort("scale")["score"]  # type: ignore[attr-defined]
    score_, z = (scored[name].to_numpy().reshape(-1, SCALES) for name in ("score", "z"))
    band = scored["band"].fill_null(-1).to_numpy().astype(np.int64).reshape(-1, SCALES)
    return [score_, z, 100 * normal_cdf(z), band, means.to_numpy()]


def contenders() -> dict[str, Callable[[np.ndarray], list[np.ndarray]]]:
    """What is measured, by name."""
    found = {"engine": engine, "NumPy, bincount": bare, "NumPy, reshaped": reshaped}
    for name, run in (("pandas", with_pandas), ("polars", with_polars)):
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        found[name] = lambda table, run=run, library=library: run(library, table)
    return found


def timed(run: Callable[[np.ndarray], list[np.ndarray]], table: np.ndarray) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run(table)
    return time.perf_counter() - start


def memory(name: str, run: Callable[[np.ndarray], list[np.ndarray]], table: np.ndarray) -> str:
    """Most memory beside the answers, as a multiple of them; what polars takes is not told to Python."""
    if name == "polars":
        return "-"
    tracemalloc.start()
    run(table)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{most / table.nbytes:.2f}"


def show(line: str) -> None:
    """Write one line."""
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Check that all agree, then print times and memory."""
    table, runs = answers(), contenders()
    expected = bare(table)
    for name, run in runs.items():
        for one, other in zip(run(table), expected, strict=True):
            if not np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True):
                raise SystemExit(f"{name} gives other numbers")
    rounds = [{name: timed(run, table) for name, run in runs.items()} for _ in range(ROUNDS)]
    show(f"{table.size:,} answers, {RESPONDENTS:,} respondents, {SCALES} scales; medians of {ROUNDS} rounds\n")
    show(f"{'':<18}{'ms':>8}{'/ bincount':>12}{'/ reshaped':>12}{'memory / answers':>18}")
    for name, run in runs.items():
        ms = 1000 * median(one[name] for one in rounds)
        ratios = [median(one[name] / one[base] for one in rounds) for base in ("NumPy, bincount", "NumPy, reshaped")]
        show(f"{name:<18}{ms:>8.1f}{ratios[0]:>12.2f}{ratios[1]:>12.2f}{memory(name, run, table):>18}")


if __name__ == "__main__":
    main()
