"""Changes, evidence, investigation attempts and frozen cases, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment, PackedJson, numbered_key


class ChangeRow(SQLModel, table=True):
    """A deploy, config edit, flag flip or model version."""

    __tablename__ = "changes"
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment, index=True)
    service: str = Field(index=True)
    kind: str
    title: str
    author: str = ""
    version: str = ""
    previous_version: str = ""
    link: str = ""
    source: str = ""
    received_at: datetime = Field(sa_type=Moment)


class EvidenceRow(SQLModel, table=True):
    """One finding of one group's ledger."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("group_id", "n"), UniqueConstraint("group_id", "key"))
    id: int | None = numbered_key()
    group_id: int = Field(index=True, sa_type=BigInteger)
    n: int
    key: str
    """Tool, arguments and call: the same tool call recorded twice is one row."""
    attempt: int = 0
    """The attempt that made this tool call, for people who watch; 0: none."""
    tool: str
    arguments: dict[str, Any] = Field(sa_type=Json)
    at: datetime = Field(sa_type=Moment)
    evidence: dict[str, Any] = Field(sa_type=PackedJson)
    blind: bool = False
    """Whether something of it could not be checked."""


class TriageRow(SQLModel, table=True):
    """One investigation attempt of one group: its state, facts and findings."""

    __tablename__ = "triages"
    __table_args__ = (UniqueConstraint("group_id", "attempt"),)
    id: int | None = numbered_key()
    group_id: int = Field(index=True, sa_type=BigInteger)
    attempt: int
    state: str
    """A TriageState."""
    started_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    question: str = ""
    requester: str = ""
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    findings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    no_proposal: str = Field(default="", sa_type=Text)
    """Why nothing was proposed; empty if something was, or before that was decided."""
    late_changes: list[str] = Field(default_factory=list, sa_type=Json)
    """Ids of the changes that were reported after the attempt before, and brought this one about."""
    renewed: bool = False
    """Whether the group was about something new since the attempt before."""
    usd: float = 0.0
    """What models cost; while one is called, what it may cost at most."""


class FrozenCaseRow(SQLModel, table=True):
    """A closed incident whose cause a person confirmed, as it was observed: replay investigates it again; without secrets."""

    __tablename__ = "frozen_cases"
    incident_id: int = Field(primary_key=True, sa_type=BigInteger)
    case: dict[str, Any] = Field(sa_type=Json, sa_column_kwargs={"name": "asked"})
    transcripts: list[dict[str, Any]] = Field(sa_type=PackedJson)
    """Every tool call with its arguments and answer, oldest first."""
    findings: dict[str, Any] = Field(default_factory=dict, sa_type=Json, sa_column_kwargs={"name": "answered"})
    """The findings of that time."""
    confirmed: dict[str, Any] = Field(sa_type=Json, sa_column_kwargs={"name": "truth"})
    at: datetime = Field(sa_type=Moment, index=True)
