"""Compiled execution and execution field by field give the same bytes, errors and rows read included.

Each operation also leaves the same entries in the audit on both ways.

Queries are generated from the schema by a seed. `CAREGRAPH_DIFFERENTIAL` says how many for each database and run;
more than a few hundred are for a night.
"""

import base64
import dataclasses
import itertools
import os
import random
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from graphql import OperationDefinitionNode, OperationType, parse, type_from_ast
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from caregraph import schema
from caregraph.app import create_app
from caregraph.db.audit import AuditEvent
from caregraph.db.base import table_of
from caregraph.db.scope import RULES
from caregraph.graph.compiled import below
from caregraph.graph.context import Context
from caregraph.operations import operations
from caregraph.organizations.models import Application
from caregraph.people.models import Client
from caregraph.treatment.models import Episode, Rater, Session
from factories.people import make_client
from graph.generated_queries import Asked, Generator
from kit import Principal, World
from matrix.cast import make_cast
from tenancy.two_towns import make_harbor, make_northfield

TABLE = table_of(AuditEvent)
COUNT = int(os.environ.get("CAREGRAPH_DIFFERENTIAL", "160"))
SEED = int(os.environ.get("CAREGRAPH_DIFFERENTIAL_SEED", "1"))
CORE = schema.core(schema.build())
REFERENCE = re.compile(rb'"reference":"[0-9a-f]{32}"')
ROWS = re.compile(rb'"rows":\d+')
TRIES = 5
CURSOR = re.compile(r'"(WyJ[\w=-]{20,})"')
TOLD = ("organization_id", "actor", "user_id", "operation", "kind", "fields", "changes", "client_ids")
KEYS = "first:" + base64.b64encode(b"k" * 32).decode()
CHILDREN = itertools.cycle([(below._SEVERAL, below._FEW_EACH), (1, 24), (1, 1)])
"""From how many parents on all children are read at once, and how many of each."""
LIMITED = ("ben", "program", "limited", "wanderer", "undecided", "manager", "auditor")
GARBAGE = ["nonsense", "", "Q2xpZW50OjE", "Q2xpZW50Ojk5OTk5"]


@dataclasses.dataclass(frozen=True)
class Answered:
    """What an operation was answered, and what the audit was told of it."""

    body: bytes
    entries: list[dict[str, Any]]


class Both:
    """The same world behind both ways of executing."""

    def __init__(self, world: World, **settings: Any) -> None:
        self.world = world
        changed = dataclasses.replace(world.settings, secret_key="0" * 64, **settings)
        self._last_entry = 0
        self.entries: list[dict[str, Any]] = []
        """All that both have left."""
        self.apps = {way: create_app(dataclasses.replace(changed, execution=way)) for way in ("loaders", "compiled")}
        self.http = {
            way: httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://caregraph.test")
            for way, app in self.apps.items()
        }

    async def close(self) -> None:
        for http in self.http.values():
            await http.aclose()
        for app in self.apps.values():
            await app.state.database.close()

    async def answer(self, way: str, who: Principal, asked: Asked) -> Answered:
        body = {"query": asked.text, "variables": asked.variables, "extensions": {"cost": True}}
        response = await self.http[way].post("/graphql", json=body, headers=who.headers)
        content = REFERENCE.sub(b'"reference":""', response.content)
        # After an error, how much its siblings still read before they are cancelled is a matter of time.
        body = ROWS.sub(b'"rows":0', content) if b'"errors"' in content else content
        return Answered(body, await self._left())

    async def _left(self) -> list[dict[str, Any]]:
        """The entries since the last time, without their ids and times."""
        wanted = select(TABLE).where(TABLE.c.id > self._last_entry).order_by(TABLE.c.id)
        async with AsyncSession(self.world._admin) as session:
            rows = [dict(one) for one in (await session.execute(wanted)).mappings()]
        self._last_entry = max([self._last_entry, *(one["id"] for one in rows)])
        return [{name: one[name] for name in TOLD} for one in rows]

    async def agree(self, who: Principal, asked: Asked) -> bytes:
        """The answer that both give, with the same entries. Which of several errors in one place is told may change from run to run."""
        await self._left()
        below._SEVERAL, below._FEW_EACH = next(CHILDREN)
        compiled = await self.answer("compiled", who, asked)
        self.entries += compiled.entries
        for _ in range(TRIES if b'"errors"' in compiled.body else 1):
            loaders = await self.answer("loaders", who, asked)
            if compiled == loaders:
                return compiled.body
        raise AssertionError(f"{who.name}\n{asked.text}\n{asked.variables}\n{compiled!r}\n{loaders!r}")


