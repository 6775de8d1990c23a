"""`fit.ors_scores` and `fit.srs_scores`: the same ten calls for two scales of four lines."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.people.models import Client
from caregraph.treatment.models import Episode, Rater, Session
from contract.asserts import (
    assert_bad_variable,
    assert_nobody_is_refused,
    changed,
    changes,
    deleted,
    refused,
    strange_ids,
)
from factories.people import make_client
from factories.treatment import make_episode, make_ors, make_rater, make_session, make_srs
from kit import DOCUMENTS, Answer, Principal, World


@dataclass(frozen=True)
class Scale:
    """One of the two resources."""

    resource: str
    type_name: str
    lines: tuple[str, str, str, str]
    make: Callable[..., Awaitable[Any]]

    def run(self, principal: Principal, verb: str, **variables: Any) -> Awaitable[Answer]:
        return principal.run(f"fit.{self.resource}.{verb}", **variables)

    def id(self, score: Any) -> str:
        return global_id(self.type_name, score if isinstance(score, int) else score.id)

    def values(self, *numbers: Any) -> dict[str, Any]:
        """Four lines, each 5 unless given."""
        return dict(zip(self.lines, numbers or (5.0,) * 4, strict=True))

    def shown(self, score: Any, *numbers: float, total: float = 20.0) -> dict[str, Any]:
        return {"id": self.id(score), **self.values(*numbers), "total": total}


SCALES = [
    pytest.param(
        Scale("ors_scores", "OrsScore", ("individually", "interpersonally", "socially", "overall"), make_ors), id="ors"
    ),
    pytest.param(
        Scale("srs_scores", "SrsScore", ("relationship", "goalsAndTopics", "approachOrMethod", "overall"), make_srs),
        id="srs",
    ),
]
pytestmark = pytest.mark.parametrize("scale", SCALES)


@dataclass(frozen=True)
class Place:
    """A session of an episode with one client and one rater."""

    client: Client
    episode: Episode
    rater: Rater
    session: Session

    def as_(self, informant: str) -> dict[str, str]:
        """Where a score of the client or of the rater goes."""
        row = self.client if informant == "client" else self.rater
        return {
            "sessionId": global_id("Session", self.session.id),
            f"{informant}Id": global_id(informant.capitalize(), row.id),
        }


async def place_of(principal: Principal) -> Place:
    client = await make_client(principal)
    episode = await make_episode(principal, client)
    rater = await make_rater(principal, episode, client)
    return Place(client, episode, rater, await make_session(principal, episode))


@pytest.mark.parametrize("verb", ["create_client", "create_rater", "get", "update", "delete"])
async def test_nobody_is_refused(world: World, scale: Scale, verb: str) -> None:
    variables = {"sessionId": "x", f"{verb[7:]}Id": "x", **scale.values()} if verb.startswith("create") else {"id": "x"}

    await assert_nobody_is_refused(world, f"fit.{scale.resource}.{verb}", **variables)


@pytest.mark.parametrize("informant", ["client", "rater"])
async def test_a_score_of_an_informant_is_created_once_per_session(world: World, scale: Scale, informant: str) -> None:
    place = await place_of(world.user)
    next_session = await make_session(world.user, place.episode)

    async with changes(world) as found:
        answer = await scale.run(
            world.user, f"create_{informant}", **place.as_(informant), **scale.values(0, 10, 1.23, 7)
        )
    assert answer.result == changed(scale.shown(1, 0.0, 10.0, 1.23, 7.0, total=18.23))
    assert found == {"scores": 1}

    async with changes(world) as found:
        again = await scale.run(world.user, f"create_{informant}", **place.as_(informant), **scale.values())
    assert again.result == refused("CONFLICT", "This informant already has such a score on this session")
    assert found == {}

    elsewhere = {**place.as_(informant), "sessionId": global_id("Session", next_session.id)}
    later = await scale.run(world.user, f"create_{informant}", **elsewhere, **scale.values())
    assert later.result["errors"] == []


async def test_client_and_rater_score_the_same_session(world: World, scale: Scale) -> None:
    place = await place_of(world.user)

    async with changes(world) as found:
        own = await scale.run(world.user, "create_client", **place.as_("client"), **scale.values(1, 2, 3, 4))
        rated = await scale.run(world.user, "create_rater", **place.as_("rater"), **scale.values(4, 3, 2, 2))

    assert own.result == changed(scale.shown(1, 1.0, 2.0, 3.0, 4.0, total=10.0))
    assert rated.result == changed(scale.shown(2, 4.0, 3.0, 2.0, 2.0, total=11.0))
    assert found == {"scores": 2}


@pytest.mark.parametrize("informant", ["client", "rater"])
@pytest.mark.parametrize("wrong", [-0.1, 10.0001, 11, -1e308, 1e308])
async def test_a_value_outside_0_to_10_is_refused(world: World, scale: Scale, informant: str, wrong: float) -> None:
    place = await place_of(world.user)
    score = await scale.make(world.user, await make_session(world.user, place.episode), place.client)

    async with changes(world) as found:
        for line in scale.lines:
            values = {**scale.values(), line: wrong}
            created = await scale.run(world.user, f"create_{informant}", **place.as_(informant), **values)
            assert created.result == refused("INVALID", "must be between 0 and 10", "input", line)
            updated = await scale.run(world.user, "update", id=scale.id(score), **{line: wrong})
            assert updated.result == refused("INVALID", "must be between 0 and 10", "input", line)

    assert found == {}
    assert (await scale.run(world.user, "get", id=scale.id(score))).result == scale.shown(score)


@pytest.mark.parametrize("informant", ["client", "rater"])
async def test_all_four_values_are_required(world: World, scale: Scale, informant: str) -> None:
    place = await place_of(world.user)
    contract_id = f"fit.{scale.resource}.create_{informant}"

    for line in scale.lines:
        three = {name: 5.0 for name in scale.lines if name != line}
        wrong = f"Variable '${line}' has invalid value: Expected"
        message = f"{wrong} a value of non-null type 'Float!' to be provided."
        await assert_bad_variable(world, contract_id, message, **place.as_(informant), **three)
        message = f"{wrong} value of non-null type 'Float!' not to be None."
        await assert_bad_variable(world, contract_id, message, **place.as_(informant), **three, **{line: None})


@pytest.mark.parametrize(
    ("value", "written"), [("5", "'5'"), (True, "True"), ([5], "[5]"), ({"value": 5}, "{'value': 5}")]
)
async def test_a_value_must_be_a_number(world: World, scale: Scale, value: Any, written: str) -> None:
    place = await place_of(world.user)
    score = await scale.make(world.user, place.session, place.client)
    line = scale.lines[1]
    message = f"Variable '${line}' has invalid value: Float cannot represent non numeric value: {written}"

    values = {**scale.values(), line: value}
    for informant in ("client", "rater"):
        contract_id = f"fit.{scale.resource}.create_{informant}"
        await assert_bad_variable(world, contract_id, message, **place.as_(informant), **values)
    await assert_bad_variable(world, f"fit.{scale.resource}.update", message, id=scale.id(score), **{line: value})


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_value_must_be_finite(world: World, scale: Scale, literal: str) -> None:
    place = await place_of(world.user)
    variables = {**place.as_("client"), **scale.values(5, 5, 5, "WRONG")}
    body = json.dumps({"query": DOCUMENTS[f"fit.{scale.resource}.create_client"], "variables": variables})

    async with changes(world) as found:
        response = await world.http.post(
            "/graphql",
            content=body.replace('"WRONG"', literal),
            headers={**world.user.headers, "content-type": "application/json"},
        )

    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": "The body is not JSON", "extensions": {"code": "BAD_REQUEST"}}]}
    assert found == {}


async def test_a_score_needs_an_informant_of_the_sessions_episode(world: World, scale: Scale) -> None:
    place, elsewhere = await place_of(world.user), await place_of(world.user)
    here = {"sessionId": place.as_("client")["sessionId"]}

    async with changes(world) as found:
        of_client = await scale.run(
            world.user, "create_client", **{**elsewhere.as_("client"), **here}, **scale.values()
        )
        of_rater = await scale.run(world.user, "create_rater", **{**elsewhere.as_("rater"), **here}, **scale.values())

    assert of_client.result == refused("INVALID", "The client is not on this episode", "clientId")
    assert of_rater.result == refused("INVALID", "The rater does not belong to this session's episode", "raterId")
    assert found == {}


@pytest.mark.parametrize("informant", ["client", "rater"])
async def test_a_score_needs_session_and_informant_in_sight(world: World, scale: Scale, informant: str) -> None:
    place, hidden, foreign = [await place_of(who) for who in (world.user, world.colleague, world.other_user)]
    type_name, name = informant.capitalize(), f"{informant}Id"
    row = foreign.client if informant == "client" else foreign.rater

    async with changes(world) as found:
        for session_id in [*strange_ids("Session", foreign.session), hidden.as_(informant)["sessionId"]]:
            variables = {**place.as_(informant), "sessionId": session_id, **scale.values()}
            answer = await scale.run(world.user, f"create_{informant}", **variables)
            assert answer.result == refused("NOT_FOUND", "Session not found", "sessionId")
        for informant_id in [*strange_ids(type_name, row), hidden.as_(informant)[name]]:
            variables = {**place.as_(informant), name: informant_id, **scale.values()}
            answer = await scale.run(world.user, f"create_{informant}", **variables)
            assert answer.result == refused("NOT_FOUND", f"{type_name} not found", name)

    assert found == {}


async def test_a_score_is_read_by_id(world: World, scale: Scale) -> None:
    place = await place_of(world.user)
    own = await scale.make(world.user, place.session, place.client, 0, 10, 1.23, 7)
    rated = await scale.make(world.user, place.session, place.client, rater=place.rater)

    answer = await scale.run(world.user, "get", id=scale.id(own))
    assert answer.result == scale.shown(own, 0.0, 10.0, 1.23, 7.0, total=18.23)
    assert (await scale.run(world.superuser, "get", id=scale.id(rated))).result == scale.shown(rated)


async def test_an_update_changes_only_what_is_sent(world: World, scale: Scale) -> None:
    place = await place_of(world.user)
    score = await scale.make(world.user, place.session, place.client, 1, 2, 3, 4)
    first, second, third, _ = scale.lines

    async with changes(world) as found:
        two = await scale.run(world.user, "update", id=scale.id(score), **{first: 0, third: 10})
        one = await scale.run(world.user, "update", id=scale.id(score), **{second: 9.99})
        none = await scale.run(world.user, "update", id=scale.id(score))

    assert two.result == changed(scale.shown(score, 0.0, 2.0, 10.0, 4.0, total=16.0))
    assert one.result == none.result == changed(scale.shown(score, 0.0, 9.99, 10.0, 4.0, total=23.99))
    assert found == {}


async def test_no_value_can_be_emptied(world: World, scale: Scale) -> None:
    place = await place_of(world.user)
    score = await scale.make(world.user, place.session, place.client)

    for line in scale.lines:
        answer = await scale.run(world.user, "update", id=scale.id(score), **{line: None})
        assert answer.result == refused("INVALID", "must not be null", "input", line)
    assert (await scale.run(world.user, "get", id=scale.id(score))).result == scale.shown(score)


async def test_a_score_is_deleted_without_force(world: World, scale: Scale) -> None:
    place = await place_of(world.user)
    score = await scale.make(world.user, place.session, place.client)
    await scale.make(world.user, place.session, place.client, rater=place.rater)

    async with changes(world) as found:
        answer = await scale.run(world.user, "delete", id=scale.id(score))

    assert answer.result == deleted(scale.type_name, score)
    assert found == {"scores": -1}
    assert (await scale.run(world.user, "get", id=scale.id(score))).result is None


async def test_a_score_out_of_sight_is_neither_read_changed_nor_deleted(world: World, scale: Scale) -> None:
    own, hidden = await make_client(world.user), await make_client(world.colleague)
    session = await make_session(world.user, await make_episode(world.user, own, hidden))
    hidden_score = await scale.make(world.user, session, hidden)
    elsewhere = await place_of(world.other_user)
    foreign_score = await scale.make(world.other_user, elsewhere.session, elsewhere.client)

    async with changes(world) as found:
        for score_id in [*strange_ids(scale.type_name, foreign_score), scale.id(hidden_score)]:
            assert (await scale.run(world.user, "get", id=score_id)).result is None
            updated = await scale.run(world.user, "update", id=score_id, **{scale.lines[0]: 1})
            assert updated.result == refused("NOT_FOUND", f"{scale.type_name} not found", "id")
            gone = await scale.run(world.user, "delete", id=score_id)
            assert gone.result == refused("NOT_FOUND", f"{scale.type_name} not found", "id", of="deletedId")

    assert found == {}
    answer = await scale.run(world.colleague, "get", id=scale.id(hidden_score))
    assert answer.result == scale.shown(hidden_score)


async def test_a_score_is_not_found_as_one_of_the_other_scale(world: World, scale: Scale) -> None:
    place = await place_of(world.user)
    make_other = make_srs if scale.type_name == "OrsScore" else make_ors
    other = await make_other(world.user, place.session, place.client)

    async with changes(world) as found:
        assert (await scale.run(world.user, "get", id=scale.id(other))).result is None
        gone = await scale.run(world.user, "delete", id=scale.id(other))

    assert gone.result == refused("NOT_FOUND", f"{scale.type_name} not found", "id", of="deletedId")
    assert found == {}
