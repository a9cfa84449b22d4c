"""Column types, keys and names of constraints that are the same on SQLite and PostgreSQL."""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, DateTime, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

# Constraints need names before the first table is defined: SQLite's batch migrations cannot alter nameless ones.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment. SQLite hands back naive datetimes, so the zone is put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        # PostgreSQL answers in the session's zone; the audit's hash needs one spelling.
        return None if value is None else value.astimezone(UTC)

    # On SQLite a moment is text. Written and read by SQLAlchemy's own steps and these it takes four times as long.
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _stored_moment if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _moment if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("naive datetime: moments are aware UTC")
    return value.astimezone(UTC)


def moment_text(value: datetime) -> str:
    """How SQLite stores a moment: its texts are in the order of time. Raises ValueError for a naive one."""
    return _utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=1024)
def _stored_moment(value: datetime | None) -> str | None:
    return None if value is None else moment_text(value)


@lru_cache(maxsize=4096)
def _moment(stored: str | None) -> datetime | None:
    # What is remembered of a hundred thousand open alerts began and came at few different moments.
    return None if stored is None else datetime.fromisoformat(stored).replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """Plain JSON; JSONB on PostgreSQL."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[object]:
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())


class Texts(Json):
    """Texts by name, as alerts have them; every alert is written and read several times."""

    cache_ok = True

    # As in PackedJson.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return compact_json if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _DECODER.decode if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


_DECODER = msgspec.json.Decoder(dict[str, str])


def compact_json(value: object) -> str:
    """JSON as intake and Texts write it."""
    return msgspec.json.encode(value).decode()


class PackedJson(Json):
    """JSON that nobody searches within, compressed in SQLite once it is long; PostgreSQL compresses by itself.

    Evidence is repetitive text, a fifth of its size when packed, and most of what an incident takes.
    """

    cache_ok = True

    # Not process_bind_param: its result would be written as JSON once more. Any: as in SQLAlchemy.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _packed if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _unpacked if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


_LONG = 512
"""Characters from which on JSON is packed."""


def _packed(value: object) -> str | bytes:
    text = json.dumps(value, ensure_ascii=False)
    return zlib.compress(text.encode(), 1) if len(text) >= _LONG else text


def _unpacked(stored: str | bytes) -> object:
    return json.loads(zlib.decompress(stored) if isinstance(stored, bytes) else stored)


BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for INTEGER keys."""


def numbered_key() -> Any:  # Any: like Field, it stands as the default of an `int | None`
    """A primary key that the database counts up."""
    return Field(default=None, primary_key=True, sa_type=BigKey)
