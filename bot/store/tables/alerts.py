"""Alerts as rows: what was delivered, the episodes made of it, sources, heartbeats and alert groups."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from bot.core.alerts.heartbeat import Rhythm
from bot.core.alerts.staleness import RepeatInterval
from bot.store.db.columns import Json, Moment, Texts, numbered_key


class AlertRow(SQLModel, table=True):
    """One delivered alert: the inbox. Written in bulk by intake, read once behind a cursor."""

    __tablename__ = "alerts"
    # The next alerts of one source are found behind any number of another's.
    __table_args__ = (Index(None, "source", "seq"), {"sqlite_autoincrement": True})
    seq: int | None = numbered_key()
    source: str
    fingerprint: str
    status: str
    name: str
    severity: str
    labels: dict[str, str] = Field(sa_type=Texts)
    annotations: dict[str, str] = Field(sa_type=Texts)
    starts_at: datetime = Field(sa_type=Moment)
    start_is_report: bool = False
    ends_at: datetime | None = Field(default=None, sa_type=Moment)
    group_key: str = ""
    link: str = ""
    expression: str = ""
    received_at: datetime = Field(sa_type=Moment, index=True)


class RepeatRow(SQLModel, table=True):
    """Alerts that one source delivered again, in the very bytes in which they are stored: until the inbox has counted them.

    One row for all of its bodies that were committed together.
    """

    __tablename__ = "repeats"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = numbered_key()
    source: str
    received_at: datetime = Field(sa_type=Moment)
    """Of the last of these bodies."""
    after: int = Field(sa_type=BigInteger)
    """The newest stored alert at that moment: what was delivered before is sorted before."""
    alerts: list[int] = Field(sa_type=Json)
    """Their numbers in `alerts`."""


class UnreadableRow(SQLModel, table=True):
    """A body that was authenticated but could not be read: stored, so that nothing is lost."""

    __tablename__ = "unreadable"
    id: int | None = numbered_key()
    source: str
    received_at: datetime = Field(sa_type=Moment)
    problem: str
    body: bytes = Field(sa_type=LargeBinary)


class CursorRow(SQLModel, table=True):
    """How far a loop has read."""

    __tablename__ = "cursors"
    name: str = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger)


class EpisodeRow(SQLModel, table=True):
    """One firing from beginning to end: (source, fingerprint, start)."""

    __tablename__ = "episodes"
    __table_args__ = (
        UniqueConstraint("source", "fingerprint", "starts_at"),
        # Lists are read in the order of their starts, all of them or those of one state or service.
        Index(None, "status", "starts_at"),
        Index(None, "service", "starts_at"),
        # A group's kinds of members are walked along it after a start.
        Index(None, "group_id", "name", "service", "grouping_reason"),
        # The worst alert of a group, which its card is about.
        Index(None, "group_id", "status", "severity", "starts_at"),
    )
    id: int | None = numbered_key()
    source: str
    fingerprint: str
    starts_at: datetime = Field(sa_type=Moment, index=True)
    status: str
    name: str
    service: str
    severity: str
    """SEV1..SEV4, NONE."""
    labels: dict[str, str] = Field(sa_type=Texts)
    annotations: dict[str, str] = Field(sa_type=Texts)
    link: str = ""
    expression: str = ""
    group_key: str = ""
    group_id: int | None = Field(default=None, sa_type=BigInteger)
    grouping_reason: str = ""
    """Why it belongs to its group: a GroupingReason; empty without a group, and in rows of before 0006."""
    grouping_text: str = ""
    """The reason in words."""
    muted_by: str = ""
    """Why it joined no group, as bot.core.alerts.muting writes and reads it; empty if it did."""
    repeats: int = 0
    first_seen_at: datetime = Field(sa_type=Moment)
    last_seen_at: datetime = Field(sa_type=Moment, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    stale_at: datetime | None = Field(default=None, sa_type=Moment)
    """Since when its source should have repeated it and did not: whether it still fires is unknown."""


class SourceRow(SQLModel, table=True):
    """When a source was first and last received from; what fired long before the first time is its backlog."""

    __tablename__ = "sources"
    name: str = Field(primary_key=True)
    first_seen_at: datetime = Field(sa_type=Moment)
    last_seen_at: datetime = Field(sa_type=Moment)
    repeat_seconds: float = 0.0
    """The longest gap between two deliveries of one firing alert (bot.core.alerts.staleness),"""
    repeat_gaps: int = 0
    """of so many gaps,"""
    repeat_seen_at: datetime | None = Field(default=None, sa_type=Moment)
    """and when one was last nearly as long."""

    @property
    def interval(self) -> RepeatInterval:
        """How it repeats what fires."""
        return RepeatInterval(timedelta(seconds=self.repeat_seconds), self.repeat_gaps, self.repeat_seen_at)


class HeartbeatRow(SQLModel, table=True):
    """An always-firing rule: an alarm is raised when it falls silent."""

    __tablename__ = "heartbeats"
    key: str = Field(primary_key=True)
    """`<source>:<rule>`, and the installation (bot.core.alerts.heartbeat.HeartbeatKey)."""
    last_seen_at: datetime = Field(sa_type=Moment)
    every_seconds: float = 0.0
    """Its period as it was learned (bot.core.alerts.heartbeat)."""
    beats: int = 0
    missed: bool = False
    """Its source said that it ended: what always fires is silent from then on."""

    @property
    def rhythm(self) -> Rhythm:
        """How it has come so far."""
        return Rhythm(self.last_seen_at, self.beats, timedelta(seconds=self.every_seconds))


class GroupRow(SQLModel, table=True):
    """An alert group, `AL-<id>`."""

    __tablename__ = "groups"
    # Each new group counts the groups opened before it in its channel: is this a storm? And by its source: is it one too many?
    __table_args__ = (
        Index(None, "channel", "opened_at"),
        Index(None, "source", "opened_at"),
        # Which channels have groups, private ones among them, is asked for each look at other groups.
        Index(None, "channel", "private"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = numbered_key()
    key: str = Field(index=True)
    source: str = ""
    """Whose alert opened it; empty where a person did, and in rows of before 0018."""
    overflow: bool = False
    """It takes what its source sends beyond its budget of new groups: its alerts have nothing else in common."""
    title: str
    service: str = Field(index=True)
    severity: str
    state: str = Field(index=True)
    channel: str
    private: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """As its incident."""
    on_storm_card: str = ""
    """Key of the storm this group stands on as a line, until it gets a card of its own."""
    opened_at: datetime = Field(sa_type=Moment)
    last_alert_at: datetime = Field(sa_type=Moment)
    cleared_at: datetime | None = Field(default=None, sa_type=Moment)
    recheck_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    """Somebody resolved it while alerts fired: whether they still do is looked at then; empty once that is over."""
    opened_again_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
    """When what somebody had resolved was last opened again: the moment of the delivery or the look that showed it."""
    unconfirmed_at: datetime | None = Field(default=None, sa_type=Moment)
    """Since when Prometheus, which evaluates its alerts, cannot be read, or when they ended then; empty once ends count."""
    readable_at: datetime | None = Field(default=None, sa_type=Moment)
    """Since when it can be read again, while ends do not count yet."""
    unmeasured: str = ""
    """A service of which no series is left since its alerts ended: that they did says nothing then."""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
    unacknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
    """When somebody was last waited for anew: who had it acknowledged something else, or it was resolved and is open again."""
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    alerts: int = 0
    firing: int = 0
    repeats: int = 0
    reopened: int = 0
    previous_id: int | None = Field(default=None, sa_type=BigInteger)
    """The closed group with the same key before this one."""
    mentioned_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the on-call was mentioned, at most once."""
    human_at: datetime | None = Field(default=None, sa_type=Moment)
    """Last thing a person did here."""
    renewed_at: datetime | None = Field(default=None, sa_type=Moment)
    """When it was last about something new: what was ranked before is an earlier outage's."""
    renewed_by: int | None = Field(default=None, sa_type=BigInteger)
    """The episode that it is about since then."""
    renewals: int = 0
    stale: int = 0
    """How many of its firing alerts are stale."""
    flapping: str = ""
    """Which of its alerts flaps and how often it fired, in words; empty once it does not."""
    flapping_until: datetime | None = Field(default=None, sa_type=Moment)
    """Until then a pause of that alert is not its end."""
    rev: int = 1


