"""Why each alert belongs to its group."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("grouping_reason", "grouping_text")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("episodes", sa.Column(column, sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("episodes") as batch:
        for column in COLUMNS:
            batch.drop_column(column)
