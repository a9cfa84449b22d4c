"""When a group that somebody had resolved was opened again; empty for what was opened again before."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("opened_again_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_groups_opened_again_at", "groups", ["opened_again_at"])


def downgrade() -> None:
    op.drop_index("ix_groups_opened_again_at", "groups")
    with op.batch_alter_table("groups") as batch:
        batch.drop_column("opened_again_at")
