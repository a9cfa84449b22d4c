"""Which standing approval would start a proposal, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposals", sa.Column("standing_approval", sa.String(), nullable=False, server_default=""))
    op.add_column("proposals", sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("proposals") as batch:
        batch.drop_column("starts_at")
        batch.drop_column("standing_approval")
