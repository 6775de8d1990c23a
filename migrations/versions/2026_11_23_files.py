"""Files about clients, and the keys of objects whose row is gone."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_files"
down_revision = "2026_11_22_outcomes"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "file_garbage",
        sa.Column("id", ID, nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_file_garbage"),
    )
    op.create_table(
        "files",
        sa.Column("id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_files_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name="fk_files_organization_id_client_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint("storage_key", name="uq_files_storage_key"),
    )
    op.create_index(
        "ix_files_organization_id_client_id_created_at_id",
        "files",
        ["organization_id", "client_id", "created_at", "id"],
    )
    op.create_index("ix_files_organization_id_created_at_id", "files", ["organization_id", "created_at", "id"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in postgresql():
            op.execute(statement)
    else:
        op.execute(
            "CREATE TRIGGER file_garbage AFTER DELETE ON files"
            " BEGIN INSERT INTO file_garbage (storage_key) VALUES (OLD.storage_key); END"
        )


def postgresql() -> list[str]:
    """Row rules, rights, and the note that a deleted row leaves behind."""
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    return [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON files, file_garbage TO caregraph_app",
        "GRANT USAGE, SELECT ON SEQUENCE files_id_seq, file_garbage_id_seq TO caregraph_app",
        "ALTER TABLE files ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE files FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON files FOR ALL TO caregraph_app USING (organization_id = {here})",
        """
        CREATE FUNCTION caregraph_file_garbage() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
            INSERT INTO file_garbage (storage_key) VALUES (OLD.storage_key);
            RETURN NULL;
        END $$
        """,
        "CREATE TRIGGER file_garbage AFTER DELETE ON files FOR EACH ROW EXECUTE FUNCTION caregraph_file_garbage()",
    ]


def downgrade() -> None:
    op.drop_table("files")
    op.drop_table("file_garbage")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION caregraph_file_garbage()")
