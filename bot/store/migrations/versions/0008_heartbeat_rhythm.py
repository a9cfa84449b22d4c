"""How often each heartbeat has come: its period is learned."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("heartbeats", sa.Column("beats", sa.Integer(), nullable=False, server_default="0"))
    # Until now this was what the configuration said; a period has to be seen first.
    op.execute("UPDATE heartbeats SET every_seconds = 0")


def downgrade() -> None:
    with op.batch_alter_table("heartbeats") as batch:
        batch.drop_column("beats")
