"""Who sees which content: the one exception to "an organization reads its own rows". Answers are no exception.

An organization reads what is its own; what is public, granted to it, to a network of which it is a member, or to its
vertical; what an owner has put into something of the owner's that it reads; and what it has put into something of its
own, for as long as it stands there. Parts, links and score configs are read as what they belong to. Whatever belongs
to another organization is read only: rows are written by their own.

Every rule names organizations itself and asks plain tables, so that no other rule is added inside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, and_, column, false, or_, select, table

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.base import SharedRow, table_of
from caregraph.db.scope import rule
from caregraph.people.policy import of_seen_clients, sees_all_clients

from . import answer_models, config_models, models, sharing_models
from .enums import Privacy, PublicationStatus

CONTENT = "assessments"
"""What scopes call assessments and everything that they are made of."""
_MOST_READERS = 1_000
_ORGANIZATIONS = table("organizations", column("id"), column("vertical"))
_CONTAINERS: dict[type[Any], tuple[tuple[type[SharedRow], type[Any]], ...]] = {
    models.Assessment: (),
    models.Domain: ((models.AssessmentDomain, models.Assessment),),
    models.Scale: ((models.AssessmentScale, models.Assessment), (models.DomainScale, models.Domain)),
    models.Item: ((models.AssessmentItem, models.Assessment), (models.ItemScale, models.Scale)),
    models.Tag: (
        (models.AssessmentTag, models.Assessment),
        (models.DomainTag, models.Domain),
        (models.ScaleTag, models.Scale),
        (models.ItemTag, models.Item),
    ),
}
"""By which links each kind of content stands in which other."""


def _end(model: type[Any]) -> str:
    """What columns that lead to a kind of content are called."""
    return f"{table_of(model).name.removesuffix('s')}_id"


def _ids(model: type[Any], name: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Values of a column, as a sub-select of its own."""
    return select(table_of(model).c[name]).where(*conditions).correlate(None)


def _put_by_owner(model: type[Any], link: type[Any], condition: ColumnElement[bool]) -> Select[Any]:
    """Ids of rows that stand in something by links of their own organization, as a sub-select.

    A join, and no pair of columns in a list of pairs: SQLite 3.40 finds nothing by those where a key is part of them.
    """
    content, columns = table_of(model).alias(), table_of(link).c
    owned = and_(content.c.id == columns[_end(model)], content.c.organization_id == columns.organization_id)
    return select(content.c.id).join_from(table_of(link), content, owned).where(condition).correlate(None)


@dataclass(frozen=True)
class _Reader:
    """An organization that reads what is others'. What it reads of a kind is a table of ids, named once a statement."""

    organization_id: int

    def others(self, model: type[Any]) -> Select[Any]:
        """Ids of the rows of others that it reads, as a sub-select."""
        return select(self._tables[model].c.id).correlate(None)

    @cached_property
    def _tables(self) -> dict[type[Any], CTE]:
        found: dict[type[Any], CTE] = {}
        for model, containers in _CONTAINERS.items():
            content = table_of(model).c
            ways = [] if model is models.Tag else [self._given(model)]
            for link, whole in containers:
                columns = table_of(link).c
                in_readable = columns[_end(whole)].in_(select(found[whole].c.id).correlate(None))
                ways.append(content.id.in_(_put_by_owner(model, link, in_readable)))
                ways.append(content.id.in_(_ids(link, _end(model), columns.organization_id == self.organization_id)))
            found[model] = self._of_others(model, or_(*ways))
        configs = table_of(config_models.ScoreConfig).c
        levels = [
            configs[_end(model)].in_(select(found[model].c.id).correlate(None))
            for model in (models.Item, models.Scale, models.Domain)
        ]
        is_published = configs.status == PublicationStatus.PUBLISHED
        found[config_models.ScoreConfig] = self._of_others(config_models.ScoreConfig, and_(is_published, or_(*levels)))
        calculations = table_of(config_models.CustomCalculation).c
        of_config = calculations.score_config_id.in_(select(found[config_models.ScoreConfig].c.id).correlate(None))
        found[config_models.CustomCalculation] = self._of_others(config_models.CustomCalculation, of_config)
        return found

    def _of_others(self, model: type[Any], condition: ColumnElement[bool]) -> CTE:
        columns = table_of(model).c
        rows = select(columns.id).where(columns.organization_id != self.organization_id, condition)
        return rows.cte(f"others_{table_of(model).name}")

    def _given(self, model: type[Any]) -> ColumnElement[bool]:
        """Public, granted, or shared with the reader's vertical."""
        privacy = table_of(model).c.privacy
        granted = and_(privacy == Privacy.LIMITED_TO_ORGANIZATIONS, self._granted(model))
        ways = [privacy == Privacy.PUBLIC, granted]
        return or_(*ways, self._of_vertical()) if model is models.Assessment else or_(*ways)

    def _granted(self, model: type[Any]) -> ColumnElement[bool]:
        ends = table_of(sharing_models.AccessGrant).c[_end(model)]
        granted = _ids(sharing_models.AccessGrant, _end(model), self.is_granted, ends.is_not(None))
        return table_of(model).c.id.in_(granted)

    def _of_vertical(self) -> ColumnElement[bool]:
        content = table_of(models.Assessment).c
        grants = _ids(sharing_models.VerticalAccessGrant, "assessment_id", self.is_of_vertical)
        return and_(content.privacy == Privacy.LIMITED_TO_VERTICALS, content.id.in_(grants))

    @property
    def is_granted(self) -> ColumnElement[bool]:
        """Of access grants: to the reader, or to a network of which it is a member."""
        members = table_of(sharing_models.NetworkMember).c
        networks = _ids(sharing_models.NetworkMember, "organization_id", members.member_id == self.organization_id)
        grantee = table_of(sharing_models.AccessGrant).c.grantee_id
        return or_(grantee == self.organization_id, grantee.in_(networks))

    @property
    def is_of_vertical(self) -> ColumnElement[bool]:
        """Of vertical grants: to the reader's vertical."""
        own = select(_ORGANIZATIONS.c.vertical).where(_ORGANIZATIONS.c.id == self.organization_id).correlate(None)
        return table_of(sharing_models.VerticalAccessGrant).c.vertical == own.scalar_subquery()

    def shared(self, model: type[Any]) -> ColumnElement[bool]:
        """What the reader was given by name, by network or by vertical, and not merely with everybody."""
        granted = and_(table_of(model).c.privacy != Privacy.PRIVATE, self._granted(model))
        return or_(granted, self._of_vertical()) if model is models.Assessment else granted


