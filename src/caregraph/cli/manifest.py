"""The operation documents as an Apollo persisted query manifest, for clients and gateways that read one."""

import json

from graphql import OperationDefinitionNode, parse

from caregraph.http.documents import manifest
from caregraph.operations import operations


def text() -> str:
    """The manifest as JSON."""
    entries = ((one.name, _kind(one.text), one.text) for one in operations())
    return json.dumps(manifest(entries), indent=2, ensure_ascii=False) + "\n"


def _kind(document: str) -> str:
    (operation,) = (one for one in parse(document).definitions if isinstance(one, OperationDefinitionNode))
    return operation.operation.value
