"""Gateways that other people make, in front of the real server: they compose it, and ask both ways across subgraphs."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from browser import serving
from caregraph.app import create_app
from caregraph.graph.node import global_id
from factories.people import make_client
from kit import Principal, World
from node_tools import run_node

FROM_OURS = "{ clients { totalCount nodes { fullName salutation vouchers { nodes { code } } } } }"
FROM_THEIRS = "{ vouchers { code client { fullName owners { fullName } } } }"

pytestmark = [
    pytest.mark.parametrize("url", ["sqlite"], indirect=True),
    pytest.mark.timeout(600),  # the first one installs
]


@pytest.fixture
def access() -> bool:
    """Whether `_service` tells what needs signing in."""
    return False


@pytest.fixture
async def endpoint(world: World, access: bool) -> AsyncIterator[str]:
    """The address of the server over `world`'s database: the same application, on an event loop of its own."""
    with serving(create_app(replace(world.settings, federation_access=access))) as base:
        yield f"{base}/graphql"


async def _run(script: str, *args: Any) -> Any:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in args]
    return json.loads(await asyncio.to_thread(run_node, script, *texts))


@pytest.mark.parametrize("access", [False, True])
async def test_the_subgraph_composes_beside_another(endpoint: str) -> None:
    answers = await _run("composition.mjs", endpoint)

    roots = [
        "accessGrant",
        "accessToken",
        "answerScore",
        "answerSet",
        "answerSets",
        "apiKey",
        "apiKeys",
        "apiToken",
        "apiTokens",
        "application",
        "applications",
        "assessment",
        "assessmentDomain",
        "assessmentItem",
        "assessmentScale",
        "assessments",
        "auditEvent",
        "auditEvents",
        "calculationVariable",
        "calculatorPlan",
        "calculatorPlans",
        "client",
        "clients",
        "consent",
        "currentUser",
        "customCalculation",
        "domain",
        "domainScale",
        "domains",
        "episode",
        "episodes",
        "exportClient",
        "featureFlag",
        "featureFlags",
        "features",
        "fhirBundle",
        "file",
        "grantedPermission",
        "group",
        "groups",
        "instruments",
        "invitation",
        "invitations",
        "item",
        "itemOption",
        "itemResponse",
        "itemScale",
        "items",
        "label",
        "labels",
        "location",
        "locations",
        "me",
        "networkMember",
        "networkMembers",
        "openInvitation",
        "organization",
        "organizationStatistics",
        "organizations",
        "orsScore",
        "orsScores",
        "percentileRankConfig",
        "rater",
        "remainingCalculatorRequests",
        "resultRange",
        "resultScores",
        "scale",
        "scales",
        "scoreConfig",
        "scoreConfigs",
        "scoresTable",
        "session",
        "sessions",
        "srsScore",
        "srsScores",
        "tag",
        "tags",
        "user",
        "userPermissions",
        "userStatistics",
        "users",
        "verticalAccessGrant",
        "vouchers",
    ]
    assert answers.keys() == {"apollo", "guild"}
    for answer in answers.values():
        assert answer["errors"] == []
        assert answer["hints"] == []
        assert answer["roots"] == roots
        assert {"fullName", "owners", "vouchers", "salutation"} <= set(answer["client"])