# The same tables for every statement of a reader: within one statement they are named once.
_reader = lru_cache(maxsize=_MOST_READERS)(_Reader)


def shared_with(model: type[models.Content], viewer: Viewer) -> ColumnElement[bool]:
    """What the viewer's organization was given by name, by network or by vertical."""
    return false() if viewer.organization_id is None else _reader(viewer.organization_id).shared(model)


_OfOthers = Callable[[_Reader], ColumnElement[bool]]


def _shared(model: type[SharedRow], of_others: _OfOthers, own: ColumnElement[bool] | None = None) -> None:
    """Declare when others' rows of `model` are read. One's own are: all, or with `own` all by authors, else those."""

    def readable(viewer: Viewer) -> ColumnElement[bool]:
        if viewer.organization_id is None or not viewer.may(Permission.CARE):
            return false()
        here = table_of(model).c.organization_id == viewer.organization_id
        if own is not None and not _writes(viewer):
            here = and_(here, own)
        return or_(here, of_others(_reader(viewer.organization_id)))

    rule(model, resource=CONTENT)(readable)


def _writes(viewer: Viewer) -> bool:
    """Whether the viewer is one of the authors, who see the drafts of score configs."""
    return viewer.may(Permission.CREATE_ASSESSMENT) or viewer.may(Permission.ASSESSMENT_AUTHOR)


def _itself(model: type[Any]) -> _OfOthers:
    return lambda reader: table_of(model).c.id.in_(reader.others(model))


def _as(model: type[Any], *wholes: type[Any]) -> _OfOthers:
    """Read as the rows of `wholes` that a row of `model` belongs to."""
    columns = table_of(model).c
    return lambda reader: or_(*(columns[_end(whole)].in_(reader.others(whole)) for whole in wholes))


_shared(
    sharing_models.NetworkMember,
    lambda reader: table_of(sharing_models.NetworkMember).c.member_id == reader.organization_id,
)
_shared(sharing_models.AccessGrant, lambda reader: reader.is_granted)
_shared(sharing_models.VerticalAccessGrant, lambda reader: reader.is_of_vertical)
for _model in _CONTAINERS:
    _shared(_model, _itself(_model))
_PARTS: tuple[tuple[type[SharedRow], type[Any]], ...] = (
    *(pair for pairs in _CONTAINERS.values() for pair in pairs),
    (models.RelatedAssessment, models.Assessment),
    (models.ItemOption, models.Item),
)
for _link, _whole in _PARTS:
    _shared(_link, _as(_link, _whole))
_shared(config_models.ResultRange, _as(config_models.ResultRange, models.Scale, models.Domain))

_PUBLISHED = table_of(config_models.ScoreConfig).c.status == PublicationStatus.PUBLISHED
_OF_PUBLISHED = _ids(config_models.ScoreConfig, "id", _PUBLISHED)
_CALCULATIONS = table_of(config_models.CustomCalculation).c.score_config_id.in_(_OF_PUBLISHED)
_NORMS = table_of(config_models.PercentileRankConfig).c.score_config_id.in_(_OF_PUBLISHED)
_VARIABLES = table_of(config_models.CalculationVariable).c.custom_calculation_id.in_(
    _ids(config_models.CustomCalculation, "id", _CALCULATIONS)
)
_shared(config_models.ScoreConfig, _itself(config_models.ScoreConfig), _PUBLISHED)
_shared(config_models.CustomCalculation, _as(config_models.CustomCalculation, config_models.ScoreConfig), _CALCULATIONS)
_shared(config_models.PercentileRankConfig, _as(config_models.PercentileRankConfig, config_models.ScoreConfig), _NORMS)
_shared(
    config_models.CalculationVariable,
    _as(config_models.CalculationVariable, config_models.CustomCalculation),
    _VARIABLES,
)


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
