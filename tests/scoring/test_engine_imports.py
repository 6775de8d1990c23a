"""The engine stands on NumPy and the standard library only."""

import ast
import sys
from pathlib import Path

import pytest

import caregraph.scoring

ROOT = Path(caregraph.scoring.__path__[0])
MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT).with_suffix("")))
def test_imports(path):
    roots = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "import within scoring, or from numpy and the standard library"
            ours = node.level == 1 or node.module.startswith("caregraph.scoring.")
            roots |= set() if ours else {node.module.split(".")[0]}

    assert roots <= {"numpy", *sys.stdlib_module_names}
