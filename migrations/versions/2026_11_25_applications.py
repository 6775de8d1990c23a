"""Applications with their secrets, access tokens and API keys, session tokens, and an end to calculator credentials."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_applications"
down_revision = "2026_11_25_oidc"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
NEW_TABLES = (
    "applications",
    "application_secrets",
    "application_groups",
    "access_tokens",
    "api_keys",
    "used_assertions",
    "session_tokens",
)
LOOKED_UP = tuple(one for one in NEW_TABLES if one != "used_assertions")


def upgrade() -> None:
    create_tables()
    for name in ("expires_at", "revoked_at"):
        op.add_column("calculator_plans", sa.Column(name, TIME, nullable=True))
    op.drop_index("ix_calculator_plans_organization_id", "calculator_plans")
    op.create_index(
        "ix_calculator_plans_organization_id_email_id", "calculator_plans", ["organization_id", "email", "id"]
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in (*row_rules(), *lookups(), *calculator(live=True)):
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for signature in ("application(text)", "bearer(text)", "session_token(text)"):
            op.execute(f"DROP FUNCTION caregraph_{signature}")
        for statement in calculator(live=False):
            op.execute(statement)
    op.drop_index("ix_calculator_plans_organization_id_email_id", "calculator_plans")
    op.create_index("ix_calculator_plans_organization_id", "calculator_plans", ["organization_id"])
    for name in ("revoked_at", "expires_at"):
        op.drop_column("calculator_plans", name)
    for table in reversed(NEW_TABLES):
        op.drop_table(table)


def row_rules() -> list[str]:
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    return [
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO caregraph_app" for table in NEW_TABLES),
        *(
            f"GRANT USAGE, SELECT ON SEQUENCE {table}_id_seq TO caregraph_app"
            for table in NEW_TABLES
            if table != "application_groups"
        ),
        *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in NEW_TABLES),
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in NEW_TABLES),
        *(
            f"CREATE POLICY tenant ON {table} FOR ALL TO caregraph_app USING (organization_id = {here})"
            for table in NEW_TABLES
        ),
        *(f"CREATE POLICY lookup ON {table} FOR SELECT TO CURRENT_USER USING (true)" for table in LOOKED_UP),
    ]


def lookups() -> list[str]:
    application = """
        a.id, a.organization_id, a.scopes, a.is_limited_to_groups,
        (SELECT string_agg(g.group_id::text, ',') FROM application_groups g
         WHERE g.organization_id = a.organization_id AND g.application_id = a.id)
    """
    of_application = "JOIN applications a ON a.organization_id = t.organization_id AND a.id = t.application_id"
    columns = "id bigint, organization_id bigint, scopes text, is_limited_to_groups boolean, group_ids text"
    functions = {
        "application(key text)": (
            f"TABLE ({columns}, public_key text, secret_hash text, sealed text)",
            f"""
            SELECT {application}, a.public_key, s.secret_hash, s.sealed FROM applications a
            LEFT JOIN application_secrets s ON s.organization_id = a.organization_id AND s.application_id = a.id
                AND (s.expires_at IS NULL OR s.expires_at > now())
            WHERE a.key = $1 AND a.is_enabled
            """,
        ),
        "bearer(secret text)": (
            f"TABLE ({columns}, access_token_id bigint, granted text)",
            f"""
            SELECT {application}, t.id, t.scopes FROM access_tokens t {of_application}
            WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > now() AND a.is_enabled
            UNION ALL
            SELECT {application}, NULL, a.scopes FROM api_keys t {of_application}
            WHERE t.token_hash = $1 AND a.is_enabled AND (t.expires_at IS NULL OR t.expires_at > now())
            """,
        ),
        "session_token(secret text)": (
            "TABLE (deployment_session_id bigint, organization_id bigint)",
            """
            SELECT t.deployment_session_id, t.organization_id FROM session_tokens t
            WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND t.expires_at > now()
            """,
        ),
    }
    language = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT"
    statements = []
    for signature, (returns, body) in functions.items():
        name = f"caregraph_{signature.partition('(')[0]}(text)"
        statements += [
            f"CREATE FUNCTION caregraph_{signature} RETURNS {returns} {language} AS $${body}$$",
            f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {name} TO caregraph_app",
        ]
    return statements


def calculator(*, live: bool) -> list[str]:
    """The look-up of calculator credentials; `live` leaves out ended ones."""
    ended = "AND p.revoked_at IS NULL AND (p.expires_at IS NULL OR p.expires_at > now())" if live else ""
    return [
        f"""
        CREATE OR REPLACE FUNCTION caregraph_calculator(email text, secret text)
        RETURNS TABLE (id bigint, organization_id bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
            SELECT p.id, p.organization_id FROM calculator_plans p WHERE p.token_hash = $2 AND p.email = $1 {ended}
        $$
        """
    ]


def create_tables() -> None:
    op.create_table(
        "applications",
        *_own(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("is_limited_to_groups", sa.Boolean(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        *_tenant("applications"),
        sa.UniqueConstraint("organization_id", "id", name="uq_applications_organization_id_id"),
        sa.UniqueConstraint("key", name="uq_applications_key"),
        sa.UniqueConstraint("organization_id", "name", name="uq_applications_organization_id_name"),
    )
    op.create_table(
        "application_secrets",
        *_own(),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        *_tenant("application_secrets"),
        _inside("application_secrets", "application_id", "applications"),
    )
    op.create_table(
        "application_groups",
        sa.Column("application_id", ID, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        _of_organization("application_groups"),
        _inside("application_groups", "application_id", "applications"),
        _inside("application_groups", "group_id", "groups"),
        sa.PrimaryKeyConstraint("application_id", "group_id", name="pk_application_groups"),
    )
    op.create_table(
        "access_tokens",
        *_own(),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("refresh_token_hash", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("refresh_scopes", sa.Text(), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("refreshed_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        *_tenant("access_tokens"),
        _inside("access_tokens", "application_id", "applications"),
        sa.UniqueConstraint("organization_id", "id", name="uq_access_tokens_organization_id_id"),
        sa.UniqueConstraint("token_hash", name="uq_access_tokens_token_hash"),
        sa.UniqueConstraint("refresh_token_hash", name="uq_access_tokens_refresh_token_hash"),
    )
    op.create_table(
        "api_keys",
        *_own(),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        *_tenant("api_keys"),
        _inside("api_keys", "application_id", "applications"),
        sa.UniqueConstraint("token_hash", name="uq_api_keys_token_hash"),
    )
    op.create_table(
        "used_assertions",
        sa.Column("id", ID, nullable=False),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        *_tenant("used_assertions"),
        _inside("used_assertions", "application_id", "applications"),
        sa.UniqueConstraint(
            "organization_id",
            "application_id",
            "fingerprint",
            name="uq_used_assertions_organization_id_application_id_fingerprint",
        ),
    )
    op.create_table(
        "session_tokens",
        *_own(),
        sa.Column("deployment_session_id", ID, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        *_tenant("session_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_session_tokens_token_hash"),
    )
    for table, columns in {
        "application_secrets": ("organization_id", "application_id"),
        "application_groups": ("organization_id", "group_id", "application_id"),
        "access_tokens": ("organization_id", "application_id", "ends_at", "id"),
        "api_keys": ("organization_id", "application_id", "id"),
        "session_tokens": ("organization_id", "deployment_session_id"),
    }.items():
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    op.create_index("ix_access_tokens_organization_id_family", "access_tokens", ["organization_id", "family"])


def _own() -> list[sa.Column]:
    return [sa.Column("id", ID, nullable=False), sa.Column("created_at", TIME, nullable=False)]


def _tenant(table: str) -> list[sa.Column | sa.Constraint]:
    return [
        sa.Column("organization_id", ID, nullable=False),
        _of_organization(table),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.id"], name=f"fk_{table}_organization_id", ondelete="CASCADE"
    )


def _inside(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete="CASCADE",
    )
