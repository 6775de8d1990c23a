"""The world of the tests: two organizations, their people, and how these speak to the real application."""

import dataclasses
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from caregraph.app import create_app
from caregraph.auth.secrets import new_token, token_hash
from caregraph.auth.viewer import Viewer
from caregraph.db.base import Base
from caregraph.db.session import Database, Tx
from caregraph.graph.node import global_id
from caregraph.operations import operations
from caregraph.organizations import models as organizations
from caregraph.organizations.founding import new_tenant
from caregraph.settings import Settings
from caregraph.treatment.models import CalculatorPlan
from remembering import share_statements

ASIDE = {"opens_transaction", "signs_in", "audits"}
PASSWORD = "correct horse battery"
PEOPLE = ("superuser", "user", "colleague", "other_superuser", "other_user", "calculator")


def settings_for(url: str, **overrides: Any) -> Settings:
    """Settings of the tests: passwords hashed as cheaply as Argon2 allows, as many operations as they like."""
    return Settings(
        database_url=url,
        **{
            "password_memory": 8,
            "password_passes": 1,
            "files_url": "memory:///",
            "rate_limit": 0,
            "rate_limit_cost": 0,
            **overrides,
        },
    )


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def result(self) -> Any:
        """The field that operation documents call `result`."""
        return self.data["result"]

    @property
    def error(self) -> tuple[str, str]:
        """Code and message of the only top-level error."""
        (error,) = self.body["errors"]
        return error["extensions"]["code"], error["message"]


@dataclass(frozen=True)
class Principal:
    """Someone who sends requests."""

    world: "World"
    name: str
    headers: dict[str, str] = field(default_factory=dict)
    organization_id: int = 0
    row_id: int = 0

    @property
    def id(self) -> str:
        """Global id of a user."""
        return global_id("User", self.row_id)

    @property
    def viewer(self) -> Viewer:
        """As the database layer sees a superuser of the same organization: for factories."""
        return Viewer.system(self.organization_id)

    async def ask(self, query: str, **variables: Any) -> Answer:
        """Send a query or a mutation."""
        response = await self.world.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=self.headers
        )
        return Answer(response.status_code, response.json())

    async def run(self, contract_id: str, **variables: Any) -> Answer:
        """Send the operation document of a contract id."""
        return await self.ask(DOCUMENTS[contract_id], **variables)


_COUNTS = text(
    "SELECT "
    + ", ".join(f"(SELECT count(*) FROM {table.name}) AS {table.name}" for table in Base.metadata.sorted_tables)
)
DOCUMENTS = {one.id: one.text for one in operations()}


