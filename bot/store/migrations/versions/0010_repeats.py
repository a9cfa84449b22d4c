"""Repeats of stored alerts as numbers of these; lists of episodes read in the order of an index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "repeats",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("alerts", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repeats")),
        sqlite_autoincrement=True,
    )
    op.drop_index("ix_alerts_fingerprint", "alerts")
    op.drop_index("ix_episodes_status", "episodes")
    op.drop_index("ix_episodes_service", "episodes")
    op.create_index("ix_episodes_status_starts_at", "episodes", ["status", "starts_at"])
    op.create_index("ix_episodes_service_starts_at", "episodes", ["service", "starts_at"])
    op.create_index("ix_episodes_starts_at", "episodes", ["starts_at"])


def downgrade() -> None:
    op.drop_index("ix_episodes_starts_at", "episodes")
    op.drop_index("ix_episodes_service_starts_at", "episodes")
    op.drop_index("ix_episodes_status_starts_at", "episodes")
    op.create_index("ix_episodes_service", "episodes", ["service"])
    op.create_index("ix_episodes_status", "episodes", ["status"])
    op.create_index("ix_alerts_fingerprint", "alerts", ["fingerprint"])
    op.drop_table("repeats")
