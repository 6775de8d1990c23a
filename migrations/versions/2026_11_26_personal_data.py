"""Blind indexes beside encrypted columns, the encryption keys in use, consents, and when rows were erased."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_personal_data"
down_revision = "2026_11_25_applications"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ERASABLE = ("clients", "episodes", "raters")
BLIND = (("clients", "ssn_index"), ("clients", "phone_index"), ("raters", "email_index"))


def upgrade() -> None:
    for table, column in BLIND:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
        op.create_index(f"ix_{table}_organization_id_{column}", table, ["organization_id", column])
    for table in ERASABLE:
        op.add_column(table, sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("gdpr_approval_at", sa.DateTime(timezone=True), nullable=True))
    create_consents()
    op.create_table(
        "encryption_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_encryption_keys"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in postgresql():
            op.execute(statement)


def create_consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("application_id", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_consents_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_consents_organization_id_client_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index(
        "ix_consents_organization_id_client_id_recorded_at_id",
        "consents",
        ["organization_id", "client_id", "recorded_at", "id"],
    )
    op.create_index("ix_consents_organization_id_recorded_at_id", "consents", ["organization_id", "recorded_at", "id"])


def postgresql() -> list[str]:
    """Row rules, rights, and the one way for the owner of the tables to learn which organizations there are."""
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    return [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON consents TO caregraph_app",
        "GRANT USAGE, SELECT ON SEQUENCE consents_id_seq TO caregraph_app",
        "ALTER TABLE consents ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE consents FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON consents FOR ALL TO caregraph_app USING (organization_id = {here})",
        "GRANT SELECT, INSERT, DELETE ON encryption_keys TO caregraph_app",
        "CREATE POLICY lookup ON organizations FOR SELECT TO CURRENT_USER USING (true)",
        """
        CREATE FUNCTION caregraph_organization_ids() RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path FROM CURRENT AS $$ SELECT id FROM organizations $$
        """,
        "REVOKE ALL ON FUNCTION caregraph_organization_ids() FROM PUBLIC",
    ]


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION caregraph_organization_ids()")
        op.execute("DROP POLICY lookup ON organizations")
    op.drop_table("encryption_keys")
    op.drop_table("consents")
    op.drop_column("users", "gdpr_approval_at")
    for table in reversed(ERASABLE):
        op.drop_column(table, "erased_at")
    for table, column in reversed(BLIND):
        op.drop_index(f"ix_{table}_organization_id_{column}", table)
        op.drop_column(table, column)
