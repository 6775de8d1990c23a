"""The benchmark asks what it says: every query answers, in few statements, and the limit reads the same rows."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from bench_contenders import Loaded, ours
from bench_driver import Limit
from bench_engine import Sample, trajectories
from bench_rounds import CONNECTIONS, latencies, throughput
from bench_served import ask, statements
from bench_workload import QUESTIONS, Question, counted, text_of

from caregraph.app import create_app
from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.run import Demo, prepare
from caregraph.settings import Settings
from kit import settings_for


@pytest.fixture
def settings(demo: tuple[Settings, Demo]) -> Settings:
    return demo[0]


@pytest.fixture
async def asked(demo: tuple[Settings, Demo]) -> AsyncIterator[Any]:
    """Ask a question as the superuser; the answer and the statements it took."""
    settings, ready = demo
    app = create_app(settings)
    headers = dict(ready.principals[0].headers)
    clients = orjson.loads(await ask(app, "{ clients(first: 1) { nodes { id } } }", headers))["data"]["clients"]

    async def answer(question: Question) -> tuple[Any, list[str]]:
        with statements(app.state.database) as sent:
            body = orjson.loads(await ask(app, text_of(question, clients["nodes"][0]["id"]), headers))
        assert "errors" not in body
        return body["data"], sent

    yield answer
    await app.state.database.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)
async def test_question_is_answered_in_its_statements(asked: Any, settings: Settings, question: Question) -> None:
    data, sent = await asked(question)

    assert 1 <= len(sent) <= question.most_statements
    if question.level is not None:
        async with Limit(settings.database_url, 1) as limit:
            assert counted(orjson.loads(await limit.read(question.level))["data"]) == counted(data)
            if settings.database_url.startswith("postgresql"):
                assert counted(orjson.loads(await limit.made(question.level))["data"]) == counted(data)


def test_values_are_counted_and_the_objects_that_hold_any() -> None:
    answer = {"clients": {"nodes": [{"id": 1, "owners": [{"user": {"name": None}}]}, {"id": 2, "owners": []}]}}

    assert counted(answer) == (3, 3)


async def test_a_server_is_measured_over_http(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path / 'served.sqlite'}")
    demo = await prepare(settings, Scale.SMALL, lambda _name, _count, _total: None)

    with ours(Loaded(settings.database_url, 1, demo.principals[0].headers)) as server:
        times = latencies([server], ["Q3"], 1)
        load = throughput([server], ["Q3"], 1)

    assert times.p50.ratio(server.name, server.name, "Q3") == 1
    assert load.rates.middle(server.name, "Q3") > CONNECTIONS


def test_engine_is_measured_on_the_large_organization() -> None:
    trajectories()
    sample = Sample(date(2026, 3, 4))

    sample.statistics()

    assert (len(sample.episodes.episode), len(sample.scores.row)) == (2_734, 42_264)
