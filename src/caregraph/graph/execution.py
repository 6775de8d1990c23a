"""Running an operation: parse, validate, choose, execute; known texts are parsed and validated once."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
    get_variable_values,
    parse,
    validate,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from caregraph.settings import Settings

from .context import Context
from .cost import IntrospectionSizes, Price, Pricing
from .errors import RequestError
from .feeds import Feed
from .limits import check_document, check_variables, worded
from .recording import recorded

_KNOWN_TEXTS = 1000
_LONGEST_KNOWN_TEXT = 20_000
_MOST_VARIABLE_ERRORS = 50


@dataclass(frozen=True)
class Prepared:
    """A text that parses and validates."""

    document: DocumentNode
    prices: Mapping[str | None, Price] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run: the named one, or the only one."""
        operations = [one for one in self.document.definitions if isinstance(one, OperationDefinitionNode)]
        if name is None and len(operations) > 1:
            raise RequestError(
                "OPERATION_RESOLUTION_FAILURE", "The document has several operations: send operationName"
            )
        for one in operations:
            if name is None or (one.name is not None and one.name.value == name):
                return one
        raise RequestError("OPERATION_RESOLUTION_FAILURE", f"The document has no operation named {name!r}")


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
        self.schema = schema._schema  # noqa: SLF001 Strawberry has no public name for it
        self._settings = settings
        self._hide_suggestions = not settings.development
        self._introspection = IntrospectionSizes(self.schema)
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, text: str) -> Prepared:
        """Parse, measure and validate, or raise `InvalidDocumentError`."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        try:
            document = parse(text, max_tokens=self._settings.maximum_tokens)
            check_document(document, self._settings)  # before validation: its rules take long over a bomb
        except GraphQLError as error:
            raise InvalidDocumentError([worded(error, self._settings)]) from error
        errors = validate(self.schema, document, hide_suggestions=self._hide_suggestions)
        if errors:
            raise InvalidDocumentError([worded(error, self._settings) for error in errors])
        prepared = Prepared(document, Pricing(self.schema, document, self._introspection).prices())
        if len(text) <= _LONGEST_KNOWN_TEXT:
            self._known[text] = prepared
            if len(self._known) > _KNOWN_TEXTS:
                self._known.popitem(last=False)
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
        result = execute(
            self.schema,
            prepared.document,
            root_value=root,
            context_value=context,
            variable_values=dict(variables or {}),
            operation_name=operation_name,
            executor_class=StrawberryGraphQLCoreExecutionContext,
            hide_suggestions=self._hide_suggestions,
            operation_extensions={},
            middleware=context.watch,
        )
        operation = prepared.operation(operation_name)
        try:
            answered = result if isinstance(result, ExecutionResult) else await result
            if context.stopped is not None and is_query(operation):
                answered = ExecutionResult(None, [_reason(answered, context.stopped)])
            return await recorded(context, answered, prepared.document, operation)
        finally:
            await context.close()

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
                return await recorded(context, found, prepared.document, prepared.operation(operation_name))
            return found  # type: ignore[no-any-return]
        finally:
            await context.end_snapshot()


def _reason(result: ExecutionResult, stopped: RequestError) -> GraphQLError:
    """Why an operation was stopped, once, however many fields would have been answered."""
    return next(one for one in result.errors or () if one.path and one.extensions == stopped.extensions)


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Whether an operation goes on."""
    return operation.operation is OperationType.SUBSCRIPTION


def is_mutation(operation: OperationDefinitionNode) -> bool:
    """Whether an operation changes something."""
    return operation.operation is OperationType.MUTATION


def is_query(operation: OperationDefinitionNode) -> bool:
    """Whether an operation only reads."""
    return operation.operation is OperationType.QUERY
