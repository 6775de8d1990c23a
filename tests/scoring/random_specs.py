"""Specifications and answers at random, as plain data and as what the engine takes."""

from dataclasses import dataclass
from random import Random

import numpy as np

from caregraph.scoring.bands import ResultRange
from caregraph.scoring.grouping import Grouping
from caregraph.scoring.norms import Norm
from caregraph.scoring.parts import (
    Domain,
    Item,
    MissingRule,
    Scale,
    ScaleItem,
    Scope,
    ScoreConfig,
    ScoreKind,
    Variable,
)
from caregraph.scoring.spec import ScoringSpec

LETTERS = "ABCDwxyz"
OF_ITEMS = ("raw_value", "mean_of_raw_values", "sum_of_raw_values")
OF_GROUPS = ("sum", "sum", "mean", "mean", "average_of_sums", "average_of_means")


@dataclass
class Case:
    """The same specification and answers twice."""

    plain: dict
    spec: ScoringSpec
    rows: list
    answers: np.ndarray
    cohort_of: list
    cohorts: Grouping


def case(seed):
    random = Random(seed)
    plain = _groups(random)
    _configs(random, plain)
    rows = [_row(random, plain) for _ in range(random.choice((1, 2, 5)))]
    count = random.choice((1, 1, 3))
    cohort_of = [random.randrange(count) for _ in rows]
    answers = np.array([[np.nan if one is None else one for one in row] for row in rows])
    return Case(plain, as_spec(plain), rows, answers, cohort_of, Grouping(np.array(cohort_of), count))


def _groups(random):
    items = {}
    for place in range(random.randint(1, 7)):
        low = random.choice((0, 0, 1, -2, 0.5))
        items[f"i{place}"] = (low, low + random.choice((0, 1, 3, 4, 10)))
    scales = {}
    for place in range(random.randint(0, 3)):
        members = random.sample(list(items), random.randint(1, len(items)))
        weigh = random.choice((lambda: 1.0, lambda: 1.0, lambda: random.choice((0.5, 1.0, 2.0, 0.1, 0.0))))
        weights = [weigh() for _ in members]
        weights[0] = weights[0] or 1.0
        scales[f"s{place}"] = [(item, w, random.random() < 0.3) for item, w in zip(members, weights, strict=True)]
    domains = {}
    if scales and random.random() < 0.6:
        domains["d0"] = random.sample(list(scales), random.randint(1, len(scales)))
    return {"items": items, "scales": scales, "domains": domains, "configs": {}}


def _configs(random, plain):
    sizes = {key: len(one) for name in ("scales", "domains") for key, one in plain[name].items()}
    for place in range(random.randint(1, 7)):
        of = random.choice([*plain["items"], *list(sizes) * 3])
        configs = plain["configs"]
        config = {
            "of": of,
            "kind": random.choice(OF_GROUPS if of in sizes else OF_ITEMS),
            "share": random.choice((1.0, 1.0, 0.8, 0.5, 0.75)),
            "count": random.randint(1, sizes[of]) if of in sizes and random.random() < 0.2 else None,
            "multiplier": random.choice((1.0, 1.0, 2.0, -1.5, 0.1)),
            "decimals": random.choice((None, None, 0, 1, 6)),
            "parts": (),
            "norm": random.choice((None, (random.uniform(-5, 20), random.choice((0.7, 1.0, 7.5))))),
            "ranges": _ranges(random),
        }
        if of in plain["scales"] and random.random() < 0.1:
            config["kind"] = "goal_attainment"
        individual = [key for key, one in configs.items() if not _is_cohort(one) and one["of"] in plain["scales"]]
        if of in plain["domains"] and individual and random.random() < 0.5:
            config["parts"] = tuple(random.sample(individual, random.randint(1, len(individual))))
            config["count"] = None
        if configs and random.random() < 0.35:
            _customise(random, config, configs)
        configs[f"c{place}"] = config


def _is_cohort(config):
    return config.get("scope") == "cohort" or config["kind"] in {*OF_GROUPS[4:], *OF_ITEMS[1:]}


def _customise(random, config, configs):
    cohort = [key for key, one in configs.items() if _is_cohort(one)]
    scope = "cohort" if cohort and random.random() < 0.3 else "individual"
    known = cohort if scope == "cohort" else list(configs)
    letters = random.sample(LETTERS, random.randint(1, 4))
    config.update(kind="custom_calculation", scope=scope, norm=None, parts=(), share=1.0, count=None)
    config["variables"] = {letter: random.choice(known) for letter in letters}
    config["tree"] = _tree(random, letters, 4)
    config["text"] = _text(random, config["tree"])


def _tree(random, letters, depth):
    if depth == 0 or random.random() < 0.25:
        return random.choice([*letters, *letters, 2.0, 0.5, 10.0, 3.0])
    if random.random() < 0.1:
        return ("negate", _tree(random, letters, depth - 1))
    symbol = random.choice("++--**/")
    right = random.choice(letters) if symbol == "/" else _tree(random, letters, depth - 1)
    return (symbol, _tree(random, letters, depth - 1), right)


def _text(random, tree, above=0):
    """Write with as few brackets as arithmetic needs, now and then with more."""
    space = random.choice(("", " "))
    if isinstance(tree, float):
        return f"{tree:g}"
    if isinstance(tree, str):
        return tree
    if tree[0] == "negate":
        return f"-{_text(random, tree[1], 4)}" if above < 4 else f"(-{_text(random, tree[1], 4)})"
    level = 1 if tree[0] in "+-" else 2
    written = f"{_text(random, tree[1], level)}{space}{tree[0]}{space}{_text(random, tree[2], level + 1)}"
    return f"({written})" if level < above or random.random() < 0.1 else written


def _ranges(random):
    start, ranges = random.randint(-3, 3), []
    for _ in range(random.randint(0, 4)):
        end = start + random.randint(0, 6)
        ranges.append((float(start), float(end)))
        start = end + random.choice((1, 1, 1, 4))
    random.shuffle(ranges)
    return ranges


def _row(random, plain):
    row = []
    for low, high in plain["items"].values():
        kind = random.random()
        if kind < 0.15:
            row.append(None)
        elif kind < 0.18:
            row.append(high + 1.0)
        else:
            row.append(float(random.choice((low, high, random.randint(0, 10) * (high - low) / 10 + low))))
    return row


def as_spec(plain):
    configs = []
    for key, one in plain["configs"].items():
        custom = one["kind"] == "custom_calculation"
        configs.append(
            ScoreConfig(
                key=key,
                of=one["of"],
                kind=ScoreKind(one["kind"]),
                missing=MissingRule(one["share"], one["count"]),
                multiplier=one["multiplier"],
                decimals=one["decimals"],
                parts=one["parts"],
                expression=one["text"] if custom else "",
                variables=tuple(Variable(*pair) for pair in one["variables"].items()) if custom else (),
                scope=Scope(one["scope"]) if custom else None,
                norm=None if one["norm"] is None else Norm(*one["norm"]),
                ranges=tuple(ResultRange(start, end, "") for start, end in one["ranges"]),
            )
        )
    return ScoringSpec(
        tuple(Item(key, low, high) for key, (low, high) in plain["items"].items()),
        tuple(Scale(key, tuple(ScaleItem(*one) for one in members)) for key, members in plain["scales"].items()),
        tuple(Domain(key, tuple(scales)) for key, scales in plain["domains"].items()),
        tuple(configs),
        key="random",
        version="1",
    )
