"""Invitations, the mails about them, and features that are switched on for some."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_invitations"
down_revision = "2026_11_26_personal_data"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TENANT_TABLES = ("invitations", "feature_flags", "feature_users")
ORDERED = ("email", "first_name", "last_name", "created_at", "updated_at", "last_sent_at")


def upgrade() -> None:
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        for statement in (*row_rules(), *lookups()):
            op.execute(statement)


def row_rules() -> list[str]:
    """A tenant's rows. Mails on their way are ids only and are read by whoever sends, for every tenant."""
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    return [
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO caregraph_app" for table in TENANT_TABLES),
        "GRANT SELECT, INSERT, UPDATE, DELETE ON outgoing_mails TO caregraph_app",
        "GRANT USAGE, SELECT ON SEQUENCE invitations_id_seq, feature_flags_id_seq, outgoing_mails_id_seq TO caregraph_app",
        *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in TENANT_TABLES),
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TENANT_TABLES),
        *(
            f"CREATE POLICY tenant ON {table} FOR ALL TO caregraph_app USING (organization_id = {here})"
            for table in TENANT_TABLES
        ),
        "CREATE POLICY lookup ON invitations TO CURRENT_USER USING (true)",
    ]


def lookups() -> list[str]:
    """Whoever holds a token has no tenant yet."""
    return [
        """
        CREATE FUNCTION caregraph_invitation(secret text) RETURNS TABLE (
            id bigint, organization_id bigint, user_id bigint
        ) LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
            SELECT i.id, i.organization_id, u.id FROM invitations i LEFT JOIN users u ON u.email = i.email
            WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.expires_at > now()
        $$
        """,
        "REVOKE ALL ON FUNCTION caregraph_invitation(text) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION caregraph_invitation(text) TO caregraph_app",
    ]


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION caregraph_invitation(text)")
    for table in ("outgoing_mails", *reversed(TENANT_TABLES)):
        op.drop_table(table)


def create_tables() -> None:
    op.create_table(
        "outgoing_mails",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("attempts", ID, nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        *_instants("due_at", "created_at"),
        _tenant_key("outgoing_mails"),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing_mails"),
        sa.UniqueConstraint("kind", "subject_id", name="uq_outgoing_mails_kind_subject_id"),
    )
    op.create_index("ix_outgoing_mails_due_at_id", "outgoing_mails", ["due_at", "id"])
    op.create_table(
        "invitations",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("permission_keys", sa.Text(), nullable=False),
        sa.Column("location_id", ID, nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("invited_by_id", ID, nullable=True),
        sa.Column("delivery", sa.SmallInteger(), nullable=False),
        sa.Column("accepted_by_id", ID, nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        *_instants("asked_at", "expires_at", "created_at", "updated_at"),
        *_instants("last_sent_at", "accepted_at", nullable=True),
        _tenant_key("invitations"),
        _inside("invitations", "location_id", "locations.id"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_organization_id_location_id", "invitations", ["organization_id", "location_id"])
    for name in ORDERED:
        op.create_index(f"ix_invitations_organization_id_{name}_id", "invitations", ["organization_id", name, "id"])
    op.create_table(
        "feature_flags",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("for_everyone", sa.Boolean(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        *_instants("created_at", "updated_at"),
        _tenant_key("feature_flags"),
        sa.PrimaryKeyConstraint("id", name="pk_feature_flags"),
        sa.UniqueConstraint("organization_id", "id", name="uq_feature_flags_organization_id_id"),
        sa.UniqueConstraint("organization_id", "name", name="uq_feature_flags_organization_id_name"),
    )
    op.create_table(
        "feature_users",
        sa.Column("feature_flag_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        _tenant_key("feature_users"),
        _inside("feature_users", "feature_flag_id", "feature_flags.id"),
        _inside("feature_users", "user_id", "memberships.user_id"),
        sa.PrimaryKeyConstraint("feature_flag_id", "user_id", name="pk_feature_users"),
    )
    op.create_index(
        "ix_feature_users_organization_id_user_id_feature_flag_id",
        "feature_users",
        ["organization_id", "user_id", "feature_flag_id"],
    )


def _instants(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _tenant_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.id"], name=f"fk_{table}_organization_id", ondelete="CASCADE"
    )


def _inside(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    remote, _, key = target.partition(".")
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{remote}.organization_id", f"{remote}.{key}"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete="CASCADE",
    )
