"""What a tenant reads of others' content is found by one function, with a plan that each connection makes once.

Before, each table of content looked through the tables that say with whom it is shared, by rules of their own, and every
statement that names such a table was planned with all of these.
"""

from alembic import op

revision = "2026_11_30_shared_reads"
down_revision = "2026_11_29_instruments"
branch_labels = None
depends_on = None

HERE = "nullif(current_setting('app.organization_id', true), '')::bigint"
OF_OTHERS = f"c.organization_id <> {HERE}"
# By which links each kind of content stands in which other.
CONTAINERS: dict[str, dict[str, str]] = {
    "assessments": {},
    "domains": {"assessment_domains": "assessments"},
    "scales": {"assessment_scales": "assessments", "domain_scales": "domains"},
    "items": {"assessment_items": "assessments", "item_scales": "scales"},
    "tags": {
        "assessment_tags": "assessments",
        "domain_tags": "domains",
        "scale_tags": "scales",
        "item_tags": "items",
    },
}
SCORED = ("items", "scales", "domains")
LOOKED_INTO = (
    *("tags", "assessment_tags", "domain_tags", "scale_tags", "item_tags"),
    *("access_grants", "vertical_access_grants", "network_members", "score_configs", "custom_calculations"),
)
"""Tables whose owner cannot read them yet: it does for the function."""
FORMERLY_READ = ("assessments", "domains", "scales", "items", "score_configs", "custom_calculations")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in LOOKED_INTO:
        op.execute(f"CREATE POLICY lookup ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    readable = readable_kinds()
    branches = " ".join(f"WHEN '{kind}' THEN RETURN QUERY {question};" for kind, question in readable.items())
    define("STABLE SECURITY DEFINER", branches)
    op.execute("REVOKE ALL ON FUNCTION caregraph_others(text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION caregraph_others(text) TO caregraph_app")
    for kind in readable:
        rule(kind, f"id IN (SELECT caregraph_others('{kind}'))")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, former in formerly().items():
        rule(table, former)
    branches = " ".join(
        f"WHEN '{table}' THEN RETURN QUERY SELECT c.id FROM {table} c WHERE {OF_OTHERS};" for table in FORMERLY_READ
    )
    define("STABLE SECURITY INVOKER", branches)
    op.execute("GRANT EXECUTE ON FUNCTION caregraph_others(text) TO PUBLIC")
    op.execute("REVOKE ALL ON FUNCTION caregraph_others(text) FROM caregraph_app")
    for table in LOOKED_INTO:
        op.execute(f"DROP POLICY lookup ON {table}")


def define(how: str, branches: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION caregraph_others(kind text) RETURNS SETOF bigint
        LANGUAGE plpgsql {how} SET search_path FROM CURRENT AS $$ BEGIN CASE kind {branches} END CASE; END $$
        """
    )


def rule(table: str, condition: str) -> None:
    """Which rows of others a tenant reads."""
    op.execute(f"DROP POLICY shared ON {table}")
    using = f"{HERE} IS NOT NULL AND ({condition})"
    op.execute(f"CREATE POLICY shared ON {table} FOR SELECT TO caregraph_app USING ({using})")


def readable_kinds() -> dict[str, str]:
    """For each kind, the query of the ids of others' rows that the tenant reads; it names those of earlier kinds."""
    rows: dict[str, str] = {}
    questions: dict[str, str] = {}
    for kind, links in CONTAINERS.items():
        rows[kind] = " UNION ".join((*given(kind), *used(kind, links)))
    rows["score_configs"] = " UNION ".join(
        f"SELECT c.id FROM score_configs c JOIN others_{whole} w ON w.id = c.{_end(whole)}"
        f" WHERE c.status = 1 AND {OF_OTHERS}"
        for whole in SCORED
    )
    rows["custom_calculations"] = (
        "SELECT c.id FROM custom_calculations c JOIN others_score_configs w ON w.id = c.score_config_id"
        f" WHERE {OF_OTHERS}"
    )
    for kind, query in rows.items():
        before = ", ".join(f"others_{name} AS ({rows[name]})" for name in [*rows][: [*rows].index(kind)])
        questions[kind] = f"WITH {before} {query}" if before else query
    return questions


def given(kind: str) -> list[str]:
    """Public, granted to the tenant or to a network of which it is a member, or shared with its vertical."""
    if kind == "tags":
        return []
    networks = f"SELECT n.organization_id FROM network_members n WHERE n.member_id = {HERE}"
    ways = [
        f"SELECT c.id FROM {kind} c WHERE c.privacy = 3 AND {OF_OTHERS}",
        (
            f"SELECT c.id FROM {kind} c JOIN access_grants g ON g.{_end(kind)} = c.id"
            f" WHERE c.privacy = 1 AND {OF_OTHERS} AND (g.grantee_id = {HERE} OR g.grantee_id IN ({networks}))"
        ),
    ]
    of_vertical = (
        "SELECT c.id FROM assessments c JOIN vertical_access_grants v ON v.assessment_id = c.id"
        f" JOIN organizations o ON o.vertical = v.vertical AND o.id = {HERE} WHERE c.privacy = 2 AND {OF_OTHERS}"
    )
    return [*ways, of_vertical] if kind == "assessments" else ways


def used(kind: str, links: dict[str, str]) -> list[str]:
    """Put by its owner into something that the tenant reads, or by the tenant into something of its own."""
    end = _end(kind)
    return [
        way
        for link, whole in links.items()
        for way in (
            (
                f"SELECT c.id FROM others_{whole} w JOIN {link} l ON l.{_end(whole)} = w.id"
                f" JOIN {kind} c ON c.id = l.{end} AND c.organization_id = l.organization_id WHERE {OF_OTHERS}"
            ),
            (
                f"SELECT c.id FROM {link} l JOIN {kind} c ON c.id = l.{end}"
                f" WHERE l.organization_id = {HERE} AND {OF_OTHERS}"
            ),
        )
    ]


def formerly() -> dict[str, str]:
    """The rules of before, which look through tables with rules of their own."""
    vertical = f"SELECT v.assessment_id FROM vertical_access_grants v WHERE v.organization_id <> {HERE}"
    rules = {
        kind: " OR ".join((*formerly_given(kind), *formerly_used(kind, links))) for kind, links in CONTAINERS.items()
    }
    scored = " OR ".join(f"{_end(whole)} IN (SELECT caregraph_others('{whole}'))" for whole in SCORED)
    return rules | {
        "assessments": f"{rules['assessments']} OR (privacy = 2 AND id IN ({vertical}))",
        "score_configs": f"status = 1 AND ({scored})",
        "custom_calculations": "score_config_id IN (SELECT caregraph_others('score_configs'))",
    }


def formerly_given(kind: str) -> list[str]:
    if kind == "tags":
        return []
    end = _end(kind)
    granted = f"SELECT g.{end} FROM access_grants g WHERE g.organization_id <> {HERE} AND g.{end} IS NOT NULL"
    return [f"privacy = 3 OR (privacy = 1 AND id IN ({granted}))"]


def formerly_used(kind: str, links: dict[str, str]) -> list[str]:
    end = _end(kind)
    by_owner = [f"(organization_id, id) IN (SELECT l.organization_id, l.{end} FROM {link} l)" for link in links]
    own = [f"id IN (SELECT l.{end} FROM {link} l WHERE l.organization_id = {HERE})" for link in links]
    return [*by_owner, *own]


def _end(kind: str) -> str:
    return f"{kind.removesuffix('s')}_id"
