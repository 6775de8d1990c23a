"""What a document and its variables may ask for: counted before validation, which itself takes long over a bomb.

Every fragment is measured once, the ones it spreads first, so that thirty fragments that each spread the next twice
take thirty steps and not a billion.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from caregraph.settings import Settings

from .errors import RequestError

_INTROSPECTIVE = {"__schema", "__type"}
_SUGGESTION = re.compile(r" Did you mean .*\?$", re.DOTALL)
_DEEPEST_NESTING = 100
"""Selection sets within one another, fragments included: `depth` counts fields only."""


@dataclass
class Extent:
    """How much a selection set asks for, with all that its fragments stand for."""

    depth: int = 0
    nesting: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0
    longest_list: int = 0
    introspects: bool = False
    names: Counter[str] = field(default_factory=Counter)
    """Response names at the top, with how often each is selected."""

    def add(self, inner: "Extent", *, levels: int) -> None:
        """Take in a selection set that lies `levels` fields deeper."""
        self.depth = max(self.depth, inner.depth + levels)
        self.nesting = max(self.nesting, inner.nesting + 1)
        self.fields += inner.fields
        self.aliases += inner.aliases
        self.directives += inner.directives
        self.repeats = max(self.repeats, inner.repeats)
        self.longest_list = max(self.longest_list, inner.longest_list)
        self.introspects |= inner.introspects
        if not levels:
            self.names.update(inner.names)


def check_document(document: DocumentNode, settings: Settings) -> None:
    """Raise the `RequestError` of the first limit that an operation or a fragment of `document` breaks."""
    measure = _Measure(settings)
    for fragment in _leaves_first(document):
        extent = measure.extent(fragment.selection_set)
        _check(extent, settings)
        measure.known[fragment.name.value] = extent
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            extent = measure.extent(operation.selection_set)
            _count_head(extent, operation)
            _check(extent, settings)
            if len(extent.names) > settings.maximum_root_fields:
                raise _refused("MAX_ROOT_FIELDS_LIMIT", "root fields", settings.maximum_root_fields)


def check_variables(variables: Mapping[str, Any] | None, settings: Settings) -> None:
    """Raise a `RequestError` when the variables hold too many values, or a list of them does."""
    if not variables:
        return
    count, rest = 0, [iter(variables.values())]
    while rest:
        value = next(rest[-1], rest)
        if value is rest:
            rest.pop()
            continue
        count += 1
        if count > settings.maximum_variable_values:
            raise _too_many("MAX_VARIABLES_LIMIT", "The variables", settings.maximum_variable_values)
        if isinstance(value, list):
            _check_list(len(value), settings)
            rest.append(iter(value))
        elif isinstance(value, dict):
            rest.append(iter(value.values()))


def worded(error: GraphQLError, settings: Settings) -> GraphQLError:
    """`error` of graphql-core as it is told: limits in our terms, and no suggestion outside development."""
    if error.message.startswith("Syntax Error: Document contains more than"):
        return _too_many("MAX_TOKENS_LIMIT", "A document", settings.maximum_tokens, "tokens")
    if error.message == "Syntax Error: Document is nested too deeply. Parsing aborted.":
        return _too_deep(settings)
    if settings.development:
        return error
    error.message = _SUGGESTION.sub("", error.message)
    return error


def _leaves_first(document: DocumentNode) -> Iterator[FragmentDefinitionNode]:
    """The fragments, each after those that it spreads; a cycle is cut where it closes, validation reports it."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    begun: set[str] = set()
    for root, definition in fragments.items():
        path = [] if root in begun else [(root, _spreads(definition))]
        begun.add(root)
        while path:
            name, spreads = path[-1]
            inner = next((one for one in spreads if one in fragments and one not in begun), None)
            if inner is None:
                path.pop()
                yield fragments[name]
            else:
                begun.add(inner)
                path.append((inner, _spreads(fragments[inner])))


