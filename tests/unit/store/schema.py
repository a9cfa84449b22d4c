"""What tests ask of a schema: whether it is what the tables say, and whether a migration can be taken back."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine
from sqlmodel import SQLModel

from bot.store import migrations
from bot.store.migrate import sync_url
from bot.store.migrations.comparing import own_tables_only


def differences(url: str) -> list[Any]:
    """What bot/store/tables has that the database has not, and the other way round; tables of others are left out."""
    with create_engine(sync_url(url), poolclass=NullPool).connect() as connection:
        options = {"include_object": own_tables_only, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata))


def downgrade(url: str, *, to: str) -> None:
    """Take migrations back to an older revision; what only the newer one can hold is dropped."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    config.set_main_option("path_separator", "os")
    with create_engine(sync_url(url), poolclass=NullPool).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)
