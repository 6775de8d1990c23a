"""Tables as the rules of reading, filtering and tenancy want them: read from the metadata."""

from typing import Any

import pytest
from sqlalchemy import Index, UniqueConstraint

from caregraph import schema
from caregraph.db import migrate
from caregraph.db.base import Base, SharedRow, TenantRow, table_of
from caregraph.db.scope import RULES
from caregraph.db.session import Database
from kit import settings_for

SCHEMA = schema.build()
MODELS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda model: model.__name__)
NODES = [
    definition.origin.__node__
    for entry in SCHEMA.schema_converter.type_map.values()
    if hasattr(getattr(definition := entry.definition, "origin", None), "__node__")
]
# Columns that no index narrows, each with why that does no harm.
UNINDEXED = {("Score", "measure"): "two values, asked of one rater's scores only, which an index finds"}


# Who is given access to content is another organization.
GRANTEES = {("access_grants", "organizations"), ("network_members", "organizations")}


def _indexes(model: type[Any]) -> list[list[str]]:
    table = table_of(model)
    keys = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    whole = [
        one for one in table.indexes if isinstance(one, Index) and one.dialect_options["sqlite"].get("where") is None
    ]
    return [[column.name for column in one.columns] for one in (*keys, *whole)]


def _leading(model: type[Any], *columns: str) -> list[str]:
    return [*(("organization_id",) if issubclass(model, TenantRow) else ()), *columns]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_has_a_visibility_rule(model: type[Any]) -> None:
    assert any(base in RULES for base in model.__mro__), f"declare @rule(models.{model.__name__}) in its policy.py"


def test_a_row_of_a_person_is_a_row_of_a_tenant() -> None:
    """Of no organization are the organizations, the accounts with their tokens, counters, what to do later, and keys."""
    global_tables = {model.__tablename__ for model in MODELS if not issubclass(model, TenantRow)}

    assert global_tables == {
        *("organizations", "users", "api_tokens", "sign_in_attempts"),
        *("file_garbage", "outgoing_mails", "encryption_keys"),
    }


@pytest.mark.parametrize("info", NODES, ids=lambda info: info.name)
def test_what_filters_is_indexed(info: Any) -> None:
    indexes = _indexes(info.model)
    missing = {
        (info.name, column.key)
        for column in info.where
        if not issubclass(info.model, SharedRow)  # an organization has hundreds, found by whose they are
        if not any(index[: len(wanted := _leading(info.model, column.key))] == wanted for index in indexes)
    }

    assert missing == {key for key in UNINDEXED if key[0] == info.name}, (
        'add Index(None, "organization_id", column, "id")'
    )


@pytest.mark.parametrize("info", NODES, ids=lambda info: info.name)
def test_what_orders_is_indexed_with_the_id_behind_it(info: Any) -> None:
    indexes = _indexes(info.model)
    table = table_of(info.model)
    keys = [*(one for one in table.constraints if isinstance(one, UniqueConstraint)), table.primary_key]
    unique = [[c.name for c in one.columns] for one in (*keys, *(one for one in table.indexes if one.unique))]
    missing = {
        column.key
        for column in info.order_by
        if _leading(info.model, column.key, "id") not in indexes and _leading(info.model, column.key) not in unique
        if not issubclass(info.model, SharedRow)  # lists of content span owners: no index has them in order
    }

    assert missing == set(), 'add Index(None, "organization_id", column, "id")'


@pytest.mark.parametrize("model", [one for one in MODELS if issubclass(one, TenantRow)], ids=lambda one: one.__name__)
def test_a_foreign_key_stays_in_its_tenant(model: type[Any]) -> None:
    """Of a tenant's rows only users are outside, whoever is a member, and content that others may share."""
    leaving = {
        (model.__tablename__, key.referred_table.name)
        for key in table_of(model).foreign_key_constraints
        if "organization_id" not in key.column_keys and "is_shared" not in key.info
    }

    assert leaving <= {("memberships", "users"), *GRANTEES}, "use tenant_key(...)"


def test_a_shared_key_leads_to_what_is_shared() -> None:
    shared = {table_of(model).name for model in MODELS if issubclass(model, SharedRow)}
    led_to = {
        key.referred_table.name
        for model in MODELS
        for key in table_of(model).foreign_key_constraints
        if "is_shared" in key.info
    }

    assert led_to <= shared


@pytest.mark.parametrize("model", [one for one in MODELS if issubclass(one, TenantRow)], ids=lambda one: one.__name__)
def test_what_a_foreign_key_leads_from_is_indexed(model: type[Any]) -> None:
    """A delete follows these keys: without an index each of them reads a whole table."""
    table = table_of(model)
    indexes = [*_indexes(model), [column.name for column in table.primary_key.columns]]
    missing = [
        key.column_keys
        for key in table.foreign_key_constraints
        if not any(_narrows(index, set(key.column_keys)) for index in indexes)
    ]

    assert missing == []


def _narrows(index: list[str], columns: set[str]) -> bool:
    """Whether an index begins with a column of the key that tells its rows apart."""
    first = [name for name in index if name != "organization_id"][:1]
    return (columns == {"organization_id"} and index[0] == "organization_id") or bool(
        set(first) & (columns - {"organization_id"})
    )


def test_a_plain_constraint_that_callers_can_break_says_what_is_wrong() -> None:
    """One that says nothing would reach callers as an internal error."""
    silent = {
        one.name
        for table in Base.metadata.tables.values()
        for one in (*table.constraints, *table.indexes)
        if (isinstance(one, UniqueConstraint) or (isinstance(one, Index) and one.unique)) and "message" not in one.info
        if not {"id", "token_hash"} & {column.name for column in one.columns}
    }

    assert silent == {
        "uq_memberships_organization_id_user_id",  # made with the user, in one transaction
        "uq_files_storage_key",  # random
        "uq_episode_clients_organization_id_episode_id_client_id",  # the service asks first
    }


async def test_migrations_agree_with_the_models(url: str) -> None:
    database = Database(settings_for(url))

    try:
        assert await migrate.differences(database) == []
        assert await migrate.revision(database) == migrate.head()
    finally:
        await database.close()
