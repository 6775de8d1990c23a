"""`/metrics`: numbers by operation name, bounded labels, and who may read them."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families
from slowness import Caller, endless

from factories.people import make_client
from kit import DOCUMENTS, World

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def _samples(world: World, **headers: str) -> Samples:
    response = await world.http.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["cache-control"] == "no-store"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def _value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


async def test_an_operation_is_counted_with_what_it_cost(world: World) -> None:
    for _ in range(3):
        await make_client(world.superuser)
    name = "fit_clients_list_agency"
    with world.statements() as sent:
        answer = await world.superuser.ask(
            "query fit_clients_list_agency { clients { totalCount nodes { owners { email } } } }"
        )
    assert answer.data["clients"]["totalCount"] == 3

    samples = await _samples(world)

    assert _value(samples, "caregraph_operations_total", operation=name, kind="query") == 1
    assert _value(samples, "caregraph_operation_seconds_count", operation=name) == 1
    assert _value(samples, "caregraph_operation_statements_count", operation=name) == 1
    assert _value(samples, "caregraph_operation_statements_sum", operation=name) == len(sent) == 3
    assert _value(samples, "caregraph_loader_batch_size_count", loader="RowsByParent") == 1
    assert _value(samples, "caregraph_loader_batch_size_sum", loader="RowsByParent") == 3
    assert _value(samples, "caregraph_operation_errors_total", operation=name, code="FORBIDDEN") is None


async def test_errors_are_counted_by_code(world: World) -> None:
    await world.nobody.ask("query fit_root_hello { clients { totalCount } me { email } }")
    await world.nobody.ask("query fit_root_hello { nonsense }")
    await world.nobody.ask("{")

    samples = await _samples(world)

    errors = "caregraph_operation_errors_total"
    assert _value(samples, errors, operation="fit_root_hello", code="UNAUTHENTICATED") == 1
    assert _value(samples, errors, operation="anonymous", code="GRAPHQL_VALIDATION_FAILED") == 1
    assert _value(samples, errors, operation="anonymous", code="GRAPHQL_PARSE_FAILED") == 1
    assert _value(samples, "caregraph_operations_total", operation="anonymous", kind="none") == 2


async def test_names_that_callers_invent_make_no_labels(world: World) -> None:
    for number in range(5):
        await world.nobody.ask(f"query Invented{number} {{ hello {{ helloFrom }} }}")
    await world.nobody.ask("{ hello { helloFrom } }")

    samples = await _samples(world)

    operations = {dict(labels)["operation"] for name, labels in samples if name == "caregraph_operations_total"}
    assert operations == {"other", "anonymous"}
    assert _value(samples, "caregraph_operations_total", operation="other", kind="query") == 5
    assert operations.isdisjoint(DOCUMENTS)


async def test_pools_and_places_are_shown_as_they_are(world: World) -> None:
    await world.restart(pool_size=1, running_operations=2)
    pool = "reader" if world.database.is_sqlite else "all"
    caller = Caller(world.superuser, "{ clients { nodes { id } } }")
    with endless(world, "FROM clients") as begun:
        running = asyncio.create_task(caller.send())
        await begun.wait()
        without_connection, without_place = (
            asyncio.create_task(world.superuser.ask("{ me { email } }")) for _ in range(2)
        )
        while (samples := await _samples(world)) and not _value(
            samples, "caregraph_pool_connections", pool=pool, state="waiting"
        ):
            pass
        caller.leave()
        await running
        for late in (without_connection, without_place):
            assert (await late).data == {"me": {"email": "ada@northfield.example"}}

    def pooled(state: str) -> float | None:
        return _value(samples, "caregraph_pool_connections", pool=pool, state=state)

    assert [pooled(state) for state in ("size", "checked_out", "overflow", "waiting")] == [1, 1, 0, 1]
    assert _value(samples, "caregraph_operations_running") == 2
    assert _value(samples, "caregraph_operations_waiting") == 1
    lag = _value(samples, "caregraph_event_loop_lag_seconds")
    assert lag is not None
    assert lag >= 0
    after = await _samples(world)
    assert _value(after, "caregraph_operations_running") == 0
    assert _value(after, "caregraph_pool_connections", pool=pool, state="checked_out") == 0


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Basic c2VjcmV0", "Bearer sécret"])
async def test_with_a_token_set_nobody_reads_without_it(world: World, header: str | None) -> None:
    await world.restart(metrics_token="secret-of-the-scraper")

    response = await world.http.get(
        "/metrics", headers={"authorization": header.encode()} if header is not None else {}
    )

    assert (response.status_code, response.text) == (401, "Unauthorized\n")
    assert response.headers["www-authenticate"] == "Bearer"
    assert await _samples(world, authorization="Bearer secret-of-the-scraper")


async def test_metrics_can_be_off(world: World) -> None:
    await world.restart(metrics=False)

    assert (await world.http.get("/metrics")).status_code == 404
