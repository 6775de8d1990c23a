"""Assessments and what they are made of, who may use them, how they are scored, and the answers to them."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_assessments"
down_revision = "2026_11_27_invitations"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HERE = "nullif(current_setting('app.organization_id', true), '')::bigint"
CONTENT = ("assessments", "scales", "domains", "items", "item_options", "tags")
LINKS = {
    "assessment_items": "items",
    "assessment_scales": "scales",
    "assessment_domains": "domains",
    "domain_scales": "scales",
    "item_scales": "items",
    "related_assessments": "assessments",
    "assessment_tags": "tags",
    "item_tags": "tags",
    "scale_tags": "tags",
    "domain_tags": "tags",
}
SHARING = ("network_members", "access_grants", "vertical_access_grants")
SCORING = (
    *("score_configs", "custom_calculations", "calculation_variables", "percentile_rank_configs", "result_ranges"),
)
ANSWERS = ("answer_sets", "item_responses", "answer_scores")
USES = {
    "assessments": ("answer_sets", "related_assessments"),
    "domains": ("assessment_domains",),
    "scales": ("assessment_scales", "domain_scales"),
    "items": ("assessment_items", "item_scales", "item_responses"),
}
WHOLES = ("assessments", "domains", "scales", "items", "score_configs", "custom_calculations")
TABLES = (*CONTENT, *LINKS, *SHARING, *SCORING, *ANSWERS)
WITHOUT_ID = {name for name in LINKS if name.endswith("_tags")} | {"related_assessments"}


def upgrade() -> None:
    create_content()
    create_links()
    create_sharing()
    create_scoring()
    create_answers()
    if op.get_bind().dialect.name == "postgresql":
        for statement in (*rights(), *shared_rows(), *links_within_reach(), *lookups()):
            op.execute(statement)


def rights() -> list[str]:
    """A tenant's rows are its own to read and write."""
    numbers = ", ".join(f"{table}_id_seq" for table in TABLES if table not in WITHOUT_ID)
    return [
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO caregraph_app" for table in TABLES),
        f"GRANT USAGE, SELECT ON SEQUENCE {numbers} TO caregraph_app",
        *(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in TABLES),
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TABLES),
        *(
            f"CREATE POLICY tenant ON {table} FOR ALL TO caregraph_app USING (organization_id = {HERE})"
            for table in TABLES
        ),
    ]


def shared_rows() -> list[str]:
    """Rows of others that a tenant reads. What belongs to something larger asks for its ids, once a statement.

    By a function with its caller's rights: rules written out inside one another would take longer to plan than to run.
    """
    rules = {
        "network_members": f"member_id = {HERE}",
        "access_grants": f"grantee_id = {HERE}"
        f" OR grantee_id IN (SELECT n.organization_id FROM network_members n WHERE n.member_id = {HERE})",
        "vertical_access_grants": f"vertical = (SELECT o.vertical FROM organizations o WHERE o.id = {HERE})",
        "assessments": f"{given('assessment_id')} OR (privacy = 2 AND id IN"
        f" (SELECT v.assessment_id FROM vertical_access_grants v WHERE v.organization_id <> {HERE}))",
        "assessment_domains": of("assessments"),
        "domains": f"{given('domain_id')} OR {used('domain_id', 'assessment_domains')}",
        "assessment_scales": of("assessments"),
        "domain_scales": of("domains"),
        "scales": f"{given('scale_id')} OR {used('scale_id', 'assessment_scales', 'domain_scales')}",
        "assessment_items": of("assessments"),
        "item_scales": of("scales"),
        "items": f"{given('item_id')} OR {used('item_id', 'assessment_items', 'item_scales')}",
        "item_options": of("items"),
        "related_assessments": of("assessments"),
        **{f"{kind}_tags": of(f"{kind}s") for kind in ("assessment", "item", "scale", "domain")},
        "tags": used("tag_id", "assessment_tags", "item_tags", "scale_tags", "domain_tags"),
        "score_configs": f"status = 1 AND ({of('items')} OR {of('scales')} OR {of('domains')})",
        "custom_calculations": of("score_configs"),
        "calculation_variables": of("custom_calculations"),
        "percentile_rank_configs": of("score_configs"),
        "result_ranges": f"{of('scales')} OR {of('domains')}",
    }
    branches = " ".join(
        f"WHEN '{table}' THEN RETURN QUERY SELECT t.id FROM {table} t WHERE t.organization_id <> {HERE};"
        for table in WHOLES
    )
    return [
        f"""
        CREATE FUNCTION caregraph_others(kind text) RETURNS SETOF bigint
        LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$ BEGIN CASE kind {branches} END CASE; END $$
        """,
        *(
            f"CREATE POLICY shared ON {table} FOR SELECT TO caregraph_app USING ({HERE} IS NOT NULL AND ({rule}))"
            for table, rule in rules.items()
        ),
    ]


