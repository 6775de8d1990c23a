"""Profiles of organizations and users, locations, granted permissions, and groups of clients."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_organizations"
down_revision = "2026_11_23_files"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW_TABLES = ("locations", "granted_permissions", "groups", "client_groups", "user_groups")
ADDRESS = ("street", "city", "state", "postal_code")
ADDED: dict[str, dict[str, str]] = {
    "organizations": {
        "updated_at": "TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT '1970-01-01 00:00:00'",
        "search_text": "TEXT NOT NULL DEFAULT ''",
        "vertical": "SMALLINT NOT NULL DEFAULT 6",
        "individual_creator_id": (
            "BIGINT CONSTRAINT fk_organizations_individual_creator_id REFERENCES users (id) ON DELETE SET NULL"
        ),
        **dict.fromkeys(ADDRESS, "TEXT"),
    },
    "users": {
        "updated_at": "TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT '1970-01-01 00:00:00'",
        "first_name": "TEXT",
        "last_name": "TEXT",
        "phone": "TEXT",
        "gender": "SMALLINT NOT NULL DEFAULT 0",
        "photo_url": "TEXT",
        "password_is_own": "BOOLEAN NOT NULL DEFAULT false",
    },
    "memberships": {"signed_out_at": "TIMESTAMP WITH TIME ZONE"},
    "api_tokens": {"expires_at": "TIMESTAMP WITH TIME ZONE"},
}
ORGANIZATION_INDEXES = ("name", "vertical", "created_at", "updated_at")


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, columns in ADDED.items():
        for name, kind in columns.items():
            # SQLite keeps times without a zone, and cannot change a table that others point at but by adding to it.
            op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind if is_postgresql else _of_sqlite(kind)}")
    op.create_index("ix_organizations_individual_creator_id", "organizations", ["individual_creator_id"], unique=True)
    for name in ORGANIZATION_INDEXES:
        op.create_index(f"ix_organizations_{name}_id", "organizations", [name, "id"])
    create_tables()
    for statement in (*open_to_owner(is_postgresql), *fill(), *close_to_owner(is_postgresql)):
        op.execute(statement)
    if is_postgresql:
        for statement in (*row_rules(), *lookups(), *trigrams()):
            op.execute(statement)


def _of_sqlite(kind: str) -> str:
    return kind.replace("TIMESTAMP WITH TIME ZONE", "DATETIME").replace("BIGINT", "INTEGER")


def open_to_owner(is_postgresql: bool) -> list[str]:
    """Row rules hold the owner too; for filling columns of every organization they are lifted."""
    return [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in ADDED] if is_postgresql else []


def close_to_owner(is_postgresql: bool) -> list[str]:
    return [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in ADDED] if is_postgresql else []


def fill() -> list[str]:
    """What the new columns hold of rows that are there; every organization has its headquarters."""
    return [
        "UPDATE organizations SET updated_at = created_at, search_text = lower(name)",
        "UPDATE users SET updated_at = created_at",
        """
        INSERT INTO locations (organization_id, name, is_headquarters, created_at, updated_at)
        SELECT id, name, true, created_at, created_at FROM organizations
        """,
    ]


def row_rules() -> list[str]:
    """A tenant's rows; organizations and locations are read by all their members, whichever a request acts in."""
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    mine = "coalesce(nullif(current_setting('app.organization_ids', true), ''), '{}')::bigint[]"
    return [
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO caregraph_app" for table in NEW_TABLES),
        *(
            f"GRANT USAGE, SELECT ON SEQUENCE {table}_id_seq TO caregraph_app"
            for table in ("locations", "granted_permissions", "groups")
        ),
        *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in NEW_TABLES),
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in NEW_TABLES),
        *(
            f"CREATE POLICY tenant ON {table} FOR ALL TO caregraph_app USING (organization_id = {here})"
            for table in NEW_TABLES
        ),
        f"CREATE POLICY members ON organizations FOR SELECT TO caregraph_app USING (id = ANY ({mine}))",
        f"CREATE POLICY members ON locations FOR SELECT TO caregraph_app USING (organization_id = ANY ({mine}))",
        "CREATE POLICY lookup ON granted_permissions TO CURRENT_USER USING (true)",
    ]


