"""What the pages of the source look like: sizes, smells, ways round the rules, settings without a line in the README."""

import ast
import dataclasses
import re
from functools import cache
from pathlib import Path

from architecture.source import MODULES, ROOT, Module
from caregraph.settings import PREFIX, Settings

LONGEST_FILE = 600
LONGEST_FUNCTION = 80
PROJECT = Path(__file__).parents[2]
PYTHON = [
    *MODULES,
    *(Module(path) for folder in ("tests", "migrations") for path in sorted((PROJECT / folder).rglob("*.py"))),
]

# Core tables, which no visibility rule touches, outside `db/`: each use says why nothing leaks by it.
PAST_THE_RULES = {
    ("graph/export.py", "table_of"): "reads foreign keys; what it selects starts from visible(...)",
    ("graph/links.py", "table_of"): "reads the foreign key of a link; the statement is on the model it leads to",
    ("graph/relations.py", "table_of"): "reads foreign keys when the schema is built, sends no statement",
    ("assessments/policy.py", "table_of"): "the rules themselves; no rule is added inside another",
    ("assessments/rules.py", "table_of"): "what is frozen by being used publicly, of one's own rows by id",
    ("assessments/fields.py", "table_of"): "a link's columns: the loader adds the rules",
    ("assessments/content_schema.py", "table_of"): "narrows a list of visible assessments",
    ("assessments/responses.py", "table_of"): "counts responses of the viewer's organization",
    ("organizations/types.py", "table_of"): "a link's column: the loader adds the rule and the tenant",
    ("people/tokens.py", "table_of"): "a link's columns: the loader adds the rule and the tenant",
    ("treatment/charts.py", "table_of"): "a link's columns: the loader adds the rule and the tenant",
    ("treatment/service.py", "table_of"): "names the tables for delete_orphans in db/, which keeps to the tenant",
    ("treatment/models.py", "text"): "the condition of a partial index, no statement",
    ("cli/demo/load.py", "exec_driver_sql"): "ANALYZE: statistics for the planner",
    ("organizations/founding.py", "table_of"): "names a sequence to number rows by",
    ("organizations/founding.py", "text"): "takes numbers from a sequence, reads no row",
    ("cli/doctor/postgresql.py", "table_of"): "names of tables to compare with the catalog's, sends no statement",
}
# `scoped=True` switches the session's net off: for statements that carry their visibility, or must go past it.
PAST_THE_NET = {
    "db/audit.py": "entries are written for those who may not read them",
    "db/changes.py": "whose records a change touches, within the tenant, also of clients whom its author does not see",
    "db/dependents.py": "counts and deletes what the viewer may not see, within the tenant",
    "db/erasure.py": "empties what the viewer may not see, within the tenant",
    "db/personal.py": "empties what belongs to erased people only, whoever sees them, within the tenant",
    "graph/erased.py": "looks again at rows that were loaded through visible(...)",
    "assessments/config_rules.py": "whether there are scores of one's own draft, whoever sees the answers",
    "assessments/ranges.py": "whether there are scores in one's own range, whoever sees the answers",
    "assessments/rules.py": "whether something public holds one's own content, whoever sees that",
    "db/events.py": "which rows a change is about, in its own tenant; readers look at them as themselves",
    "graph/actions.py": "starts from visible(...)",
    "graph/context.py": "what loaders run starts from visible(...) or criterion(...)",
    "organizations/service.py": "revokes the tokens of a user whom the viewer may change, but whose tokens nobody sees",
    "treatment/service.py": "keeps ages of places whose other end the viewer does not see",
    "organizations/founding.py": "the highest id of a table, to number new rows by",
    "cli/demo/credentials.py": "ends the demo's own tokens, which nobody else sees",
}
BANNED_WORDS = re.compile(r"\b(comprehensive|robust|enhanced|seamless|leverage|utili[sz]e)\b", re.IGNORECASE)
BANNER = re.compile(r"#\s*([=*#~-])\1{3,}|#.*([=*#~-])\2{3,}\s*$")
TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
STEP = re.compile(r"#\s*(step|phase)\s+\d", re.IGNORECASE)
HISTORY = re.compile(r"#.*\b(previously|used to be|no longer|was changed|refactored|legacy)\b", re.IGNORECASE)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "base_utils", "constants"}
VAGUE_CLASS = re.compile(r"(Manager|Helper|Handler|Util|Utils)$|^Abstract")


@cache
def nodes() -> list[tuple[Module, ast.AST]]:
    """The package as syntax."""
    return [(module, node) for module in MODULES for node in ast.walk(module.tree)]


def test_a_file_fits_in_ones_head() -> None:
    long = [module.at(len(module.lines)) for module in MODULES if len(module.lines) > LONGEST_FILE]

    assert long == [], "find the second subject in it and give that a module"


def test_a_function_fits_on_a_page() -> None:
    long = [
        f"{module.at(node.lineno)} {node.name}"
        for module, node in nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]

    assert long == []


