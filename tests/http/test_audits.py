"""The audits of the GraphQL over HTTP specification: each of them passes, MUST, SHOULD and MAY alike.

Two of them send a GET without any header that a page of another site could not set. Caregraph refuses those on
purpose, so `audits.mjs` adds `GraphQL-Require-Preflight: 1` to every GET, as a client of this server must.
"""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from browser import serving
from caregraph.app import create_app
from kit import settings_for
from node_tools import SCRIPTS, run_node


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """What the audits ask for is in no table."""
    path = tmp_path / "caregraph.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


def test_every_audit_passes(url: str) -> None:
    with serving(create_app(settings_for(url))) as address:
        results = json.loads(run_node(SCRIPTS / "audits.mjs", f"{address}/graphql"))

    assert [one for one in results if one["status"] != "ok"] == []
    assert Counter(one["name"].split()[0] for one in results) == {"MUST": 13, "SHOULD": 23, "MAY": 25}
