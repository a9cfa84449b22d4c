"""Postmortem drafts and questions, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment, numbered_key


class PostmortemRow(SQLModel, table=True):
    """A draft: its sections carry the ids that each sentence cites."""

    __tablename__ = "postmortems"
    __table_args__ = (UniqueConstraint("incident_id", "n"),)
    id: int | None = numbered_key()
    incident_id: int = Field(index=True, sa_type=BigInteger)
    n: int
    state: str = "draft"
    """draft, or failed: it could not be written, and its number is used up."""
    proposal_states: dict[str, str] | None = Field(default=None, sa_type=Json, sa_column_kwargs={"name": "told"})
    """The state of each proposal in this draft; None: written before this column existed."""
    sections: list[dict[str, Any]] = Field(sa_type=Json)
    markdown: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)


class QuestionRow(SQLModel, table=True):
    """What a person asked of one group or incident, or of all that was open, and the answer."""

    __tablename__ = "questions"
    id: int | None = numbered_key()
    key: str = Field(unique=True)
    """The interaction it came with: a doubled event is one question."""
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    refs: list[str] | None = Field(default=None, sa_type=Json)
    """What it is about where that is several: all that was open where it was asked, the worst first."""
    text: str = Field(sa_type=Text)
    requester: str = Field(sa_column_kwargs={"name": "asked_by"})
    state: str = Field(default="asked", index=True)
    """asked, answered, failed."""
    answer: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    usd: float = 0.0
    at: datetime = Field(sa_type=Moment, index=True)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
