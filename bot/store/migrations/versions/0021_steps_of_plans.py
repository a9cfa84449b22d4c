"""Claims and attempts have a step, so that each step of a plan is taken and tried once."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("claims", "attempts")


def upgrade() -> None:
    op.add_column("proposals", sa.Column("steps_begun", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("attempts", sa.Column("verification", sa.Text(), nullable=False, server_default=""))
    for table in TABLES:
        op.add_column(table, sa.Column("step", sa.Integer(), nullable=False, server_default="1"))
        _key(table, "proposal_id", "step")


def downgrade() -> None:
    for table in TABLES:
        op.execute(sa.text(f"DELETE FROM {table} WHERE step > 1"))
        _key(table, "proposal_id")
        with op.batch_alter_table(table) as batch:
            batch.drop_column("step")
    with op.batch_alter_table("attempts") as batch:
        batch.drop_column("verification")
    with op.batch_alter_table("proposals") as batch:
        batch.drop_column("steps_begun")


def _key(table: str, *columns: str) -> None:
    # SQLite makes the table anew: it cannot change a key.
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(f"pk_{table}", type_="primary")
        batch.create_primary_key(f"pk_{table}", list(columns))
