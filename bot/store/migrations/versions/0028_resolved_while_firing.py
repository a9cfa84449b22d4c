"""When what still fired as somebody resolved it is looked at again; empty for what was resolved before."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("recheck_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_groups_recheck_at", "groups", ["recheck_at"])


def downgrade() -> None:
    op.drop_index("ix_groups_recheck_at", "groups")
    with op.batch_alter_table("groups") as batch:
        batch.drop_column("recheck_at")
