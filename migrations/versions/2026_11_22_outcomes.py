"""The tables of organizations, people and treatment, and on PostgreSQL the row rules under them."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_outcomes"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TENANT_TABLES = (
    "memberships",
    "calculator_plans",
    "clients",
    "client_owners",
    "labels",
    "client_labels",
    "episodes",
    "episode_clients",
    "episode_labels",
    "raters",
    "sessions",
    "scores",
)
SEARCHED_TABLES = ("users", "clients", "episodes")
# Read by the SECURITY DEFINER functions below, which run as the owner of the tables.
LOOKED_UP = ("users", "memberships", "api_tokens", "calculator_plans")


def upgrade() -> None:
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        for statement in (*role(), *row_rules(), *lookups(), *last_membership(), *trigrams()):
            op.execute(statement)
    else:
        op.execute(
            "CREATE TRIGGER last_membership AFTER DELETE ON memberships BEGIN DELETE FROM users WHERE id = OLD.user_id"
            " AND NOT EXISTS (SELECT 1 FROM memberships WHERE user_id = OLD.user_id); END"
        )


def role() -> list[str]:
    """The role every transaction works under: it owns nothing and cannot log in."""
    return [
        """
        DO $$ BEGIN
            CREATE ROLE caregraph_app NOLOGIN NOBYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """,
        """
        DO $$ BEGIN
            GRANT caregraph_app TO CURRENT_USER;
        EXCEPTION WHEN insufficient_privilege THEN NULL;  -- somebody else granted it already, or must
        END $$
        """,
        "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO caregraph_app', current_schema()); END $$",
        *(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO caregraph_app"
            for table in (*TENANT_TABLES, "organizations", "users", "api_tokens", "sign_in_attempts")
        ),
        "GRANT SELECT ON alembic_version TO caregraph_app",
        """
        DO $$ BEGIN
            EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO caregraph_app', current_schema());
        END $$
        """,
    ]


def row_rules() -> list[str]:
    """Only rows of the organization that the transaction names; with none named, none."""
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    members = "(SELECT user_id FROM memberships)"
    rules = [
        *((table, "tenant", "ALL", f"USING (organization_id = {here})") for table in TENANT_TABLES),
        ("organizations", "tenant", "ALL", f"USING (id = {here})"),
        # An account exists before its membership does: writing one needs no tenant, seeing it does.
        ("users", "tenant_insert", "INSERT", "WITH CHECK (true)"),
        *(
            ("users", f"tenant_{verb.lower()}", verb, f"USING (id IN {members})")
            for verb in ("SELECT", "UPDATE", "DELETE")
        ),
        ("api_tokens", "tenant", "ALL", f"USING (user_id IN {members})"),
    ]
    tables = dict.fromkeys(table for table, *_ in rules)
    return [
        *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in tables),
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in tables),
        *(f"CREATE POLICY {name} ON {table} FOR {verb} TO caregraph_app {rule}" for table, name, verb, rule in rules),
        *(f"CREATE POLICY lookup ON {table} TO CURRENT_USER USING (true)" for table in LOOKED_UP),
    ]


def lookups() -> list[str]:
    """What signing in asks before a tenant is known, by secret or e-mail."""
    functions = {
        "caregraph_api_token(email text, secret text)": (
            "TABLE (user_id bigint, organization_id bigint, is_superuser boolean)",
            """
            SELECT m.user_id, m.organization_id, m.is_superuser FROM api_tokens t
            JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id
            WHERE t.token_hash = $2 AND u.email = $1 AND u.api_enabled AND NOT m.is_disabled ORDER BY m.id LIMIT 1
            """,
        ),
        "caregraph_calculator(email text, secret text)": (
            "TABLE (id bigint, organization_id bigint)",
            "SELECT p.id, p.organization_id FROM calculator_plans p WHERE p.token_hash = $2 AND p.email = $1",
        ),
        "caregraph_account(email text)": (
            "TABLE (user_id bigint, password_hash text, api_enabled boolean, organization_id bigint)",
            """
            SELECT u.id, u.password_hash, u.api_enabled, m.organization_id FROM users u
            JOIN memberships m ON m.user_id = u.id
            WHERE u.email = $1 AND NOT m.is_disabled ORDER BY m.id LIMIT 1
            """,
        ),
    }
    statements = []
    for signature, (returns, body) in functions.items():
        statements += [
            f"""
            CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path FROM CURRENT AS $$ {body} $$
            """,
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO caregraph_app",
        ]
    return statements


def last_membership() -> list[str]:
    """An account goes with its last membership, wherever that was."""
    return [
        """
        CREATE FUNCTION caregraph_last_membership() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path FROM CURRENT AS $$ BEGIN
            DELETE FROM users WHERE id = OLD.user_id
                AND NOT EXISTS (SELECT 1 FROM memberships WHERE user_id = OLD.user_id);
            RETURN NULL;
        END $$
        """,
        "REVOKE ALL ON FUNCTION caregraph_last_membership() FROM PUBLIC",
        """
        CREATE TRIGGER last_membership AFTER DELETE ON memberships
        FOR EACH ROW EXECUTE FUNCTION caregraph_last_membership()
        """,
    ]


def trigrams() -> list[str]:
    """Indexes for searching inside text, where the extension may be had."""
    creates = " ".join(
        f"CREATE INDEX trgm_{table} ON {table} USING gin (search_text gin_trgm_ops);" for table in SEARCHED_TABLES
    )
    return [
        f"""
        DO $$ BEGIN
            IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
                CREATE EXTENSION IF NOT EXISTS pg_trgm;
                {creates}
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END $$
        """
    ]


def downgrade() -> None:
    for table in ("sign_in_attempts", "api_tokens", *reversed(TENANT_TABLES), "users", "organizations"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in ("api_token(text, text)", "calculator(text, text)", "account(text)", "last_membership()"):
            op.execute(f"DROP FUNCTION caregraph_{function}")


def create_tables() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempts"),
    )
    op.create_index(
        "ix_sign_in_attempts_subject_attempted_at", "sign_in_attempts", ["subject", "attempted_at"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("api_enabled", sa.Boolean(), nullable=False),
        sa.Column("gdpr_approval", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("screen_lock_after_score", sa.Boolean(), nullable=False),
        sa.Column("screen_lock_code", sa.Text(), nullable=True),
        sa.Column("screen_lock_timeout", ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_index("ix_users_full_name_id", "users", ["full_name", "id"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "calculator_plans",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("remaining_requests", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("remaining_requests >= 0", name=op.f("ck_calculator_plans_remaining_requests")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_calculator_plans_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calculator_plans"),
        sa.UniqueConstraint("token_hash", name="uq_calculator_plans_token_hash"),
    )
    op.create_index("ix_calculator_plans_organization_id", "calculator_plans", ["organization_id"], unique=False)
    op.create_table(
        "clients",
        sa.Column("id", ID, nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("ssn", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("gender", sa.SmallInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("gdpr_approval", sa.Boolean(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_clients_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
        sa.UniqueConstraint("organization_id", "id", name="uq_clients_organization_id_id"),
    )
    op.create_index(
        "ix_clients_organization_id_birth_date_id", "clients", ["organization_id", "birth_date", "id"], unique=False
    )
    op.create_index(
        "ix_clients_organization_id_created_at_id", "clients", ["organization_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_clients_organization_id_full_name_id", "clients", ["organization_id", "full_name", "id"], unique=False
    )
    op.create_table(
        "episodes",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("group_srs", sa.Boolean(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.CheckConstraint("end_date IS NULL OR end_date >= start_date", name=op.f("ck_episodes_end_after_start")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_episodes_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_episodes"),
        sa.UniqueConstraint("organization_id", "id", name="uq_episodes_organization_id_id"),
    )
    op.create_index(
        "ix_episodes_organization_id_created_at_id", "episodes", ["organization_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_episodes_organization_id_end_date_id", "episodes", ["organization_id", "end_date", "id"], unique=False
    )
    op.create_index(
        "ix_episodes_organization_id_start_date_id", "episodes", ["organization_id", "start_date", "id"], unique=False
    )
    op.create_index(
        "ix_episodes_organization_id_status_id", "episodes", ["organization_id", "status", "id"], unique=False
    )
    op.create_index(
        "ix_episodes_organization_id_title_id", "episodes", ["organization_id", "title", "id"], unique=False
    )
    op.create_table(
        "labels",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_labels_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("organization_id", "id", name="uq_labels_organization_id_id"),
        sa.UniqueConstraint("organization_id", "name", name="uq_labels_organization_id_name"),
    )
    op.create_table(
        "memberships",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("is_superuser", sa.Boolean(), nullable=False),
        sa.Column("is_auditor", sa.Boolean(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_memberships_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.UniqueConstraint("organization_id", "user_id", name="uq_memberships_organization_id_user_id"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"], unique=False)
    op.create_table(
        "client_labels",
        sa.Column("client_id", ID, nullable=False),
        sa.Column("label_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_client_labels_organization_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "label_id"],
            ["labels.organization_id", "labels.id"],
            name="fk_client_labels_organization_id_label_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_client_labels_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "label_id", name="pk_client_labels"),
    )
    op.create_index(
        "ix_client_labels_organization_id_label_id_client_id",
        "client_labels",
        ["organization_id", "label_id", "client_id"],
        unique=False,
    )
    op.create_table(
        "client_owners",
        sa.Column("client_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_client_owners_organization_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["memberships.organization_id", "memberships.user_id"],
            name="fk_client_owners_organization_id_user_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_client_owners_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "user_id", name="pk_client_owners"),
    )
    op.create_index(
        "ix_client_owners_organization_id_user_id_client_id",
        "client_owners",
        ["organization_id", "user_id", "client_id"],
        unique=False,
    )
    op.create_table(
        "episode_clients",
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("age_at_start", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_episode_clients_organization_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id"],
            ["episodes.organization_id", "episodes.id"],
            name="fk_episode_clients_organization_id_episode_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_episode_clients_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("episode_id", "client_id", name="pk_episode_clients"),
        sa.UniqueConstraint(
            "organization_id", "episode_id", "client_id", name="uq_episode_clients_organization_id_episode_id_client_id"
        ),
    )
    op.create_index(
        "ix_episode_clients_organization_id_client_id_episode_id",
        "episode_clients",
        ["organization_id", "client_id", "episode_id"],
        unique=False,
    )
    op.create_table(
        "episode_labels",
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("label_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id"],
            ["episodes.organization_id", "episodes.id"],
            name="fk_episode_labels_organization_id_episode_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "label_id"],
            ["labels.organization_id", "labels.id"],
            name="fk_episode_labels_organization_id_label_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_episode_labels_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("episode_id", "label_id", name="pk_episode_labels"),
    )
    op.create_index(
        "ix_episode_labels_organization_id_label_id_episode_id",
        "episode_labels",
        ["organization_id", "label_id", "episode_id"],
        unique=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id"],
            ["episodes.organization_id", "episodes.id"],
            name="fk_sessions_organization_id_episode_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_sessions_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("organization_id", "episode_id", "id", name="uq_sessions_organization_id_episode_id_id"),
    )
    op.create_index(
        "ix_sessions_organization_id_episode_id_session_date_id",
        "sessions",
        ["organization_id", "episode_id", "session_date", "id"],
        unique=False,
    )
    op.create_index(
        "ix_sessions_organization_id_session_date_id",
        "sessions",
        ["organization_id", "session_date", "id"],
        unique=False,
    )
    op.create_table(
        "raters",
        sa.Column("id", ID, nullable=False),
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id", "client_id"],
            ["episode_clients.organization_id", "episode_clients.episode_id", "episode_clients.client_id"],
            name="fk_raters_organization_id_episode_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_raters_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_raters"),
        sa.UniqueConstraint(
            "organization_id", "episode_id", "client_id", "id", name="uq_raters_organization_id_episode_id_client_id_id"
        ),
    )
    op.create_index("ix_raters_organization_id_client_id", "raters", ["organization_id", "client_id"], unique=False)
    op.create_index(
        "ix_raters_organization_id_full_name_id", "raters", ["organization_id", "full_name", "id"], unique=False
    )
    op.create_table(
        "scores",
        sa.Column("id", ID, nullable=False),
        sa.Column("episode_id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("rater_id", ID, nullable=True),
        sa.Column("measure", sa.SmallInteger(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line_1", sa.Double(), nullable=False),
        sa.Column("line_2", sa.Double(), nullable=False),
        sa.Column("line_3", sa.Double(), nullable=False),
        sa.Column("line_4", sa.Double(), nullable=False),
        sa.CheckConstraint("line_1 BETWEEN 0 AND 10", name=op.f("ck_scores_line_1")),
        sa.CheckConstraint("line_2 BETWEEN 0 AND 10", name=op.f("ck_scores_line_2")),
        sa.CheckConstraint("line_3 BETWEEN 0 AND 10", name=op.f("ck_scores_line_3")),
        sa.CheckConstraint("line_4 BETWEEN 0 AND 10", name=op.f("ck_scores_line_4")),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id", "client_id", "rater_id"],
            ["raters.organization_id", "raters.episode_id", "raters.client_id", "raters.id"],
            name="fk_scores_organization_id_episode_id_client_id_rater_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id", "client_id"],
            ["episode_clients.organization_id", "episode_clients.episode_id", "episode_clients.client_id"],
            name="fk_scores_organization_id_episode_id_client_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "episode_id", "session_id"],
            ["sessions.organization_id", "sessions.episode_id", "sessions.id"],
            name="fk_scores_organization_id_episode_id_session_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_scores_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_scores"),
        sa.UniqueConstraint(
            "organization_id",
            "session_id",
            "measure",
            "rater_id",
            name="uq_scores_organization_id_session_id_measure_rater_id",
        ),
    )
    op.create_index(
        "ix_scores_organization_id_client_id_session_id",
        "scores",
        ["organization_id", "client_id", "session_id"],
        unique=False,
    )
    op.create_index(
        "ix_scores_organization_id_created_at_id", "scores", ["organization_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_scores_organization_id_episode_id_session_id",
        "scores",
        ["organization_id", "episode_id", "session_id"],
        unique=False,
    )
    op.create_index("ix_scores_organization_id_rater_id", "scores", ["organization_id", "rater_id"], unique=False)
    op.create_index(
        "uq_scores_by_client",
        "scores",
        ["organization_id", "session_id", "measure", "client_id"],
        unique=True,
        sqlite_where=sa.text("rater_id IS NULL"),
        postgresql_where=sa.text("rater_id IS NULL"),
    )
