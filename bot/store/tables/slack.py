"""Messages that should stand in Slack, their pictures, and what was read from Slack, as rows."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment

_DUE = text("wanted_rev > sent_rev")


class MessageRow(SQLModel, table=True):
    """A message that should stand in Slack: wanted revision against sent revision."""

    __tablename__ = "messages"
    # Due messages are read several times a second, and nearly nothing of a long history is due.
    __table_args__ = (Index("ix_messages_due", "channel", sqlite_where=_DUE, postgresql_where=_DUE),)
    key: str = Field(primary_key=True)
    """E.g. `card:AL-3`, `triage:AL-3`, `proposal:AP-2`, `postmortem:INC-1`, `line:<unique>`."""
    channel: str = Field(index=True)
    thread_key: str = ""
    """Key of the message whose thread this stands in; empty: in the channel."""
    kind: str
    """Which view renders it."""
    subject: str
    """What it shows: a reference, or plain text for lines."""
    mentions: list[str] = Field(default_factory=list, sa_type=Json)
    """People (keys of the roster) whom a line is for: Slack notifies them."""
    wanted_rev: int = 1
    sent_rev: int = 0
    ts: str = ""
    posted_channel: str = ""
    """The channel that it really stands in, if the wanted one could not be posted to."""
    attempted_at: datetime | None = Field(default=None, sa_type=Moment)
    retry_at: datetime | None = Field(default=None, sa_type=Moment)
    failures: int = 0
    undelivered: str = ""
    """Not delivered because ...; empty when all is well."""
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    edits: int = 0


class PictureRow(SQLModel, table=True):
    """A graph with its text; uploaded once by the sender."""

    __tablename__ = "pictures"
    key: str = Field(primary_key=True)
    png: bytes = Field(sa_type=LargeBinary)
    alt: str
    title: str
    slack_file: str = ""
    created_at: datetime = Field(sa_type=Moment)


class SeenRow(SQLModel, table=True):
    """Interaction and event ids that were handled: a repeat has no effect."""

    __tablename__ = "seen"
    key: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment, index=True)


class UsergroupRow(SQLModel, table=True):
    """The members of a Slack user group as last read: who is on call while Slack does not answer."""

    __tablename__ = "usergroups"
    id: str = Field(primary_key=True)
    """Slack's id (`S...`)."""
    members: list[str] = Field(sa_type=Json)
    """User ids."""
    read_at: datetime = Field(sa_type=Moment)
    seal: str
    """Keyed hash: rights are drawn from this row, so a writer of the database must not be able to make one."""
