"""A service of which no series was left when its alerts ended; empty for what ended before."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("unmeasured", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("groups") as batch:
        batch.drop_column("unmeasured")