def of(whole: str) -> str:
    """Read as the row of `whole` that a row belongs to."""
    return f"{whole.removesuffix('s')}_id IN (SELECT caregraph_others('{whole}'))"


def given(column: str) -> str:
    """Public, or granted to the tenant or to a network of which it is a member."""
    granted = f"SELECT g.{column} FROM access_grants g WHERE g.organization_id <> {HERE} AND g.{column} IS NOT NULL"
    return f"privacy = 3 OR (privacy = 1 AND id IN ({granted}))"


def used(column: str, *links: str) -> str:
    """Put by its owner into something that the tenant reads, or by the tenant into something of its own."""
    by_owner = (f"(organization_id, id) IN (SELECT l.organization_id, l.{column} FROM {link} l)" for link in links)
    own = (f"id IN (SELECT l.{column} FROM {link} l WHERE l.organization_id = {HERE})" for link in links)
    return " OR ".join((*by_owner, *own))


def links_within_reach() -> list[str]:
    """What one uses stays readable, so nothing can be put to use that is not readable before."""
    return [
        """
        CREATE FUNCTION caregraph_reaches() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
        DECLARE is_seen boolean;
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I t WHERE t.id = ($1).%I)', TG_ARGV[0], TG_ARGV[1])
                INTO is_seen USING NEW;
            IF NOT is_seen THEN
                RAISE insufficient_privilege USING MESSAGE = 'row is out of reach for table "' || TG_TABLE_NAME || '"';
            END IF;
            RETURN NEW;
        END $$
        """,
        *(
            f"CREATE TRIGGER reaches BEFORE INSERT OR UPDATE OF {column} ON {link}"
            f" FOR EACH ROW EXECUTE FUNCTION caregraph_reaches('{target}', '{column}')"
            for link, target in LINKS.items()
            for column in (_end(link, target),)
        ),
    ]


def lookups() -> list[str]:
    """Which of one's own content others use, without saying who."""
    own = f"$3 = {HERE} AND c.organization_id = {HERE} AND c.id = ANY (string_to_array($2, ',')::bigint[])"
    branches = " UNION ALL ".join(
        f"SELECT c.id FROM {table} c WHERE $1 = '{table}' AND {own} AND ("
        + " OR ".join(
            f"EXISTS (SELECT 1 FROM {use} u WHERE u.{_end(use, table)} = c.id AND u.organization_id <> {HERE})"
            for use in uses
        )
        + ")"
        for table, uses in USES.items()
    )
    looked_up = sorted({*USES, *(use for uses in USES.values() for use in uses)})
    return [
        *(f"CREATE POLICY lookup ON {table} TO CURRENT_USER USING (true)" for table in looked_up),
        f"""
        CREATE FUNCTION caregraph_used_elsewhere(kind text, content_ids text, organization_id bigint)
        RETURNS TABLE (id bigint) LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$ {branches} $$
        """,
        "REVOKE ALL ON FUNCTION caregraph_used_elsewhere(text, text, bigint) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION caregraph_used_elsewhere(text, text, bigint) TO caregraph_app",
    ]


