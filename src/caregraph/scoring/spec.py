"""A scoring specification: everything that turns the answers of an assessment into numbers, checked when it is made."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .arrays import Floats
from .compiling import compile_plan
from .parts import Domain, Item, Scale, ScoreConfig
from .plan import Plan


@dataclass(frozen=True)
class ScoringSpec:
    """Items, scales, domains and score configs of one assessment.

    Making one checks and compiles it, so that a specification at hand can be computed; SpecError says what is wrong
    and where. It is immutable; equal data make equal, equally hashed specifications. Keys are unique among items,
    scales and domains together, and among configs.
    """

    items: tuple[Item, ...]
    """In the order of the columns of the answers."""
    scales: tuple[Scale, ...] = ()
    domains: tuple[Domain, ...] = ()
    configs: tuple[ScoreConfig, ...] = ()
    key: str = ""
    version: str = ""
    """What explanations name as the source of the rules."""
    plan: Plan = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plan", compile_plan(self))

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lowest and highest answers, each of shape (items, 1)."""
        return np.array([[item.minimum] for item in self.items]), np.array([[item.maximum] for item in self.items])

    def config(self, key: str) -> ScoreConfig:
        """The score config with this key; raises KeyError if there is none."""
        return self.plan.outputs[key].config
