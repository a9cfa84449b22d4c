"""Pages that should reach a person outside Slack, as rows."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment


class PageRow(SQLModel, table=True):
    """A page that should reach a person outside Slack."""

    __tablename__ = "pages"
    key: str = Field(primary_key=True)
    summary: str
    severity: str
    details: dict[str, str] = Field(sa_type=Json)
    wanted: str = "open"
    """open or clear."""
    sent: str = ""
    failures: int = 0
    retry_at: datetime | None = Field(default=None, sa_type=Moment)
    at: datetime = Field(sa_type=Moment)