def _end(use: str, table: str) -> str:
    return "related_id" if use == "related_assessments" else f"{table.removesuffix('s')}_id"


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("DROP FUNCTION caregraph_used_elsewhere(text, text, bigint)")
        for table in reversed(TABLES):
            op.execute(f"DROP POLICY IF EXISTS shared ON {table}")
        op.execute("DROP FUNCTION caregraph_others(text)")
    for table in reversed(TABLES):
        op.drop_table(table)
    if is_postgresql:
        op.execute("DROP FUNCTION caregraph_reaches()")


def create_content() -> None:
    _table(
        "assessments",
        *_texts(
            "title",
            "display_title",
            "display_description",
            "short_description",
            "long_description",
            "author_name",
            "author_description",
            "search_text",
        ),
        *_texts(
            "description",
            "custom_support_url",
            "user_result_preview_url",
            "org_result_preview_url",
            "logo_cloudinary_xid",
            "background_cloudinary_xid",
            "icon_name",
            "highlighted_text",
            "instrument_key",
            "instrument_version",
            "loinc_code",
            "identifier",
            nullable=True,
        ),
        *_codes("type", "state", "status", "privacy"),
        *_instants("published_at", "archived_at", nullable=True),
        *_numbers("version", "deployment_sessions_count"),
        *_numbers("step", "featured_position", "legacy_assessment_id", "created_by_id", nullable=True),
        *_json("videos", "testimonials"),
        *_flags(
            "highlighted",
            "featured",
            "show_longitudinal_results",
            "has_results_app",
            "deploy_anonymously",
            "allow_csv_download",
            "is_legacy",
        ),
        *_instants("updated_at", "created_at"),
        sa.CheckConstraint("(status = 1) = (published_at IS NOT NULL)", name=op.f("ck_assessments_published")),
        _unique("assessments", "id"),
        indexes=[
            ("organization_id", "created_at", "id"),
            ("organization_id", "published_at", "id"),
            ("organization_id", "title", "id"),
            ("organization_id", "updated_at", "id"),
            ("privacy", "id"),
        ],
    )
    _table(
        "scales",
        *_codes("scale_type", "display_score_type", "longitudinal_label_type", "privacy"),
        *_numbers("parent_scale_id", "created_by_id", nullable=True),
        *_texts("name", "display_name", "description", "search_text"),
        *_floats("min_sum_score", "max_sum_score", "min_mean_score", "max_mean_score", nullable=True),
        *_instants("archived_at", nullable=True),
        *_texts("identifier", nullable=True),
        *_instants("updated_at", "created_at"),
        _inside("scales", "parent_scale_id", "scales"),
        sa.CheckConstraint("privacy <> 2", name=op.f("ck_scales_privacy")),
        _unique("scales", "id"),
        _unique("scales", "name"),
        indexes=[
            ("organization_id", "created_at", "id"),
            ("organization_id", "name", "id"),
            ("organization_id", "parent_scale_id"),
            ("organization_id", "updated_at", "id"),
            ("privacy", "id"),
        ],
    )
    _table(
        "domains",
        *_numbers("assessment_id", "table_row_count", "created_by_id", nullable=True),
        *_codes(
            "preferred_visualization",
            "table_sort",
            "scale_count_type",
            "display_score_type",
            "longitudinal_label_type",
            "privacy",
        ),
        *_flags("show_bar_chart_labels"),
        *_floats("std_dev", "min_sum_score", "max_sum_score", "min_mean_score", "max_mean_score", nullable=True),
        *_texts("name", "display_name", "description", "search_text"),
        *_instants("archived_at", nullable=True),
        *_texts("identifier", nullable=True),
        *_instants("updated_at", "created_at"),
        _inside("domains", "assessment_id", "assessments"),
        sa.CheckConstraint("privacy <> 2", name=op.f("ck_domains_privacy")),
        _unique("domains", "id"),
        _unique("domains", "name"),
        indexes=[
            ("organization_id", "assessment_id"),
            ("organization_id", "created_at", "id"),
            ("organization_id", "name", "id"),
            ("organization_id", "updated_at", "id"),
            ("privacy", "id"),
        ],
    )
    _table(
        "items",
        *_texts("text", "loinc_code", "identifier", nullable=True),
        *_codes("item_type", "privacy"),
        *_flags("is_nominal", "hide_scale_numbers", "display_descending", "zero_based_positioning", "show_randomized"),
        *_numbers("location_id", "legacy_question_id", "created_by_id", nullable=True),
        *_instants("archived_at", nullable=True),
        *_instants("updated_at", "created_at"),
        *_texts("search_text"),
        _inside("items", "location_id", "locations"),
        sa.CheckConstraint("privacy <> 2", name=op.f("ck_items_privacy")),
        _unique("items", "id"),
        indexes=[
            ("organization_id", "created_at", "id"),
            ("organization_id", "location_id"),
            ("organization_id", "text", "id"),
            ("organization_id", "updated_at", "id"),
            ("privacy", "id"),
        ],
    )
    _table(
        "item_options",
        *_numbers("item_id", "position"),
        *_texts("text", "loinc_code", nullable=True),
        *_floats("value", nullable=True),
        *_flags("correct", nullable=True),
        *_numbers("legacy_answer_id", nullable=True),
        *_instants("updated_at", "created_at"),
        _inside("item_options", "item_id", "items"),
        _unique("item_options", "item_id", "id"),
        indexes=[("organization_id", "item_id", "position", "id")],
    )
    _table(
        "tags",
        *_texts("name", "search_text"),
        *_flags("featured"),
        *_numbers("featured_position", nullable=True),
        *_instants("updated_at", "created_at"),
        _unique("tags", "id"),
        _unique("tags", "name"),
        indexes=[
            ("organization_id", "created_at", "id"),
            ("organization_id", "featured", "id"),
            ("organization_id", "featured_position", "id"),
            ("organization_id", "updated_at", "id"),
        ],
    )