def _spreads(fragment: FragmentDefinitionNode) -> Iterator[str]:
    rest: list[SelectionNode] = list(fragment.selection_set.selections)
    while rest:
        selection = rest.pop()
        if isinstance(selection, FragmentSpreadNode):
            yield selection.name.value
        elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
            rest.extend(selection.selection_set.selections)


@dataclass
class _Measure:
    settings: Settings
    known: dict[str, Extent] = field(default_factory=dict)
    """The fragments measured so far."""

    def extent(self, selection_set: SelectionSetNode) -> Extent:
        """Measure a selection set; stops at the limit of fields, since counting on could take long."""
        extent = Extent()
        for selection in selection_set.selections:
            extent.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self._add_field(extent, selection)
            elif isinstance(selection, InlineFragmentNode):
                extent.add(self.extent(selection.selection_set), levels=0)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in self.known:
                extent.add(self.known[selection.name.value], levels=0)
            if extent.fields > self.settings.maximum_fields:
                raise _refused("MAX_FIELDS_LIMIT", "fields", self.settings.maximum_fields)
        extent.repeats = max(extent.repeats, *extent.names.values(), 0)
        return extent

    def _add_field(self, extent: Extent, node: FieldNode) -> None:
        extent.fields += 1
        extent.aliases += node.alias is not None
        extent.introspects |= node.name.value in _INTROSPECTIVE
        extent.names[(node.alias or node.name).value] += 1
        for argument in node.arguments or ():
            extent.longest_list = max(extent.longest_list, _longest_list(argument.value))
        extent.add(self.extent(node.selection_set) if node.selection_set else Extent(), levels=1)


def _count_head(extent: Extent, operation: OperationDefinitionNode) -> None:
    """Directives and default values before the operation's selections."""
    extent.directives += len(operation.directives or ())
    for variable in operation.variable_definitions or ():
        extent.directives += len(variable.directives or ())
        if variable.default_value is not None:
            extent.longest_list = max(extent.longest_list, _longest_list(variable.default_value))


def _longest_list(value: ValueNode) -> int:
    if isinstance(value, ListValueNode):
        return max(len(value.values), *map(_longest_list, value.values), 0)
    if isinstance(value, ObjectValueNode):
        return max((_longest_list(one.value) for one in value.fields), default=0)
    return 0


def _check(extent: Extent, settings: Settings) -> None:
    if extent.introspects and not settings.introspection:
        raise RequestError("INTROSPECTION_DISABLED", "Introspection is off: __schema and __type cannot be selected")
    if extent.depth > settings.maximum_depth or extent.nesting > _DEEPEST_NESTING:
        raise _too_deep(settings)
    for code, what, found, most in (
        ("MAX_ALIASES_LIMIT", "aliases", extent.aliases, settings.maximum_aliases),
        ("MAX_DIRECTIVES_LIMIT", "directives", extent.directives, settings.maximum_directives),
    ):
        if found > most:
            raise _refused(code, what, most)
    if extent.repeats > settings.maximum_repeats:
        most = settings.maximum_repeats
        raise RequestError(
            "MAX_REPEATS_LIMIT", f"A field may be selected at most {most} times in one place", limit=most
        )
    _check_list(extent.longest_list, settings)


def _check_list(length: int, settings: Settings) -> None:
    if length > settings.maximum_list:
        raise _too_many("MAX_LIST_LIMIT", "A list of input values", settings.maximum_list)


def _too_deep(settings: Settings) -> RequestError:
    most = settings.maximum_depth
    return RequestError("MAX_DEPTH_LIMIT", f"An operation may be at most {most} fields deep", limit=most)


def _refused(code: str, what: str, most: int) -> RequestError:
    return _too_many(code, "An operation", most, what)


def _too_many(code: str, whole: str, most: int, what: str = "values") -> RequestError:
    return RequestError(code, f"{whole} may have at most {most} {what}", limit=most)
