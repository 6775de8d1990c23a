"""Tables of sharing: which organizations and verticals may use a piece of content, and networks of organizations."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from caregraph.db.base import Base, Coded, Dated, SharedRow, Timestamped, exactly_one_of, tenant_key
from caregraph.organizations.enums import Vertical

KINDS = ("assessment_id", "item_id", "scale_id", "domain_id")
"""The columns that say what is shared."""


class AccessGrant(SharedRow, Timestamped, Base):
    """Leave for another organization to read and use a piece of content. It sees the grant too."""

    __tablename__ = "access_grants"
    __table_args__ = (
        *(tenant_key(column, to=f"{column.removesuffix('_id')}s") for column in KINDS),
        exactly_one_of(*KINDS),
        CheckConstraint(
            "grantee_id <> organization_id",
            name="another",
            info={"message": "The organization owns it already", "path": "organizationId"},
        ),
        *(
            UniqueConstraint(
                *("organization_id", column, "grantee_id"),
                info={"message": "The organization has access already", "path": "organizationId"},
            )
            for column in KINDS
        ),
        *(Index(None, "grantee_id", column) for column in KINDS),
        Index(None, "organization_id", "created_at", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    grantee_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    assessment_id: Mapped[int | None]
    item_id: Mapped[int | None]
    scale_id: Mapped[int | None]
    domain_id: Mapped[int | None]


class VerticalAccessGrant(SharedRow, Timestamped, Base):
    """Leave for every organization of a vertical to read and use an assessment."""

    __tablename__ = "vertical_access_grants"
    __table_args__ = (
        tenant_key("assessment_id", to="assessments"),
        UniqueConstraint(
            *("organization_id", "assessment_id", "vertical"),
            name="uq_vertical_access_grants_vertical",
            info={"message": "The vertical has access already", "path": "verticalKeys"},
        ),
        Index(None, "vertical", "assessment_id"),
        Index(None, "organization_id", "created_at", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int]
    vertical: Mapped[Vertical] = mapped_column(Coded(Vertical))


class NetworkMember(SharedRow, Dated, Base):
    """An organization that belongs to a network, which is an organization itself: the member's parent network.

    What is shared with the network is shared with its members.
    """

    __tablename__ = "network_members"
    __table_args__ = (
        CheckConstraint(
            "member_id <> organization_id",
            name="another",
            info={"message": "An organization is no member of itself", "path": "organizationId"},
        ),
        UniqueConstraint(
            *("organization_id", "member_id"),
            info={"message": "The organization is a member already", "path": "organizationId"},
        ),
        Index(None, "member_id", "organization_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