def create_links() -> None:
    _table(
        "assessment_scales",
        *_numbers("assessment_id", "scale_id"),
        *_instants("updated_at", "created_at"),
        _inside("assessment_scales", "assessment_id", "assessments"),
        _outside("assessment_scales", "scale_id", "scales"),
        _unique("assessment_scales", "assessment_id", "scale_id"),
        indexes=[("organization_id", "scale_id"), ("scale_id",)],
    )
    _table(
        "assessment_domains",
        *_numbers("assessment_id", "domain_id"),
        *_instants("updated_at", "created_at"),
        _outside("assessment_domains", "domain_id", "domains"),
        _inside("assessment_domains", "assessment_id", "assessments"),
        _unique("assessment_domains", "assessment_id", "domain_id"),
        indexes=[("domain_id",), ("organization_id", "domain_id")],
    )
    _table(
        "assessment_items",
        *_numbers("assessment_id", "item_id", "position"),
        *_flags("required"),
        *_texts("profile_attribute", nullable=True),
        *_instants("updated_at", "created_at"),
        _outside("assessment_items", "item_id", "items"),
        _inside("assessment_items", "assessment_id", "assessments"),
        _unique("assessment_items", "assessment_id", "item_id"),
        indexes=[("item_id",), ("organization_id", "assessment_id", "position", "id"), ("organization_id", "item_id")],
    )
    _table(
        "domain_scales",
        *_numbers("domain_id", "scale_id"),
        *_instants("updated_at", "created_at"),
        _inside("domain_scales", "domain_id", "domains"),
        _outside("domain_scales", "scale_id", "scales"),
        _unique("domain_scales", "domain_id", "scale_id"),
        indexes=[("organization_id", "scale_id"), ("scale_id",)],
    )
    _table(
        "item_scales",
        *_numbers("scale_id", "item_id", "position"),
        *_floats("weight"),
        *_flags("is_reversed"),
        *_instants("updated_at", "created_at"),
        _inside("item_scales", "scale_id", "scales"),
        _outside("item_scales", "item_id", "items"),
        sa.CheckConstraint("weight > -1e12 AND weight < 1e12", name=op.f("ck_item_scales_weight")),
        _unique("item_scales", "scale_id", "item_id"),
        indexes=[("item_id",), ("organization_id", "item_id"), ("organization_id", "scale_id", "position", "id")],
    )
    _table(
        "related_assessments",
        *_numbers("assessment_id", "related_id"),
        _outside("related_assessments", "related_id", "assessments"),
        _inside("related_assessments", "assessment_id", "assessments"),
        sa.CheckConstraint("assessment_id <> related_id", name=op.f("ck_related_assessments_another")),
        key=("assessment_id", "related_id"),
        indexes=[("organization_id", "related_id"), ("related_id",)],
    )
    _table(
        "assessment_tags",
        *_numbers("assessment_id", "tag_id"),
        _inside("assessment_tags", "assessment_id", "assessments"),
        _outside("assessment_tags", "tag_id", "tags"),
        key=("assessment_id", "tag_id"),
        indexes=[("organization_id", "tag_id"), ("tag_id",)],
    )
    _table(
        "item_tags",
        *_numbers("item_id", "tag_id"),
        _inside("item_tags", "item_id", "items"),
        _outside("item_tags", "tag_id", "tags"),
        key=("item_id", "tag_id"),
        indexes=[("organization_id", "tag_id"), ("tag_id",)],
    )
    _table(
        "scale_tags",
        *_numbers("scale_id", "tag_id"),
        _inside("scale_tags", "scale_id", "scales"),
        _outside("scale_tags", "tag_id", "tags"),
        key=("scale_id", "tag_id"),
        indexes=[("organization_id", "tag_id"), ("tag_id",)],
    )
    _table(
        "domain_tags",
        *_numbers("domain_id", "tag_id"),
        _inside("domain_tags", "domain_id", "domains"),
        _outside("domain_tags", "tag_id", "tags"),
        key=("domain_id", "tag_id"),
        indexes=[("organization_id", "tag_id"), ("tag_id",)],
    )