def test_files_are_short_as_a_rule() -> None:
    lengths = sorted(len(module.lines) for module in MODULES)

    assert lengths[len(lengths) // 2] <= 120
    assert lengths[len(lengths) * 95 // 100] <= 400


def test_a_module_says_why_it_exists() -> None:
    silent = [module.at(1) for module in MODULES if not ast.get_docstring(module.tree)]

    assert silent == [], "one sentence at the top"


def test_no_smells_in_the_text() -> None:
    wrong = [
        f"{module.shown}:{number}: {line.strip()}"
        for module in PYTHON
        if module.path != Path(__file__)
        for number, line in enumerate(module.lines, 1)
        for smell in (BANNER, TODO, STEP, HISTORY, EMOJI)
        if smell.search(line)
    ]

    assert wrong == []


def test_no_words_that_say_nothing() -> None:
    wrong = [
        module.at(number)
        for module in MODULES
        for number, line in enumerate(module.lines, 1)
        if BANNED_WORDS.search(line)
    ]

    assert wrong == []


def test_no_smells_in_the_code() -> None:
    wrong = [
        f"{module.shown}:{getattr(node, 'lineno', 0)}"
        for module in PYTHON
        for node in ast.walk(module.tree)
        if _smells(node)
    ]

    assert wrong == [], "no bare except, `global`, star import or edit of sys.path"


def _smells(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Global)
        or (isinstance(node, ast.ExceptHandler) and node.type is None)
        or (isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"insert", "append", "extend"}
            and ast.unparse(node.func.value) == "sys.path"
        )
        or (isinstance(node, ast.Assign | ast.AugAssign) and any("sys.path" in ast.unparse(one) for one in _set(node)))
    )


def _set(node: ast.Assign | ast.AugAssign) -> list[ast.expr]:
    """What an assignment changes."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]


# The outermost layer masks what breaks: raised again, a server would log its text, which may hold values of a request.
OUTERMOST = {"cli/serving/working.py", "http/requestlog.py", "http/sockets.py", "http/streaming.py"}
# A plan that breaks is given up: the operation runs anew without plans, and what broke is met again, or logged.
GIVES_UP = {"graph/compiled/executor.py"}


def test_nothing_swallows_every_exception() -> None:
    wrong = [
        module.at(node.lineno)
        for module, node in nodes()
        if str(module.path.relative_to(ROOT)) not in OUTERMOST | GIVES_UP
        and isinstance(node, ast.ExceptHandler)
        and isinstance(node.type, ast.Name)
        and node.type.id in {"Exception", "BaseException"}
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]

    assert wrong == [], "catch what you expect; the rest is a bug that must be seen"


def test_names_say_what_they_are() -> None:
    classes = [
        module.at(node.lineno)
        for module, node in nodes()
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name)
    ]
    files = [
        module.at(1)
        for module in MODULES
        if module.path.stem in VAGUE_NAMES or re.search(r"_(new|old|v\d+)$", module.path.stem)
    ]

    assert classes == []
    assert files == []


def test_core_tables_and_text_stay_in_db() -> None:
    """They pass every visibility rule, so each use elsewhere is argued, here or by `# scope: reason` on its line."""
    found = {
        (str(module.path.relative_to(ROOT)), name)
        for module in MODULES
        if module.room not in {"db", "scoring"}
        for name, line in _past_the_rules(module)
        if "# scope:" not in module.lines[line - 1]
    }

    assert found - PAST_THE_RULES.keys() == set(), "start from visible(...), or mark the line `# scope: <reason>`"
    assert PAST_THE_RULES.keys() - found == set(), "no longer there: take it out"


def _past_the_rules(module: Module) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"__table__", "exec_driver_sql"}:
            found.append((node.attr, node.lineno))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"text", "table_of"}:
            found.append((node.func.id, node.lineno))
    return found


def test_statements_marked_scoped_are_argued() -> None:
    found = {
        f"{module.path.relative_to(ROOT)}"
        for module, node in nodes()
        if (isinstance(node, ast.keyword) and node.arg == "scoped")
        or (isinstance(node, ast.Dict) and "scoped" in {getattr(key, "value", None) for key in node.keys})
    }

    assert found == PAST_THE_NET.keys()


SETTINGS = {one.name.upper(): one for one in dataclasses.fields(Settings)}


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([^`]*)` \| (.+) \|$", (PROJECT / "README.md").read_text(), re.MULTILINE)
    listed = {name: default for name, default, _ in rows}

    assert f"`{PREFIX}…`" in (PROJECT / "README.md").read_text()
    assert listed == {name: _written(one.default) for name, one in SETTINGS.items()}, "keep README's table of settings"


def _written(default: object) -> str:
    return (
        str(default).lower()
        if isinstance(default, bool)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )


def test_the_source_names_no_machine() -> None:
    """Paths of whoever wrote it do not belong into a package."""
    wrong = [
        f"{module.path.name}:{number}"
        for module in MODULES
        for number, line in enumerate(module.lines, 1)
        if re.search(r"/(home|root|Users|work)/", line)
    ]

    assert wrong == []
