"""Applications, and how they sign in over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from caregraph.auth.sealing import Seal
from caregraph.auth.secrets import new_token, token_hash
from caregraph.db.base import now
from caregraph.graph.node import global_id
from caregraph.organizations import models
from caregraph.people.models import Client, ClientGroup, Group
from caregraph.treatment.models import CalculatorPlan
from kit import Principal, World

TOKEN = "/oauth/token"


@dataclass(frozen=True)
class Program:
    """An application with its secret."""

    world: World
    row: models.Application
    secret: str

    @property
    def id(self) -> str:
        return global_id("Application", self.row.id)

    @property
    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.row.key, self.secret)

    async def asks(self, **parameters: Any) -> httpx.Response:
        """Its request to the token endpoint, by form and HTTP Basic."""
        asked = {"grant_type": "client_credentials", **parameters}
        return await self.world.http.post(TOKEN, data=asked, auth=self.basic)

    async def gets(self, **parameters: Any) -> dict[str, Any]:
        """What the token endpoint gives."""
        response = await self.asks(**parameters)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def signed_in(self, **parameters: Any) -> Principal:
        """With a fresh access token."""
        return self.with_token((await self.gets(**parameters))["access_token"])

    def with_token(self, token: str, **headers: str) -> Principal:
        """With a token of its own."""
        sent = {"Authorization": f"Bearer {token}", **headers}
        return Principal(self.world, self.row.name, sent, self.row.organization_id)

    @property
    def with_secret(self) -> Principal:
        """With key and secret."""
        sent = {"Authorization": self.basic._auth_header}
        return Principal(self.world, self.row.name, sent, self.row.organization_id)


async def make_application(principal: Principal, *groups: Group, scopes: str = "all", **overrides: Any) -> Program:
    """An application of the principal's organization, limited to `groups` if there are any."""
    secret = "cgs_" + new_token()
    values = {"name": "Nightly sync", "key": new_token(), "is_limited_to_groups": bool(groups), **overrides}
    seal = Seal(principal.world.settings.secret_key)
    async with principal.world.writing(principal) as tx:
        row = models.Application(**values, scopes=scopes)
        tx.add(row)
        await tx.flush()
        sealed = seal.sealed(secret, belongs_to=row.key)
        tx.add(models.ApplicationSecret(application_id=row.id, secret_hash=token_hash(secret), sealed=sealed))
        tx.add_all(models.ApplicationGroup(application_id=row.id, group_id=one.id) for one in groups)
    return Program(principal.world, row, secret)


async def make_everything(principal: Principal, name: str, *groups: Group) -> dict[str, str]:
    """An application and a plan of the calculator with all that hangs on them; their ids."""
    later, word = now() + timedelta(hours=1), name.replace(" ", "-")
    program = await make_application(principal, *groups, name=name, key=f"key of {name}")
    of_it = {"application_id": program.row.id}
    async with principal.world.writing(principal) as tx:
        token = models.AccessToken(
            **of_it, family=name, token_hash=token_hash(f"cga_{word}"), scopes="all", expires_at=later, ends_at=later
        )
        key = models.ApiKey(**of_it, token_hash=token_hash(f"cgk_{word}"))
        plan = CalculatorPlan(email=f"{name}@x.example", token_hash=f"plan of {name}", remaining_requests=1)
        tx.add_all([token, key, plan])
        tx.add(models.UsedAssertion(**of_it, fingerprint=name, expires_at=later))
        tx.add(models.SessionToken(deployment_session_id=1, token_hash=token_hash(f"cgd_{word}"), expires_at=later))
        await tx.flush()
    return {
        "application": program.id,
        "access_token": global_id("AccessToken", token.id),
        "api_key": global_id("ApiKey", key.id),
        "plan": global_id("CalculatorPlan", plan.id),
    }


async def make_group(principal: Principal, name: str, *clients: Client) -> Group:
    """A group of clients."""
    async with principal.world.writing(principal) as tx:
        group = Group(name=name, bio=f"About {name}")
        tx.add(group)
        await tx.flush()
        tx.add_all(ClientGroup(client_id=one.id, group_id=group.id) for one in clients)
    return group
