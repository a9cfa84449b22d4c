"""What is learned of who calls whom, and of what alerts together."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("callee", sa.String(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("source", "caller", "callee", name=op.f("uq_calls_source_caller_callee")),
    )
    op.create_table(
        "call_reads",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_call_reads")),
    )
    op.create_table(
        "cascades",
        sa.Column("id", KEY, nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cascades")),
        sa.UniqueConstraint("place", "service", name=op.f("uq_cascades_place_service")),
    )
    op.create_index(op.f("ix_cascades_service"), "cascades", ["service"])


def downgrade() -> None:
    op.drop_table("cascades")
    op.drop_table("call_reads")
    op.drop_table("calls")
