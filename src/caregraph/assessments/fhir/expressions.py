"""How a score is computed, for those who fill in a `Questionnaire`: FHIRPath over the answers of a response."""

from caregraph.assessments.enums import ItemType, ScoreType
from caregraph.assessments.models import ItemScale
from caregraph.graph.node import global_id
from caregraph.scoring.parts import COMPLETE, MissingRule

from .forms import Form, ScaleScore
from .parts import CALCULATED, ORDINAL, VARIABLE, Resource, number

_LANGUAGE = "text/fhirpath"


def calculation(form: Form, score: ScaleScore) -> list[Resource]:
    """A variable with what the answers count for, and the expression over it; empty where FHIRPath cannot say it.

    It says sums and means, weighted and reversed, and prorated ones whose items weigh the same.
    """
    members = [one for one in score.members if _values(form, one)]
    if not members or len(members) < len(score.members) or not all(_is_single(form, one) for one in members):
        return []
    weights = {one.weight for one in members}
    share = score.config.minimum_answered_share
    needed = (COMPLETE if share is None else MissingRule(share)).required(len(members))
    if len(weights) > 1 and needed < len(members):
        return []
    text = _expression(score.config.score_type, members, needed)
    return [] if text is None else [_variable(form, members), _said(CALCULATED, text)]


def _expression(kind: ScoreType, members: list[ItemScale], needed: int) -> str | None:
    total, count = sum(one.weight for one in members), len(members)
    same = len({one.weight for one in members}) == 1
    if kind is ScoreType.SCALE_SUM:
        told = f"%answers.sum() * {count} / %answers.count()" if needed < count else "%answers.sum()"
    elif kind is ScoreType.SCALE_MEAN and total:
        told = f"%answers.sum() / {number(total)}" if needed == count else "%answers.sum() / %answers.count()"
        told = told if not same or needed == count else f"{told} / {number(members[0].weight)}"
    else:
        return None
    return f"iif(%answers.count() >= {needed}, {told}, {{}})"


def _variable(form: Form, members: list[ItemScale]) -> Resource:
    first, *others = [_term(form, one) for one in members]
    made = _said(VARIABLE, first + "".join(f".combine({one})" for one in others))
    made["valueExpression"]["name"] = "answers"
    return made


def _term(form: Form, member: ItemScale) -> str:
    """What an answer counts for, nothing where there is none."""
    link = global_id("Item", member.item_id)
    term = f"%resource.item.where(linkId='{link}').answer.value.extension('{ORDINAL}').value"
    if member.is_reversed:
        values = _values(form, member)
        term = f"({number(min(values) + max(values))} - {term})"
    return term if member.weight == 1 else f"({number(member.weight)} * {term})"


def _said(url: str, text: str) -> Resource:
    return {"url": url, "valueExpression": {"language": _LANGUAGE, "expression": text}}


def _values(form: Form, member: ItemScale) -> list[float]:
    question = form.by_item.get(member.item_id)
    return [] if question is None else [one.value for one in question.options if one.value is not None]


def _is_single(form: Form, member: ItemScale) -> bool:
    return form.by_item[member.item_id].item.item_type is not ItemType.MULTIPLE_SELECT
