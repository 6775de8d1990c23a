"""Score configs may have the LOINC code of their score, as those of installed instruments do."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_29_instruments"
down_revision = "2026_11_28_assessments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("score_configs", sa.Column("loinc_code", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the column away with what it says."""
    op.drop_column("score_configs", "loinc_code")
