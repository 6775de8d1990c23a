"""Declarations that do not fit the tables fail when the schema is built; lists that outgrow their bound fail loudly."""

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from caregraph.auth.viewer import Permission, Viewer
from caregraph.db.scope import RULES, MissingRuleError, criterion, visible
from caregraph.graph import relations
from caregraph.graph.build import check
from caregraph.graph.fields import field
from caregraph.graph.inputs import value
from caregraph.graph.node import Node, node
from caregraph.graph.paging import Page
from caregraph.graph.relations import WrongRelationError, many, one
from caregraph.graph.resource import Resource
from caregraph.graph.scalars import SCALARS
from caregraph.organizations.models import Organization
from caregraph.people.models import Client, Label
from caregraph.people.types import Client as ClientType
from caregraph.treatment.models import Episode, OrsScore, Session
from factories.people import make_client, make_label
from kit import World


@node(Label)
class Tag(Node):
    """A toy."""

    name: str = field("Name.")


@node(Session)
class Meeting(Node):
    """A toy."""


@node(Episode)
class Course(Node):
    """A toy."""


def _check(person: type) -> None:
    person.__name__ = "Person"
    made = node(Client)(type("Person", (Node,), dict(person.__dict__) | {"__annotations__": person.__annotations__}))
    query = strawberry.type(
        type("Query", (), {"__annotations__": {"person": made | None}, "person": field("A person.", default=None)})
    )
    check(strawberry.Schema(query=query, config=StrawberryConfig(scalar_map=SCALARS)))


class ColumnThatIsNotThere:
    """A toy."""

    tag: Tag | None = one("clients.label_id", "A tag.")


class ColumnOfAnotherTable:
    """A toy."""

    tag: Tag | None = one("client_labels.label_id", "A tag.")


class ColumnThatLeadsElsewhere:
    """A toy."""

    tag: Tag | None = one("clients.organization_id", "A tag.")


class ChildrenByAColumnThatLeadsElsewhere:
    """A toy."""

    meetings: Page[Meeting] = many("sessions.episode_id", description="Meetings.")


class ChildrenByAColumnOfTheParent:
    """A toy."""

    meetings: Page[Meeting] = many("clients.id", description="Meetings.")


class ThroughNoTable:
    """A toy."""

    tags: list[Tag] = many(through="client_tags", description="Tags.")


class ThroughATableThatIsNoLink:
    """A toy."""

    tags: list[Tag] = many(through="labels", description="Tags.")


class ThroughALinkToSomethingElse:
    """A toy."""

    tags: list[Tag] = many(through="episode_clients", description="Tags.")


class Sound:
    """A toy."""

    tags: list[Tag] = many(through="client_labels", description="Tags.", order="name")
    courses: Page[Course] = many(through="episode_clients", description="Courses.")


@pytest.mark.parametrize(
    ("person", "message"),
    [
        (ColumnThatIsNotThere, "Person.tag: clients.label_id is not a column of clients"),
        (ColumnOfAnotherTable, "Person.tag: client_labels.label_id is not a column of clients"),
        (ColumnThatLeadsElsewhere, "Person.tag: clients.organization_id does not lead to Tag"),
        (ChildrenByAColumnThatLeadsElsewhere, "Person.meetings: sessions.episode_id does not lead to Person"),
        (ChildrenByAColumnOfTheParent, "Person.meetings: clients.id is not a column of sessions"),
        (ThroughNoTable, "Person.tags: there is no table client_tags"),
        (ThroughATableThatIsNoLink, "Person.tags: labels has no single column that leads to Person"),
        (ThroughALinkToSomethingElse, "Person.tags: episode_clients has no single column that leads to Tag"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_wrong_relation_fails_when_the_schema_is_built(person: type, message: str) -> None:
    with pytest.raises(WrongRelationError, match=f"^{message}$"):
        _check(person)


def test_a_sound_relation_passes() -> None:
    _check(Sound)


def test_an_input_of_a_plain_update_names_columns_only() -> None:
    @strawberry.input(description="A toy.")
    class ToyInput:
        """A toy."""

        nickname: str | None = value("No column of a client.")

    with pytest.raises(TypeError, match=r"^ToyInput.nickname is no column of Client$"):
        Resource(ClientType).update(ToyInput, needs=Permission.CARE)


def test_a_model_without_a_rule_is_not_exposed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RULES, Client)

    for build in (lambda: Resource(ClientType), lambda: visible(Client, Viewer.system(1))):
        with pytest.raises(MissingRuleError, match=r"^Client has no visibility rule: declare one in its policy.py$"):
            build()


def test_a_rule_holds_for_the_models_that_inherit_it() -> None:
    viewer = Viewer.system(7)

    assert "scores.organization_id" in str(criterion(OrsScore, viewer))
    assert "organizations.id" in str(criterion(Organization, viewer))


async def test_a_plain_list_above_its_maximum_fails_instead_of_being_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "LONGEST_PLAIN_LIST", 2)
    two, three = [await make_client(world.user, full_name=name) for name in ("Two", "Three")]
    for name in ("A", "B"):
        await make_label(world.superuser, name, two, three)
    await make_label(world.superuser, "C", three)
    query = "query($where: ClientFilter) { clients(where: $where) { nodes { fullName labels { name } } } }"

    within = await world.user.ask(query, where={"fullName": {"eq": "Two"}})
    above = await world.user.ask(query, where={"fullName": {"eq": "Three"}})

    assert within.data["clients"]["nodes"] == [{"fullName": "Two", "labels": [{"name": "A"}, {"name": "B"}]}]
    assert above.error == ("LIMIT_EXCEEDED", "Client.labels has more than 2 rows")
    assert above.body["data"] == {"clients": None}
