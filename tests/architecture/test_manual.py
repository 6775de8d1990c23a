"""The built schema as a manual and as a promise: described, nullable at the root, bounded, declared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_introspection_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from caregraph import schema
from caregraph.graph.fields import KitField
from caregraph.graph.roots import Query as KitQuery

SCHEMA = schema.build()
CORE = schema.core(SCHEMA)
TYPES = {
    name: one
    for name, one in CORE.type_map.items()
    if not is_introspection_type(one) and not is_specified_scalar_type(one)
}
OUTPUT = {name: one for name, one in TYPES.items() if is_object_type(one) or is_interface_type(one)}

# Lists that are no connection and no declared relation, each with what bounds it.
PLAIN_LISTS = {
    "Query.nodes": "as many as were asked for, at most 100",
    "Query.selectableFields": "the fields of one type",
    "CurrentUser.permissions": "at most one of each key for each organization",
    "User.roles": "at most one of each role",
    "Application.scopes": "at most every scope there is",
    "AccessToken.scopes": "at most every scope there is",
    "Invitation.permissionKeys": "at most one of each key",
    "UserError.path": "as deep as the input",
    "AuditEvent.fields": "root fields of one operation",
    "AuditEvent.clientIds": "the clients of one operation's rows, which are limited",
    "AuditEvent.changes": "at most one of each type and change",
    "AuditedChange.rows": "the rows that one transaction changed",
    "Assessment.videos": "a column of the assessment",
    "Assessment.testimonials": "a column of the assessment",
    "ResultScore.details": "sentences of the server's own",
    **dict.fromkeys(
        (
            *("Instrument.items", "Instrument.flags", "InstrumentItem.options"),
            *("InstrumentScore.ranges", "InstrumentScore.cutoffs", "InstrumentScore.items"),
        ),
        "a file of the library",
    ),
    **{
        f"ScoresTable.{name}": "a row each of the scores of one operation, which are limited"
        for name in TYPES["ScoresTable"].fields
        if name != "rowCount"
    },
    "EpisodeChart.series": "an informant each: clients and raters of one episode",
    "ChartSeries.points": "a session each",
    "ChartPoint.alerts": "at most one of each alert",
    "AlertEvent.alerts": "at most one of each alert",
    "Trajectory.expected": "at most 1,000 sessions",
    "Trajectory.successful": "at most 1,000 sessions",
    "Trajectory.unsuccessful": "at most 1,000 sessions",
    "Statistics.groups": "the groups that occur",
    "StatisticsGroup.keys": "a dimension each, at most 3",
}
# Fields of an object type that are neither a relation nor computed, each with why it needs no statement of its own.
CARRIED = {
    "Query.hello": "a constant",
    "CurrentUser.permissions": "read with the person",
    "User.organization": "the viewer's own organization, by id: a user has no such column",
    "Invitation.invitedBy": "by the id of who invited, which is no foreign key: it outlasts the membership",
    "AuditEvent.changes": "a column of the entry",
    "Assessment.videos": "a column of the assessment",
    "Assessment.testimonials": "a column of the assessment",
    **dict.fromkeys(
        (
            *("Instrument.licence", "Instrument.items", "Instrument.flags", "InstrumentItem.options"),
            *("InstrumentScore.ranges", "InstrumentScore.cutoffs", "InstrumentScore.reliableChange"),
        ),
        "read from a file of the library",
    ),
    "ScoreEvent.score": "read for the event",
    "AlertEvent.score": "read for the event",
    "EpisodeEvent.episode": "read for the event",
    "ChartSeries.trajectory": "computed from the intake",
    "ChartSeries.points": "read with the chart",
    "ChartPoint.ors": "read with the chart",
    "ChartPoint.srs": "read with the chart",
    "EpisodeChart.series": "read with the chart",
    "CalculatorPayload.trajectory": "computed from the intake",
    "Statistics.total": "computed with the statistics",
    "Statistics.groups": "computed with the statistics",
    "StatisticsGroup.keys": "computed with the statistics",
    "StatisticsGroup.indices": "computed with the statistics",
}
# Fields for anyone: signing in, and what a token in a mail opens. Features are for users and sessions alike.
OPEN = {"authenticate", "openInvitation", "acceptInvitation", "features"}


def _kit_fields(type_name: str) -> dict[str, KitField]:
    definition: Any = SCHEMA.get_type_by_name(type_name)
    to_graphql = SCHEMA.config.name_converter.get_graphql_name
    return {to_graphql(made): made for made in definition.fields}


def _of_the_kit(name: str) -> bool:
    """Whether a type is one of the kit's own wrappers: connection, edge, payload."""
    return name.endswith(("Connection", "Edge", "Payload"))


def _descriptions() -> Iterator[tuple[str, str | None]]:
    for name, one in TYPES.items():
        yield name, one.description
        if is_enum_type(one):
            for value, member in one.values.items():
                yield f"{name}.{value}", member.description
        elif is_object_type(one) or is_interface_type(one) or is_input_object_type(one):
            for field_name, made in one.fields.items():
                yield f"{name}.{field_name}", made.description
                for argument, given in getattr(made, "args", {}).items():
                    yield f"{name}.{field_name}({argument}:)", given.description
    for directive in CORE.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description


