"""Result scores: the wording of bands that Gloo keeps by slug, the same for everybody."""

from typing import Annotated, Any

import strawberry

from caregraph.auth.viewer import Permission
from caregraph.graph.computed import computed
from caregraph.graph.context import Context
from caregraph.graph.fields import describe, field


@strawberry.type(description="A band of results, in words.")
class ResultScore:
    """Gloo `result_score`. The names of the bands are the source's; its sentences and figures are not public."""

    label: str = field("What the band is called.")
    score: str | None = field("Share of people in it as text, such as `58%` or `<1%`; null: not known.")
    description: str = field("What it means.")
    details: list[str] = field("More sentences about it.", size=4)


def _band(label: str, description: str) -> ResultScore:
    return ResultScore(label=label, score=None, description=description, details=[])


RESULT_SCORES: dict[str, list[ResultScore]] = {
    "barna-pulse-pastor-poll": [
        _band("Flourishing", "Doing well in most parts of life."),
        _band("Trusting", "Relying on others and on what one believes."),
        _band("Growing", "Getting better than before."),
        _band("Exploring", "Looking for what fits."),
        _band("Unwavering", "Holding on in spite of difficulties."),
        _band("Enduring", "Bearing a hard time."),
    ]
}


async def _result_scores(
    _context: Context,
    _root: Any,
    *,
    slug: Annotated[
        str, describe("Name of the result, such as `barna-pulse-pastor-poll`, the one that the source shows.")
    ],
) -> list[Any]:
    """The bands of a result in words, best first (`gloo.result_scores.get`); empty for an unknown slug."""
    return RESULT_SCORES.get(slug, [])


def result_scores() -> Any:
    """The root field."""
    return computed(_result_scores, needs=Permission.CARE, size=6)
