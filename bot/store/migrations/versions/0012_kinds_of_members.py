"""An index along which the kinds of a group's members are walked, in place of the one of its members."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = ["group_id", "name", "service", "grouping_reason"]


def upgrade() -> None:
    op.create_index("ix_episodes_group_id_name_service_grouping_reason", "episodes", COLUMNS)
    op.drop_index("ix_episodes_group_id", "episodes")


def downgrade() -> None:
    op.create_index("ix_episodes_group_id", "episodes", ["group_id"])
    op.drop_index("ix_episodes_group_id_name_service_grouping_reason", "episodes")
