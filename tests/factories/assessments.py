"""Content of assessments, whom it is shared with, and answers to it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from caregraph.assessments import answer_models, config_models, models, sharing_models
from caregraph.assessments.enums import PublicationStatus, ScoreType
from caregraph.db.base import now
from caregraph.organizations.enums import Vertical
from caregraph.people.models import Client
from kit import Principal

TEXTS = {
    **dict.fromkeys(("display_title", "display_description", "short_description", "long_description"), "For you"),
    "author_name": "Ada Admin",
    "author_description": "Writes",
}


async def _make(principal: Principal, *rows: Any) -> Any:
    async with principal.world.writing(principal) as tx:
        tx.add_all(rows)
    return rows[0]


def by(principal: Principal) -> dict[str, Any]:
    """Who created content."""
    return {"created_by_id": principal.row_id}


async def make_assessment(principal: Principal, title: str = "Well-being", **overrides: Any) -> models.Assessment:
    """An assessment, a private draft unless said otherwise."""
    if overrides.get("status") is PublicationStatus.PUBLISHED:
        overrides.setdefault("published_at", now())
    made: models.Assessment = await _make(
        principal, models.Assessment(title=title, **by(principal) | TEXTS | overrides)
    )
    return made


async def make_item(
    principal: Principal, text: str = "How are you?", *, values: Sequence[float] = (), **overrides: Any
) -> models.Item:
    """A private item with an option for each of `values`."""
    item: models.Item = await _make(principal, models.Item(text=text, **by(principal) | overrides))
    for position, value in enumerate(values, start=1):
        await make_option(principal, item, position=position, value=value)
    return item


async def make_option(principal: Principal, item: models.Item, **overrides: Any) -> models.ItemOption:
    """An option of an item."""
    values = {"text": "Well", "value": 1.0, "position": 1, **overrides}
    made: models.ItemOption = await _make(principal, models.ItemOption(item_id=item.id, **values))
    return made


async def make_scale(principal: Principal, name: str = "Mood", *items: models.Item, **overrides: Any) -> models.Scale:
    """A private scale of some items."""
    values = {"display_name": name, "description": "What it is", **by(principal), **overrides}
    scale: models.Scale = await _make(principal, models.Scale(name=name, **values))
    for position, item in enumerate(items, start=1):
        await _make(principal, models.ItemScale(scale_id=scale.id, item_id=item.id, position=position))
    return scale


async def make_domain(
    principal: Principal, name: str = "Life", *scales: models.Scale, **overrides: Any
) -> models.Domain:
    """A private domain of some scales."""
    values = {"display_name": name, "description": "What it is", **by(principal), **overrides}
    domain: models.Domain = await _make(principal, models.Domain(name=name, **values))
    for scale in scales:
        await _make(principal, models.DomainScale(domain_id=domain.id, scale_id=scale.id))
    return domain


async def put_on(principal: Principal, assessment: models.Assessment, *content: models.Content) -> Any:
    """Put items, scales or domains on an assessment; the link of the first."""
    links: list[Any] = []
    for position, one in enumerate(content, start=1):
        if isinstance(one, models.Item):
            links.append(models.AssessmentItem(assessment_id=assessment.id, item_id=one.id, position=position))
        elif isinstance(one, models.Scale):
            links.append(models.AssessmentScale(assessment_id=assessment.id, scale_id=one.id))
        else:
            links.append(models.AssessmentDomain(assessment_id=assessment.id, domain_id=one.id))
    return await _make(principal, *links)


_TAGS: dict[type[Any], Any] = {
    models.Assessment: models.AssessmentTag,
    models.Item: models.ItemTag,
    models.Scale: models.ScaleTag,
    models.Domain: models.DomainTag,
}


async def make_tag(principal: Principal, name: str = "Mood", *content: models.Content, **overrides: Any) -> models.Tag:
    """A tag on some content."""
    tag: models.Tag = await _make(principal, models.Tag(name=name, **overrides))
    for one in content:
        await _make(principal, _TAGS[type(one)](**{f"{kind_of(one)}_id": one.id}, tag_id=tag.id))
    return tag


async def make_config(
    principal: Principal, of: models.Content, score_type: ScoreType, *, name: str = "Score", **overrides: Any
) -> config_models.ScoreConfig:
    """A score config of an item, a scale or a domain; a draft unless said otherwise."""
    if overrides.get("status") is PublicationStatus.PUBLISHED:
        overrides.setdefault("published_at", now())
    values = {"description": "How it is scored", **overrides, f"{kind_of(of)}_id": of.id}
    made: config_models.ScoreConfig = await _make(
        principal, config_models.ScoreConfig(name=name, score_type=score_type, **values)
    )
    return made


async def make_calculation(
    principal: Principal, config: config_models.ScoreConfig, **variables: config_models.ScoreConfig
) -> config_models.CustomCalculation:
    """A custom calculation that adds its variables, each a letter with its score config."""
    made: config_models.CustomCalculation = await _make(
        principal,
        config_models.CustomCalculation(
            score_config_id=config.id, expression=" + ".join(variables) or None, score_scope=config.score_type_scope
        ),
    )
    for letter, one in variables.items():
        row = config_models.CalculationVariable(custom_calculation_id=made.id, name=letter, score_config_id=one.id)
        await _make(principal, row)
    return made


async def make_norm(
    principal: Principal, config: config_models.ScoreConfig, mean: float = 10, deviation: float = 2
) -> config_models.PercentileRankConfig:
    """A percentile rank config."""
    row = config_models.PercentileRankConfig(score_config_id=config.id, mean=mean, standard_deviation=deviation)
    made: config_models.PercentileRankConfig = await _make(principal, row)
    return made


async def make_range(
    principal: Principal, of: models.Content, start: float, end: float, name: str = "Mild"
) -> config_models.ResultRange:
    """A result range of a scale or a domain."""
    values = {f"{kind_of(of)}_id": of.id, "range_start": start, "range_end": end}
    made: config_models.ResultRange = await _make(
        principal, config_models.ResultRange(name=name, description="What it means", **values)
    )
    return made


async def make_grant(principal: Principal, content: models.Content, grantee_id: int) -> sharing_models.AccessGrant:
    """Access for an organization."""
    row = sharing_models.AccessGrant(**{f"{kind_of(content)}_id": content.id}, grantee_id=grantee_id)
    made: sharing_models.AccessGrant = await _make(principal, row)
    return made


async def make_vertical_grant(
    principal: Principal, assessment: models.Assessment, vertical: Vertical
) -> sharing_models.VerticalAccessGrant:
    """Access for a vertical."""
    row = sharing_models.VerticalAccessGrant(assessment_id=assessment.id, vertical=vertical)
    made: sharing_models.VerticalAccessGrant = await _make(principal, row)
    return made


async def join_network(network: Principal, member_id: int) -> sharing_models.NetworkMember:
    """Let an organization belong to the network that `network` acts in."""
    made: sharing_models.NetworkMember = await _make(network, sharing_models.NetworkMember(member_id=member_id))
    return made


async def make_answers(
    principal: Principal, assessment: models.Assessment, client: Client | None, **values: Any
) -> answer_models.AnswerSet:
    """An answer set of a client, or an anonymous one; `values` are its columns."""
    client_id = None if client is None else client.id
    row = answer_models.AnswerSet(assessment_id=assessment.id, client_id=client_id, **values)
    made: answer_models.AnswerSet = await _make(principal, row)
    return made


async def make_response(
    principal: Principal, answers: answer_models.AnswerSet, item: models.Item, **values: Any
) -> answer_models.ItemResponse:
    """An answer to an item."""
    row = answer_models.ItemResponse(
        answer_set_id=answers.id, client_id=answers.client_id, item_id=item.id, **{"value": 1.0, **values}
    )
    made: answer_models.ItemResponse = await _make(principal, row)
    return made


async def make_answer_score(
    principal: Principal, answers: answer_models.AnswerSet, config: config_models.ScoreConfig, **values: Any
) -> answer_models.AnswerScore:
    """A score of an answer set."""
    row = answer_models.AnswerScore(
        answer_set_id=answers.id,
        client_id=answers.client_id,
        score_config_id=config.id,
        score_config_version=config.version,
        **{"value": 3.0, **values},
    )
    made: answer_models.AnswerScore = await _make(principal, row)
    return made


def kind_of(content: models.Content) -> str:
    """`assessment`, `item`, `scale` or `domain`."""
    return type(content).__name__.lower()


async def make_content(principal: Principal, name: str, client: Client) -> dict[str, Any]:
    """A private row of every kind, a client's answers, and grants to an organization that nobody belongs to."""
    elsewhere = await principal.world.organization(f"Elsewhere of {name}")
    item = await make_item(principal, name)
    scale = await make_scale(principal, name, item)
    assessment = await make_assessment(principal, name, status=PublicationStatus.PUBLISHED)
    domain = await make_domain(principal, name, scale, assessment_id=assessment.id)
    option = await make_option(principal, item, text=name)
    result_range = await make_range(principal, scale, 0, 5, name)
    config = await make_config(principal, scale, ScoreType.SCALE_SUM, name=name, status=PublicationStatus.PUBLISHED)
    custom = await make_config(principal, item, ScoreType.CUSTOM_CALCULATION, name=name)
    calculation = await make_calculation(principal, custom, A=config)
    answers = await make_answers(principal, assessment, client)
    other = await make_assessment(principal, name)
    await _make(principal, models.RelatedAssessment(assessment_id=assessment.id, related_id=other.id))
    return {
        "item": item,
        "option": option,
        "scale": scale,
        "domain": domain,
        "assessment": assessment,
        "related": other,
        "placed": await put_on(principal, assessment, item),
        "scale_placed": await put_on(principal, assessment, scale),
        "domain_placed": await put_on(principal, assessment, domain),
        "weighed": await _first(principal, models.ItemScale),
        "in_domain": await _first(principal, models.DomainScale),
        "tag": await make_tag(principal, name, item, scale, domain, assessment),
        "config": config,
        "draft": custom,
        "calculation": calculation,
        "variable": await _first(principal, config_models.CalculationVariable),
        "norm": await make_norm(principal, config),
        "range": result_range,
        "grant": await make_grant(principal, item, elsewhere),
        "vertical_grant": await make_vertical_grant(principal, assessment, Vertical.SCHOOL),
        "network_member": await join_network(principal, elsewhere),
        "answers": answers,
        "response": await make_response(principal, answers, item, text=name, item_option_id=option.id),
        "answer_score": await make_answer_score(principal, answers, config, result_range_id=result_range.id),
    }


async def _first(principal: Principal, model: type[Any]) -> Any:
    """The organization's only row of a kind."""
    async with principal.world.writing(principal) as tx:
        return (await tx.scalars(select(model).where(model.organization_id == principal.organization_id))).one()
