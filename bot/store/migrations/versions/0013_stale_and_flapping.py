"""Alerts that were not repeated, how often sources repeat, and groups that flap."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("episodes", sa.Column("stale_at", MOMENT, nullable=True))
    op.add_column("sources", sa.Column("repeat_seconds", sa.Float(), nullable=False, server_default="0"))
    op.add_column("sources", sa.Column("repeat_gaps", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sources", sa.Column("repeat_seen_at", MOMENT, nullable=True))
    op.add_column("groups", sa.Column("stale", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("groups", sa.Column("flapping", sa.String(), nullable=False, server_default=""))
    op.add_column("groups", sa.Column("flapping_until", MOMENT, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("groups") as batch:
        batch.drop_column("flapping_until")
        batch.drop_column("flapping")
        batch.drop_column("stale")
    with op.batch_alter_table("sources") as batch:
        batch.drop_column("repeat_seen_at")
        batch.drop_column("repeat_gaps")
        batch.drop_column("repeat_seconds")
    with op.batch_alter_table("episodes") as batch:
        batch.drop_column("stale_at")
