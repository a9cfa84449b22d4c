"""Whose alert opened a group, groups of what is beyond a source's budget, and the next alerts of one source."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("source", sa.String(), nullable=False, server_default=""))
    op.add_column("groups", sa.Column("overflow", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_groups_source_opened_at", "groups", ["source", "opened_at"])
    op.create_index("ix_alerts_source_seq", "alerts", ["source", "seq"])


def downgrade() -> None:
    op.drop_index("ix_alerts_source_seq", "alerts")
    op.drop_index("ix_groups_source_opened_at", "groups")
    with op.batch_alter_table("groups") as batch:
        batch.drop_column("overflow")
        batch.drop_column("source")
