"""Requests that want to exhaust the server, and what each is refused with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TYPE = "fields { type { "


@dataclass(frozen=True)
class Attack:
    """A request, and the code and message that it gets before any SQL."""

    name: str
    code: str
    message: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200

    @property
    def body(self) -> bytes:
        """The request's body."""
        return json.dumps({"query": self.query, "variables": self.variables}).encode()


def _fragment_bomb(count: int) -> str:
    fragments = [f"fragment F{one} on Query {{ ...F{one + 1} ...F{one + 1} }}" for one in range(count)]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{count} on Query {{ hello {{ helloFrom }} }}"])


def _fragment_chain(count: int) -> str:
    fragments = [f"fragment F{one} on Query {{ ...F{one + 1} }}" for one in range(count)]
    return " ".join(["{ ...F0 }", *fragments, f"fragment F{count} on Query {{ hello {{ helloFrom }} }}"])


def _nested(levels: int) -> str:
    return "{ me " + "{ clients(first: 1) { nodes { owners " * levels + "{ id }" + " } } }" * levels + " }"


def _lists(first: int) -> str:
    hops = ("clients", "episodes", "clients", "episodes", "sessions")
    paged = {"clients": f"(first: {first})", "episodes": f"(first: {first})", "sessions": f"(first: {first})"}
    inside = "id"
    for depth, hop in reversed(list(enumerate(hops))):
        is_plain = hop == "clients" and depth > 0  # the clients of an episode are a short list
        inside = f"{hop} {{ {inside} }}" if is_plain else f"{hop}{paged[hop]} {{ nodes {{ {inside} }} }}"
    return f"{{ {inside} }}"


TOO_DEEP = "An operation may be at most 20 fields deep"
TOO_MANY_TOKENS = "A document may have at most 5000 tokens"

ATTACKS = (
    Attack(
        "a page of a million",
        "BAD_USER_INPUT",
        "first must be between 0 and 5000",
        "{ clients(first: 1000000) { nodes { id } } }",
    ),
    Attack(
        "a page of a million by a variable",
        "BAD_USER_INPUT",
        "first must be between 0 and 5000",
        "query($n: Int = 1000000) { clients(first: $n) { nodes { id } } }",
    ),
    Attack(
        "five nested lists of 9,999",
        "COST_ESTIMATED_TOO_EXPENSIVE",
        "An operation may cost at most 500000, this one costs 595002",
        _lists(9_999),
    ),
    Attack(
        "300 repeats of a field",
        "MAX_REPEATS_LIMIT",
        "A field may be selected at most 20 times in one place",
        "{ " + "hello { helloFrom } " * 300 + "}",
    ),
    Attack(
        "5,000 aliases",
        "MAX_TOKENS_LIMIT",
        TOO_MANY_TOKENS,
        "{ " + " ".join(f"a{one}: __typename" for one in range(5_000)) + " }",
    ),
    Attack(
        "101 aliases",
        "MAX_ALIASES_LIMIT",
        "An operation may have at most 100 aliases",
        "{ hello { " + " ".join(f"a{one}: helloFrom" for one in range(101)) + " } }",
    ),
    Attack(
        "21 fields at the root",
        "MAX_ROOT_FIELDS_LIMIT",
        "An operation may have at most 20 root fields",
        "{ " + " ".join(f"a{one}: hello {{ helloFrom }}" for one in range(21)) + " }",
    ),
    Attack("10,000 tokens", "MAX_TOKENS_LIMIT", TOO_MANY_TOKENS, "{ hello { " + "helloFrom " * 9_994 + "} }"),
    Attack("10,000 comments", "MAX_TOKENS_LIMIT", TOO_MANY_TOKENS, "#\n" * 10_000 + "{ hello { helloFrom } }"),
    Attack(
        "a body of 10 MB",
        "PAYLOAD_TOO_LARGE",
        "The body may have 1048576 bytes",
        "{ hello { helloFrom } }" + " " * 10_000_000,
        status=413,
    ),
    Attack("1,000 levels", "MAX_DEPTH_LIMIT", TOO_DEEP, "{ a" * 1_000 + " }" * 1_000),
    Attack("21 levels", "MAX_DEPTH_LIMIT", TOO_DEEP, _nested(7)),
    Attack("1,000 levels of a list", "MAX_DEPTH_LIMIT", TOO_DEEP, "{ nodes(ids: " + "[" * 1_000 + "]" * 1_000 + ") }"),
    Attack(
        "a list of 1,001 values",
        "MAX_LIST_LIMIT",
        "A list of input values may have at most 1000 values",
        '{ nodes(ids: [ "x"' + ' "x"' * 1_000 + "]) { id } }",
    ),
    Attack(
        "a list of 1,001 values in a variable",
        "MAX_LIST_LIMIT",
        "A list of input values may have at most 1000 values",
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": ["x"] * 1_001},
    ),
    Attack(
        "10,001 values in variables",
        "MAX_VARIABLES_LIMIT",
        "The variables may have at most 10000 values",
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": [["x"] * 1_000] * 10},
    ),
    Attack(
        "101 directives",
        "MAX_DIRECTIVES_LIMIT",
        "An operation may have at most 100 directives",
        "{ hello { helloFrom " + "@include(if: true) " * 101 + "} }",
    ),
    Attack(
        "a bomb of 30 fragments",
        "MAX_REPEATS_LIMIT",
        "A field may be selected at most 20 times in one place",
        _fragment_bomb(30),
    ),
    Attack("a chain of 500 fragments", "MAX_DEPTH_LIMIT", TOO_DEEP, _fragment_chain(500)),
    Attack(
        "introspection in circles",
        "GRAPHQL_VALIDATION_FAILED",
        "Maximum introspection depth exceeded",
        "{ __schema { types { " + _TYPE * 4 + "name" + " } }" * 4 + " } } }",
    ),
    Attack(
        "introspection through arguments in circles",
        "GRAPHQL_VALIDATION_FAILED",
        "Maximum introspection depth exceeded",
        "{ __schema { types { fields { args { type { fields { args { type { fields { name } } } } } } } } } }",
    ),
)
