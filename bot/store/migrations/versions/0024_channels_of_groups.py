"""An index that holds which channels have groups: to read it off all groups takes as long as there are groups."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_groups_channel_private", "groups", ["channel", "private"])


def downgrade() -> None:
    op.drop_index("ix_groups_channel_private", "groups")
