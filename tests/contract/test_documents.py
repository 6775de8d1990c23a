"""The operation documents as a whole: each call of the contract has one, in the agreed form, and a test that runs it."""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import FieldNode, OperationDefinitionNode, VariableDefinitionNode, parse, validate

from caregraph import schema
from caregraph.operations import Operation, contract, operations

ROOT = files("caregraph.operations")
CORE = schema.core(schema.build())
CALLS = contract()
HTTP = ROOT / "http.md"
STAYS_HTTP = (
    set(re.findall(r"\b[a-z]+\.[a-z_]+\.[a-z_]+\b", HTTP.read_text())) & CALLS.keys() if HTTP.is_file() else set()
)
TO_HAVE = sorted(CALLS.keys() - STAYS_HTTP)

each_document = pytest.mark.parametrize("document", operations(), ids=lambda one: one.id)


def variables_of(document: Operation) -> Sequence[VariableDefinitionNode]:
    return operation_of(document).variable_definitions or ()


def operation_of(document: Operation) -> OperationDefinitionNode:
    (found,) = (one for one in parse(document.text).definitions if isinstance(one, OperationDefinitionNode))
    return found


@pytest.mark.parametrize("contract_id", TO_HAVE)
def test_every_call_has_one_document(contract_id: str) -> None:
    assert [one.id for one in operations() if one.id == contract_id] == [contract_id]


def test_every_document_is_of_a_call_that_has_left_http() -> None:
    assert {one.id for one in operations()} <= set(TO_HAVE)


def test_the_contract_lists_every_call_once() -> None:
    listed = re.findall(r"\bid: ([\w.]+)", (ROOT / "contract.yaml").read_text())

    assert len(listed) == len(set(listed)) == len(CALLS)


@each_document
def test_a_document_is_valid(document: Operation) -> None:
    assert [error.message for error in validate(CORE, parse(document.text))] == []


@each_document
def test_a_document_begins_with_the_call_that_it_replaces(document: Operation) -> None:
    assert document.text.splitlines()[0] == f"# {CALLS[document.id]}"
    assert document.text.count("#") == 1


@each_document
def test_a_document_is_named_after_its_call(document: Operation) -> None:
    operation = operation_of(document)

    assert operation.name is not None
    assert operation.name.value == document.id.replace(".", "_")
    assert document.group == "/".join(document.id.split(".")[:2])


@each_document
def test_a_document_calls_its_only_root_field_result(document: Operation) -> None:
    (root,) = operation_of(document).selection_set.selections

    assert isinstance(root, FieldNode)
    assert root.alias is not None
    assert root.alias.value == "result"


@each_document
def test_a_document_names_variables_in_camel_case(document: Operation) -> None:
    for variable in variables_of(document):
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]*|[0-9])*", variable.variable.name.value)


@each_document
def test_a_documents_variables_have_defaults_only_for_paging_includes_and_force(document: Operation) -> None:
    with_default = {one.variable.name.value for one in variables_of(document) if one.default_value is not None}

    assert {name for name in with_default if not name.startswith("include")} <= {"first", "force"}


def test_every_document_is_run_by_a_test() -> None:
    here = Path(__file__)
    sources = [path.read_text() for path in here.parent.parent.rglob("test_*.py") if path != here]

    assert [one for one in TO_HAVE if not any(_names(source, one) for source in sources)] == []


def _names(source: str, contract_id: str) -> bool:
    """Whether a test module names an id as a whole, or puts ids together and names both of its parts."""
    system, resource, verb = contract_id.split(".")
    puts_together = f'f"{system}.{{' in source and f'"{resource}"' in source
    return f'"{contract_id}"' in source or (puts_together and re.search(rf"[\".]{verb}\"", source) is not None)
