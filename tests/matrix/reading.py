"""Every way to read, for everybody: root fields, ids, pages, counts and edges, made from the schema.

Each check returns what differs from `declared.py`, one line a difference; nothing is a pass.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_interface_type,
    is_list_type,
    is_object_type,
    is_required_argument,
)

from caregraph import schema
from caregraph.app import built_schema
from caregraph.organizations import policy
from kit import Principal
from matrix.cast import Cast
from matrix.declared import GROWING, SEEN, reads_at_work, reads_private, refusal, refused_at, sees, town_of

CORE = schema.core(built_schema())
QUERY = CORE.query_type.fields
NODE = CORE.type_map["Node"]
_MOST_NODES = 100
_ACROSS = {"locations", "organization"}
"""Edges that a person follows in all their organizations."""


def needs(field: GraphQLField) -> str | None:
    """The name of the permission that a field asks for."""
    asked = getattr(field.extensions.get("strawberry-definition"), "needs", None)
    return asked and str(asked.name)


def is_node(kind: Any) -> bool:
    """Whether a type is that of rows."""
    return is_object_type(kind) and CORE.is_sub_type(NODE, kind)


def _takes(field: GraphQLField) -> set[str]:
    """Arguments without which a field cannot be asked."""
    return {name for name, one in field.args.items() if is_required_argument(one)}


def gets() -> dict[str, str]:
    """Root fields that find one row by its id, and its type."""
    found = {name: get_named_type(field.type) for name, field in QUERY.items() if {*field.args} == {"id"}}
    return {name: kind.name for name, kind in found.items() if is_node(kind)}


def pages() -> dict[str, str]:
    """Root fields that list rows, and their type."""
    found = {name: page_of(field) for name, field in QUERY.items() if not _takes(field)}
    return {name: kind.name for name, kind in found.items() if kind is not None}


def page_of(field: GraphQLField) -> Any:
    """The type of the rows of a connection; null for any other field."""
    kind = get_named_type(field.type)
    if not kind.name.endswith("Connection"):
        return None
    return get_named_type(kind.fields["nodes"].type)


def edges(kind: GraphQLObjectType) -> Iterator[tuple[str, GraphQLField]]:
    """The fields of a type that lead to rows and can be asked without arguments."""
    for name, field in kind.fields.items():
        target = page_of(field) or get_named_type(field.type)
        if not _takes(field) and (is_node(target) or is_interface_type(target)):
            yield name, field


async def wrong_gets(cast: Cast, who: str) -> list[str]:
    """Each row of both towns by each root field of its type, by `node`, and as one of `nodes`."""
    asked: dict[str, tuple[str, str, str]] = {}
    for kind, rows in SEEN.items():
        for row in rows:
            fields = [name for name, found in gets().items() if found == kind]
            for name in (*fields, "node"):
                text = f'{name}(id: "{cast.ids[row]}") {{ id }}'
                asked[f"{name}_{row}"] = text, row, name
    answered, errors = await _ask(cast.people[who], {alias: text for alias, (text, *_) in asked.items()})
    wrong = []
    for alias, (_, row, name) in asked.items():
        refused = refused_at(who, name)
        expected: Any = {"id": cast.ids[row]} if refused is None and sees(who, row) else None
        wrong += _differences(who, alias, (answered.get(alias), errors.get(alias)), (expected, refused))
    return wrong


async def wrong_pages(cast: Cast, who: str) -> list[str]:
    """All rows of each root list, and how many they are said to be."""
    wrong = []
    texts = {name: f"{name}(first: {_MOST_NODES}) {{ totalCount nodes {{ id }} }}" for name in pages()}
    answered, errors = await _ask(cast.people[who], texts)
    for name, kind in pages().items():
        refused = refused_at(who, name)
        seen = sorted(cast.ids[row] for row in SEEN[kind] if sees(who, row))
        if kind in GROWING and refused is None:
            wrong += _unseen(cast, who, name, answered[name]["nodes"])
            continue
        found = answered.get(name) and (
            answered[name]["totalCount"],
            sorted(one["id"] for one in answered[name]["nodes"]),
        )
        expected = None if refused else (len(seen), seen)
        wrong += _differences(who, name, (found, errors.get(name)), (expected, refused))
    return wrong


def _unseen(cast: Cast, who: str, name: str, nodes: list[Any]) -> list[str]:
    found = {cast.names[one["id"]] for one in nodes if one["id"] in cast.names}
    return [f"{who}: {name} has {row}" for row in sorted(found) if not sees(who, row)]


async def wrong_private_fields(cast: Cast, who: str) -> list[str]:
    """Fields that are not for everyone who sees the row."""
    if refused_at(who, "nodes") is not None:
        return []
    wrong = []
    for kind, rows in SEEN.items():
        seen = [row for row in rows if sees(who, row)]
        for may_read, rule in READERS.items():
            names = [name for (owner, name), shown_to in SENSITIVE.items() if owner == kind and shown_to is rule]
            if not names or not seen:
                continue
            query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {' '.join(names)} }} }} }}"
            answer = await cast.people[who].ask(query, ids=[cast.ids[row] for row in seen])
            for row, node in zip(seen, answer.data["nodes"], strict=True):
                shown = sorted(name for name, value in node.items() if value is not None)
                if bool(shown) != may_read(who, row):
                    wrong.append(f"{who}: of {row} is shown {shown}")
    return wrong


READERS = {reads_private: policy.is_self_or_superuser, reads_at_work: policy.works_with}
"""Who is to read sensitive fields, by the rules that say so."""


SENSITIVE = {
    (kind.name, name): shown_to
    for kind in CORE.type_map.values()
    if is_node(kind)
    for name, field in kind.fields.items()
    if (shown_to := getattr(field.extensions.get("strawberry-definition"), "visible_to", None)) is not None
}
"""Fields that not everybody who sees the row is to read, with their rules as they were made."""


def unread_rules() -> set[Any]:
    """Rules of sensitive fields that `READERS` does not name."""
    return {*SENSITIVE.values()} - {*READERS.values()}


async def wrong_edges(cast: Cast, who: str) -> list[str]:
    """From each row that `who` sees, each edge: what the superuser of the same town finds, as far as `who` sees it."""
    wrong = []
    oracle = town_of(who)
    whole = await _whole(cast, oracle)
    for other in {"ada", "olga"} - {oracle}:
        beyond = await _whole(cast, other)
        whole = {key: found for key, found in beyond.items() if key[1] in _ACROSS} | whole
    for (row, edge), found in (await _walk(cast, who)).items():
        expected = [one for one in whole.get((row, edge), ()) if one in cast.names and sees(who, cast.names[one])]
        if found != expected:
            shown = [cast.names.get(one, one) for one in found]
            wrong.append(f"{who}: {row}.{edge} is {shown}, not {[cast.names[one] for one in expected]}")
    return wrong


async def _whole(cast: Cast, superuser: str) -> dict[tuple[str, str], list[str]]:
    """What the superuser of a town finds: asked once for all who are compared with it."""
    if superuser not in cast.found:
        cast.found[superuser] = await _walk(cast, superuser)
    return cast.found[superuser]


async def _walk(cast: Cast, who: str) -> dict[tuple[str, str], list[str]]:
    """Ids behind each edge of each row that `who` sees, by the names of both."""
    rows = [row for rows in SEEN.values() for row in rows if sees(who, row)]
    if refused_at(who, "nodes") is not None:
        return {}
    found: dict[tuple[str, str], list[str]] = {}
    for start in range(0, len(rows), _MOST_NODES):
        ids = [cast.ids[row] for row in rows[start : start + _MOST_NODES]]
        query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id {_fragments(who)} }} }}"
        answer = await cast.people[who].ask(query, ids=ids)
        for node in answer.body["data"]["nodes"]:
            for alias, value in node.items():
                if alias != "id":
                    found[cast.names[node["id"]], alias.partition("_")[2]] = sorted(_ids(value))
    return found


def _fragments(who: str) -> str:
    return " ".join(
        f"... on {kind} {{ {' '.join(_selected(kind, name, field) for name, field in fields)} }}"
        for kind in SEEN
        if (fields := [one for one in edges(CORE.type_map[kind]) if refusal(who, needs(one[1])) is None])
    )


def _selected(kind: str, name: str, field: GraphQLField) -> str:
    if page_of(field) is None:
        return f"{kind}_{name}: {name} {{ id }}"
    return f"{kind}_{name}: {name}(first: {_MOST_NODES}) {{ totalCount nodes {{ id }} edges {{ node {{ id }} }} }}"


def _ids(value: Any) -> list[str]:
    """The ids of an edge; of a page only if its parts agree."""
    if value is None:
        return []
    if isinstance(value, list):
        return [one["id"] for one in value]
    if "nodes" not in value:
        return [value["id"]]
    ids = [one["id"] for one in value["nodes"]]
    agree = ids == [one["node"]["id"] for one in value["edges"]] and len(ids) == value["totalCount"]
    return ids if agree else [f"a page of {value['totalCount']} that disagrees with itself"]


async def _ask(principal: Principal, texts: dict[str, str]) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """Answers and refusals by alias; a request that is refused as a whole refuses each."""
    answer = await principal.ask("{ " + " ".join(f"{alias}: {text}" for alias, text in texts.items()) + " }")
    refused = {}
    for error in answer.body.get("errors", ()):
        told = error["extensions"]["code"], error["message"]
        refused.update({error["path"][0]: told} if "path" in error else dict.fromkeys(texts, told))
    return answer.body.get("data") or {}, refused


def _differences(who: str, what: str, found: tuple[Any, Any], expected: tuple[Any, Any]) -> list[str]:
    return [] if found == expected else [f"{who}: {what} is {found}, not {expected}"]


def unnamed_types() -> set[str]:
    """Types of rows that `declared.py` says nothing of."""
    return {name for name, kind in CORE.type_map.items() if is_node(kind)} - SEEN.keys()


def lists_without_page() -> set[str]:
    """Root fields that give several rows otherwise than by a page."""
    return {
        name
        for name, field in QUERY.items()
        if is_list_type(getattr(field.type, "of_type", field.type)) and is_node(get_named_type(field.type))
    }
