"""Incidents and the causes that people confirmed, as rows."""

from datetime import datetime

from sqlalchemy import BigInteger, Text, false
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment, numbered_key


class IncidentRow(SQLModel, table=True):
    """`INC-<id>`."""

    __tablename__ = "incidents"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = numbered_key()
    title: str
    severity: str
    service: str = Field(index=True)
    state: str = Field(index=True)
    channel: str
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    lead: str = ""
    deputies: list[str] = Field(default_factory=list, sa_type=Json)
    declared_by: str = ""
    declared_at: datetime = Field(sa_type=Moment)
    monitoring_at: datetime | None = Field(default=None, sa_type=Moment)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    resolved_by: str = ""
    cause: str = ""
    stopped: bool = False
    human_at: datetime | None = Field(default=None, sa_type=Moment)
    rev: int = 1
    private: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Read by its channel's members alone."""


class CauseRow(SQLModel, table=True):
    """The cause of an incident that one person confirmed; the newest counts, the older ones are its history."""

    __tablename__ = "causes"
    id: int | None = numbered_key()
    incident_id: int = Field(index=True, sa_type=BigInteger)
    text: str = Field(sa_type=Text)
    service: str = ""
    kind: str = ""
    """As a hypothesis': change, dependency, ...; empty where words alone were given."""
    change_id: str = ""
    confirmed_by: str = Field(sa_column_kwargs={"name": "said_by"})
    at: datetime = Field(sa_type=Moment)
