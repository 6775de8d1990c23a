"""Who sees which content: the one exception to "an organization reads its own rows". Answers are no exception.

An organization reads what is its own; what is public, granted to it, to a network of which it is a member, or to its
vertical; what an owner has put into something of the owner's that it reads; and what it has put into something of its
own, for as long as it stands there. Parts, links and score configs are read as what they belong to. Whatever belongs
to another organization is read only: rows are written by their own.

Every rule names organizations itself and asks plain tables, so that no other rule is added inside it.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, false, or_, select, table, tuple_

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.base import SharedRow, table_of
from caregraph.db.scope import rule
from caregraph.people.policy import of_seen_clients, sees_all_clients

from . import answer_models, config_models, models, sharing_models
from .enums import Privacy, PublicationStatus

CONTENT = "assessments"
"""What scopes call assessments and everything that they are made of."""

_ORGANIZATIONS = table("organizations", column("id"), column("vertical"))

_Readable = Callable[[Viewer], ColumnElement[bool]]


def _reads(viewer: Viewer) -> bool:
    return viewer.organization_id is not None and viewer.may(Permission.CARE)


def _shared(model: type[SharedRow]) -> Callable[[_Readable], _Readable]:
    """Declare when others' rows of `model` are read; one's own are in any case."""

    def declare(of_others: _Readable) -> _Readable:
        def readable(viewer: Viewer) -> ColumnElement[bool]:
            if not _reads(viewer):
                return false()
            return or_(table_of(model).c.organization_id == viewer.organization_id, of_others(viewer))

        rule(model, resource=CONTENT)(readable)
        return readable

    return declare


def _ids(model: type[Any], name: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Values of a column, as a sub-select of its own."""
    return select(table_of(model).c[name]).where(*conditions).correlate(None)


def _networks(viewer: Viewer) -> Select[Any]:
    """The parent networks of the viewer's organization."""
    members = table_of(sharing_models.NetworkMember).c
    return _ids(sharing_models.NetworkMember, "organization_id", members.member_id == viewer.organization_id)


def _grants(viewer: Viewer) -> ColumnElement[bool]:
    grantee = table_of(sharing_models.AccessGrant).c.grantee_id
    return or_(grantee == viewer.organization_id, grantee.in_(_networks(viewer)))


def _vertical_grants(viewer: Viewer) -> ColumnElement[bool]:
    own = select(_ORGANIZATIONS.c.vertical).where(_ORGANIZATIONS.c.id == viewer.organization_id).correlate(None)
    return table_of(sharing_models.VerticalAccessGrant).c.vertical == own.scalar_subquery()


def _end(model: type[models.Content]) -> str:
    return f"{table_of(model).name.removesuffix('s')}_id"


def _granted(model: type[models.Content], viewer: Viewer) -> ColumnElement[bool]:
    grants = table_of(sharing_models.AccessGrant).c[_end(model)]
    return table_of(model).c.id.in_(_ids(sharing_models.AccessGrant, _end(model), _grants(viewer), grants.is_not(None)))


def _of_vertical(viewer: Viewer) -> ColumnElement[bool]:
    grants = _ids(sharing_models.VerticalAccessGrant, "assessment_id", _vertical_grants(viewer))
    content = table_of(models.Assessment).c
    return and_(content.privacy == Privacy.LIMITED_TO_VERTICALS, content.id.in_(grants))


def _given(model: type[models.Content], viewer: Viewer) -> ColumnElement[bool]:
    """Public, or granted."""
    privacy = table_of(model).c.privacy
    return or_(privacy == Privacy.PUBLIC, and_(privacy == Privacy.LIMITED_TO_ORGANIZATIONS, _granted(model, viewer)))


def shared_with(model: type[models.Content], viewer: Viewer) -> ColumnElement[bool]:
    """What the viewer's organization was given by name, by network or by vertical."""
    granted = and_(table_of(model).c.privacy != Privacy.PRIVATE, _granted(model, viewer))
    return or_(granted, _of_vertical(viewer)) if model is models.Assessment else granted


def _used(model: type[Any], viewer: Viewer, name: str, *links: type[SharedRow]) -> ColumnElement[bool]:
    """Put by its owner into something that one reads, or by oneself into something of one's own.

    What others than its owner put into theirs is not shared by that.
    """
    content = table_of(model).c
    terms = []
    for link in links:
        columns = table_of(link).c
        by_owner = select(columns.organization_id, columns[name]).where(_LINKED[link](viewer)).correlate(None)
        terms.append(tuple_(content.organization_id, content.id).in_(by_owner))
        terms.append(content.id.in_(_ids(link, name, columns.organization_id == viewer.organization_id)))
    return or_(*terms)


def _as(model: type[SharedRow], name: str, whole: type[Any], viewer: Viewer) -> ColumnElement[bool]:
    """Read as the row of `whole` that a row of `model` belongs to."""
    return table_of(model).c[name].in_(_ids(whole, "id", _READABLE[whole](viewer)))


@_shared(sharing_models.NetworkMember)
def network_members(viewer: Viewer) -> ColumnElement[bool]:
    """A network sees its members, a member its networks."""
    return table_of(sharing_models.NetworkMember).c.member_id == viewer.organization_id