class World:
    """Northfield with Ada (superuser), Ben and Cleo; Harbor with Olga (superuser) and Otto; and nobody."""

    superuser: Principal
    user: Principal
    colleague: Principal
    other_superuser: Principal
    other_user: Principal
    calculator: Principal

    def __init__(self, url: str, admin: str | AsyncEngine, **settings: Any) -> None:
        """`admin` is who looks past every rule, or where they connect to do so."""
        self._open(settings_for(url, **settings))
        self.nobody = Principal(self, "nobody")
        self._has_own_admin = isinstance(admin, str)
        self._admin = create_async_engine(admin) if isinstance(admin, str) else admin

    def _open(self, settings: Settings, **options: Any) -> None:
        self.settings = settings
        self.app = create_app(settings, **options)
        self.database: Database = self.app.state.database
        share_statements(self.database)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://caregraph.test")

    async def restart(self, *, options: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """The same people and data behind an application with other settings."""
        await self._close_app()
        self._open(dataclasses.replace(self.settings, **settings), **(options or {}))

    @property
    def principals(self) -> list[Principal]:
        """Everyone who can sign in."""
        return list(self.people.values())

    @property
    def people(self) -> dict[str, Principal]:
        """The same by what they are."""
        return {name: getattr(self, name) for name in PEOPLE}

    async def populate(self) -> None:
        """Two organizations with the same ids on both databases."""
        northfield = await self.organization("Northfield")
        harbor = await self.organization("Harbor")
        self.superuser = await self.member(northfield, "ada@northfield.example", "Ada Admin", is_superuser=True)
        self.user = await self.member(northfield, "ben@northfield.example", "Ben Borg")
        self.colleague = await self.member(northfield, "cleo@northfield.example", "Cleo Cruz")
        self.other_superuser = await self.member(harbor, "olga@harbor.example", "Olga Olsen", is_superuser=True)
        self.other_user = await self.member(harbor, "otto@harbor.example", "Otto Orr")
        self.calculator = await self._calculator(northfield)

    def settle(self, people: Mapping[str, Principal]) -> None:
        """Take over the people of a world that was populated before, whose rows are in this one's database."""
        for name, principal in people.items():
            setattr(self, name, dataclasses.replace(principal, world=self, headers=dict(principal.headers)))

    async def close(self) -> None:
        """Let every connection go."""
        await self._close_app()
        if self._has_own_admin:
            await self._admin.dispose()

    async def _close_app(self) -> None:
        await self.http.aclose()
        await self.app.state.counters.close()
        await self.database.close()

    async def organization(self, name: str) -> int:
        """A tenant of its own, without a headquarters."""
        async with new_tenant(self.database) as (tx, organization_id):
            tx.add(organizations.Organization(id=organization_id, name=name))
        return organization_id

    async def member(self, organization_id: int, email: str, full_name: str, **membership: bool) -> Principal:
        """A user who may use the API and has a token."""
        token = new_token()
        async with self.database.writing(Viewer.system(organization_id)) as tx:
            user = organizations.User(email=email, full_name=full_name, password_hash="!", api_enabled=True)
            tx.add(user)
            await tx.flush()
            tx.add(organizations.Membership(user_id=user.id, organization_id=organization_id, **membership))
            await tx.flush()
            tx.add(organizations.ApiToken(user_id=user.id, token_hash=token_hash(token)))
        headers = {"X-Api-Email": email, "X-Api-Token": token}
        return Principal(self, full_name, headers, organization_id, user.id)

    async def _calculator(self, organization_id: int) -> Principal:
        token = new_token()
        async with self.database.writing(Viewer.system(organization_id)) as tx:
            plan = CalculatorPlan(email="calc@northfield.example", token_hash=token_hash(token), remaining_requests=3)
            tx.add(plan)
        headers = {"X-Calculator-Email": "calc@northfield.example", "X-Calculator-Token": token}
        return Principal(self, "calculator", headers, organization_id, plan.id)

    @asynccontextmanager
    async def writing(self, principal: Principal) -> AsyncIterator[Tx]:
        """A transaction in the principal's organization, for factories."""
        async with self.database.writing(principal.viewer) as tx:
            yield tx

    async def counts(self, *, audit: bool = False) -> dict[str, int]:
        """Rows of every table in all organizations together, past every rule; sign-in attempts left out.

        Every request adds to the audit, so it is counted on demand only.
        """
        left_out = {"sign_in_attempts"} if audit else {"sign_in_attempts", "audit_events"}
        async with self._admin.connect() as connection:
            counts = (await connection.execute(_COUNTS)).one()._asdict()
        return {name: count for name, count in counts.items() if name not in left_out}

    async def row(self, statement: Any) -> Any:
        """The only row of a Core statement past every rule."""
        async with AsyncSession(self._admin) as session:
            return (await session.execute(statement)).one()

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL that the block sends, without signing in, opening transactions and the audit."""
        found: list[str] = []

        def remember(_c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _many: bool) -> None:
            options = context.execution_options if context else {}
            if not (ASIDE & options.keys() or statement.startswith("BEGIN")):
                found.append(statement)

        engines = [engine.sync_engine for engine in self.database.engines]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", remember)
        try:
            yield found
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", remember)