class SilenceRow(SQLModel, table=True):
    """A silence, `SI-<id>`: what a person mutes until `ends_at`. Rows stay, so that every mute can be explained."""

    __tablename__ = "silences"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = numbered_key()
    key: str = Field(unique=True)
    """Of the press or proposal that made it: the same key again is the same silence."""
    matchers: dict[str, str] = Field(sa_type=Json)
    owner: str
    reason: str
    service: str = ""
    proposal: str = ""
    """`AP-3`, where other people approved it."""
    starts_at: datetime = Field(sa_type=Moment)
    ends_at: datetime = Field(sa_type=Moment, index=True)
    ended_by: str = ""
    """Who ended it before its time."""
    released: bool = False
    """It is over, and what still fires was shown again."""


class GroupingRuleRow(SQLModel, table=True):
    """A rule that a person made of a merge, `GR-<id>`. Rows stay, so that every grouping reason can be explained."""

    __tablename__ = "grouping_rules"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = numbered_key()
    key: str = Field(unique=True)
    """Of the press that made it: the same key again is the same rule."""
    first_name: str
    first_service: str
    second_name: str
    second_service: str
    owner: str
    tested: str
    """What it would have done to the stored alerts, as its owner read it."""
    created_at: datetime = Field(sa_type=Moment)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)
    removed_by: str = ""


class CallRow(SQLModel, table=True):
    """One service calls another, as traces or metrics showed it: learned, beside what tocsin.yaml declares."""

    __tablename__ = "calls"
    __table_args__ = (UniqueConstraint("source", "caller", "callee"),)
    id: int | None = numbered_key()
    source: str
    caller: str
    callee: str
    reads: int = 1
    """How many reads showed it."""
    first_seen_at: datetime = Field(sa_type=Moment)
    last_seen_at: datetime = Field(sa_type=Moment)


class CallReadRow(SQLModel, table=True):
    """The last read of one source of calls."""

    __tablename__ = "call_reads"
    source: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    calls: int
    problem: str = ""


class CascadeRow(SQLModel, table=True):
    """In how many bursts of a service something alerted (bot.core.alerts.ties.cascades)."""

    __tablename__ = "cascades"
    __table_args__ = (UniqueConstraint("place", "service"),)
    id: int | None = numbered_key()
    place: str
    service: str = Field(index=True)
    count: int
    times: int
    """That the place alerted in all."""
