"""What happened, in order, as rows: the timeline and the audit."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment, numbered_key


class TimelineRow(SQLModel, table=True):
    """One event; `T<id>`."""

    __tablename__ = "timeline"
    id: int | None = numbered_key()
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    kind: str
    text: str = Field(sa_type=Text)
    who: str = ""
    evidence: list[str] = Field(default_factory=list, sa_type=Json)
    link: str = ""
    key: str | None = Field(default=None, unique=True)
    """An entry with a key is written once, however often a workflow is replayed."""


class AuditRow(SQLModel, table=True):
    """Append-only, in the transaction of the change, chained by a keyed hash."""

    __tablename__ = "audit"
    seq: int | None = numbered_key()
    at: datetime = Field(sa_type=Moment)
    who: str
    what: str
    subject: str = Field(index=True)
    before: str = ""
    after: str = ""
    reason: str = Field(default="", sa_type=Text)
    policy: str = ""
    message: str = ""
    prev: str
    hash: str
