"""Which attempt a look belongs to: its progress is read from the ledger and no longer written down a second time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("evidence", sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("triages") as batch:
        batch.drop_column("progress")


def downgrade() -> None:
    op.add_column("triages", sa.Column("progress", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("evidence") as batch:
        batch.drop_column("attempt")
