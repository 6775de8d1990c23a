"""Running an operation: parse, validate, choose, execute; known texts are parsed and validated once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import strawberry
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    create_source_event_stream,
    get_variable_values,
    parse,
    validate,
    visit,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from caregraph.settings import Settings

from .compiled.bounded import Bounded
from .compiled.executor import PlanningExecutor, Plans
from .context import Context
from .cost import IntrospectionSizes, Price, Pricing
from .errors import RequestError
from .feeds import Feed
from .limits import check_document, check_variables, worded
from .recording import recorded, root_fields
from .tables import Executor

LOG = logging.getLogger("caregraph.compiled")

_KNOWN_TEXTS = 1000
_LONGEST_KNOWN_TEXT = 20_000
_MOST_VARIABLE_ERRORS = 50
_ERRORS_IN_ORDER = 2
"""From so many errors on their order matters, which is that in which fields are executed without plans."""


@dataclass(frozen=True)
class Prepared:
    """A text that parses and validates."""

    document: DocumentNode
    prices: Mapping[str | None, Price] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    """The variables that `@include` and `@skip` look at."""

    @cached_property
    def operations(self) -> dict[str | None, OperationDefinitionNode]:
        """The operations by their names."""
        found = (one for one in self.document.definitions if isinstance(one, OperationDefinitionNode))
        return {one.name.value if one.name else None: one for one in found}

    @cached_property
    def root_fields(self) -> dict[str | None, dict[str, str]]:
        """Of each operation, the schema's names of its root fields by the names that the answer has for them."""
        return {name: root_fields(self.document, one) for name, one in self.operations.items()}

    def name(self, asked: str | None) -> str | None:
        """The name of the operation to run: that which is asked for, or of the only one."""
        if asked is None and len(self.operations) > 1:
            raise RequestError(
                "OPERATION_RESOLUTION_FAILURE", "The document has several operations: send operationName"
            )
        name = next(iter(self.operations), None) if asked is None else asked
        if name not in self.operations:
            raise RequestError("OPERATION_RESOLUTION_FAILURE", f"The document has no operation named {asked!r}")
        return name

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run: the named one, or the only one."""
        return self.operations[self.name(name)]


class InvalidDocumentError(Exception):
    """A text that does not parse or does not validate."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        """`errors` as graphql-core words them."""
        super().__init__()
        self.errors = errors


class Engine:
    """Runs operations against one schema."""

    def __init__(self, schema: strawberry.Schema, settings: Settings) -> None:
        """Outside development, errors do not suggest what exists."""
        self._graph = schema
        self._plans: Plans | None = None
        self.schema = schema._schema  # noqa: SLF001 Strawberry has no public name for it
        self._settings = settings
        self._hide_suggestions = not settings.development
        self._introspection = IntrospectionSizes(self.schema)
        self._known: Bounded[Prepared] = Bounded(_KNOWN_TEXTS)

    def prepare(self, text: str) -> Prepared:
        """Parse, measure and validate, or raise `InvalidDocumentError`."""
        known = self._known.get(text)
        if known is not None:
            return known
        try:
            document = parse(text, max_tokens=self._settings.maximum_tokens)
            check_document(document, self._settings)  # before validation: its rules take long over a bomb
        except GraphQLError as error:
            raise InvalidDocumentError([worded(error, self._settings)]) from error
        errors = validate(self.schema, document, hide_suggestions=self._hide_suggestions)
        if errors:
            raise InvalidDocumentError([worded(error, self._settings) for error in errors])
        prices = Pricing(self.schema, document, self._introspection).prices()
        _part_tokens(document)
        prepared = Prepared(document, prices, flags_of(document))
        if len(text) <= _LONGEST_KNOWN_TEXT:
            self._known.put(text, prepared)
        return prepared

    def cost(self, prepared: Prepared, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> int:
        """What an operation costs with these variables; raises when they do not fit or are too many."""
        check_variables(variables, self._settings)
        price = prepared.prices[operation.name.value if operation.name else None]
        values: Mapping[str, Any] = {}
        if price.parts and operation.variable_definitions:
            found = get_variable_values(
                self.schema,
                operation.variable_definitions,
                dict(variables or {}),
                max_errors=_MOST_VARIABLE_ERRORS,
                hide_suggestions=self._hide_suggestions,
            )
            if isinstance(found, list):
                raise InvalidDocumentError(found)
            values = found.coerced
        return price.of(values)

    async def run(
        self,
        prepared: Prepared,
        context: Context,
        *,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        root: Any = None,
    ) -> ExecutionResult:
        """Execute a query, a mutation, or a subscription for the one event whose payload is `root`.

        A mutation's root fields run one after the other.
        """
        given: dict[str, Any] = {
            "root_value": root,
            "raw_variable_values": dict(variables or {}),
            "operation_name": operation_name,
            "hide_suggestions": self._hide_suggestions,
            "operation_extensions": {},
        }
        try:
            if self._is_compiled(prepared, operation_name, context):
                result, failure = await self._by_plans(prepared, context, given)
                if result is not None:
                    return await _told(prepared, context, operation_name, result)
                async with context.anew() as again:
                    result = await self._by_fields(prepared, again, given)
                    if failure is not None and not result.errors:
                        LOG.error("plans gave up where nothing is wrong: %s", type(failure).__name__)
                    return await _told(prepared, again, operation_name, result)
            return await _told(prepared, context, operation_name, await self._by_fields(prepared, context, given))
        finally:
            await context.close()

    def _is_compiled(self, prepared: Prepared, operation_name: str | None, context: Context) -> bool:
        """Only queries are: a plan that cannot answer is given up for a second start."""
        if self._settings.execution != "compiled" or context.watch is not None:
            return False
        return is_query(prepared.operation(operation_name))

    async def _by_fields(self, prepared: Prepared, context: Context, given: Mapping[str, Any]) -> ExecutionResult:
        executor = Executor.build(
            self.schema, prepared.document, context_value=context, middleware=context.watch, **given
        )
        return ExecutionResult(None, executor) if isinstance(executor, list) else await _result(executor)

    async def _by_plans(
        self, prepared: Prepared, context: Context, given: Mapping[str, Any]
    ) -> tuple[ExecutionResult | None, Exception | None]:
        """The result, or null where plans do not give it, with what stopped them."""
        if self._plans is None or self._plans.database is not context.database:
            self._plans = Plans(self._graph, context.database)
        executor = PlanningExecutor.build(
            self.schema, prepared.document, context_value=context, plans=self._plans, flags=prepared.flags, **given
        )
        if not isinstance(executor, PlanningExecutor):
            return None, None
        result = await _result(executor)
        given_up = executor.failure is not None or len(result.errors or ()) >= _ERRORS_IN_ORDER
        return None if given_up else result, executor.failure

    async def subscribe(
        self, prepared: Prepared, context: Context, *, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> Feed | ExecutionResult:
        """Start a subscription: its feed, to be closed, or why there is none."""
        executor = StrawberryGraphQLCoreExecutionContext.build(
            self.schema,
            prepared.document,
            context_value=context,
            raw_variable_values=dict(variables or {}),
            operation_name=operation_name,
            hide_suggestions=self._hide_suggestions,
            operation_extensions={},
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        try:
            source: Any = create_source_event_stream(executor)
            found = await source if executor.is_awaitable(source) else source
            if isinstance(found, ExecutionResult):
                name = prepared.name(operation_name)
                return await recorded(context, found, prepared.operations[name], prepared.root_fields[name])
            return found  # type: ignore[no-any-return]
        finally:
            await context.end_snapshot()


async def _result(executor: Any) -> ExecutionResult:
    result = executor.execute_operation()
    return result if isinstance(result, ExecutionResult) else await result


async def _told(
    prepared: Prepared, context: Context, operation_name: str | None, result: ExecutionResult
) -> ExecutionResult:
    """What is told of a result, once the audit has it; of a query that was stopped, only why."""
    name = prepared.name(operation_name)
    operation = prepared.operations[name]
    if context.stopped is not None and is_query(operation):
        reason = _reason(result, context.stopped)
        result = result if reason is None else ExecutionResult(None, [reason])
    return await recorded(context, result, operation, prepared.root_fields[name])


def _reason(result: ExecutionResult, stopped: RequestError) -> GraphQLError | None:
    """Why an operation was stopped, once, however many fields would have been answered.

    Null when only fields met it that an error beside them had cancelled: the answer stands without them.
    """
    return next((one for one in result.errors or () if one.path and one.extensions == stopped.extensions), None)


class _Flags(Visitor):
    """The variables that directives look at."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.found.update(one.value.name.value for one in node.arguments or () if isinstance(one.value, VariableNode))


def flags_of(document: DocumentNode) -> tuple[str, ...]:
    """The variables that decide what is selected."""
    look = _Flags()
    visit(document, look)
    return tuple(sorted(look.found))


def _part_tokens(document: DocumentNode) -> None:
    """Let the tokens of a document go of each other, so that it goes as soon as nobody knows it any more.

    Their chain is for parsing; left to the garbage collector, forgotten documents would heap up for a long time.
    """
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Whether an operation goes on."""
    return operation.operation is OperationType.SUBSCRIPTION


def is_mutation(operation: OperationDefinitionNode) -> bool:
    """Whether an operation changes something."""
    return operation.operation is OperationType.MUTATION


def is_query(operation: OperationDefinitionNode) -> bool:
    """Whether an operation only reads."""
    return operation.operation is OperationType.QUERY