def create_sharing() -> None:
    _table(
        "network_members",
        *_numbers("member_id"),
        *_instants("updated_at", "created_at"),
        _outside("network_members", "member_id", "organizations", cascades=True),
        sa.CheckConstraint("member_id <> organization_id", name=op.f("ck_network_members_another")),
        _unique("network_members", "member_id"),
        indexes=[("member_id", "organization_id")],
    )
    _table(
        "access_grants",
        *_numbers("grantee_id"),
        *_numbers("assessment_id", "item_id", "scale_id", "domain_id", nullable=True),
        *_instants("created_at"),
        _outside("access_grants", "grantee_id", "organizations", cascades=True),
        _inside("access_grants", "domain_id", "domains"),
        _inside("access_grants", "item_id", "items"),
        _inside("access_grants", "scale_id", "scales"),
        _inside("access_grants", "assessment_id", "assessments"),
        sa.CheckConstraint("grantee_id <> organization_id", name=op.f("ck_access_grants_another")),
        _one_of("access_grants", "assessment_id", "item_id", "scale_id", "domain_id"),
        _unique("access_grants", "assessment_id", "grantee_id"),
        _unique("access_grants", "domain_id", "grantee_id"),
        _unique("access_grants", "item_id", "grantee_id"),
        _unique("access_grants", "scale_id", "grantee_id"),
        indexes=[
            ("grantee_id", "assessment_id"),
            ("grantee_id", "domain_id"),
            ("grantee_id", "item_id"),
            ("grantee_id", "scale_id"),
            ("organization_id", "created_at", "id"),
        ],
    )
    _table(
        "vertical_access_grants",
        *_numbers("assessment_id"),
        *_codes("vertical"),
        *_instants("created_at"),
        _inside("vertical_access_grants", "assessment_id", "assessments"),
        _unique("vertical_access_grants", "assessment_id", "vertical", name="uq_vertical_access_grants_vertical"),
        indexes=[("organization_id", "created_at", "id"), ("vertical", "assessment_id")],
    )


