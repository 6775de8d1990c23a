"""Running an operation: parse, validate, choose, execute; known texts are parsed and validated once."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute,
    parse,
    validate,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from .context import Context
from .errors import RequestError

_KNOWN_TEXTS = 1000
_LONGEST_KNOWN_TEXT = 20_000
MOST_TOKENS = 10_000


@dataclass(frozen=True)
class Prepared:
    """A text that parses and validates."""

    document: DocumentNode

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

    def __init__(self, schema: strawberry.Schema, *, hide_suggestions: bool) -> None:
        """Without suggestions, errors do not name what exists."""
        self.schema = schema._schema  # noqa: SLF001 Strawberry has no public name for it
        self._hide_suggestions = hide_suggestions
        self._known: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, text: str) -> Prepared:
        """Parse and validate, or raise `InvalidDocumentError`."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        try:
            document = parse(text, max_tokens=MOST_TOKENS)
        except GraphQLError as error:
            raise InvalidDocumentError([error]) from error
        errors = validate(self.schema, document, hide_suggestions=self._hide_suggestions)
        if errors:
            raise InvalidDocumentError(errors)
        prepared = Prepared(document)
        if len(text) <= _LONGEST_KNOWN_TEXT:
            self._known[text] = prepared
            if len(self._known) > _KNOWN_TEXTS:
                self._known.popitem(last=False)
        return prepared

    async def run(
        self, prepared: Prepared, context: Context, *, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> ExecutionResult:
        """Execute a query or a mutation. A mutation's root fields run one after the other."""
        result = execute(
            self.schema,
            prepared.document,
            context_value=context,
            variable_values=dict(variables or {}),
            operation_name=operation_name,
            executor_class=StrawberryGraphQLCoreExecutionContext,
            hide_suggestions=self._hide_suggestions,
            operation_extensions={},
            middleware=context.watch,
        )
        try:
            return result if isinstance(result, ExecutionResult) else await result
        finally:
            await context.end_snapshot()


def is_query(operation: OperationDefinitionNode) -> bool:
    """Whether an operation only reads."""
    return operation.operation is OperationType.QUERY