@pytest.fixture
def fallbacks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled with the operations that plans left to graphql-core after all."""
    found: list[str] = []
    anew = Context.anew

    def counted(self: Context) -> Any:
        found.append("again")
        return anew(self)

    monkeypatch.setattr(Context, "anew", counted)
    return found


@pytest.fixture(autouse=True)
def _children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back what is changed from query to query."""
    for name in ("_SEVERAL", "_FEW_EACH"):
        monkeypatch.setattr(below, name, getattr(below, name))


@pytest.fixture(autouse=True)
def _planned(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What has no plan is known before, and nothing that the planner trips over."""
    yield
    assert [one.getMessage() for one in caplog.get_records("call") if one.name == "caregraph.compiled"] == []


@pytest.fixture
async def both(world: World) -> AsyncIterator[Both]:
    made = Both(world)
    yield made
    await made.close()


async def _ids(world: World) -> list[str]:
    northfield, harbor = await make_northfield(world), await make_harbor(world)
    users = [one.id for one in (world.user, world.colleague, world.superuser, world.other_user)]
    own = list(northfield.ids.values())
    return [*own, *own, *users, *harbor.ids.values(), *GARBAGE]


def _everybody(world: World) -> list[Principal]:
    return [*[world.superuser, world.user, world.other_superuser] * 3, *world.principals, world.nobody]


async def test_generated_queries_have_the_same_answers(both: Both, fallbacks: list[str]) -> None:
    generator = Generator(CORE, random.Random(SEED), await _ids(both.world))
    answered = rows = 0

    for number in range(COUNT):
        who = _everybody(both.world)[number % len(_everybody(both.world))]
        del fallbacks[:]
        body = await both.agree(who, generator.query())
        generator.cursors += CURSOR.findall(body.decode())
        if b'"errors"' not in body:
            answered += 1
            rows += int(re.search(rb'"rows":(\d+)', body).group(1))  # type: ignore[union-attr]
            assert not fallbacks, "a plan gave up where nothing was wrong"

    assert answered > COUNT / 3
    assert rows > COUNT / 4
    kinds = {
        one["kind"]: len(one["client_ids"]) for one in sorted(both.entries, key=lambda one: len(one["client_ids"]))
    }
    assert kinds["READ"] > 1
    assert {"AGGREGATE", "REFUSED"} < kinds.keys()


async def test_limited_credentials_have_the_same_answers(world: World) -> None:
    """Of few scopes, of one group, of several organizations; and what is encrypted is read alike."""
    await world.restart(encryption_keys=KEYS)
    cast = await make_cast(world)
    await make_client(world.user, full_name="Sealed", ssn="010190-1234", phone="+45 12 34 56 78")
    async with world.writing(world.superuser) as tx:
        await tx.execute(update(Application).values(scopes="clients.read episodes.read users.read"))
    generator = Generator(CORE, random.Random(SEED + 2), list(cast.ids.values()))
    both = Both(world)
    asked = [
        Asked(
            "{ clients { totalCount nodes { fullName ssn phone owners { id fullName email } files { nodes { id } } } } }",
            {},
        ),
        Asked("{ users { nodes { email phone } } me { id } sessions { nodes { id } } }", {}),
        Asked("{ organizations { nodes { name locations { name } users { totalCount } } } }", {}),
        *(generator.query() for _ in range(COUNT // 8)),
    ]

    bodies = [await both.agree(cast.people[name], one) for name in LIMITED for one in asked]

    await both.close()
    assert any(b'"requiredScope"' in one for one in bodies)
    assert any(b'"ssn":"010190-1234","phone":"+45 12 34 56 78"' in one for one in bodies)
    assert not any(b"GRAPHQL_VALIDATION_FAILED" in one for one in bodies[:3])


async def test_the_audit_has_the_same_answers(both: Both) -> None:
    """What is asked of it here does not change while it is asked."""
    made = await _ids(both.world)
    text = """query($client: ID) { auditEvents(kind: CREATE, client: $client, first: 30) {
        totalCount edges { cursor node { id kind fields clientIds userId user { id fullName } changes { typeName rows } occurredAt } }
    } }"""

    found = {}
    for who in both.world.principals:
        found[who.name] = await both.agree(who, Asked(text, {}))
        for client in made[:3]:
            await both.agree(who, Asked(text, {"client": client}))

    readers = {name for name, body in found.items() if b'"CREATE"' in body}
    assert readers == {both.world.superuser.name, both.world.other_superuser.name}
    assert {one["kind"] for one in both.entries} == {"READ", "REFUSED"}


async def test_operation_documents_have_the_same_answers(both: Both) -> None:
    ids = await _ids(both.world)
    chance = random.Random(SEED)
    generator = Generator(CORE, chance, ids)

    for document in operations():
        (operation,) = (one for one in parse(document.text).definitions if isinstance(one, OperationDefinitionNode))
        if operation.operation is not OperationType.QUERY:
            continue
        for who in (both.world.superuser, both.world.user, both.world.other_user, both.world.nobody):
            has_includes = any(
                one.variable.name.value.startswith("include") for one in operation.variable_definitions or ()
            )
            for includes in (True, False, None) if has_includes else (None,):
                variables = {}
                for one in operation.variable_definitions or ():
                    name, kind = one.variable.name.value, type_from_ast(CORE, one.type)
                    if name.startswith("include"):
                        variables |= {} if includes is None else {name: includes}
                    elif str(kind).endswith("!") or chance.random() < 0.3:
                        variables[name] = generator._value(name, kind)
                await both.agree(who, Asked(document.text, variables))


async def test_ids_of_every_type_lead_to_the_same(both: Both) -> None:
    nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Client { fullName } } }"
    node = "query($id: ID!) { node(id: $id) { __typename id ... on Client { fullName } } }"
    ids = await _ids(both.world)

    for who in (both.world.superuser, both.world.user):
        for start in range(0, len(ids), 50):
            await both.agree(who, Asked(nodes, {"ids": ids[start : start + 50]}))
        for one in ids:
            await both.agree(who, Asked(node, {"id": one}))


@pytest.mark.parametrize("hidden", [Client, Episode, Session, Rater])
async def test_rows_hidden_behind_fields_that_must_not_be_null(
    world: World, hidden: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the rows of one type are out of sight, whatever hangs on them is not."""
    rule = RULES[hidden]
    monkeypatch.setitem(RULES, hidden, lambda viewer: rule(viewer) & (hidden.id % 2 == 0))
    generator = Generator(CORE, random.Random(f"{SEED} {hidden}"), await _ids(world))
    both = Both(world)

    for _ in range(COUNT // 8):
        await both.agree(world.superuser, generator.query())
    deep = "{ sessions { nodes { id scores { client { id } episode { id } rater { id client { id } } } } } }"
    raters = "{ clients { nodes { episodes { nodes { raters { client { id } episode { id } scores { nodes { session { id } } } } } } } } }"
    scores = "{ orsScores { nodes { session { id } client { id } } } }"
    bodies = [await both.agree(world.superuser, Asked(text, {})) for text in (deep, raters, scores)]

    await both.close()
    assert hidden is Rater or any(b"INTERNAL_SERVER_ERROR" in one for one in bodies)


async def test_an_operation_that_reads_too_much_is_stopped_alike(world: World) -> None:
    generator = Generator(CORE, random.Random(SEED + 1), await _ids(world))
    both = Both(world, maximum_rows=12)

    deep = "{ clients { nodes { episodes { nodes { sessions { nodes { scores { id } } } } } } } me { email } }"
    asked = [Asked(deep, {}), *(generator.query() for _ in range(COUNT // 4))]
    bodies = [await both.agree(world.superuser, one) for one in asked]

    await both.close()
    assert any(b"An operation may read at most 12 rows" in one for one in bodies)
