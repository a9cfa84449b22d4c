"""Rules that people make of merges."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
TEXTS = ("first_name", "first_service", "second_name", "second_service", "owner", "tested")


def upgrade() -> None:
    op.create_table(
        "grouping_rules",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in TEXTS),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("removed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grouping_rules")),
        sa.UniqueConstraint("key", name=op.f("uq_grouping_rules_key")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("grouping_rules")
