"""The limit: the same rows read with the bare driver, nested and dumped as JSON, without anything in between."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Self

import asyncpg
import orjson
from bench_workload import Level
from sqlalchemy import URL, make_url


class Limit:
    """Reads levels with the driver of a database."""

    def __init__(self, url: str, organization_id: int) -> None:
        self._organization_id = organization_id
        self._url = make_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._connection: Any = None

    async def __aenter__(self) -> Self:
        if self._is_sqlite:
            self._connection = sqlite3.connect(self._url.database or "")
        else:
            self._connection = await _connected(self._url)
            tenant = str(self._organization_id)  # row-level security is part of what a read costs
            await self._connection.execute("SELECT set_config('app.organization_id', $1, false)", tenant)
            await self._connection.execute("SET ROLE caregraph_app")
        return self

    async def __aexit__(self, *_: object) -> None:
        closing = self._connection.close()
        if not self._is_sqlite:
            await closing

    async def read(self, level: Level) -> bytes:
        """The level with all nested ones, as the bytes of an answer."""
        rows = [row for row, _ in await self._nested(level, ())]
        return orjson.dumps({"data": {level.name: {"nodes": rows}}})

    async def made(self, level: Level) -> str:
        """The same as JSON that PostgreSQL makes in one statement."""
        return await self._connection.fetchval(level.as_json(self._organization_id))

    async def _nested(self, level: Level, parents: Sequence[int]) -> list[tuple[dict[str, Any], int]]:
        found = await self._rows(level, parents)
        for inner in level.nested:
            by_parent = defaultdict(list)
            for row, parent in await self._nested(inner, [row["id"] for row, _ in found]):
                by_parent[parent].append(row)
            for row, _ in found:
                row[inner.name] = by_parent.get(row["id"], [])
        return found

    async def _rows(self, level: Level, parents: Sequence[int]) -> list[tuple[dict[str, Any], int]]:
        if self._is_sqlite:
            sql = level.rows.format(
                organization=self._organization_id, parents="IN (SELECT value FROM json_each(:keys))"
            )
            cursor = self._connection.execute(sql, {"keys": json.dumps(list(parents))} if ":keys" in sql else {})
            names = [column[0] for column in cursor.description[1:]]
            return [(dict(zip(names, row[1:], strict=True)), row[0]) for row in cursor.fetchall()]
        sql = level.rows.format(organization=self._organization_id, parents="= ANY($1::bigint[])")
        records = await self._connection.fetch(sql, *([list(parents)] if "$1" in sql else []))
        names = list(records[0].keys())[1:] if records else []
        return [(dict(zip(names, tuple(record)[1:], strict=True)), record[0]) for record in records]


async def _connected(url: URL) -> Any:
    return await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
