"""Statistics grouped by any property."""

from datetime import date
from typing import Any

import pytest

from caregraph.graph.node import global_id
from caregraph.treatment.enums import EpisodeStatus
from factories.people import make_client, make_label
from factories.treatment import make_episode, make_ors, make_rater, make_session
from kit import World

QUERY = """
query($by: [Dimension!], $cell: Int, $informant: InformantKind! = CLIENT) {
  organizationStatistics(groupBy: $by, minimumCell: $cell, informant: $informant) {
    total { nClients meanIntakeOrs }
    groups { keys { dimension value label } indices { nClients nEpisodes nRaters meanIntakeOrs } }
  }
}
"""


async def agency(world: World) -> dict[str, Any]:
    """Kim with two labels, Lee with one owner more, Max without anything; a rater for Kim."""
    kim = await make_client(world.user, full_name="Kim", birth_date=date(1990, 1, 1))
    lee = await make_client(world.user, world.colleague, full_name="Lee", birth_date=date(2012, 1, 1))
    plain = await make_client(world.colleague, full_name="Max")
    one = await make_label(world.superuser, "alpha", kim)
    two = await make_label(world.superuser, "beta", kim, lee)
    for client, start, status, total in (
        (kim, date(2026, 1, 5), EpisodeStatus.ONGOING, 16.0),
        (lee, date(2026, 2, 5), EpisodeStatus.TERMINATED_MUTUAL_AGREEMENT, 24.0),
        (plain, date(2026, 2, 9), EpisodeStatus.ONGOING, None),
    ):
        episode = await make_episode(world.superuser, client, start_date=start, status=status)
        session = await make_session(world.superuser, episode, start)
        if total is not None:
            await make_ors(world.superuser, session, client, *(total / 4,) * 4)
        if client is kim:
            rater = await make_rater(world.superuser, episode, kim)
            await make_ors(world.superuser, session, kim, 2, 2, 2, 2, rater=rater)
    return {"alpha": global_id("Label", one.id), "beta": global_id("Label", two.id)}


async def groups(world: World, *by: str, **variables: Any) -> list[tuple[Any, ...]]:
    found = (await world.superuser.ask(QUERY, by=list(by), **variables)).data["organizationStatistics"]["groups"]
    return [
        (
            *((key["value"], key["label"]) for key in group["keys"]),
            group["indices"] and (group["indices"]["nClients"], group["indices"]["meanIntakeOrs"]),
        )
        for group in found
    ]


async def test_a_client_with_two_labels_counts_in_both_groups(world: World) -> None:
    ids = await agency(world)

    assert await groups(world, "CLIENT_LABEL") == [
        ((ids["alpha"], "alpha"), (1, 16.0)),
        ((ids["beta"], "beta"), (2, 20.0)),
        ((None, "Without label"), (1, None)),
    ]


async def test_by_user(world: World) -> None:
    await agency(world)

    assert await groups(world, "USER") == [
        ((world.user.id, "Ben Borg"), (2, 20.0)),
        ((world.colleague.id, "Cleo Cruz"), (2, 24.0)),
    ]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("MONTH", [(("2026-01", "2026-01"), (1, 16.0)), (("2026-02", "2026-02"), (2, 24.0))]),
        (
            "AGE_BAND",
            [
                (("AGE_13_17", "13 to 17"), (1, 24.0)),
                (("ADULT", "18 and older"), (1, 16.0)),
                (("UNKNOWN", "Unknown age"), (1, None)),
            ],
        ),
        (
            "INTAKE_BAND",
            [
                (("15-<20", "15-<20"), (1, 16.0)),
                (("20-<25", "20-<25"), (1, 24.0)),
                ((None, "Without ORS"), (1, None)),
            ],
        ),
        ("RATER_KIND", [(("CLIENT", "Client"), (3, 20.0)), (("COLLATERAL", "Collateral"), (1, 8.0))]),
        (
            "EPISODE_STATUS",
            [
                (("ONGOING", "Ongoing"), (2, 16.0)),
                (("TERMINATED_MUTUAL_AGREEMENT", "Terminated mutual agreement"), (1, 24.0)),
            ],
        ),
        ("EPISODE_LABEL", [((None, "Without label"), (3, 20.0))]),
    ],
)
async def test_by_one_property(world: World, dimension: str, expected: list[Any]) -> None:
    await agency(world)

    assert await groups(world, dimension) == expected


async def test_by_two_properties_together(world: World) -> None:
    ids = await agency(world)

    assert await groups(world, "CLIENT_LABEL", "MONTH") == [
        ((ids["alpha"], "alpha"), ("2026-01", "2026-01"), (1, 16.0)),
        ((ids["beta"], "beta"), ("2026-01", "2026-01"), (1, 16.0)),
        ((ids["beta"], "beta"), ("2026-02", "2026-02"), (1, 24.0)),
        ((None, "Without label"), ("2026-02", "2026-02"), (1, None)),
    ]


async def test_small_cells_are_hidden_on_request(world: World) -> None:
    ids = await agency(world)

    assert await groups(world, "CLIENT_LABEL", cell=2) == [
        ((ids["alpha"], "alpha"), None),
        ((ids["beta"], "beta"), (2, 20.0)),
        ((None, "Without label"), None),
    ]


async def test_ratings_of_raters_are_counted_on_request_only(world: World) -> None:
    await agency(world)

    own = (await world.superuser.ask(QUERY)).data["organizationStatistics"]["total"]
    raters = (await world.superuser.ask(QUERY, informant="COLLATERAL")).data["organizationStatistics"]["total"]

    assert (own["meanIntakeOrs"], raters["meanIntakeOrs"]) == (20.0, 8.0)


async def test_an_empty_organization_has_no_groups(world: World) -> None:
    assert await groups(world, "CLIENT_LABEL", "USER", "INTAKE_BAND") == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"by": ["MONTH", "USER", "AGE_BAND", "RATER_KIND"]}, "groupBy takes at most 3 properties"),
        ({"cell": 0}, "minimumCell must be between 1 and 1000"),
        ({"cell": 1001}, "minimumCell must be between 1 and 1000"),
    ],
)
async def test_bad_input(world: World, variables: dict[str, Any], message: str) -> None:
    answer = await world.superuser.ask(QUERY, **variables)

    assert answer.error == ("BAD_USER_INPUT", message)
