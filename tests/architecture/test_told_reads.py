"""Rows that reach an answer past the kit's loaders are told to the audit, or argued here."""

import ast

import pytest

from architecture.source import MODULES, ROOT, Module

# Modules that read without telling, each with why nothing of a record reaches an answer by it.
SILENT = {
    "organizations/features.py": "names of features: no record of a client",
    "graph/search.py": "ids of labels by name, for a filter",
    "organizations/api_keys.py": "an application's own keys",
    "treatment/calculator.py": "the plan's own counter",
    "treatment/courses.py": "scores of an episode, told by who shows a course of them",
    "treatment/events.py": "whether an event concerns the subscriber; its rows come through loaders",
    "treatment/groups.py": "names of labels and users, for groups of statistics that are told",
}
READS = {"run", "run_unscoped"}
TELLS = {"saw", "saw_rows"}


def _called(module: Module) -> set[str]:
    """Methods called on a context."""
    return {
        node.func.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value).split(".")[-1] in {"context", "self"}
    }


def test_a_module_that_reads_tells_the_audit() -> None:
    silent = {
        str(module.path.relative_to(ROOT))
        for module in MODULES
        if module.room not in {"http", "cli", "db", ""} and READS & (called := _called(module)) and not TELLS & called
    }

    assert silent - SILENT.keys() == set(), "call context.saw with what you read, or argue it here"
    assert SILENT.keys() - silent == set(), "it tells by now: take it out"


@pytest.mark.parametrize(
    "name", ["graph/loaders.py", "graph/resource.py", "treatment/series.py", "treatment/statistics.py"]
)
def test_the_ways_that_rows_come_out_tell(name: str) -> None:
    (module,) = (one for one in MODULES if str(one.path.relative_to(ROOT)) == name)

    assert TELLS & _called(module)
