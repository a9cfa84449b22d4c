"""Late changes, reasons for no proposal, what a draft tells, mentions, copies of user groups; indexes for long histories."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
DUE = sa.text("wanted_rev > sent_rev")
INDEXES = {
    "ix_episodes_fingerprint": ("episodes", ["fingerprint"]),
    "ix_groups_channel_opened_at": ("groups", ["channel", "opened_at"]),
    "ix_incidents_service": ("incidents", ["service"]),
    "ix_incidents_resolved_at": ("incidents", ["resolved_at"]),
    "ix_messages_sent_at": ("messages", ["sent_at"]),
}
COLUMNS = {
    "triages": ("no_proposal", "late_changes"),
    "postmortems": ("told",),
    "messages": ("mentions",),
}


def upgrade() -> None:
    op.add_column("triages", sa.Column("no_proposal", sa.Text(), nullable=False, server_default=""))
    op.add_column("triages", sa.Column("late_changes", JSON, nullable=False, server_default="[]"))
    op.add_column("postmortems", sa.Column("told", JSON, nullable=True))
    op.add_column("messages", sa.Column("mentions", JSON, nullable=False, server_default="[]"))
    op.create_table(
        "usergroups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("members", JSON, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usergroups")),
    )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    op.create_index("ix_messages_due", "messages", ["channel"], sqlite_where=DUE, postgresql_where=DUE)


def downgrade() -> None:
    op.drop_index("ix_messages_due", "messages")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("usergroups")
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
