"""Imports point one way; a message says which way to go instead."""

from architecture.source import MODULES, Module

SLICES = ("organizations", "people", "assessments", "treatment")
GROUND = {"auth", "db", "graph", "mail", "scoring", "refs", "settings"}
SLICE_FILES = {"models", "policy", "types", "inputs", "service", "schema", "loaders", "enums"}

# Which rooms a room may import besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "scoring": set(),
    "settings": set(),
    "logs": set(),
    "auth": set(),
    "operations": set(),
    "mail": {"settings"},
    "db": {"auth", "mail", "settings"},
    "graph": {"auth", "db", "logs", "settings"},
    "http": {"auth", "db", "graph", "logs", "settings"},
    "organizations": GROUND,
    "people": GROUND | {"organizations"},
    "assessments": GROUND | {"organizations", "people"},
    "treatment": GROUND | {"organizations", "people", "assessments"},
    "refs": set(SLICES),
    "schema": {"graph", *SLICES},
    "app": {"auth", "db", "graph", "http", "mail", "operations", "schema", "settings", *SLICES},
    "cli": {"app", "auth", "db", "graph", "logs", "operations", "schema", "scoring", "settings", "http", *SLICES},
    "__main__": {"cli"},
}
TESTS = {"kit", "conftest", "factories", "browser", "contract", "architecture", "issuer", "pytest", "hypothesis"}


def _rooms(module: Module) -> list[tuple[str, int]]:
    """The rooms that a module imports; `from caregraph import schema` is the room `schema`."""
    found = [(one.module.split(".")[0], one.line) for one in module.ours()]
    return [(room, line) for room, line in found if room not in {"", module.room}]


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {module.room for module in MODULES}

    assert rooms - MAY_IMPORT.keys() == set(), "say in MAY_IMPORT what the new room may import"
    assert MAY_IMPORT.keys() - rooms == set(), "this room is gone: take it out of MAY_IMPORT"


def test_imports_point_one_way() -> None:
    wrong = [
        f"{module.at(line)} imports {room}: {module.room or 'the package'} may import "
        f"{', '.join(sorted(MAY_IMPORT[module.room])) or 'nothing of ours'}. Move what both need into an earlier room, "
        "or let the later one pass it in."
        for module in MODULES
        for room, line in _rooms(module)
        if room not in MAY_IMPORT[module.room]
    ]

    assert wrong == []


def test_a_module_imports_no_module_that_imports_it() -> None:
    names = {one.name for one in MODULES if one.name}
    graph = {one.name: _modules(one, names) for one in MODULES}

    circular = [name for name in graph if name in _reached(graph, name)]

    assert circular == [], "they import themselves by way of others: take out what both need"


def _reached(graph: dict[str, set[str]], name: str) -> set[str]:
    """What a module imports, itself or by way of others."""
    reached, queue = set[str](), list(graph[name])
    while queue:
        here = queue.pop()
        if here not in reached:
            reached.add(here)
            queue += graph[here]
    return reached


def _modules(module: Module, names: set[str]) -> set[str]:
    found = set()
    for one in module.ours():
        if not one.for_types_only:
            found.add(one.module if one.module in names else one.module.rpartition(".")[0])
    return {name for name in found if name in names and name != module.name}


def test_nothing_of_the_tests_is_imported() -> None:
    wrong = [module.at(one.line) for module in MODULES for one in module.imports if one.module.split(".")[0] in TESTS]

    assert wrong == [], "the product stands without its tests"


def test_refs_imports_slices_for_type_checkers_only() -> None:
    (refs,) = (module for module in MODULES if module.name == "refs")

    wrong = [refs.at(one.line) for one in refs.ours() if not one.for_types_only]

    assert wrong == [], "put it under `if TYPE_CHECKING`: refs names types by text, or every slice imports every other"


def test_a_type_of_a_later_slice_is_named_by_refs() -> None:
    wrong = [
        f"{module.at(number)}: take the type from refs"
        for module in MODULES
        if module.room in SLICES
        for number, line in enumerate(module.lines, 1)
        if "strawberry.lazy(" in line or any(f"from caregraph.{room}" in line for room in _later(module.room))
    ]

    assert wrong == []


def _later(room: str) -> tuple[str, ...]:
    """The slices that stand on a slice."""
    return SLICES[SLICES.index(room) + 1 :]


TABLES = [one for one in MODULES if one.path.name == "models.py" or "__tablename__" in one.path.read_text()]


def test_tables_name_each_other_by_text() -> None:
    """Models stand on `db/` and on enums."""
    wrong = [
        f'{module.at(one.line)} imports {one.module}: write the foreign key as text, "clients.id"'
        for module in TABLES
        for one in module.ours()
        if one.module.split(".")[0] not in ({"db", "auth", "mail"} if module.room == "db" else {"db"})
        and one.module.split(".")[1:2] != ["enums"]
    ]

    assert wrong == []


def test_a_service_or_policy_imports_the_models_of_earlier_slices_only_by_name() -> None:
    """`from caregraph.people.models import Client`, never the module: the slice's own is called `models`."""
    wrong = [
        module.at(one.line)
        for module in MODULES
        if module.room in SLICES
        for one in module.ours()
        if one.module.endswith(".models") and one.module.split(".")[0] != module.room
    ]

    assert wrong == []
