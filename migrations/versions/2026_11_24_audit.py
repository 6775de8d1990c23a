"""The audit: entries that the database takes and never changes or gives up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_11_24_audit"
down_revision = "2026_11_24_organizations"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(pg.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("application_id", ID, nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("client_ids", sa.JSON().with_variant(pg.ARRAY(sa.BigInteger()), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    for name in ((), ("user_id",), ("kind",), ("operation",)):
        columns = ["organization_id", *name, "occurred_at", "id"]
        op.create_index(f"ix_audit_events_{'_'.join(columns)}", "audit_events", columns)
    if op.get_bind().dialect.name == "postgresql":
        for statement in postgresql():
            op.execute(statement)
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_events_{verb.lower()} BEFORE {verb} ON audit_events"
                " BEGIN SELECT RAISE(ABORT, 'audit events are never changed or deleted'); END"
            )


def postgresql() -> list[str]:
    """Row rules, the right to read and to add, and a refusal of everything else, whoever asks."""
    here = "nullif(current_setting('app.organization_id', true), '')::bigint"
    return [
        "CREATE INDEX gin_audit_events_client_ids ON audit_events USING gin (client_ids)",
        "GRANT SELECT, INSERT ON audit_events TO caregraph_app",
        "GRANT USAGE, SELECT ON SEQUENCE audit_events_id_seq TO caregraph_app",
        "ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE audit_events FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON audit_events FOR ALL TO caregraph_app USING (organization_id = {here})",
        # Refused sign-ins to accounts that do not exist: taken from a transaction without a tenant, shown to none.
        f"""
        CREATE POLICY nobody ON audit_events FOR INSERT TO caregraph_app
        WITH CHECK (organization_id IS NULL AND {here} IS NULL)
        """,
        """
        CREATE FUNCTION caregraph_keep_audit() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
            RAISE EXCEPTION 'audit events are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
        END $$
        """,
        *(
            f"CREATE TRIGGER audit_events_{verb.lower()} BEFORE {verb} ON audit_events"
            " FOR EACH STATEMENT EXECUTE FUNCTION caregraph_keep_audit()"
            for verb in ("UPDATE", "DELETE", "TRUNCATE")
        ),
    ]


def downgrade() -> None:
    op.drop_table("audit_events")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION caregraph_keep_audit()")
