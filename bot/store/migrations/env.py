"""Alembic's entry: runs the migrations on the connection that bot.store.migrate hands over."""

from alembic import context
from sqlmodel import SQLModel

from bot.store import tables
from bot.store.migrations.comparing import own_tables_only, plain_type

assert tables.AlertRow.metadata is SQLModel.metadata  # the tables must be known before they are compared

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=own_tables_only,
    render_item=plain_type,
    render_as_batch=True,
    # SQLite can roll DDL back too; the connection begins its transactions itself.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
