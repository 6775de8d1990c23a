"""Mutations: a service function becomes a field, and one pipeline runs them all.

The pipeline: permission → inputs checked → one transaction, in which ids become visible rows and the service runs →
commit → a fresh snapshot in which the payload is read. A refusal anywhere undoes the transaction and becomes `errors`.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import strawberry
from sqlalchemy import ColumnElement, and_, true
from sqlalchemy.exc import DBAPIError, IntegrityError
from strawberry.types.arguments import StrawberryArgument, StrawberryArgumentAnnotation
from strawberry.types.base import StrawberryOptional, has_object_definition
from strawberry.types.unset import UNSET

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.audit import Kind
from caregraph.db.base import Base, TenantRow
from caregraph.db.constraints import is_deadlock, violated
from caregraph.db.personal import Erasable
from caregraph.db.scope import demand_write, may_read, visible
from caregraph.db.session import Tx

from .context import Context
from .erased import refuse_erased, refuse_erased_meanwhile
from .errors import FORBIDDEN, Code, Refused, UserError, demand
from .fields import KitField, argument, field, kit_field
from .filters import LONGEST_LIST, camel
from .inputs import Changes, given, list_problems, patch_type, problems
from .loaders import RowById
from .node import OnlyId, bare_type, global_id, parse_id

T = TypeVar("T")
Service = Callable[..., Awaitable[Any]]

# PostgreSQL ends one of two transactions that wait for each other: it is run again, from the start.
_TRIES = 3


@strawberry.type(name="Payload", description="What a mutation answers.")
class Payload(Generic[T]):
    """One payload per type."""

    node: T | None = field("The row as it is now; null when refused, or when you no longer see it.")
    errors: list[UserError] = field("Why nothing was changed; empty when it was.")


@strawberry.type(name="SecretPayload", description="What a mutation answers that makes a secret.")
class SecretPayload(Generic[T]):
    """One payload per type; the service returns `Minted`."""

    node: T | None = field("The row as it is now; null when refused.")
    secret: str | None = field("The secret, shown this once: only its hash is kept. Null when refused.")
    errors: list[UserError] = field("Why nothing was changed; empty when it was.")


@dataclass(frozen=True)
class Minted:
    """A changed row with a secret that is told this once."""

    row: Any
    secret: str


@strawberry.type(description="What a deletion answers.")
class DeletePayload:
    """One payload for all deletions."""

    deleted_id: strawberry.ID | None = field("Id of the row that is gone; null when refused.")
    errors: list[UserError] = field("Why nothing was deleted; empty when it was.")


def action(service: Service, *, needs: Permission | None) -> Any:
    """Make a mutation of a service; its signature says the arguments, its docstring the description.

    A parameter typed as a row becomes an `ID!` loaded through visibility: `id` for the row that the mutation is about
    (the first, when the payload is of its type or of a deletion), `…Id` for others. `Changes[Input]` becomes a patch,
    anything else an argument as it is. The transaction, the viewer and the context are passed in by their types.
    """
    description = inspect.cleandoc(service.__doc__ or "")
    if needs is not None:
        description += f"\n\nNeeds: {needs.value}."
    made = kit_field(description, resolve=_run, arguments=lambda made: made.action.arguments, needs=needs)
    made.action = Action(service, made)
    return made


@dataclass(frozen=True)
class Parameter:
    """A parameter of a service and the argument it becomes."""

    name: str
    argument: StrawberryArgument
    model: type[Any] | None = None
    is_list: bool = False
    is_patch: bool = False


@dataclass(eq=False)
class Action:
    """A service, and what its signature and its field's type say about it."""

    service: Service
    made: KitField

    @cached_property
    def payload(self) -> type[Any]:
        """The payload type."""
        payload = self.made.type
        return bare_type(payload.of_type if isinstance(payload, StrawberryOptional) else payload)  # type: ignore[no-any-return]

    @cached_property
    def node_model(self) -> type[Any] | None:
        """The model of the payload's node; null for a deletion or a payload of another kind."""
        node = next(iter(self.payload.__strawberry_definition__.type_var_map.values()), None)
        return None if node is None else bare_type(node).__node__.model

    @cached_property
    def changed_model(self) -> type[Any] | None:
        """The model whose rows scopes must allow to be changed: the payload's, or that of the first row named."""
        if self.node_model is not None:
            return self.node_model
        return next((parameter.model for parameter in self.parameters if parameter.model is not None), None)

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The parameters that callers fill in."""
        hints = get_type_hints(self.service, include_extras=True)
        found: list[Parameter] = []
        for name, one in inspect.signature(self.service).parameters.items():
            if hints[name] not in _PASSED_IN:
                default = UNSET if one.default is inspect.Parameter.empty else one.default
                found.append(self._parameter(name, hints[name], default, is_first=not found))
        return found

    @cached_property
    def passed_in(self) -> dict[str, Any]:
        """The parameters that the pipeline fills in, with their types."""
        hints = get_type_hints(self.service)
        return {name: hint for name, hint in hints.items() if hint in _PASSED_IN and name != "return"}

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """The arguments of the field."""
        return [parameter.argument for parameter in self.parameters]

    def _parameter(self, name: str, annotation: Any, default: Any, *, is_first: bool) -> Parameter:
        description = ""
        if get_origin(annotation) is Annotated:
            annotation, *extras = get_args(annotation)
            description = next((x.description or "" for x in extras if isinstance(x, StrawberryArgumentAnnotation)), "")
        if get_origin(annotation) is list and _is_model(get_args(annotation)[0]):
            (model,) = get_args(annotation)
            text = description or f"Ids of {model.__name__} nodes, at most {LONGEST_LIST}."
            made = argument(f"{name.removesuffix('s')}_ids", list[strawberry.ID], text)
            return Parameter(name, made, model, is_list=True)
        if _is_model(annotation):
            is_subject = is_first and self.node_model in {annotation, None} and self.is_about_one
            text = description or f"Id of a {annotation.__name__}."
            return Parameter(name, argument("id" if is_subject else f"{name}_id", strawberry.ID, text), annotation)
        if get_origin(annotation) is Changes:
            patch = patch_type(get_args(annotation)[0])
            return Parameter(name, argument(name, patch, description or "What to change."), is_patch=True)
        return Parameter(name, argument(name, annotation, description or "What to record.", default))

    @property
    def is_about_one(self) -> bool:
        """Whether the payload speaks of one row: `node` or `deletedId`."""
        return self.node_model is not None or self.payload is DeletePayload


_PASSED_IN = frozenset({Tx, Viewer, Context})


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Base)


async def _run(made: Any, _source: Any, info: Any, **arguments: Any) -> Any:
    context: Context = info.context
    name = camel(made.python_name)
    one: Action = made.action
    demand(context.viewer, made.needs)
    if one.changed_model is not None:
        demand_write(one.changed_model, context.viewer)
    try:
        errors = list(_input_problems(one, arguments))
        if errors:
            return _answer(one, {"errors": errors})
        result = await _commit(one, context, arguments, name)
        return _answer(one, {**await _read_back(one, context, result), "errors": []})
    except Refused as refused:
        if refused.error.message == FORBIDDEN:
            context.seen.refused.append(name)
        return _answer(one, {"errors": [refused.error]})


def _input_problems(one: Action, arguments: Mapping[str, Any]) -> Iterator[UserError]:
    models = [parameter.model for parameter in one.parameters if parameter.model is not None]
    model = one.node_model or (models[0] if models else object)
    for name, value in arguments.items():
        if has_object_definition(value):
            yield from problems(value, (camel(name),), model=model)
        elif isinstance(value, list):
            yield from list_problems(value, (camel(name),), model=model)


async def _commit(one: Action, context: Context, arguments: dict[str, Any], name: str) -> Any:
    """Run the service, in a transaction if it asks for one, and translate what the database refuses."""
    viewer = context.viewer.unlimited  # its scopes allow this change: what the rules have to read goes along
    ready = {name: {Viewer: viewer, Context: context}.get(kind) for name, kind in one.passed_in.items()}
    await context.end_snapshot()  # one pool slot per request
    try:
        if Tx not in one.passed_in.values():
            return await one.service(**ready, **arguments)
        return await _transact(one, context, viewer, arguments, ready, name=name)
    except IntegrityError as error:
        raise _refusal(one, error) from error


async def _transact(
    one: Action, context: Context, viewer: Viewer, arguments: dict[str, Any], ready: dict[str, Any], *, name: str
) -> Any:
    about = None if one.node_model is None else one.node_model.__name__
    origin = context.origin(name, about=about, kind=Kind.DELETE if one.payload is DeletePayload else None)
    for tries_left in reversed(range(_TRIES)):
        try:
            # The commit is outside the operation's time: once begun it is waited for.
            async with context.database.writing(viewer, origin=origin) as tx, context.within_time():
                result = await _serve(one, tx, viewer, arguments, ready)
            context.seen.told |= tx.info.get("told", frozenset())
            return result  # noqa: TRY300 the commit above is what may fail
        except DBAPIError as error:
            if not (tries_left and is_deadlock(error)):
                raise
    raise AssertionError("the last try returns or raises")


async def _serve(one: Action, tx: Tx, viewer: Viewer, arguments: dict[str, Any], ready: dict[str, Any]) -> Any:
    tx_name = next(name for name, kind in one.passed_in.items() if kind is Tx)
    loaded = {
        parameter.name: await _loaded(parameter, arguments[parameter.argument.python_name], tx, viewer)
        for parameter in one.parameters
        if parameter.argument.python_name in arguments
    }
    erasable = [] if one.payload is DeletePayload else list(_erasable(one, loaded))
    for argument_name, row in erasable:
        refuse_erased(row, argument_name)
    deleted = next((global_id(type(row).__name__, row.id) for row in loaded.values() if _is_row(row)), None)
    result = await one.service(**{**ready, tx_name: tx}, **loaded)
    await refuse_erased_meanwhile(tx, erasable)
    return deleted if one.payload is DeletePayload else result


def _erasable(one: Action, loaded: Mapping[str, Any]) -> Iterator[tuple[str, Erasable]]:
    """The rows among the arguments that an erasure may have emptied, each with its argument."""
    names = {parameter.name: camel(parameter.argument.python_name) for parameter in one.parameters}
    for name, value in loaded.items():
        for row in value if isinstance(value, list) else [value]:
            if isinstance(row, Erasable):
                yield names[name], row


def _is_row(value: Any) -> bool:
    return isinstance(value, Base)


def _refusal(one: Action, error: IntegrityError) -> Exception:
    violation = violated(error)
    if violation is None:
        return error
    code = Code.CONFLICT if violation.is_conflict else Code.INVALID
    if violation.path is None:
        return Refused(code, violation.message)
    is_argument = violation.path in {camel(parameter.argument.python_name) for parameter in one.parameters}
    return Refused(code, violation.message, *(() if is_argument else ("input",)), violation.path)


async def _loaded(parameter: Parameter, value: Any, tx: Tx, viewer: Viewer) -> Any:
    """What the service gets: rows for ids, changes for a patch, anything else as it came."""
    if parameter.is_patch:
        return Changes(given(value))
    if parameter.model is None:
        return value
    texts = list(dict.fromkeys(value)) if parameter.is_list else [value]
    parsed = [parse_id(text) for text in texts]
    wanted = [found[1] for found in parsed if found is not None and found[0] == parameter.model.__name__]
    here = parameter.model.organization_id == viewer.organization_id if _spans(parameter.model) else true()
    rows = await _rows(parameter.model, and_(parameter.model.id.in_(wanted), here), tx, viewer)
    if len(rows) < len(texts):
        name = parameter.argument.python_name
        raise Refused(Code.NOT_FOUND, f"{parameter.model.__name__} not found", camel(name))
    by_id = {row.id: row for row in rows}
    return [by_id[row_id] for row_id in wanted] if parameter.is_list else rows[0]


def _spans(model: type[Any]) -> bool:
    """Whether one reads such rows of other organizations too; they are changed only where the request acts."""
    return issubclass(model, TenantRow) and model.spans_memberships


async def _rows(model: type[Any], condition: ColumnElement[bool], tx: Tx, viewer: Viewer) -> list[Any]:
    statement = visible(model, viewer).where(condition).execution_options(scoped=True)
    return list((await tx.execute(statement)).scalars())


async def _read_back(one: Action, context: Context, result: Any) -> dict[str, Any]:
    """The payload's fields: the changed row is read again, as its viewer now sees it."""
    if one.payload is DeletePayload:
        return {"deleted_id": result}
    if one.node_model is None:
        return dict(result)
    await context.end_snapshot()
    row, more = (result.row, {"secret": result.secret}) if isinstance(result, Minted) else (result, {})
    if not may_read(one.node_model, context.viewer):
        return {"node": OnlyId(row.id), **more}
    return {"node": await context.load(RowById(one.node_model), row.id), **more}


def _answer(one: Action, values: dict[str, Any]) -> SimpleNamespace:
    """A source for the payload: every field null but those in `values`."""
    names = (made.python_name for made in one.payload.__strawberry_definition__.fields)
    return SimpleNamespace(**dict.fromkeys(names) | values)
