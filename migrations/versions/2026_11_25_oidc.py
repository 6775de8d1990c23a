"""Signing in by a JWT of an issuer, signing out everywhere, and which API token a request uses."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_oidc"
down_revision = "2026_11_25_orgs"
branch_labels = None
depends_on = None

GRANTED = """
    (SELECT string_agg(g.key, ',') FROM granted_permissions g
     WHERE g.organization_id = m.organization_id AND g.user_id = m.user_id)
"""
MEMBERSHIP = "user_id bigint, organization_id bigint, is_superuser boolean, is_auditor boolean, granted text"
FROM_WHERE = """
    FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN memberships m ON m.user_id = u.id
    WHERE t.token_hash = $2 AND u.email = $1 AND u.api_enabled AND NOT m.is_disabled
        AND (t.expires_at IS NULL OR t.expires_at > now())
        AND (m.signed_out_at IS NULL OR m.signed_out_at < t.created_at)
    ORDER BY m.id
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("signed_out_at", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP FUNCTION caregraph_api_token(text, text)")
    _create(
        "caregraph_api_token(email text, secret text)",
        f"token_id bigint, {MEMBERSHIP}",
        f"SELECT t.id, m.user_id, m.organization_id, m.is_superuser, m.is_auditor, {GRANTED} {FROM_WHERE}",
    )
    _create(
        "caregraph_identified(email text, issued timestamptz)",
        f"account_id bigint, api_enabled boolean, {MEMBERSHIP}",
        f"""
        SELECT u.id, u.api_enabled, m.user_id, m.organization_id, m.is_superuser, m.is_auditor, {GRANTED}
        FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND NOT m.is_disabled
            AND (m.signed_out_at IS NULL OR m.signed_out_at <= $2)
            AND (u.signed_out_at IS NULL OR u.signed_out_at <= $2)
        WHERE u.email = $1 ORDER BY m.id
        """,
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION caregraph_identified(text, timestamptz)")
        op.execute("DROP FUNCTION caregraph_api_token(text, text)")
        _create(
            "caregraph_api_token(email text, secret text)",
            MEMBERSHIP,
            f"SELECT m.user_id, m.organization_id, m.is_superuser, m.is_auditor, {GRANTED} {FROM_WHERE}",
        )
    op.execute("ALTER TABLE users DROP COLUMN signed_out_at")


def _create(signature: str, columns: str, body: str) -> None:
    """A function that looks past the row rules, for the server alone."""
    op.execute(
        f"CREATE FUNCTION {signature} RETURNS TABLE ({columns}) LANGUAGE sql STABLE SECURITY DEFINER"
        f" SET search_path FROM CURRENT AS $$ {body} $$"
    )
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO caregraph_app")