def create_scoring() -> None:
    _table(
        "score_configs",
        *_numbers("item_id", "scale_id", "domain_id", nullable=True),
        *_texts("name", "description"),
        *_codes("score_type", "score_type_scope", "status"),
        *_instants("published_at", nullable=True),
        *_numbers("version"),
        *_floats("minimum_answered_share", nullable=True),
        *_instants("updated_at", "created_at"),
        _inside("score_configs", "scale_id", "scales"),
        _inside("score_configs", "item_id", "items"),
        _inside("score_configs", "domain_id", "domains"),
        _one_of("score_configs", "item_id", "scale_id", "domain_id"),
        sa.CheckConstraint("(status = 1) = (published_at IS NOT NULL)", name=op.f("ck_score_configs_published")),
        sa.CheckConstraint(
            "minimum_answered_share > 0 AND minimum_answered_share <= 1", name=op.f("ck_score_configs_share")
        ),
        _unique("score_configs", "id"),
        indexes=[
            ("organization_id", "created_at", "id"),
            ("organization_id", "domain_id", "id"),
            ("organization_id", "item_id", "id"),
            ("organization_id", "name", "id"),
            ("organization_id", "scale_id", "id"),
            ("organization_id", "updated_at", "id"),
        ],
    )
    _table(
        "custom_calculations",
        *_numbers("score_config_id"),
        *_texts("expression", nullable=True),
        *_codes("score_scope"),
        *_instants("updated_at", "created_at"),
        _inside("custom_calculations", "score_config_id", "score_configs"),
        _unique("custom_calculations", "id"),
        _unique("custom_calculations", "score_config_id"),
        indexes=[],
    )
    _table(
        "calculation_variables",
        *_numbers("custom_calculation_id", "score_config_id"),
        *_texts("name"),
        *_instants("updated_at", "created_at"),
        _outside("calculation_variables", "score_config_id", "score_configs"),
        _inside("calculation_variables", "custom_calculation_id", "custom_calculations"),
        sa.CheckConstraint(
            "length(name) = 1 AND name >= 'A' AND name <= 'Z'", name=op.f("ck_calculation_variables_letter")
        ),
        _unique("calculation_variables", "custom_calculation_id", "name", name="uq_calculation_variables_name"),
        indexes=[("organization_id", "score_config_id"), ("score_config_id",)],
    )
    _table(
        "percentile_rank_configs",
        *_numbers("score_config_id"),
        *_floats("mean", "standard_deviation"),
        *_instants("updated_at", "created_at"),
        _inside("percentile_rank_configs", "score_config_id", "score_configs"),
        sa.CheckConstraint("standard_deviation > 0", name=op.f("ck_percentile_rank_configs_deviation")),
        _unique("percentile_rank_configs", "score_config_id"),
        indexes=[],
    )
    _table(
        "result_ranges",
        *_numbers("scale_id", "domain_id", nullable=True),
        *_texts("name", "description"),
        *_floats("range_start", "range_end"),
        *_instants("updated_at", "created_at"),
        _inside("result_ranges", "domain_id", "domains"),
        _inside("result_ranges", "scale_id", "scales"),
        _one_of("result_ranges", "scale_id", "domain_id"),
        sa.CheckConstraint("range_start < range_end", name=op.f("ck_result_ranges_start_before_end")),
        _unique("result_ranges", "id"),
        indexes=[
            ("organization_id", "created_at", "id"),
            ("organization_id", "domain_id", "range_start", "id"),
            ("organization_id", "name", "id"),
            ("organization_id", "scale_id", "range_start", "id"),
            ("organization_id", "updated_at", "id"),
        ],
    )


