"""Everybody who may send a request, and rows of every kind in both towns, under the names of `declared.py`."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlalchemy import select, update

from caregraph.auth.secrets import token_hash
from caregraph.graph.node import global_id
from caregraph.organizations.models import Application, ApplicationSecret, Membership
from factories.organizations import make_permission
from factories.programs import Program, make_everything
from kit import Principal, World
from tenancy.two_towns import make_harbor, make_northfield

WIDE = {
    "maximum_aliases": 100_000,
    "maximum_root_fields": 100_000,
    "maximum_fields": 100_000,
    "maximum_tokens": 1_000_000,
    "maximum_repeats": 100_000,
    "maximum_cost": 1_000_000_000,
    "maximum_body": 50_000_000,
    "sign_in_attempts_per_address": 1_000_000,
}
"""One request asks everything at once, so the limits of documents are lifted; whoever is disabled tries every call."""


_NO_USERS = {"nobody", "calculator", "undecided", "program", "limited", "respondent", "owner"}


@dataclass
class Cast:
    """Principals and ids of rows, by name."""

    world: World
    people: dict[str, Principal]
    ids: dict[str, str]
    found: dict[str, dict[tuple[str, str], list[str]]] = field(default_factory=dict)
    """What superusers found behind each edge: what others find is compared with it."""

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of rows by id."""
        return {row_id: name for name, row_id in self.ids.items()}


async def make_cast(world: World) -> Cast:
    """Both towns with everybody in them."""
    await world.restart(**WIDE)
    people = {
        "ada": world.superuser,
        "ben": world.user,
        "cleo": world.colleague,
        "olga": world.other_superuser,
        "otto": world.other_user,
        "calculator": world.calculator,
        "nobody": world.nobody,
        "manager": await world.member(1, "max@northfield.example", "Max Manager"),
        "auditor": await world.member(1, "ava@northfield.example", "Ava Auditor", is_auditor=True),
        "disabled": await world.member(1, "dan@northfield.example", "Dan Disabled"),
        "undecided": await world.member(1, "wim@both.example", "Wim Wanderer"),
    }
    people["wanderer"] = _acting_in(people["undecided"], 1)
    granted = await make_permission(people["manager"])
    async with world.writing(world.superuser) as tx:
        disabled = Membership.user_id == people["disabled"].row_id
        await tx.execute(update(Membership).where(disabled).values(is_disabled=True))
    async with world.writing(world.other_superuser) as tx:
        tx.add(Membership(user_id=people["wanderer"].row_id))
    managing = {"managing": global_id("GrantedPermission", granted.id)}
    rows = await _rows(world)
    own = await make_everything(world.superuser, "Program")
    people["program"] = _bearing(world, "cga_Program")
    people["limited"] = _bearing(world, "cgk_HIDDEN-program")
    people["respondent"] = _bearing(world, "cga_Program", **{"X-Silicone-User-Token": "cgd_Program"})
    people["owner"] = Program(world, await _application(world), "secret").with_secret
    rows |= {f"own_{name}": row_id for name, row_id in own.items()}
    return Cast(world, people, {**rows, **_of_people(people), **managing, **await _events(people)})


def _bearing(world: World, token: str, **headers: str) -> Principal:
    return Principal(world, token, {"Authorization": f"Bearer {token}", **headers}, 1)


async def _application(world: World) -> Application:
    """One that signs in by `secret`."""
    async with world.writing(world.superuser) as tx:
        application = (await tx.scalars(select(Application).where(Application.name == "Program"))).one()
        tx.add(ApplicationSecret(application_id=application.id, secret_hash=token_hash("secret")))
    return application


async def _events(people: dict[str, Principal]) -> dict[str, str]:
    """An entry in the audit of each town: that its superuser read the clients."""
    found = {}
    for who, name in (("ada", "northfield_event"), ("olga", "harbor_event")):
        await people[who].ask("{ clients { nodes { id } } }")
        entries = await people[who].ask("{ auditEvents(first: 1, kind: READ) { nodes { id } } }")
        found[name] = entries.data["auditEvents"]["nodes"][0]["id"]
    return found


def _acting_in(principal: Principal, organization_id: int) -> Principal:
    named = {"X-Organization": global_id("Organization", organization_id)}
    return replace(principal, headers={**principal.headers, **named})


def _of_people(people: dict[str, Principal]) -> dict[str, str]:
    have_accounts = {name: one for name, one in people.items() if name not in _NO_USERS}
    users = {name: one.id for name, one in have_accounts.items()}
    # Each account was made with one token, so both count alike.
    tokens = {f"{name}_token": global_id("ApiToken", one.row_id) for name, one in have_accounts.items()}
    plan = global_id("CalculatorPlan", people["calculator"].row_id)
    organizations = {"northfield": global_id("Organization", 1), "harbor": global_id("Organization", 2)}
    return {**users, **tokens, **organizations, "calculator_plan": plan}


async def _rows(world: World) -> dict[str, str]:
    here, there = await make_northfield(world), await make_harbor(world)
    northfield = {**here.ids, **here.programs, "group": global_id("Group", 1)}
    harbor = {**there.ids, **there.programs, "group": global_id("Group", 2)}
    return northfield | {name if name == "kay" else f"harbor_{name}": row_id for name, row_id in harbor.items()}
