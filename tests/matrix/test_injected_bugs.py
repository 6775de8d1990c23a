"""The matrix would notice: each of these bugs of access, put in on purpose, makes it find a difference."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, true

from caregraph.app import built_schema
from caregraph.auth import viewer
from caregraph.auth.tokens import SignIn
from caregraph.auth.viewer import SUPERUSER_PERMISSIONS, Viewer
from caregraph.db import lookups, scope
from caregraph.graph import actions, loaders, resource
from caregraph.graph.build import kit_fields
from caregraph.graph.filters import camel
from caregraph.organizations import models as organizations
from caregraph.organizations import service
from caregraph.people import models as people
from caregraph.treatment import events
from caregraph.treatment import models as treatment
from kit import Principal, World
from matrix.cast import WIDE, Cast, make_cast
from matrix.listening import wrong_events
from matrix.reading import wrong_edges, wrong_gets, wrong_pages, wrong_private_fields
from matrix.writing import wrong_refusals

Bug = Callable[[pytest.MonkeyPatch], None]


def without_rule(model: type[Any]) -> Bug:
    """The rows of a model are everybody's in the organization."""
    return lambda patch: patch.setitem(scope.RULES, model, scope.everyone)


def without_needs(field: str) -> Bug:
    """A root field forgets what it asks for."""

    def inject(patch: pytest.MonkeyPatch) -> None:
        fields = [made for made in kit_fields(built_schema()) if camel(made.python_name) == field and made.needs]
        assert fields
        for made in fields:
            patch.setattr(made, "needs", None)

    return inject


def unscoped_load(model: type[Any], _viewer: Viewer) -> Any:
    """What `visible` would be if it forgot tenant and rule."""
    return select(model)


def without_link_rule(link: loaders.Link, statement: Any, _viewer: Viewer) -> Any:
    """An edge that forgets the rule of its rows."""
    statement = statement.select_from(link.model)
    if link.child_column is None:
        return statement
    return statement.join(link.child_column.table, link.child_column == link.model.id)


def uncounted(model: type[Any], *_: Any) -> Any:
    """What `count_of` would be if it counted everybody's rows."""
    return select(func.count()).select_from(model)


def patched(target: Any, name: str, value: Any) -> Bug:
    """One name of the product replaced."""
    return lambda patch: patch.setattr(target, name, value)


def without_condition(lookup: str, condition: str) -> Bug:
    """Signing in forgets to ask for something."""

    def inject(patch: pytest.MonkeyPatch) -> None:
        statement = lookups._STATEMENTS[lookup]
        assert condition in statement
        patch.setitem(lookups._STATEMENTS, lookup, statement.replace(condition, ""))

    return inject


def without_privacy(patch: pytest.MonkeyPatch) -> None:
    """Sensitive fields are told to everybody who sees the row."""
    for made in kit_fields(built_schema()):
        if made.visible_to is not None:
            patch.setattr(made, "visible_to", lambda *_: True)


def guessed(_self: SignIn, found: Any, _headers: Any) -> Viewer:
    """Signing in without asking in which organization."""
    return viewer.user_viewer(user_id=found.user_id, here=found.memberships[0], memberships=found.memberships)


async def everything(*_: Any) -> bool:
    """A subscription that follows what nobody asked for."""
    return True


Check = Callable[[Cast, str], Awaitable[list[str]]]


async def wrong_events_of(cast: Cast, _who: str) -> list[str]:
    """The subscriptions of everybody at once."""
    return await wrong_events(cast)


