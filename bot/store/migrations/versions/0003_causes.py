"""What people said an incident was, and closed incidents frozen for replay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "causes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("change_id", sa.String(), nullable=False),
        sa.Column("said_by", sa.String(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_causes")),
    )
    op.create_index(op.f("ix_causes_incident_id"), "causes", ["incident_id"])
    op.create_table(
        "frozen_cases",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("transcripts", JSON, nullable=False),
        sa.Column("answered", JSON, nullable=False),
        sa.Column("truth", JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_frozen_cases")),
    )
    op.create_index(op.f("ix_frozen_cases_at"), "frozen_cases", ["at"])
    # Causes told before this version: whoever resolved the incident said it.
    op.execute(
        "INSERT INTO causes (incident_id, text, service, kind, change_id, said_by, at) "
        "SELECT id, cause, '', '', '', resolved_by, resolved_at FROM incidents WHERE cause <> '' AND resolved_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_frozen_cases_at"), "frozen_cases")
    op.drop_table("frozen_cases")
    op.drop_index(op.f("ix_causes_incident_id"), "causes")
    op.drop_table("causes")
