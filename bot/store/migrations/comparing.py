"""What a comparison of bot/store/tables with a database covers, and how columns are written in a migration."""

from typing import Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy.sql.schema import SchemaItem
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from bot.store.db.columns import Json, Moment


def own_tables_only(_item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: SchemaItem | None) -> bool:
    """Leave out tables that others keep in the same database: the journal's above all."""
    return not (kind == "table" and reflected and compare_to is None and (name or "") not in SQLModel.metadata.tables)


def plain_type(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write our column types in SQLAlchemy's own words: a migration must not change with our code."""
    if kind != "type":
        return False
    if isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Json):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return "sa.String()" if isinstance(item, AutoString) else False
