"""Whether evidence says of something that it could not be checked: what it holds may be compressed from now on."""

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PACKED = (("evidence", "id", "evidence"), ("frozen_cases", "incident_id", "transcripts"))
BLIND = {
    "sqlite": "json_extract(evidence, '$.ok') = 0 OR json_array_length(evidence, '$.unseen') > 0",
    "postgresql": "(evidence->>'ok') = 'false' OR jsonb_array_length(coalesce(evidence->'unseen', '[]')) > 0",
}


def upgrade() -> None:
    op.add_column("evidence", sa.Column("blind", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(f"UPDATE evidence SET blind = {sa.true().compile(dialect=op.get_bind().dialect)} WHERE {BLIND[_dialect()]}")


def downgrade() -> None:
    if _dialect() == "sqlite":
        for table, key, column in PACKED:
            _unpack(table, key, column)
    with op.batch_alter_table("evidence") as batch:
        batch.drop_column("blind")


def _unpack(table: str, key: str, column: str) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text(f"SELECT {key}, {column} FROM {table} WHERE typeof({column}) = 'blob'")).all()
    for id, packed in rows:
        values = {"id": id, "text": zlib.decompress(packed).decode()}
        connection.execute(sa.text(f"UPDATE {table} SET {column} = :text WHERE {key} = :id"), values)


def _dialect() -> str:
    return op.get_bind().dialect.name
