"""The engine stands on NumPy and the standard library only."""

import ast
import sys
from pathlib import Path

import pytest

import caregraph.scoring

MODULES = sorted(Path(caregraph.scoring.__path__[0]).glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports(path):
    roots = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "import within scoring, or from numpy and the standard library"
            roots |= {node.module.split(".")[0]} if node.level == 0 else set()

    assert roots <= {"numpy", *sys.stdlib_module_names}
