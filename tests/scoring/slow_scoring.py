"""The rules of FACTS §4 once more, one respondent and one number at a time in plain Python, to compare the engine with.

Specifications are plain dictionaries here, and expressions are nested tuples `(operator, left, right)`, so that nothing
of the engine, its parser least of all, has a part in what is expected.
"""

import math
from functools import cached_property

SLACK = 1e-9


class Slow:
    """Scores of some respondents; None is undefined and unanswered."""

    def __init__(self, spec, rows, cohort_of, cohorts):
        self.spec, self.rows, self.cohort_of, self.cohorts = spec, rows, cohort_of, cohorts
        self.columns = {}

    def score(self, key):
        """One value for each respondent, or for each cohort."""
        if key not in self.columns:
            config = self.spec["configs"][key]
            self.columns[key] = [finished(config, value) for value in self.raw(config)]
        return self.columns[key]

    def raw(self, config):
        kind, everybody = config["kind"], range(len(self.rows))
        if kind in {"average_of_sums", "average_of_means", "mean_of_raw_values", "sum_of_raw_values"}:
            each = [self.individual(config, person) for person in everybody]
            each = [None if value is None else value * config["multiplier"] for value in each]
            members = [[place for place, of in enumerate(self.cohort_of) if of == one] for one in range(self.cohorts)]
            return [self.cohort(kind, [each[place] for place in places]) for places in members]
        if kind == "custom_calculation" and config["scope"] == "cohort":
            return [self.calculated(config, lambda key, one=one: self.score(key)[one]) for one in range(self.cohorts)]
        if kind == "custom_calculation":
            return [self.calculated(config, lambda key, person=person: self.seen(key, person)) for person in everybody]
        return [self.individual(config, person) for person in everybody]

    @staticmethod
    def cohort(kind, values):
        known = [value for value in values if value is not None]
        if not known:
            return None
        return sum(known) if kind == "sum_of_raw_values" else sum(known) / len(known)

    def seen(self, key, person):
        config = self.spec["configs"][key]
        return self.score(key)[self.cohort_of[person] if is_cohort(config) else person]

    def individual(self, config, person):
        of, spec = config["of"], self.spec
        if of in spec["items"]:
            return self.answer(of, person, reverse=False)
        if of in spec["scales"]:
            parts = [(self.answer(item, person, reverse=rev), weight) for item, weight, rev in spec["scales"][of]]
            if config["kind"] == "goal_attainment":
                return attained(parts, required(config, len(parts)))
            return combined(parts, required(config, len(parts)), mean="mean" in config["kind"])
        keys = config["parts"] or [self.part(scale, config["kind"]) for scale in spec["domains"][of]]
        parts = [(self.score(key)[person] if isinstance(key, str) else key(person), 1.0) for key in keys]
        return combined(parts, required(config, len(parts)), mean="mean" in config["kind"])

    def part(self, scale, kind):
        for key, config in self.spec["configs"].items():
            if config["of"] == scale and not is_cohort(config) and config["kind"] != "custom_calculation":
                return key
        plain = {"of": scale, "kind": "mean" if "mean" in kind else "sum", "share": 1.0, "count": None, "parts": ()}
        return lambda person: self.individual(plain, person)

    def answer(self, item, person, *, reverse):
        low, high = self.spec["items"][item]
        given = self.rows[person][list(self.spec["items"]).index(item)]
        if given is None or not low <= given <= high:
            return None
        return low + high - given if reverse else given

    def calculated(self, config, value_of):
        values = {letter: value_of(key) for letter, key in config["variables"].items()}
        found = calculate(config["tree"], values)
        return None if found is None or not math.isfinite(found) else found


def is_cohort(config):
    return config.get("scope") == "cohort" or config["kind"] in {
        "average_of_sums",
        "average_of_means",
        "mean_of_raw_values",
        "sum_of_raw_values",
    }


def required(config, parts):
    if config["count"] is not None:
        return config["count"]
    return next(n for n in range(1, parts + 1) if n / parts >= config["share"] - SLACK)


def combined(parts, needed, *, mean):
    known = [(value, weight) for value, weight in parts if value is not None]
    total, weight = sum(v * w for v, w in known), sum(w for _, w in known)
    if len(known) < needed or (weight == 0 and (mean or needed < len(parts))):
        return None
    if mean:
        return total / weight
    return total if len(known) == len(parts) else total * sum(w for _, w in parts) / weight


def attained(parts, needed):
    known = [(value, weight) for value, weight in parts if value is not None]
    spread = 0.7 * sum(w * w for _, w in known) + 0.3 * sum(w for _, w in known) ** 2
    if len(known) < needed or spread == 0:
        return None
    return 50 + 10 * sum(v * w for v, w in known) / math.sqrt(spread)


def finished(config, value):
    if value is None:
        return None
    value = value * (1 if is_cohort(config) and "scope" not in config else config["multiplier"])
    if not math.isfinite(value):
        return None
    if config["decimals"] is None or abs(value) * 10 ** config["decimals"] >= 2**52:
        return value
    return math.floor(value * 10 ** config["decimals"] + 0.5 + SLACK) / 10 ** config["decimals"]


def calculate(tree, values):
    if isinstance(tree, float):
        return tree
    if isinstance(tree, str):
        return values[tree]
    operands = [calculate(part, values) for part in tree[1:]]
    if None in operands:
        return None
    if tree[0] == "negate":
        return -operands[0]
    left, right = operands
    if tree[0] == "/":
        return None if right == 0 else left / right
    return {"+": left + right, "-": left - right, "*": left * right}[tree[0]]


class Meaning:
    """Where one value stands in a norm and among ranges."""

    def __init__(self, value, config):
        self.value, self.config = value, config

    @cached_property
    def z(self):
        if self.value is None or self.config["norm"] is None:
            return None
        mean, sd = self.config["norm"]
        return (self.value - mean) / sd

    @property
    def t(self):
        return None if self.z is None else 50 + 10 * self.z

    @property
    def percentile(self):
        return None if self.z is None else 50 * math.erfc(-self.z / math.sqrt(2))

    @property
    def stanine(self):
        bounds = (-1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75)
        return 0 if self.z is None else 1 + sum(self.z >= bound - SLACK for bound in bounds)

    @property
    def band(self):
        """Ranges are of whole numbers here, one starting a unit after another's end unless there is a hole."""
        if self.value is None:
            return -1
        for place, (start, end) in enumerate(self.config["ranges"]):
            following = min((other for other, _ in self.config["ranges"] if other > start), default=None)
            if following is not None and following - end <= 1:
                inside = self.value >= start - SLACK and not self.value >= following - SLACK
            else:
                inside = start - SLACK <= self.value <= end + SLACK
            if inside:
                return place
        return -1