def lookups() -> list[str]:
    """Signing in reads every enabled membership and what is granted there."""
    return [
        "DROP FUNCTION caregraph_api_token(text, text)",
        """
        CREATE FUNCTION caregraph_api_token(email text, secret text) RETURNS TABLE (
            user_id bigint, organization_id bigint, is_superuser boolean, is_auditor boolean, granted text
        ) LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
            SELECT m.user_id, m.organization_id, m.is_superuser, m.is_auditor,
                (SELECT string_agg(g.key, ',') FROM granted_permissions g
                 WHERE g.organization_id = m.organization_id AND g.user_id = m.user_id)
            FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id
            WHERE t.token_hash = $2 AND u.email = $1 AND u.api_enabled AND NOT m.is_disabled
                AND (t.expires_at IS NULL OR t.expires_at > now())
                AND (m.signed_out_at IS NULL OR m.signed_out_at < t.created_at)
            ORDER BY m.id
        $$
        """,
        "REVOKE ALL ON FUNCTION caregraph_api_token(text, text) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION caregraph_api_token(text, text) TO caregraph_app",
    ]


def trigrams() -> list[str]:
    """Indexes for searching inside text, where the extension is."""
    creates = " ".join(
        f"CREATE INDEX trgm_{table} ON {table} USING gin (search_text gin_trgm_ops);"
        for table in ("organizations", "groups")
    )
    return [
        f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN {creates} END IF; END $$"
    ]


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP POLICY members ON organizations")
        op.execute("DROP FUNCTION caregraph_api_token(text, text)")
        op.execute(
            """
            CREATE FUNCTION caregraph_api_token(email text, secret text)
            RETURNS TABLE (user_id bigint, organization_id bigint, is_superuser boolean)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
                SELECT m.user_id, m.organization_id, m.is_superuser FROM api_tokens t
                JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id
                WHERE t.token_hash = $2 AND u.email = $1 AND u.api_enabled AND NOT m.is_disabled ORDER BY m.id LIMIT 1
            $$
            """
        )
        op.execute("REVOKE ALL ON FUNCTION caregraph_api_token(text, text) FROM PUBLIC")
        op.execute("GRANT EXECUTE ON FUNCTION caregraph_api_token(text, text) TO caregraph_app")
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    for name in (*(f"{one}_id" for one in ORGANIZATION_INDEXES), "individual_creator_id"):
        op.drop_index(f"ix_organizations_{name}", "organizations")
    for table, columns in ADDED.items():
        for name in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def create_tables() -> None:
    op.create_table(
        "locations",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_headquarters", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ADDRESS),
        *_dated(),
        *_tenant("locations"),
        sa.PrimaryKeyConstraint("id", name="pk_locations"),
        sa.UniqueConstraint("organization_id", "id", name="uq_locations_organization_id_id"),
    )
    op.create_index("ix_locations_organization_id_name_id", "locations", ["organization_id", "name", "id"])
    op.create_table(
        "granted_permissions",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        *_dated(),
        *_tenant("granted_permissions"),
        _of_member("granted_permissions"),
        sa.PrimaryKeyConstraint("id", name="pk_granted_permissions"),
        sa.UniqueConstraint(
            "organization_id", "user_id", "key", name="uq_granted_permissions_organization_id_user_id_key"
        ),
    )
    op.create_table(
        "groups",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_tenant("groups"),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.UniqueConstraint("organization_id", "id", name="uq_groups_organization_id_id"),
        sa.UniqueConstraint("organization_id", "name", name="uq_groups_organization_id_name"),
    )
    op.create_table(
        "client_groups",
        sa.Column("client_id", ID, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        *_tenant("client_groups"),
        _inside("client_groups", "client_id", "clients"),
        _inside("client_groups", "group_id", "groups"),
        sa.PrimaryKeyConstraint("client_id", "group_id", name="pk_client_groups"),
    )
    op.create_table(
        "user_groups",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        *_tenant("user_groups"),
        _of_member("user_groups"),
        _inside("user_groups", "group_id", "groups"),
        sa.PrimaryKeyConstraint("user_id", "group_id", name="pk_user_groups"),
    )
    for table, member in (("client_groups", "client_id"), ("user_groups", "user_id")):
        op.create_index(f"ix_{table}_organization_id_group_id_{member}", table, ["organization_id", "group_id", member])


def _dated() -> list[sa.Column]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("created_at", "updated_at")]


def _tenant(table: str) -> list[sa.Column | sa.ForeignKeyConstraint]:
    return [
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=f"fk_{table}_organization_id", ondelete="CASCADE"
        ),
    ]


def _inside(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete="CASCADE",
    )


def _of_member(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "user_id"],
        ["memberships.organization_id", "memberships.user_id"],
        name=f"fk_{table}_organization_id_user_id",
        ondelete="CASCADE",
    )
