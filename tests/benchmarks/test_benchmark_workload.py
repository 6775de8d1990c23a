"""The benchmark asks what it says: every query answers, in few statements, and the limit reads the same rows."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import orjson
import pytest
from bench_driver import Limit
from bench_engine import Sample, trajectories
from bench_served import ask, statements
from bench_workload import QUESTIONS, Question, text_of

from caregraph.app import create_app
from caregraph.cli.demo.plan import Scale
from caregraph.cli.demo.run import prepare
from caregraph.settings import Settings
from kit import settings_for


@pytest.fixture
def settings(url: str) -> Settings:
    return settings_for(url)


@pytest.fixture
async def asked(settings: Settings) -> AsyncIterator[Any]:
    """Ask a question as the superuser; the answer and the statements it took."""
    demo = await prepare(settings, Scale.SMALL, lambda _name, _count, _total: None)
    app = create_app(settings)
    headers = dict(demo.principals[0].headers)
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
            assert scalars(orjson.loads(await limit.read(question.level))["data"]) == scalars(data)


def scalars(value: Any) -> int:
    """How many values are in an answer."""
    if isinstance(value, dict):
        return sum(map(scalars, value.values()))
    return sum(map(scalars, value)) if isinstance(value, list) else 1


def test_engine_is_measured_on_the_large_organization() -> None:
    trajectories()
    sample = Sample(date(2026, 3, 4))

    sample.statistics()

    assert (len(sample.episodes.episode), len(sample.scores.row)) == (2_734, 42_264)
