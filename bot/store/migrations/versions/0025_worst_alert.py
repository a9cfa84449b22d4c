"""An index along which the worst alert of a group is found: each edit of a storm's card read all of its alerts for that.

And none by fingerprint alone: it is looked for with its source, as the rule of unique episodes is indexed.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_episodes_group_id_status_severity_starts_at", "episodes", ["group_id", "status", "severity", "starts_at"]
    )
    op.drop_index("ix_episodes_fingerprint", "episodes")


def downgrade() -> None:
    op.create_index("ix_episodes_fingerprint", "episodes", ["fingerprint"])
    op.drop_index("ix_episodes_group_id_status_severity_starts_at", "episodes")