# Each bug, the part of the matrix that notices it, and who is looked at.
BUGS: dict[str, tuple[Bug, Check, str]] = {
    "no rule for clients": (without_rule(people.Client), wrong_pages, "cleo"),
    "no rule for files": (without_rule(people.File), wrong_gets, "cleo"),
    "no rule for episodes": (without_rule(treatment.Episode), wrong_gets, "ben"),
    "no rule for sessions": (without_rule(treatment.Session), wrong_pages, "ben"),
    "no rule for raters": (without_rule(treatment.Rater), wrong_edges, "ben"),
    "no rule for scores": (without_rule(treatment.Score), wrong_edges, "ben"),
    "no rule for organizations": (without_rule(organizations.Organization), wrong_gets, "otto"),
    "no rule for users": (without_rule(organizations.User), wrong_gets, "otto"),
    "no rule for granted permissions": (without_rule(organizations.GrantedPermission), wrong_gets, "cleo"),
    "no rule for invitations": (without_rule(organizations.Invitation), wrong_gets, "ben"),
    "no rule for features": (without_rule(organizations.FeatureFlag), wrong_pages, "cleo"),
    "no tenant in rules": (patched(scope, "_tenant", lambda *_: true()), wrong_gets, "olga"),
    "rows of all one's organizations": (
        patched(scope, "_tenant", lambda model, who: model.organization_id.in_(who.organization_ids)),
        wrong_pages,
        "wanderer",
    ),
    "rows by id are everybody's": (patched(loaders, "visible", unscoped_load), wrong_gets, "otto"),
    "root lists are everybody's": (patched(resource, "visible", unscoped_load), wrong_pages, "otto"),
    "root lists count everybody's": (patched(resource, "count_of", uncounted), wrong_pages, "otto"),
    "edges lead to everybody's": (patched(loaders.Link, "joined", without_link_rule), wrong_edges, "ben"),
    "mutations load everybody's": (patched(actions, "visible", unscoped_load), wrong_refusals, "olga"),
    "queries ask for no permission": (patched(resource, "demand", lambda *_: None), wrong_pages, "ben"),
    "mutations ask for no permission": (patched(actions, "demand", lambda *_: None), wrong_refusals, "cleo"),
    **{
        f"{field} asks for nothing": (without_needs(field), wrong_pages, who)
        for field, who in (("users", "cleo"), ("clients", "nobody"), ("sessions", "calculator"))
    },
    "invitations ask for nothing": (without_needs("invitations"), wrong_pages, "ben"),
    "client asks for nothing": (without_needs("client"), wrong_gets, "nobody"),
    "organization asks for nothing": (without_needs("organization"), wrong_gets, "calculator"),
    **{
        f"{field} asks for nothing": (without_needs(field), wrong_refusals, who)
        for field, who in (
            ("createUser", "cleo"),
            ("deleteUser", "manager"),
            ("addUserRole", "manager"),
            ("removeUserRole", "auditor"),
            ("createLabel", "cleo"),
            ("updateLabel", "ben"),
            ("deleteLabel", "ben"),
            ("setUserPermissions", "cleo"),
            ("createInvitation", "ben"),
            ("resendInvitation", "auditor"),
            ("deleteInvitation", "cleo"),
            ("createClient", "nobody"),
            ("deleteClient", "calculator"),
            ("calculateOrsTrajectory", "ada"),
        )
    },
    "anybody changes anybody": (patched(service, "is_self_or_superuser", lambda *_: True), wrong_refusals, "cleo"),
    "private fields are everybody's": (without_privacy, wrong_private_fields, "cleo"),
    "every user is a superuser": (
        patched(viewer.Membership, "permissions", SUPERUSER_PERMISSIONS),
        wrong_pages,
        "cleo",
    ),
    "disabled users sign in": (without_condition("api_token", " AND NOT m.is_disabled"), wrong_gets, "disabled"),
    "the organization is guessed": (patched(SignIn, "_user", guessed), wrong_pages, "undecided"),
    "deletions are told to everybody": (patched(events._Narrowed, "reaches", everything), wrong_events_of, "cleo"),
    "subscriptions ask for nothing": (without_needs("episodeChanged"), wrong_events_of, "calculator"),
}


@pytest.fixture(scope="module")
async def made(
    sqlite_people: tuple[Path, dict[str, Principal]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Cast]:
    """A file with the whole cast in it."""
    template, people = sqlite_people
    file = tmp_path_factory.mktemp("cast") / "caregraph.sqlite"
    shutil.copy(template, file)
    world = World(url_of(file), url_of(file))
    world.settle(people)
    cast = await make_cast(world)
    await world.close()
    return file, cast


@pytest.fixture
async def cast(made: tuple[Path, Cast], tmp_path: Path) -> AsyncIterator[Cast]:
    """The cast in a file of the test's own."""
    file, cast = made
    url = url_of(Path(shutil.copy(file, tmp_path)))
    world = World(url, url, **WIDE)
    world.settle(cast.world.people)
    yield Cast(world, {name: replace(one, world=world) for name, one in cast.people.items()}, cast.ids)
    await world.close()


def url_of(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="module")
def passed() -> set[tuple[Check, str]]:
    """What was looked at without a bug, and found right."""
    return set()


@pytest.mark.parametrize("name", BUGS)
async def test_the_matrix_notices(
    cast: Cast, passed: set[tuple[Check, str]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    inject, check, who = BUGS[name]
    if check is not wrong_events_of and (check, who) not in passed:  # it changes what it looks at, and has its own test
        assert await check(cast, who) == []
        passed.add((check, who))

    inject(monkeypatch)
    await cast.world.restart()  # a server keeps its plans and statements

    assert await check(cast, who) != []
