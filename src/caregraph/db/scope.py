"""Which rows a viewer sees: one rule per model, added to every ORM statement by the session itself."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, SelectBase, Table, and_, event, select, true
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, Session, UOWTransaction
from sqlalchemy.sql import visitors

from caregraph.auth.viewer import EVERYTHING, Viewer

from .base import Base, SharedRow, TenantRow

Rule = Callable[[Viewer], ColumnElement[bool]]

RULES: dict[type[Any], Rule] = {}
RESOURCES: dict[type[Any], str] = {}
"""Under which name the scopes of a token speak of a model's rows."""
UNSCOPED = ""
"""The name of rows that no scope speaks of: what credentials are themselves, and what no token reaches anyhow."""


class MissingRuleError(LookupError):
    """A model without a visibility rule cannot be read."""


class ForeignTenantError(RuntimeError):
    """Code tried to write a row of another organization. Always a bug."""


class ScopeTooSmallError(PermissionError):
    """The viewer's credentials are limited to scopes, and the needed one is not among them."""

    def __init__(self, scope: str) -> None:
        """`scope` as in `clients.read`."""
        super().__init__(scope)
        self.scope = scope


class UnscopedStatementError(RuntimeError):
    """A statement speaks of rows without saying of which type, so no rule would be added. Always a bug."""


def rule(model: type[Any], *, resource: str | None = None) -> Callable[[Rule], Rule]:
    """Declare the visibility rule of `model`; the tenant is added to it and need not be repeated, but for shared rows.

    `resource` is what scopes call the rows, by default the table's name; parts and links are named as their whole.
    `UNSCOPED` rows are left to their rule.
    """

    def declare(rows: Rule) -> Rule:
        RULES[model] = rows
        RESOURCES[model] = model.__tablename__ if resource is None else resource
        return rows

    return declare


def everyone(_viewer: Viewer) -> ColumnElement[bool]:
    """The rule of rows that the whole organization may read."""
    return true()


def criterion(model: type[Any], viewer: Viewer) -> ColumnElement[bool]:
    """The condition under which `viewer` sees a row of `model`: its tenant and its rule.

    Raises `ScopeTooSmallError` where the credentials' scopes do not let rows of `model` be read at all.
    """
    declared = _declared(model)
    demand_read(declared, viewer)
    rows = RULES[declared](viewer)
    return and_(_tenant(model, viewer), rows) if issubclass(model, TenantRow) else rows


def demand_read(model: type[Any], viewer: Viewer) -> None:
    """Raise `ScopeTooSmallError` where the credentials' scopes do not let rows of `model` be read."""
    if not may_read(model, viewer):
        raise ScopeTooSmallError(f"{RESOURCES[_declared(model)]}.read")


def demand_write(model: type[Any], viewer: Viewer) -> None:
    """Raise `ScopeTooSmallError` where the credentials' scopes do not let rows of `model` be changed."""
    resource = RESOURCES[_declared(model)]
    if resource != UNSCOPED and not viewer.may_write(resource):
        raise ScopeTooSmallError(f"{resource}.write")


def may_read(model: type[Any], viewer: Viewer) -> bool:
    """Whether the credentials' scopes let rows of `model` be read."""
    resource = RESOURCES[_declared(model)]
    return resource == UNSCOPED or viewer.may_read(resource)


def known_scopes() -> frozenset[str]:
    """Every scope that there is: `all`, and reading and writing of each resource."""
    resources = set(RESOURCES.values()) - {UNSCOPED}
    return frozenset({EVERYTHING}.union(*({f"{one}.read", f"{one}.write"} for one in resources)))


def _declared(model: type[Any]) -> type[Any]:
    """The class that bears the rule of `model`: itself or a base of it."""
    for base in model.__mro__:
        if base in RULES:
            return base
    raise MissingRuleError(f"{model.__name__} has no visibility rule: declare one in its policy.py")


def _tenant(model: type[TenantRow], viewer: Viewer) -> ColumnElement[bool]:
    if issubclass(model, SharedRow):
        return true()  # the rule says of which tenants
    if model.spans_memberships:
        return model.organization_id.in_(viewer.organization_ids)
    return model.organization_id == viewer.organization_id


def visible(model: type[Any], viewer: Viewer) -> Select[Any]:
    """Select the rows of `model` that `viewer` sees."""
    return select(model).where(criterion(model, viewer))


def ids(column: Any) -> Select[Any]:
    """A sub-select for rules. It never correlates: a rule may stand inside a statement on its own table."""
    return select(column).correlate(None)


def install(session_class: type[Session]) -> None:
    """Put the net under all statements and writes of `session_class`."""
    event.listen(session_class, "do_orm_execute", _scope)
    event.listen(session_class, "before_flush", _stamp)


def _scope(state: ORMExecuteState) -> None:
    if state.execution_options.get("scoped") or state.is_insert:
        return
    state.statement = scoped(
        state.statement,
        state.session.info["viewer"],  # without a viewer: KeyError
        writes=state.is_update or state.is_delete,
    )


def scoped(statement: Any, viewer: Viewer, *, writes: bool = False) -> Any:
    """`statement` with the visibility of every table in it, wherever it stands."""
    for model in _touched(statement):
        rows = criterion(model, viewer)
        if writes and issubclass(model, SharedRow):
            rows = and_(rows, model.organization_id == viewer.organization_id)  # others' rows are read, never written
        statement = statement.options(_Visible(model, rows, include_aliases=True))
    return statement


class _Visible(LoaderCriteriaOption):
    """The rule of a model for all its aliases: SQLAlchemy leaves it as it is for one joined by an ON of its own."""

    _traverse_internals = LoaderCriteriaOption._traverse_internals  # noqa: SLF001 its statements are cached by these

    def _resolve_where_criteria(self, ext_info: Any) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = super()._resolve_where_criteria(ext_info)
        return ext_info._adapter.traverse(condition) if ext_info.is_aliased_class else condition  # noqa: SLF001


def _touched(statement: Any) -> list[type[Any]]:
    for part in visitors.iterate(statement):
        if isinstance(part, Select) and _is_anonymous(part):
            raise UnscopedStatementError("Say of which rows: select(Model…) or select(…).select_from(Model)")
    tables = {element for element in visitors.iterate(statement) if isinstance(element, Table)}
    return [
        mapper.class_ for mapper in Base.registry.mappers if mapper.inherits is None and mapper.local_table in tables
    ]


def _is_anonymous(statement: Select[Any]) -> bool:
    """Whether a select is compiled as one of no mapped class: SQLAlchemy does not look inside `and_`, `or_`, `not_`."""
    if statement._propagate_attrs.get("compile_state_plugin") == "orm":  # noqa: SLF001 no public name
        return False
    return any("parententity" in part._annotations for part in _own_parts(statement))  # noqa: SLF001


def _own_parts(element: Any) -> Iterator[Any]:
    for part in element.get_children():
        if not isinstance(part, SelectBase):
            yield part
            yield from _own_parts(part)


def _stamp(session: Session, _flush: UOWTransaction, _instances: Any) -> None:
    organization_id = session.info["viewer"].organization_id
    for row in session.new:
        if isinstance(row, TenantRow) and row.organization_id is None:
            row.organization_id = organization_id
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantRow) and row.organization_id != organization_id:
            raise ForeignTenantError(f"{type(row).__name__} of another organization")
