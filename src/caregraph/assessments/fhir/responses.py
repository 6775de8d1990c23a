"""An answer set as a `QuestionnaireResponse`."""

from collections import defaultdict
from collections.abc import Sequence

from caregraph.assessments.answer_models import AnswerSet, ItemResponse
from caregraph.graph.node import global_id

from .forms import Form
from .parts import Publisher, Resource, given, instant, number, reference
from .questionnaires import canonical, option_coding


def response(
    publisher: Publisher, answers: AnswerSet, responses: Sequence[ItemResponse], form: Form | None
) -> Resource:
    """The answers in the order of the questions. Items that were skipped are absent.

    `form` is null when the assessment is not shared any more: then answers stand by their numbers.
    """
    by_item: dict[int, list[ItemResponse]] = defaultdict(list)
    for one in responses:
        by_item[one.item_id].append(one)
    order = [] if form is None else [one.item.id for one in form.questions]
    items = [*(one for one in order if one in by_item), *(one for one in by_item if one not in order)]
    patient = reference("Patient", "Client", answers.client_id)
    return given(
        resourceType="QuestionnaireResponse",
        id=global_id("AnswerSet", answers.id),
        questionnaire=canonical(publisher, answers.assessment_id, answers.assessment_version),
        status="in-progress" if answers.completed_at is None else "completed",
        subject=patient,
        authored=authored(answers),
        author=patient,
        source=patient,
        item=[_answered(publisher, item_id, by_item[item_id], form) for item_id in items],
    )


def authored(answers: AnswerSet) -> str | None:
    """When the answers were given."""
    return instant(answers.completed_at or answers.created_at)


def _answered(publisher: Publisher, item_id: int, responses: Sequence[ItemResponse], form: Form | None) -> Resource:
    question = None if form is None else form.by_item.get(item_id)
    options = {} if question is None else {one.id: one for one in question.options}
    answers: list[Resource] = []
    for one in responses:
        option = options.get(one.item_option_id or 0)
        if option is not None:
            answers.append({"valueCoding": option_coding(publisher, option, one.value)})
        elif one.text:
            answers.append({"valueString": one.text})
        elif one.value is not None:
            answers.append({"valueDecimal": number(one.value)})
    return given(
        linkId=global_id("Item", item_id), text=None if question is None else question.item.text, answer=answers
    )