@pytest.mark.parametrize("kind", ["apollo", "hive"])
async def test_a_gateway_asks_both_ways_with_the_credentials_of_its_caller(
    world: World, endpoint: str, kind: str
) -> None:
    kim = await make_client(world.user, full_name="Kim")
    lou = await make_client(world.colleague, full_name="Lou")
    mo = await make_client(world.other_user, full_name="Mo")
    vouchers = [
        {"id": f"{number}", "code": code, "clientId": client_id}
        for number, (code, client_id) in enumerate(
            [
                ("K1", global_id("Client", kim.id)),
                ("L1", global_id("Client", lou.id)),
                ("K2", global_id("Client", kim.id)),
                ("M1", global_id("Client", mo.id)),
                ("X1", "nonsense"),
            ]
        )
    ]
    callers = [world.user, world.other_user, world.nobody]

    answers = await _run(
        "gateways.mjs", kind, endpoint, vouchers, [one.headers for one in callers], [FROM_OURS, FROM_THEIRS]
    )

    bens, bens_vouchers, ottos, ottos_vouchers, nobodys, nobodys_vouchers = answers
    assert bens == {"data": {"clients": {"totalCount": 1, "nodes": [_client("Kim", "K1", "K2")]}}}
    assert bens_vouchers["data"] == {"vouchers": _vouchers(world.user, "Kim", {"K1", "K2"})}
    assert _unresolved(bens_vouchers) == [(_NOWHERE, index) for index in (1, 3, 4)]
    assert ottos == {"data": {"clients": {"totalCount": 1, "nodes": [_client("Mo", "M1")]}}}
    assert ottos_vouchers["data"] == {"vouchers": _vouchers(world.other_user, "Mo", {"M1"})}
    assert _unresolved(ottos_vouchers) == [(_NOWHERE, index) for index in (0, 1, 2, 4)]
    assert nobodys["data"] == {"clients": None}
    assert [(one["message"], one["extensions"]["code"]) for one in nobodys["errors"]] == [_REFUSED]
    assert nobodys_vouchers["data"] == {"vouchers": _vouchers(world.user, "", set())}
    assert {(one["message"], one["extensions"]["code"]) for one in nobodys_vouchers["errors"]} == {_REFUSED}


async def test_a_gateway_collects_the_traces_of_its_subgraphs(world: World, endpoint: str) -> None:
    kim = await make_client(world.user, full_name="Kim")
    voucher = {"id": "1", "code": "K1", "clientId": global_id("Client", kim.id)}
    asking = {"apollo-federation-include-trace": "ftv1"}
    callers = [world.user.headers | asking, asking]

    answers = await _run("gateways.mjs", "apollo", endpoint, [voucher], callers, [FROM_OURS, FROM_THEIRS])

    traces = [answer["extensions"]["ftv1"] for answer in answers]
    assert not any(one["traceParsingFailed"] for trace in traces for one in trace)
    assert [[(one["serviceName"], one.get("timed")) for one in trace] for trace in traces] == [
        [
            (
                "caregraph",
                _timed("Query.clients", "ClientConnection.totalCount", "ClientConnection.nodes", "Client.id"),
            ),
            ("toy", None),
        ],
        [("toy", None), ("caregraph", _timed("Query._entities", "Client.owners"))],
        [("caregraph", [{"field": "Query.clients", "errors": ["<masked>"]}])],
        [("toy", None), ("caregraph", [{"field": "Query._entities", "errors": ["<masked>"]}])],
    ]


def _timed(*names: str) -> list[dict[str, Any]]:
    return [{"field": name, "errors": []} for name in names]


_NOWHERE = "Cannot return null for non-nullable field Client.fullName."
_REFUSED = ("Authentication failed", "UNAUTHENTICATED")


def _unresolved(answer: dict[str, Any]) -> list[tuple[str, int]]:
    """How a gateway says that a reference leads nowhere: Hive in `errors`, Apollo in an extension."""
    told = answer.get("errors") or answer["extensions"]["valueCompletion"]
    return sorted((one["message"], one["path"][1]) for one in told)


def _client(name: str, *codes: str) -> dict[str, Any]:
    return {"fullName": name, "salutation": f"Dear {name}", "vouchers": {"nodes": [{"code": one} for one in codes]}}


def _vouchers(owner: Principal, name: str, seen: set[str]) -> list[dict[str, Any]]:
    """All vouchers; the clients on those in `seen`, and no other's."""
    client = {"fullName": name, "owners": [{"fullName": owner.name}]}
    return [{"code": code, "client": client if code in seen else None} for code in ("K1", "L1", "K2", "M1", "X1")]
