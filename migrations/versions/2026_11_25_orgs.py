"""First and last names of users who are there, and what is asked of an account across its organizations."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_orgs"
down_revision = "2026_11_24_audit"
branch_labels = None
depends_on = None

FUNCTIONS = {
    "caregraph_person(user_id bigint)": (
        """
        TABLE (user_id bigint, organization_id bigint, is_superuser boolean, is_auditor boolean, granted text,
            email text, full_name text, first_name text, last_name text, has_own_password boolean)
        """,
        """
        SELECT m.user_id, m.organization_id, m.is_superuser, m.is_auditor,
            (SELECT string_agg(g.key, ',') FROM granted_permissions g
             WHERE g.organization_id = m.organization_id AND g.user_id = m.user_id),
            u.email, u.full_name, u.first_name, u.last_name, u.password_is_own OR u.password_hash = '!'
        FROM users u JOIN memberships m ON m.user_id = u.id
        WHERE u.id = $1 AND NOT m.is_disabled ORDER BY m.id
        """,
    ),
    "caregraph_works_elsewhere(user_id bigint, organization_id bigint)": (
        "TABLE (elsewhere boolean)",
        "SELECT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = $1 AND m.organization_id <> $2)",
    ),
}


def upgrade() -> None:
    op.create_index("ix_users_phone_id", "users", ["phone", "id"])
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:  # row rules hold the owner too; for names of every organization they are lifted
        op.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY")
    name_users()
    if is_postgresql:
        op.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY")
        for signature, (returns, body) in FUNCTIONS.items():
            op.execute(
                f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER"
                f" SET search_path FROM CURRENT AS $$ {body} $$"
            )
            op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
            op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO caregraph_app")


def name_users() -> None:
    users = sa.table("users", *(sa.column(name) for name in ("id", "full_name", "first_name", "last_name")))
    connection = op.get_bind()
    nameless = sa.select(users.c.id, users.c.full_name).where(users.c.first_name.is_(None), users.c.last_name.is_(None))
    for user_id, full_name in connection.execute(nameless).all():
        *first, last = full_name.split() or [full_name]
        names = {"first_name": " ".join(first), "last_name": last} if first else {"first_name": last}
        connection.execute(sa.update(users).where(users.c.id == user_id).values(**names))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for signature in FUNCTIONS:
            op.execute(f"DROP FUNCTION {signature}")
    op.drop_index("ix_users_phone_id", "users")
