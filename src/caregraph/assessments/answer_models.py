"""Tables of answers: what somebody answered to an assessment, and the scores that came of it. Never shared."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.db.base import Base, Coded, Dated, TenantRow, shared_key, tenant_key, tenant_unique
from caregraph.db.encryption import Encrypted
from caregraph.db.personal import Personal

from .enums import AnswerSource


class AnswerSet(TenantRow, Dated, Base):
    """One person's answers to one assessment. Without a client they are anonymous.

    `model` is what another system sent, as it came; `spec_name` and `spec_version` what it called the assessment.
    """

    __tablename__ = "answer_sets"
    __table_args__ = (
        tenant_unique("id"),
        tenant_key("client_id", to="clients", blocks={"client_id": "answer sets"}),
        shared_key("assessment_id", to="assessments"),
        Index(None, "organization_id", "client_id", "created_at", "id"),
        Index(None, "organization_id", "assessment_id", "created_at", "id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "organization_id", "updated_at", "id"),
        Index(None, "organization_id", "completed_at", "id"),
        Index(None, "assessment_id"),
    )
    personal = Personal(stays=("spec_name", "spec_version"), title=None, model=None)
    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int]
    assessment_version: Mapped[int] = mapped_column(default=1)
    client_id: Mapped[int | None]
    source: Mapped[AnswerSource] = mapped_column(Coded(AnswerSource), default=AnswerSource.DEFAULT)
    title: Mapped[str | None]
    spec_name: Mapped[str | None]
    spec_version: Mapped[str | None]
    model: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    completed_at: Mapped[datetime | None]
    last_scored_at: Mapped[datetime | None]


class ItemResponse(TenantRow, Dated, Base):
    """An answer to one item: an option, or text. `value` is the number that it counted for when it was given.

    An item that takes several options has one response for each.
    """

    __tablename__ = "item_responses"
    __table_args__ = (
        tenant_key("answer_set_id", to="answer_sets"),
        tenant_key("client_id", to="clients"),
        shared_key("item_id", to="items"),
        shared_key("item_option_id", to="item_options"),
        UniqueConstraint(
            *("organization_id", "answer_set_id", "item_id", "item_option_id"),
            name="uq_item_responses_option",
            info={"message": "The item is answered by this option already", "path": "itemOptionId"},
        ),
        Index(None, "organization_id", "item_id", "created_at", "id"),
        Index(None, "organization_id", "item_option_id"),
        Index(None, "organization_id", "client_id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "item_id"),
        Index(None, "item_option_id"),
    )
    personal = Personal(text=None)
    id: Mapped[int] = mapped_column(primary_key=True)
    answer_set_id: Mapped[int]
    client_id: Mapped[int | None]
    item_id: Mapped[int]
    item_option_id: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(Encrypted("item_responses.text"))
    value: Mapped[float | None]
    source_type: Mapped[AnswerSource] = mapped_column(Coded(AnswerSource), default=AnswerSource.DEFAULT)


class AnswerScore(TenantRow, Dated, Base):
    """A number that a score config made of an answer set, with the version of the config; null: too much is missing."""

    __tablename__ = "answer_scores"
    __table_args__ = (
        tenant_key("answer_set_id", to="answer_sets"),
        tenant_key("client_id", to="clients"),
        shared_key("score_config_id", to="score_configs"),
        shared_key("result_range_id", to="result_ranges"),
        UniqueConstraint(
            *("organization_id", "answer_set_id", "score_config_id"),
            info={"message": "The answers have this score already", "path": None},
        ),
        Index(None, "organization_id", "score_config_id"),
        Index(None, "organization_id", "result_range_id"),
        Index(None, "organization_id", "client_id"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "score_config_id"),
        Index(None, "result_range_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    answer_set_id: Mapped[int]
    client_id: Mapped[int | None]
    score_config_id: Mapped[int]
    score_config_version: Mapped[int]
    result_range_id: Mapped[int | None]
    value: Mapped[float | None]
