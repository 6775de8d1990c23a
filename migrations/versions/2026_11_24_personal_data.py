"""Encrypted columns get blind indexes, and the keys in use are noted."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_24_personal_data"
down_revision = "2026_11_23_files"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLIND = (("clients", "ssn_index"), ("clients", "phone_index"), ("raters", "email_index"))


def upgrade() -> None:
    for table, column in BLIND:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
        op.create_index(f"ix_{table}_organization_id_{column}", table, ["organization_id", column])
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


def postgresql() -> list[str]:
    """Rights, and the one way for the owner of the tables to learn which organizations there are."""
    return [
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
    for table, column in reversed(BLIND):
        op.drop_index(f"ix_{table}_organization_id_{column}", table)
        op.drop_column(table, column)