def create_answers() -> None:
    _table(
        "answer_sets",
        *_numbers("assessment_id", "assessment_version"),
        *_numbers("client_id", nullable=True),
        *_codes("source"),
        *_texts("title", "spec_name", "spec_version", nullable=True),
        *_json("model", nullable=True),
        *_instants("completed_at", "last_scored_at", nullable=True),
        *_instants("updated_at", "created_at"),
        _outside("answer_sets", "assessment_id", "assessments"),
        _inside("answer_sets", "client_id", "clients"),
        _unique("answer_sets", "id"),
        indexes=[
            ("assessment_id",),
            ("organization_id", "assessment_id", "created_at", "id"),
            ("organization_id", "client_id", "created_at", "id"),
            ("organization_id", "completed_at", "id"),
            ("organization_id", "created_at", "id"),
            ("organization_id", "updated_at", "id"),
        ],
    )
    _table(
        "item_responses",
        *_numbers("answer_set_id", "item_id"),
        *_numbers("client_id", "item_option_id", nullable=True),
        *_texts("text", nullable=True),
        *_floats("value", nullable=True),
        *_codes("source_type"),
        *_instants("updated_at", "created_at"),
        _inside("item_responses", "client_id", "clients"),
        _inside("item_responses", "answer_set_id", "answer_sets"),
        _outside("item_responses", "item_id", "items"),
        _outside("item_responses", "item_option_id", "item_options"),
        _unique("item_responses", "answer_set_id", "item_id", "item_option_id", name="uq_item_responses_option"),
        indexes=[
            ("item_id",),
            ("item_option_id",),
            ("organization_id", "client_id"),
            ("organization_id", "created_at", "id"),
            ("organization_id", "item_id", "created_at", "id"),
            ("organization_id", "item_option_id"),
        ],
    )
    _table(
        "answer_scores",
        *_numbers("answer_set_id", "score_config_id", "score_config_version"),
        *_numbers("client_id", "result_range_id", nullable=True),
        *_floats("value", nullable=True),
        *_instants("updated_at", "created_at"),
        _outside("answer_scores", "score_config_id", "score_configs"),
        _inside("answer_scores", "answer_set_id", "answer_sets"),
        _outside("answer_scores", "result_range_id", "result_ranges"),
        _inside("answer_scores", "client_id", "clients"),
        _unique("answer_scores", "answer_set_id", "score_config_id"),
        indexes=[
            ("organization_id", "client_id"),
            ("organization_id", "created_at", "id"),
            ("organization_id", "result_range_id"),
            ("organization_id", "score_config_id"),
            ("result_range_id",),
            ("score_config_id",),
        ],
    )


def _table(
    name: str, *parts: sa.schema.SchemaItem, indexes: list[tuple[str, ...]], key: tuple[str, ...] = ("id",)
) -> None:
    own = [sa.Column("id", ID, nullable=False)] if key == ("id",) else []
    op.create_table(
        name,
        *own,
        sa.Column("organization_id", ID, nullable=False),
        *parts,
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=f"fk_{name}_organization_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
    )
    for columns in indexes:
        op.create_index(f"ix_{name}_{'_'.join(columns)}", name, list(columns))


def _columns(kind: sa.types.TypeEngine, names: tuple[str, ...], *, nullable: bool) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _texts(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(sa.Text(), names, nullable=nullable)


def _codes(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(sa.SmallInteger(), names, nullable=nullable)


def _flags(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(sa.Boolean(), names, nullable=nullable)


def _floats(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(sa.Double(), names, nullable=nullable)


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(ID, names, nullable=nullable)


def _instants(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(sa.DateTime(timezone=True), names, nullable=nullable)


def _json(*names: str, nullable: bool = False) -> list[sa.Column]:
    return _columns(sa.JSON(), names, nullable=nullable)


def _inside(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=f"fk_{table}_organization_id_{column}",
        ondelete="CASCADE",
    )


def _outside(table: str, column: str, target: str, *, cascades: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE" if cascades else None
    )


def _one_of(table: str, *columns: str) -> sa.CheckConstraint:
    terms = " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in columns)
    return sa.CheckConstraint(f"{terms} = 1", name=op.f(f"ck_{table}_one_kind"))


def _unique(table: str, *columns: str, name: str | None = None) -> sa.UniqueConstraint:
    all_columns = ("organization_id", *columns)
    return sa.UniqueConstraint(*all_columns, name=name or f"uq_{table}_{'_'.join(all_columns)}")
