"""The modules of the package as syntax trees."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import caregraph

ROOT = Path(caregraph.__path__[0])


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, where it stands and whether only type checkers see it."""

    module: str
    line: int
    for_types_only: bool


@dataclass(frozen=True)
class Module:
    """A source file of the package."""

    path: Path

    @property
    def name(self) -> str:
        """Dotted, without the package: `graph.paging`, `people` for its `__init__`, `` for the package's own."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The folder below the package, or the file itself at its top: `graph`, `app`."""
        return self.name.partition(".")[0]

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text())

    @cached_property
    def imports(self) -> list[Import]:
        """Everything imported, wherever it stands; relative names made absolute; `from x import y` also as `x.y`."""
        package = ["caregraph", *self.path.relative_to(ROOT).parent.parts]
        hidden = {id(inner) for block in ast.walk(self.tree) if _is_type_checking(block) for inner in ast.walk(block)}
        found = []
        for node in ast.walk(self.tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                base = [*base, *([node.module] if node.module else [])]
                names = [".".join([*base, alias.name]) for alias in node.names]
            found += [Import(name, node.lineno, id(node) in hidden) for name in names]
        return found

    def ours(self) -> list[Import]:
        """What is imported from this package, named without it."""
        return [
            Import(one.module.removeprefix("caregraph.").removeprefix("caregraph"), one.line, one.for_types_only)
            for one in self.imports
            if one.module == "caregraph" or one.module.startswith("caregraph.")
        ]

    @property
    def shown(self) -> str:
        """Folder and name, for a message about a file that need not be of the package."""
        return "/".join(self.path.parts[-2:])

    def at(self, line: int) -> str:
        """Where, for a message."""
        return f"src/caregraph/{self.path.relative_to(ROOT)}:{line}"


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


MODULES = [Module(path) for path in sorted(ROOT.rglob("*.py"))]