@_shared(sharing_models.AccessGrant)
def access_grants(viewer: Viewer) -> ColumnElement[bool]:
    """An owner sees whom it gave access, others what they were given."""
    return _grants(viewer)


@_shared(sharing_models.VerticalAccessGrant)
def vertical_access_grants(viewer: Viewer) -> ColumnElement[bool]:
    """An owner sees the verticals that it gave access, others that their vertical was given it."""
    return _vertical_grants(viewer)


@_shared(models.Assessment)
def assessments(viewer: Viewer) -> ColumnElement[bool]:
    """By its privacy."""
    return or_(_given(models.Assessment, viewer), _of_vertical(viewer))


@_shared(models.Domain)
def domains(viewer: Viewer) -> ColumnElement[bool]:
    """By its privacy, or on an assessment."""
    return or_(_given(models.Domain, viewer), _used(models.Domain, viewer, "domain_id", models.AssessmentDomain))


@_shared(models.Scale)
def scales(viewer: Viewer) -> ColumnElement[bool]:
    """By its privacy, on an assessment or in a domain."""
    links = (models.AssessmentScale, models.DomainScale)
    return or_(_given(models.Scale, viewer), _used(models.Scale, viewer, "scale_id", *links))


@_shared(models.Item)
def items(viewer: Viewer) -> ColumnElement[bool]:
    """By its privacy, on an assessment or on a scale."""
    links = (models.AssessmentItem, models.ItemScale)
    return or_(_given(models.Item, viewer), _used(models.Item, viewer, "item_id", *links))


_TAGGED = (models.AssessmentTag, models.ItemTag, models.ScaleTag, models.DomainTag)


@_shared(models.Tag)
def tags(viewer: Viewer) -> ColumnElement[bool]:
    """On something that one reads, put there by the tag's owner."""
    return _used(models.Tag, viewer, "tag_id", *_TAGGED)


@_shared(config_models.ScoreConfig)
def score_configs(viewer: Viewer) -> ColumnElement[bool]:
    """As what it scores, once it is published."""
    model = config_models.ScoreConfig
    levels = {"item_id": models.Item, "scale_id": models.Scale, "domain_id": models.Domain}
    of_readable = or_(*(_as(model, name, whole, viewer) for name, whole in levels.items()))
    return and_(table_of(model).c.status == PublicationStatus.PUBLISHED, of_readable)


@_shared(config_models.ResultRange)
def result_ranges(viewer: Viewer) -> ColumnElement[bool]:
    """As the scale or the domain."""
    model = config_models.ResultRange
    return or_(_as(model, "scale_id", models.Scale, viewer), _as(model, "domain_id", models.Domain, viewer))


_READABLE: dict[type[Any], _Readable] = {
    models.Assessment: assessments,
    models.Domain: domains,
    models.Scale: scales,
    models.Item: items,
    config_models.ScoreConfig: score_configs,
}


def _part(model: type[SharedRow], name: str, whole: type[Any]) -> _Readable:
    """Declare that rows of `model` are read as the row of `whole` that their column `name` names."""

    def of_whole(viewer: Viewer) -> ColumnElement[bool]:
        return _as(model, name, whole, viewer)

    return _shared(model)(of_whole)


_LINKED: dict[type[Any], _Readable] = {
    link: _part(link, name, whole)
    for link, name, whole in (
        (models.AssessmentDomain, "assessment_id", models.Assessment),
        (models.AssessmentScale, "assessment_id", models.Assessment),
        (models.AssessmentItem, "assessment_id", models.Assessment),
        (models.DomainScale, "domain_id", models.Domain),
        (models.ItemScale, "scale_id", models.Scale),
        (models.AssessmentTag, "assessment_id", models.Assessment),
        (models.DomainTag, "domain_id", models.Domain),
        (models.ScaleTag, "scale_id", models.Scale),
        (models.ItemTag, "item_id", models.Item),
        (models.RelatedAssessment, "assessment_id", models.Assessment),
    )
}

_part(models.ItemOption, "item_id", models.Item)
_READABLE[config_models.CustomCalculation] = _part(
    config_models.CustomCalculation, "score_config_id", config_models.ScoreConfig
)
_part(config_models.CalculationVariable, "custom_calculation_id", config_models.CustomCalculation)
_part(config_models.PercentileRankConfig, "score_config_id", config_models.ScoreConfig)


def _answers(column: Any, viewer: Viewer) -> ColumnElement[bool]:
    """Answers of a client are seen as the client; anonymous ones by whoever sees all clients."""
    if not viewer.may(Permission.CARE):
        return false()
    if sees_all_clients(viewer):
        return or_(column.is_(None), of_seen_clients(column, viewer))
    return of_seen_clients(column, viewer)


@rule(answer_models.AnswerSet, resource="answers")
def answer_sets(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return _answers(answer_models.AnswerSet.client_id, viewer)


@rule(answer_models.ItemResponse, resource="answers")
def item_responses(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return _answers(answer_models.ItemResponse.client_id, viewer)


@rule(answer_models.AnswerScore, resource="answers")
def answer_scores(viewer: Viewer) -> ColumnElement[bool]:
    """As the client."""
    return _answers(answer_models.AnswerScore.client_id, viewer)
