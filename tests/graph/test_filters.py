"""`where:` by lookups of columns, and searching text."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.people.models import Client
from caregraph.treatment.enums import EpisodeStatus
from graph.rows import make_clients, make_episodes
from kit import World

CLIENTS = (
    "query($where: ClientFilter) { clients(where: $where, orderBy: CREATED_AT_ASC) { totalCount nodes { fullName } } }"
)
EPISODES = "query($where: EpisodeFilter) { episodes(where: $where, orderBy: TITLE_ASC) { totalCount nodes { title } } }"
SEARCH = "query($search: String) { clients(search: $search) { totalCount nodes { fullName } } }"


async def _clients(world: World, where: Any) -> list[str]:
    page = (await world.user.ask(CLIENTS, where=where)).data["clients"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["fullName"] for node in page["nodes"]]


async def _episodes(world: World, where: Any) -> str:
    page = (await world.user.ask(EPISODES, where=where)).data["episodes"]
    assert page["totalCount"] == len(page["nodes"])
    return "".join(node["title"] for node in page["nodes"])


async def _found(world: World, search: str) -> list[str]:
    page = (await world.user.ask(SEARCH, search=search)).data["clients"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["fullName"] for node in page["nodes"]]


DAYS_AND_TEXTS = [
    (None, ["Ann", "Bo", "Cy", "Di"]),
    ({}, ["Ann", "Bo", "Cy", "Di"]),
    ({"birthDate": None}, ["Ann", "Bo", "Cy", "Di"]),
    ({"birthDate": {}}, ["Ann", "Bo", "Cy", "Di"]),
    ({"birthDate": {"eq": None}}, ["Ann", "Bo", "Cy", "Di"]),
    ({"birthDate": {"eq": "1990-01-01"}}, ["Bo"]),
    ({"birthDate": {"in": ["1980-01-01", "1990-01-01", "1970-01-01"]}}, ["Ann", "Bo"]),
    ({"birthDate": {"in": []}}, []),
    ({"birthDate": {"gt": "1990-01-01"}}, ["Cy"]),
    ({"birthDate": {"gte": "1990-01-01"}}, ["Bo", "Cy"]),
    ({"birthDate": {"lt": "1990-01-01"}}, ["Ann"]),
    ({"birthDate": {"lte": "1990-01-01"}}, ["Ann", "Bo"]),
    ({"birthDate": {"isNull": True}}, ["Di"]),
    ({"birthDate": {"isNull": False}}, ["Ann", "Bo", "Cy"]),
    ({"birthDate": {"gt": "1980-01-01", "lt": "2000-01-01"}}, ["Bo"]),
    ({"birthDate": {"gt": "1980-01-01", "isNull": True}}, []),
    ({"fullName": {"eq": "Ann"}}, ["Ann"]),
    ({"fullName": {"eq": "ann"}}, []),
    ({"fullName": {"eq": ""}}, []),
    ({"fullName": {"in": ["Di", "Ann", "Ann", "Nobody"]}}, ["Ann", "Di"]),
    ({"fullName": {"isNull": True}}, []),
    ({"fullName": {"in": ["Ann", "Bo"]}, "birthDate": {"gte": "1990-01-01"}}, ["Bo"]),
]


async def test_days_and_texts(world: World) -> None:
    born = {"Ann": date(1980, 1, 1), "Bo": date(1990, 1, 1), "Cy": date(2000, 1, 1)}
    await make_clients(world.user, "Ann", "Bo", "Cy", "Di", birth_dates=born)

    assert [(where, await _clients(world, where)) for where, _ in DAYS_AND_TEXTS] == DAYS_AND_TEXTS


INSTANTS = [
    ({"eq": "2026-03-01T12:00:00Z"}, ["Noon"]),
    ({"eq": "2026-03-01T14:00:00+02:00"}, ["Noon"]),
    ({"in": ["2026-03-01T12:00:00+00:00", "2026-03-01T11:00:00-02:00"]}, ["Noon", "One"]),
    ({"gt": "2026-03-01T12:00:00Z"}, ["One"]),
    ({"gt": "2026-03-01T11:59:59.999999Z"}, ["Noon", "One"]),
    ({"gte": "2026-03-01T12:00:00Z", "lt": "2026-03-01T13:00:00Z"}, ["Noon"]),
    ({"lt": "2026-03-01T12:00:00Z"}, []),
    ({"lte": "2026-03-01T15:00:00+03:00"}, ["Noon"]),
    ({"isNull": True}, []),
]


async def test_instants_whatever_their_offset(world: World) -> None:
    noon, one = await make_clients(world.user, "Noon", "One")
    async with world.writing(world.user) as tx:
        for client, hour in ((noon, 12), (one, 13)):
            (await tx.get_one(Client, client.id)).created_at = datetime(2026, 3, 1, hour, tzinfo=UTC)

    assert [(where, await _clients(world, {"createdAt": where})) for where, _ in INSTANTS] == INSTANTS


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_an_instant_outside_of_time_is_bad_input(world: World, instant: str) -> None:
    answer = await world.user.ask(CLIENTS, where={"createdAt": {"gt": instant}})

    code, message = answer.error
    assert code == "BAD_USER_INPUT"
    assert message.endswith("DateTime cannot represent a value that is not RFC 3339")


CODES = [
    ({"status": {"eq": "ONGOING"}}, "ab"),
    ({"status": {"in": ["TERMINATED_NO_EFFECT", "TERMINATED_MUTUAL_AGREEMENT"]}}, "cd"),
    ({"status": {"isNull": True}}, ""),
    ({"status": {"isNull": False}}, "abcd"),
    ({"endDate": {"isNull": True}, "status": {"eq": "ONGOING"}}, "a"),
    ({"endDate": {"gte": "2026-02-01"}, "startDate": {"lte": "2026-01-05"}}, "bc"),
    ({"title": {"in": ["a", "d"]}}, "ad"),
]


async def test_codes(world: World) -> None:
    (client,) = await make_clients(world.user, "Ann")
    await make_episodes(
        world.user,
        client,
        a={},
        b={"end_date": date(2026, 2, 1)},
        c={"end_date": date(2026, 3, 1), "status": EpisodeStatus.TERMINATED_NO_EFFECT},
        d={"start_date": date(2026, 2, 1), "status": EpisodeStatus.TERMINATED_MUTUAL_AGREEMENT},
    )

    assert [(where, await _episodes(world, where)) for where, _ in CODES] == CODES


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", "x"), ("startDate", "2026-01-01"), ("status", "ONGOING"), ("createdAt", "2026-01-01T00:00:00Z")],
)
async def test_a_list_of_values_has_at_most_a_hundred(world: World, field: str, value: str) -> None:
    with world.statements() as statements:
        answer = await world.user.ask(EPISODES, where={field: {"in": [value] * 101}})

    (error,) = answer.body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "where"}
    assert error["message"] == "in takes at most 100 values"
    assert statements == []


async def test_a_hundred_values_are_taken(world: World) -> None:
    await make_clients(world.user, "Ann", "Bo")

    assert await _clients(world, {"fullName": {"in": [*(f"x{n}" for n in range(99)), "Bo"]}}) == ["Bo"]


WRONG_TYPES = [
    ({"birthDate": {"eq": "2026-02-30"}}, "Date cannot represent a day that does not exist: 2026-02-30"),
    ({"birthDate": {"eq": "1.1.2026"}}, "Date cannot represent a value that is not of the form YYYY-MM-DD"),
    ({"createdAt": {"eq": "2026-01-01"}}, "DateTime cannot represent a time without an offset"),
    ({"createdAt": {"eq": "2026-01-01T10:00:00"}}, "DateTime cannot represent a time without an offset"),
    ({"createdAt": {"eq": "noon"}}, "DateTime cannot represent a value that is not RFC 3339"),
    ({"createdAt": {"eq": 5}}, "DateTime cannot represent a value that is not RFC 3339"),
]


async def test_a_value_of_another_type_is_bad_input(world: World) -> None:
    for where, message in WRONG_TYPES:
        answer = await world.user.ask(CLIENTS, where=where)
        code, said = answer.error
        assert (code, said.endswith(message)) == ("BAD_USER_INPUT", True), said
        assert "data" not in answer.body


@pytest.mark.parametrize("where", ['{fullName: {eq: "a\\u0000b"}}', '{fullName: {in: ["x", "\\u0000"]}}'])
async def test_the_character_that_no_text_has_is_refused(world: World, where: str) -> None:
    answer = await world.user.ask(f"{{ clients(where: {where}) {{ totalCount }} }}")

    (error,) = answer.body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "where"}
    assert error["message"] == "where must not contain the character U+0000"


async def test_only_listed_columns_filter(world: World) -> None:
    for field in ("gender", "ssn", "id", "organizationId", "searchText", "phone"):
        code, message = (await world.user.ask(f"{{ clients(where: {{{field}: {{}}}}) {{ totalCount }} }}")).error
        assert code == "GRAPHQL_VALIDATION_FAILED"
        assert message.startswith(f"Expected value of type 'ClientFilter' not to include unknown field '{field}'")


async def test_a_nested_list_is_filtered_and_counted_under_the_same_conditions(world: World) -> None:
    ann, bo = await make_clients(world.user, "Ann", "Bo")
    await make_episodes(world.user, ann, a={}, b={"end_date": date(2026, 2, 1)})
    await make_episodes(world.user, bo, c={"end_date": date(2026, 3, 1)})
    query = """query($where: EpisodeFilter) { clients { nodes {
        episodes(where: $where, first: 1) { totalCount nodes { title } }
    } } }"""

    answer = await world.user.ask(query, where={"endDate": {"isNull": False}})

    assert [node["episodes"] for node in answer.data["clients"]["nodes"]] == [
        {"totalCount": 1, "nodes": [{"title": "b"}]},
        {"totalCount": 1, "nodes": [{"title": "c"}]},
    ]


NAMES = ["100% Ann", "Under_score", "Øyvind", "Straße", "ÅSE", "İstanbul", "Back\\slash", "Ann O'Neil", "Ünal", "ﬁne"]


SEARCHES = [
    ("%", ["100% Ann"]),
    ("0% a", ["100% Ann"]),
    ("_", ["Under_score"]),
    ("r_s", ["Under_score"]),
    ("\\", ["Back\\slash"]),
    ("'", ["Ann O'Neil"]),
    ("ANN", ["100% Ann", "Ann O'Neil"]),
    ("øy", ["Øyvind"]),
    ("ØYVIND", ["Øyvind"]),
    ("STRASSE", ["Straße"]),
    ("straße", ["Straße"]),
    ("åse", ["ÅSE"]),
    ("A\u030ase", ["ÅSE"]),
    ("ünAL", ["Ünal"]),
    ("fine", ["ﬁne"]),
    ("nobody", []),
    ("x%", []),
    ("*", []),
    (" ", ["100% Ann", "Ann O'Neil"]),
]


async def test_a_search_finds_text_letter_for_letter_in_any_case(world: World) -> None:
    await make_clients(world.user, *NAMES)

    assert [(search, await _found(world, search)) for search, _ in SEARCHES] == SEARCHES


async def test_an_empty_search_is_none(world: World) -> None:
    await make_clients(world.user, "Ann", "Bo")

    assert await _found(world, "") == ["Ann", "Bo"]


async def test_a_search_looks_into_name_alias_and_number(world: World) -> None:
    async with world.writing(world.superuser) as tx:
        tx.add_all(
            [
                Client(full_name="Ann", alias="Sunshine"),
                Client(full_name="Bo", ssn="010190-1234"),
                Client(full_name="Cy", comment="sunshine 010190"),
            ]
        )

    found = [
        (await world.superuser.ask(SEARCH, search=search)).data["clients"]["nodes"] for search in ("SUN", "0190-1")
    ]

    assert found == [[{"fullName": "Ann"}], [{"fullName": "Bo"}]]


async def test_a_search_follows_a_change_of_the_row(world: World) -> None:
    (client,) = await make_clients(world.user, "Ann")
    rename = 'mutation($id: ID!) { updateClient(id: $id, input: {alias: "Sunshine"}) { errors { message } } }'

    await world.user.ask(rename, id=global_id("Client", client.id))

    assert await _found(world, "sunSHINE") == ["Ann"]


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("x" * 201, "search takes at most 200 characters"),
        ("a\u0000", "search must not contain the character U+0000"),
    ],
)
async def test_a_search_that_cannot_be_made_is_bad_input(world: World, search: str, message: str) -> None:
    answer = await world.user.ask(SEARCH, search=search)

    (error,) = answer.body["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "search"}
    assert error["message"] == message


async def test_a_search_may_have_200_characters(world: World) -> None:
    await make_clients(world.user, "y" * 200)

    assert await _found(world, "Y" * 200) == ["y" * 200]
