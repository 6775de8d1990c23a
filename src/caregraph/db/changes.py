"""Makes the audit entry of a transaction from what its session changed, and puts it into the same transaction.

Rows are noted as they are flushed, and bulk statements before they run. What the database deletes by itself, along
foreign keys, is read beforehand: afterwards nobody could say whose record it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, Table, event, select, tuple_
from sqlalchemy import inspect as mapped
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from .audit import AUDITS, Change, Kind, Origin, entry, insertion, origin
from .base import table_of
from .direct import Text
from .events import ChangeKind
from .keys import Way, attribute, cascades, key_table, model_of, open_keys, subjects, way

Key = tuple[int, ...]
MOST_WAYS = 200


@dataclass
class Subjects:
    """Clients whose records rows are parts of: those known, and those that the database has to be asked for."""

    known: set[int] = field(default_factory=set)
    asked: dict[Any, set[int]] = field(default_factory=dict)

    def add(self, found: Way | None, values: Iterable[int | None]) -> None:
        """`values` are of the column with which the way begins."""
        if found is None:
            return
        new: set[Any] = set(values)
        new.discard(None)
        if not found.hops:
            self.known |= new
        elif new:
            self.asked.setdefault(found.hops, set()).update(new)

    def answered(self, hops: Any, found: Iterable[int]) -> None:
        """Take what the database knew."""
        self.known.update(found)
        del self.asked[hops]


@lru_cache(MOST_WAYS)
def asking(hops: Any, dialect: Dialect) -> Text:
    """The statement for the driver that answers one of `Subjects.asked`, whose values are its parameter `keys`."""
    return Text.of(subjects(hops, open_keys(is_sqlite=dialect.name == "sqlite")), dialect, "keys", **AUDITS)


@dataclass
class Changes:
    """What one transaction changed so far."""

    rows: dict[tuple[str, Key], ChangeKind] = field(default_factory=dict)
    in_bulk: dict[str, None] = field(default_factory=dict)
    subjects: Subjects = field(default_factory=Subjects)

    def add(self, name: str, key: Key, change: ChangeKind) -> None:
        """Together with what happened to the row before in this transaction."""
        earlier = self.rows.pop((name, key), change)
        if {earlier, change} == {ChangeKind.CREATED, ChangeKind.DELETED}:
            return  # it leaves no trace
        self.rows[name, key] = ChangeKind.CREATED if earlier is ChangeKind.CREATED else change

    def kind(self, about: str | None) -> Kind:
        """What happened to rows of the type `about`; a change of anything else is an update of one."""
        kinds = {change for (name, _), change in self.rows.items() if about in {None, name}}
        if not kinds and about is None and self.in_bulk:
            return Kind.CREATE
        return _KINDS[kinds.pop()] if len(kinds) == 1 else Kind.UPDATE

    def told(self) -> list[Change]:
        """By type and by what happened."""
        grouped: dict[tuple[str, str], list[list[int]]] = {
            (name, ChangeKind.CREATED.value): [] for name in self.in_bulk
        }
        for (name, key), change in self.rows.items():
            grouped.setdefault((name, change.value), []).append(list(key))
        return [(name, change, keys) for (name, change), keys in grouped.items()]


_KINDS = {ChangeKind.CREATED: Kind.CREATE, ChangeKind.UPDATED: Kind.UPDATE, ChangeKind.DELETED: Kind.DELETE}


def install(session_class: type[Session]) -> None:
    """Let every transaction of `session_class` leave an entry of what it changed."""
    event.listen(session_class, "before_flush", _note_deleted)
    event.listen(session_class, "after_flush", _note_written)
    event.listen(session_class, "do_orm_execute", _note_bulk)
    event.listen(session_class, "after_rollback", lambda session: session.info.pop("changes", None))


def note(session: Session, row: Any, change: ChangeKind) -> None:
    """Note that `row` changed; called by hand where neither the session nor a foreign key shows it."""
    model, found = type(row), way(type(row))
    changes: Changes = session.info.setdefault("changes", Changes())
    key = tuple(getattr(row, attribute(model, column)) for column in table_of(model).primary_key)
    changes.add(model.__name__, key, change)
    if found is not None:
        name = attribute(model, found.column)
        left = mapped(row).attrs[name].history.deleted  # a row that moves changes two records
        changes.subjects.add(found, [getattr(row, name), *left])


def _audited(rows: Iterable[Any]) -> Iterable[Any]:
    return (row for row in rows if not row.is_bookkeeping)


def _note_deleted(session: Session, _flush: UOWTransaction, _instances: Any) -> None:
    if not _is_audited(session):
        return
    for row in _audited(session.deleted):
        note(session, row, ChangeKind.DELETED)
        table = table_of(type(row))
        key = tuple(getattr(row, attribute(type(row), column)) for column in table.primary_key)
        _note_cascades(session, table, [key])


def _note_written(session: Session, _flush: UOWTransaction) -> None:
    if not _is_audited(session):
        return
    for row in _audited(session.new):
        note(session, row, ChangeKind.CREATED)
    for row in _audited(session.dirty):
        if session.is_modified(row):
            note(session, row, ChangeKind.UPDATED)


def _note_bulk(state: ORMExecuteState) -> None:
    """Look at the rows that a bulk statement is about to change."""
    mapper = state.bind_mapper
    if mapper is None or mapper.class_.is_bookkeeping or not _is_audited(state.session):
        return
    table = table_of(mapper.class_)
    if state.is_insert:
        _note_inserted(state.session, mapper.class_, state.parameters)
    elif state.is_update or state.is_delete:
        statement: Any = state.statement
        options = {**AUDITS, "scoped": state.execution_options.get("scoped", False)}
        # Of the model, so that its visibility narrows these rows as it narrows the statement's.
        asked = select(*_columns(table)).select_from(mapper.class_).where(*_conditions(statement))
        rows = state.session.execute(asked, state.parameters, execution_options=options).all()
        _note_rows(state.session, table, rows, ChangeKind.DELETED if state.is_delete else ChangeKind.UPDATED)
        if state.is_delete:
            count = len(table.primary_key)
            _note_cascades(state.session, table, [tuple(row[:count]) for row in rows])
        elif rows:
            _note_moved(state.session, mapper.class_, statement)


def _note_moved(session: Session, model: type[Any], statement: Any) -> None:
    """Rows that an update moves change the record that they come to as well."""
    found, set_to = way(model), statement._values or {}  # noqa: SLF001 no public name for what an update sets
    value = getattr(set_to.get(found.column), "value", None) if found is not None else None
    session.info["changes"].subjects.add(found, [value])


def _conditions(statement: Any) -> tuple[ColumnElement[bool], ...]:
    return () if statement.whereclause is None else (statement.whereclause,)


def _note_inserted(session: Session, model: type[Any], parameters: Any) -> None:
    """Of rows that come in bulk the clients are told, not each row."""
    rows: Sequence[Mapping[str, Any]] = parameters if isinstance(parameters, list) else [parameters or {}]
    changes: Changes = session.info.setdefault("changes", Changes())
    changes.in_bulk[model.__name__] = None
    found = way(model)
    if found is not None:
        name = attribute(model, found.column)
        changes.subjects.add(found, (row.get(name) for row in rows))


def _note_cascades(session: Session, table: Table, keys: list[Key]) -> None:
    """Note what goes with rows that are about to be deleted, and whose record they are parts of."""
    for chain in cascades(table) if keys else ():
        joined: Any = table
        for key in chain:
            joined = joined.join(key.table, _same(key))
        target = chain[-1].table
        statement = select(*_columns(target)).select_from(joined).where(_is_one_of(table, keys)).distinct()
        rows = session.execute(statement, execution_options=AUDITS).all()
        _note_rows(session, target, rows, ChangeKind.DELETED)
    _ask(session)


def _same(key: Any) -> ColumnElement[bool]:
    first, *rest = (element.parent == element.column for element in key.elements)
    for one in rest:
        first &= one
    return first  # type: ignore[no-any-return]


def _is_one_of(table: Table, keys: list[Key]) -> ColumnElement[bool]:
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _columns(table: Table) -> list[Column[Any]]:
    """The key, then what leads to clients, then what tells the type of a row where it has several."""
    model = model_of(table)
    found, kinds = way(model), mapped(model).polymorphic_on
    return [*table.primary_key, *([found.column] if found else []), *([kinds] if kinds is not None else [])]


def _note_rows(session: Session, table: Table, rows: Sequence[Any], change: ChangeKind) -> None:
    changes: Changes = session.info.setdefault("changes", Changes())
    mapper, count = mapped(model_of(table)), len(table.primary_key)
    for row in rows:
        model = mapper if mapper.polymorphic_on is None else mapper.polymorphic_map[row[-1]]
        changes.add(model.class_.__name__, tuple(row[:count]), change)
    found = way(mapper.class_)
    if found is not None:
        changes.subjects.add(found, [row[count] for row in rows])


def _ask(session: Session) -> None:
    """Look up whose record the rows are that lead there by other rows, while those are there."""
    changes: Changes = session.info.setdefault("changes", Changes())
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for hops, values in list(changes.subjects.asked.items()):
        question = subjects(hops, key_table(sorted(values), is_sqlite=is_sqlite)).execution_options(**AUDITS)
        changes.subjects.answered(hops, session.scalars(question))


def record(session: Session) -> None:
    """Put the entry into the transaction, which is about to be committed and changes nothing more."""
    session.flush()
    changes: Changes | None = session.info.get("changes")
    if changes is None or not (changes.rows or changes.in_bulk):
        return
    _ask(session)
    by: Origin = session.info.get("origin") or origin(session.info["viewer"])
    clients = changes.subjects.known
    session.execute(
        insertion(), [entry(by, by.kind or changes.kind(by.about), clients=clients, changes=changes.told())]
    )
    session.info["told"] = frozenset(clients)
    session.info.pop("changes")


def _is_audited(session: Session) -> bool:
    """Outside an organization the server only counts for itself: attempts to sign in, objects to remove."""
    return session.info["viewer"].organization_id is not None
