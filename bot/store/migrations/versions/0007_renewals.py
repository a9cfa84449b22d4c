"""When an open group was last about something new, and which attempts were made for that."""

import sqlalchemy as sa
from alembic import op

from bot.store.db.columns import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("renewed_at", Moment(), nullable=True))
    op.add_column("groups", sa.Column("renewed_by", sa.BigInteger(), nullable=True))
    op.add_column("groups", sa.Column("renewals", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("triages", sa.Column("renewed", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("triages") as batch:
        batch.drop_column("renewed")
    with op.batch_alter_table("groups") as batch:
        for column in ("renewed_at", "renewed_by", "renewals"):
            batch.drop_column(column)
