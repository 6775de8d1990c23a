"""Puts on record whose records an operation read and what it was refused, before anything of it is told.

Who cannot be held to account is not answered: when the entry cannot be written, neither is the data.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from orjson import Fragment
from sqlalchemy.exc import SQLAlchemyError

from caregraph.db.audit import Kind, entry
from caregraph.db.trail import Trail

from .context import Context
from .errors import code_of
from .scalars import encode_json


async def recorded(
    context: Context, result: ExecutionResult, operation: OperationDefinitionNode, names: Mapping[str, str]
) -> ExecutionResult:
    """The result, once the audit has what it tells; nothing of it if the audit cannot be written.

    `names` are the operation's `root_fields`.
    """
    answered = result
    try:
        await context.settle()
        begun = [context.the(Trail).begin(one) for one in _entries(context, result, names)]
        await context.end_snapshot()  # at the same time: entries may be waiting for this very connection
        if begun and context.encodes and result.data is not None:
            data: Any = Fragment(encode_json(result.data))
            result = ExecutionResult(data, result.errors, result.extensions)
        for written in begun:
            await written()
    except (SQLAlchemyError, OSError) as error:
        return _withheld(answered, operation, error)
    return result


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> dict[str, str]:
    """The schema's names of an operation's root fields, by the names that the answer has for them."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    return {
        (one.alias or one.name).value: one.name.value
        for one in _fields(operation.selection_set, fragments)
        if not one.name.value.startswith("__")
    }


def _fields(selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    seen: set[str] = set()
    waiting = [selected]
    while waiting:
        for one in waiting.pop().selections:
            if isinstance(one, FieldNode):
                yield one
            elif not isinstance(one, FragmentSpreadNode):
                waiting.append(one.selection_set)  # type: ignore[attr-defined]
            elif one.name.value not in seen:
                seen.add(one.name.value)
                waiting.append(fragments[one.name.value].selection_set)


def _entries(context: Context, result: ExecutionResult, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    seen = context.seen
    refused = {
        names.get(str(one.path[0]), "") for one in result.errors or () if one.path and code_of(one) == "FORBIDDEN"
    }
    refused |= set(seen.refused)
    if refused and context.viewer.organization_id is not None:
        yield entry(context.origin(*sorted(refused - {""})), Kind.REFUSED)
    answered = [names[key] for key, value in (result.data or {}).items() if value is not None and key in names]
    clients = seen.subjects.known - seen.told
    if answered and (clients or seen.is_audit):
        yield entry(context.origin(*dict.fromkeys(answered)), Kind.READ, clients=clients)
    elif answered and seen.is_aggregate and not (seen.subjects.known or seen.told):
        yield entry(context.origin(*dict.fromkeys(answered)), Kind.AGGREGATE)


def _withheld(result: ExecutionResult, operation: OperationDefinitionNode, error: Exception) -> ExecutionResult:
    """The failure instead of the data; of a mutation, at each of its fields, since what it changed stays changed."""
    if operation.operation is not OperationType.MUTATION or not result.data:
        return ExecutionResult(None, [GraphQLError("", original_error=error)])
    told = [GraphQLError("", path=[key], original_error=error) for key in result.data]
    return ExecutionResult(dict.fromkeys(result.data), [*(result.errors or ()), *told])
