"""All checks of one configuration."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from caregraph.cli.demo.plan import Scale, organizations
from caregraph.db import catalog, migrate
from caregraph.db.lookups import SignInLookups
from caregraph.db.session import Database
from caregraph.settings import Settings

from . import configuration, embedded, postgresql
from .findings import Finding, Level, Plan, error


async def examine(settings: Settings, plan: Plan) -> list[Finding]:
    """What is wrong, errors first."""
    found = [one for check in configuration.CHECKS for one in check(settings, plan)]
    found += await configuration.rate_limit_store(settings)
    database = Database(settings)
    try:
        found += await _of_database(database, plan)
    finally:
        await database.close()
    return sorted(found, key=lambda one: one.level is not Level.ERROR)


async def _of_database(database: Database, plan: Plan) -> list[Finding]:
    found = [one for check in embedded.CHECKS for one in check(database, plan)] if database.is_sqlite else []
    try:
        migrations = await _migrations(database)
        if not database.is_sqlite:
            found += _of_catalog(await catalog.read(database), database)
        found += migrations
        if not migrations and not any(one.check == "app-role" for one in found):
            found += await _demo(database)
    except (SQLAlchemyError, OSError) as failure:
        problem = f"The database does not answer as it should: {getattr(failure, 'orig', failure)}"
        found.append(error("database", problem, "Correct CAREGRAPH_DATABASE_URL, or start the database"))
    return found


def _of_catalog(read: catalog.Catalog, database: Database) -> Iterator[Finding]:
    for check in postgresql.CHECKS:
        yield from check(read)
    yield from postgresql.transport(read, database.url)


async def _migrations(database: Database) -> list[Finding]:
    """The tables are those of this version."""
    file = embedded.file_of(database) if database.is_sqlite else None
    at = None if file is not None and not file.exists() else await migrate.revision(database)
    if at == migrate.head():
        return []
    state = "has no tables yet" if at is None else f"is at {at}, this version needs {migrate.head()}"
    return [error("migrations", f"The database {state}", "Run caregraph migrate")]


async def _demo(database: Database) -> list[Finding]:
    """No account of the demo, whose password was printed on a screen, is beside real ones."""
    lookups = SignInLookups(database)
    emails = sorted({person.email for scale in Scale for one in organizations(scale) for person in one.staff})
    there = [email for email in emails if await lookups.account(email) is not None]
    if not there:
        return []
    problem = f"{len(there)} accounts of caregraph demo are in this database, such as {there[0]}"
    return [error("demo-accounts", problem, "Start with an empty database; the demo's is to be thrown away")]