def test_everything_is_described() -> None:
    missing = [name for name, description in _descriptions() if not (description or "").strip()]

    assert missing == [], "the schema is the manual: say what it is, with limits and units"


def test_scalars_name_their_specification() -> None:
    scalars = {name: one.specified_by_url for name, one in TYPES.items() if hasattr(one, "specified_by_url")}

    assert {name for name, url in scalars.items() if not url} == set()
    assert scalars.keys() == {"Date", "DateTime", "Decimal", "EmailAddress", "JSON", "PhoneNumber", "URL", "Upload"}


def test_the_written_schema_is_the_built_one() -> None:
    written = (Path(__file__).parents[2] / "schema.graphql").read_text()

    assert written == schema.api_sdl(SCHEMA), "run `caregraph schema > schema.graphql`"


@pytest.mark.parametrize("root", ["Query", "Mutation"])
def test_a_root_field_is_nullable(root: str) -> None:
    wrong = [name for name, made in TYPES[root].fields.items() if is_non_null_type(made.type)]

    assert wrong == [], "one failure would null its siblings: end the type with `| None`"


def test_a_list_is_a_page_or_declared() -> None:
    found = {
        f"{name}.{field_name}": _kit_fields(name)[field_name]
        for name, one in OUTPUT.items()
        if not _of_the_kit(name)
        for field_name, made in one.fields.items()
        if is_list_type(get_nullable_type(made.type))
    }
    undeclared = {name for name, made in found.items() if made.relation is None and made.function is None}

    assert undeclared - PLAIN_LISTS.keys() == set(), "make it a Page, a relation, or argue its bound here"
    assert PLAIN_LISTS.keys() - undeclared == set(), "no such list any more"
    assert all(made.relation.is_plain_list for made in found.values() if made.relation is not None)


def test_a_field_that_leads_to_an_object_is_declared() -> None:
    undeclared = {
        f"{name}.{field_name}"
        for name, one in OUTPUT.items()
        if not _of_the_kit(name) or name == "CalculatorPayload"
        for field_name, made in one.fields.items()
        if field_name != "errors"
        and (is_object_type(get_named_type(made.type)) or is_interface_type(get_named_type(made.type)))
        if not _is_declared(_kit_fields(name)[field_name])
    }

    assert undeclared - CARRIED.keys() == set(), "declare it with one, many, referenced or computed, or argue it here"
    assert CARRIED.keys() - undeclared == set(), "declared by now, or gone"


def _is_declared(made: KitField) -> bool:
    """By relation, key or function; at the root also an action or an operation of the kit."""
    at_root = made.resolve is not None and made.needs is not None
    return any((made.relation, made.key, made.function, made.action, at_root))


def test_a_root_field_says_what_it_needs() -> None:
    fields = {**_kit_fields("Query"), **_kit_fields("Mutation")}
    free = {name for name, made in fields.items() if made.needs is None}

    assert free == {"hello", *OPEN}, "say `needs=`, or argue here why anyone may"
    for name, made in fields.items():
        if made.needs is not None:
            assert (made.description or "").endswith(f"Needs: {made.needs.value}."), name


def test_a_mutation_is_an_action() -> None:
    assert [name for name, made in _kit_fields("Mutation").items() if made.action is None] == []


def test_a_mutation_answers_its_errors() -> None:
    wrong = [
        name
        for name, made in TYPES["Mutation"].fields.items()
        if str(get_named_type(made.type).fields["errors"].type) != "[UserError!]!"
    ]

    assert wrong == []


def test_a_mutation_about_a_row_takes_its_id() -> None:
    """The first argument is `id` wherever the payload is of a row that exists, or of a deletion."""
    fields = TYPES["Mutation"].fields
    wrong = [
        name
        for name, made in fields.items()
        if name.startswith(("update", "delete", "set", "remove", "add")) and next(iter(made.args)) != "id"
    ]

    assert wrong == []


def test_every_node_type_can_be_reached_by_node() -> None:
    nodes = {
        name for name, one in TYPES.items() if is_object_type(one) and CORE.is_sub_type(CORE.type_map["Node"], one)
    }

    assert nodes == {
        *("AccessToken", "ApiKey", "ApiToken", "Application", "CalculatorPlan", "Consent"),
        *("AuditEvent", "Client", "Episode", "FeatureFlag", "File", "GrantedPermission", "Group"),
        *("Invitation", "Label", "Location", "Organization"),
        *("OrsScore", "Rater", "Session", "SrsScore", "User"),
        *("Assessment", "Item", "ItemOption", "Scale", "Domain", "Tag", "AssessmentItem", "AssessmentScale"),
        *("AssessmentDomain", "DomainScale", "ItemScale", "AccessGrant", "VerticalAccessGrant", "NetworkMember"),
        *("ScoreConfig", "CustomCalculation", "CalculationVariable", "PercentileRankConfig", "ResultRange"),
        *("AnswerSet", "ItemResponse", "AnswerScore"),
    }
    assert {made.python_name for made in KitQuery.__strawberry_definition__.fields} == {
        "hello",
        "node",
        "nodes",
        "selectable_fields",
    }
