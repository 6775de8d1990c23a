"""Tables of scoring: how items, scales and domains become numbers, and what the numbers are called."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.db.base import Base, Coded, Dated, SharedRow, exactly_one_of, shared_key, tenant_key, tenant_unique

from .enums import PublicationStatus, ScoreScope, ScoreType

LEVELS = ("item_id", "scale_id", "domain_id")


class ScoreConfig(SharedRow, Dated, Base):
    """A way in which an item, a scale or a domain is scored.

    `minimum_answered_share` is the share of answers from which missing ones are prorated; null: none may be missing.
    """

    __tablename__ = "score_configs"
    __table_args__ = (
        tenant_unique("id"),
        *(tenant_key(column, to=f"{column.removesuffix('_id')}s") for column in LEVELS),
        exactly_one_of(*LEVELS),
        CheckConstraint("(status = 1) = (published_at IS NOT NULL)", name="published"),
        CheckConstraint(
            "minimum_answered_share > 0 AND minimum_answered_share <= 1",
            name="share",
            info={"message": "The share must be above 0 and at most 1", "path": "minimumAnsweredShare"},
        ),
        *(Index(None, "organization_id", column, "id") for column in LEVELS),
        *(Index(None, "organization_id", column, "id") for column in ("name", "created_at", "updated_at")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int | None]
    scale_id: Mapped[int | None]
    domain_id: Mapped[int | None]
    name: Mapped[str]
    description: Mapped[str]
    score_type: Mapped[ScoreType] = mapped_column(Coded(ScoreType))
    score_type_scope: Mapped[ScoreScope] = mapped_column(Coded(ScoreScope), default=ScoreScope.INDIVIDUAL)
    status: Mapped[PublicationStatus] = mapped_column(Coded(PublicationStatus), default=PublicationStatus.DRAFT)
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    minimum_answered_share: Mapped[float | None]
    loinc_code: Mapped[str | None]


class CustomCalculation(SharedRow, Dated, Base):
    """The expression of a score config of its own kind. It begins without one."""

    __tablename__ = "custom_calculations"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("score_config_id", to="score_configs"),
        UniqueConstraint(
            *("organization_id", "score_config_id"),
            info={"message": "The score config has a custom calculation already", "path": "scoreConfigId"},
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    score_config_id: Mapped[int]
    expression: Mapped[str | None]
    score_scope: Mapped[ScoreScope] = mapped_column(Coded(ScoreScope))


class CalculationVariable(SharedRow, Dated, Base):
    """A letter of an expression, and the score config that gives its number."""

    __tablename__ = "calculation_variables"
    __table_args__ = (
        tenant_key("custom_calculation_id", to="custom_calculations"),
        shared_key("score_config_id", to="score_configs"),
        UniqueConstraint(
            *("organization_id", "custom_calculation_id", "name"),
            name="uq_calculation_variables_name",
            info={"message": "The letter stands for something already", "path": "name"},
        ),
        CheckConstraint(
            "length(name) = 1 AND name >= 'A' AND name <= 'Z'",
            name="letter",
            info={"message": "A variable is one letter from A to Z", "path": "name"},
        ),
        Index(None, "organization_id", "score_config_id"),
        Index(None, "score_config_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    custom_calculation_id: Mapped[int]
    score_config_id: Mapped[int]
    name: Mapped[str]


class PercentileRankConfig(SharedRow, Dated, Base):
    """Mean and standard deviation of the people that a score is compared with."""

    __tablename__ = "percentile_rank_configs"
    __table_args__ = (
        tenant_key("score_config_id", to="score_configs"),
        UniqueConstraint(
            *("organization_id", "score_config_id"),
            info={"message": "The score config has a percentile rank config already", "path": "scoreConfigId"},
        ),
        CheckConstraint(
            "standard_deviation > 0",
            name="deviation",
            info={"message": "The standard deviation must be above 0", "path": "standardDeviation"},
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    score_config_id: Mapped[int]
    mean: Mapped[float]
    standard_deviation: Mapped[float]


class ResultRange(SharedRow, Dated, Base):
    """A stretch of a scale's or domain's displayed score with a name: from its start up to, without, its end.

    The last range of a scale or domain includes its end.
    """

    __tablename__ = "result_ranges"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("scale_id", to="scales"),
        tenant_key("domain_id", to="domains"),
        exactly_one_of("scale_id", "domain_id"),
        CheckConstraint(
            "range_start < range_end",
            name="start_before_end",
            info={"message": "A range must end above its start", "path": "rangeEnd"},
        ),
        Index(None, "organization_id", "scale_id", "range_start", "id"),
        Index(None, "organization_id", "domain_id", "range_start", "id"),
        *(Index(None, "organization_id", column, "id") for column in ("name", "created_at", "updated_at")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    scale_id: Mapped[int | None]
    domain_id: Mapped[int | None]
    name: Mapped[str]
    description: Mapped[str]
    range_start: Mapped[float]
    range_end: Mapped[float]
