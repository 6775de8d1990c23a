"""An assessment with everything that its resources speak of."""

from dataclasses import dataclass
from functools import cached_property

from caregraph.assessments.config_models import ResultRange, ScoreConfig
from caregraph.assessments.models import Assessment, AssessmentItem, Item, ItemOption, ItemScale


@dataclass(frozen=True, eq=False)
class Question:
    """An item in its place, with its options by position."""

    place: AssessmentItem
    item: Item
    options: tuple[ItemOption, ...]


@dataclass(frozen=True, eq=False)
class ScaleScore:
    """A published score of a scale, the scale's items by position, and its ranges, lowest first."""

    config: ScoreConfig
    members: tuple[ItemScale, ...]
    ranges: tuple[ResultRange, ...]


@dataclass(frozen=True, eq=False)
class Form:
    """An assessment, its questions by position, the scores of its scales."""

    assessment: Assessment
    questions: tuple[Question, ...]
    scores: tuple[ScaleScore, ...]

    @cached_property
    def by_item(self) -> dict[int, Question]:
        """Questions by the ids of their items."""
        return {one.item.id: one for one in self.questions}
