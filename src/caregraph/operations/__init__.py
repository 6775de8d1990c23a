"""The operation documents: one per call of the source systems, shipped as examples, tests and trusted documents."""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml
from graphql import NonNullTypeNode, OperationDefinitionNode, parse


@dataclass(frozen=True)
class Operation:
    """One document of `operations/<system>/<resource>.graphql`."""

    id: str
    """Contract id, as `fit.clients.get`."""
    text: str
    """The document, with the comment that names the call it replaces."""
    group: str
    """`system/resource`."""

    @cached_property
    def variables(self) -> dict[str, str]:
        """The variables that must be given, to be filled in."""
        (operation,) = (one for one in parse(self.text).definitions if isinstance(one, OperationDefinitionNode))
        required = (one for one in operation.variable_definitions or () if isinstance(one.type, NonNullTypeNode))
        return {one.variable.name.value: "" for one in required if one.default_value is None}

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.id.replace(".", "_")


@cache
def contract() -> dict[str, str]:
    """Every contract id with the REST call it stands for."""
    text = (files(__package__) / "contract.yaml").read_text()
    return {entry["id"]: entry["call"] for entry in yaml.safe_load(text)}


@cache
def operations() -> tuple[Operation, ...]:
    """All documents, in the order of systems, resources and their files."""
    found = []
    for system in _folders(files(__package__)):
        for file in sorted(system.iterdir(), key=lambda entry: entry.name):
            group = f"{system.name}/{file.name.removesuffix('.graphql')}"
            found += [_operation(block, group) for block in _blocks(file.read_text())]
    return tuple(found)


def _folders(root: Traversable) -> list[Traversable]:
    folders = (one for one in root.iterdir() if one.is_dir() and one.name != "__pycache__")
    return sorted(folders, key=lambda one: one.name)


def _blocks(text: str) -> list[str]:
    """A file's documents: each begins with its comment line `# POST /v1/…` and ends before the next."""
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("# "):
            blocks.append([])
        blocks[-1].append(line)
    return ["\n".join(block).strip() + "\n" for block in blocks]


def _operation(block: str, group: str) -> Operation:
    name = next(line for line in block.splitlines() if line.startswith(("query ", "mutation "))).split()[1]
    name = name.partition("(")[0]
    system, rest = name.split("_", 1)
    resource = group.partition("/")[2]
    return Operation(f"{system}.{resource}.{rest.removeprefix(resource + '_')}", block, group)
