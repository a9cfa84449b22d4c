"""What a question is about where that is several groups and incidents; empty for those about one."""

import sqlalchemy as sa
from alembic import op

from bot.store.db.columns import Json

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("questions", sa.Column("refs", Json(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("questions") as batch:
        batch.drop_column("refs")
