"""The truth, as tables. Rows are plain; what they mean lives in bot/core and in the store's other files.

References people see (`AL-3`, `INC-3`, `AP-3`) are made from the integer keys here; keys are never reused.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment

# Constraints need names before the first table is defined: SQLite's batch migrations cannot alter nameless ones.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only for INTEGER keys."""


def _key() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigKey)


class AlertRow(SQLModel, table=True):
    """One delivered alert: the inbox. Written in bulk by intake, read once behind a cursor."""

    __tablename__ = "alerts"
    __table_args__ = {"sqlite_autoincrement": True}
    seq: int | None = _key()
    source: str
    fingerprint: str = Field(index=True)
    status: str
    name: str
    severity: str
    labels: dict[str, str] = Field(sa_type=Json)
    annotations: dict[str, str] = Field(sa_type=Json)
    starts_at: datetime = Field(sa_type=Moment)
    ends_at: datetime | None = Field(default=None, sa_type=Moment)
    group_key: str = ""
    link: str = ""
    expression: str = ""
    received_at: datetime = Field(sa_type=Moment, index=True)


class UnreadableRow(SQLModel, table=True):
    """A body that was authenticated but could not be read: kept, so that nothing is lost."""

    __tablename__ = "unreadable"
    id: int | None = _key()
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
    __table_args__ = (UniqueConstraint("source", "fingerprint", "starts_at"),)
    id: int | None = _key()
    source: str
    fingerprint: str = Field(index=True)
    starts_at: datetime = Field(sa_type=Moment)
    status: str = Field(index=True)
    name: str
    service: str = Field(index=True)
    severity: str
    """SEV1..SEV4, NONE."""
    labels: dict[str, str] = Field(sa_type=Json)
    annotations: dict[str, str] = Field(sa_type=Json)
    link: str = ""
    expression: str = ""
    group_key: str = ""
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    muted_by: str = ""
    """Why it joined no group: "maintenance: ...", "inhibited by ...", "severity none", "threshold 1 of 3", "digest"."""
    repeats: int = 0
    first_seen_at: datetime = Field(sa_type=Moment)
    last_seen_at: datetime = Field(sa_type=Moment, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class SourceRow(SQLModel, table=True):
    """A source as it was seen: its first connect makes the digest, its heartbeats are watched."""

    __tablename__ = "sources"
    name: str = Field(primary_key=True)
    first_seen_at: datetime = Field(sa_type=Moment)
    last_seen_at: datetime = Field(sa_type=Moment)


class HeartbeatRow(SQLModel, table=True):
    """An always-firing rule: its silence is the alarm."""

    __tablename__ = "heartbeats"
    key: str = Field(primary_key=True)
    """`<source>:<rule>`."""
    last_seen_at: datetime = Field(sa_type=Moment)
    every_seconds: float
    missed: bool = False


class GroupRow(SQLModel, table=True):
    """An alert group, `AL-<id>`."""

    __tablename__ = "groups"
    # Asked for each new group: is this a storm in its channel?
    __table_args__ = (Index(None, "channel", "opened_at"), {"sqlite_autoincrement": True})
    id: int | None = _key()
    key: str = Field(index=True)
    title: str
    service: str = Field(index=True)
    severity: str
    state: str = Field(index=True)
    channel: str
    on_storm_card: str = ""
    """Key of the storm this group stands on as a line, until it gets a card of its own."""
    opened_at: datetime = Field(sa_type=Moment)
    last_alert_at: datetime = Field(sa_type=Moment)
    cleared_at: datetime | None = Field(default=None, sa_type=Moment)
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
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
    rev: int = 1


class IncidentRow(SQLModel, table=True):
    """`INC-<id>`."""

    __tablename__ = "incidents"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = _key()
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


class TimelineRow(SQLModel, table=True):
    """One event; `T<id>`."""

    __tablename__ = "timeline"
    id: int | None = _key()
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    kind: str
    text: str = Field(sa_type=Text)
    who: str = ""
    evidence: list[str] = Field(default_factory=list, sa_type=Json)
    link: str = ""
    key: str | None = Field(default=None, unique=True)
    """An entry with a key is written once, however often a story is replayed."""


_DUE = text("wanted_rev > sent_rev")


class MessageRow(SQLModel, table=True):
    """A message that should stand in Slack: wanted revision against sent revision."""

    __tablename__ = "messages"
    # What is due is asked several times a second, and nearly nothing of a long history is.
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
    """Where it really stands, if the wanted channel could not be posted to."""
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
    id: int | None = _key()
    group_id: int = Field(index=True, sa_type=BigInteger)
    n: int
    key: str
    """Tool, arguments and call: the same look recorded twice is one row."""
    attempt: int = 0
    """The attempt that it is a check of, for people who watch; 0: of none."""
    tool: str
    arguments: dict[str, Any] = Field(sa_type=Json)
    at: datetime = Field(sa_type=Moment)
    evidence: dict[str, Any] = Field(sa_type=Json)


class TriageRow(SQLModel, table=True):
    """One investigation attempt of one group: its state, facts and findings."""

    __tablename__ = "triages"
    __table_args__ = (UniqueConstraint("group_id", "attempt"),)
    id: int | None = _key()
    group_id: int = Field(index=True, sa_type=BigInteger)
    attempt: int
    state: str
    """facts, investigating, done, stopped, failed."""
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
    usd: float = 0.0
    """What models cost; while one is asked, what it may cost at most."""


class ProposalRow(SQLModel, table=True):
    """`AP-<id>`: an action with exact arguments. `record` is the canonical JSON that the digest covers."""

    __tablename__ = "proposals"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = _key()
    key: str = Field(unique=True)
    """Who or what asked for it: a doubled request makes one proposal."""
    revision: int = 1
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    service: str = Field(index=True)
    action: str
    record: dict[str, Any] = Field(sa_type=Json)
    digest: str
    state: str = Field(index=True)
    because: str = Field(default="", sa_type=Text)
    dry_run: str = Field(default="", sa_type=Text)
    dry_run_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    approved_at: datetime | None = Field(default=None, sa_type=Moment)
    solo: bool = False
    manual: bool = False
    """A person did it by hand (`did`)."""
    outcome: str = Field(default="", sa_type=Text)
    verification: str = Field(default="", sa_type=Text)
    notified_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    rev: int = 1


class DecisionRow(SQLModel, table=True):
    """One person's answer to one revision of a proposal."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("proposal_id", "revision", "person"),)
    id: int | None = _key()
    proposal_id: int = Field(index=True, sa_type=BigInteger)
    revision: int
    person: str
    team: str
    slack_user: str
    verdict: str
    reason: str = Field(default="", sa_type=Text)
    digest: str
    at: datetime = Field(sa_type=Moment)


class ClaimRow(SQLModel, table=True):
    """The right to run a proposal, taken once."""

    __tablename__ = "claims"
    proposal_id: int = Field(primary_key=True, sa_type=BigInteger)
    workflow: str
    service: str = Field(index=True)
    targets: list[str] = Field(sa_type=Json)
    at: datetime = Field(sa_type=Moment, index=True)


class AttemptRow(SQLModel, table=True):
    """Written just before the remote call; one without an outcome after a crash means `unknown`."""

    __tablename__ = "attempts"
    proposal_id: int = Field(primary_key=True, sa_type=BigInteger)
    idempotency_key: str
    state: str
    """started, done, failed, unknown."""
    at: datetime = Field(sa_type=Moment)
    outcome: str = Field(default="", sa_type=Text)
    remote_id: str = ""


class AuditRow(SQLModel, table=True):
    """Append-only, in the transaction of the change, chained by a keyed hash."""

    __tablename__ = "audit"
    seq: int | None = _key()
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


class PostmortemRow(SQLModel, table=True):
    """A draft: its sections carry the ids each sentence stands on."""

    __tablename__ = "postmortems"
    __table_args__ = (UniqueConstraint("incident_id", "n"),)
    id: int | None = _key()
    incident_id: int = Field(index=True, sa_type=BigInteger)
    n: int
    state: str = "draft"
    """draft, or failed: it could not be written, and its number is used up."""
    told: dict[str, str] | None = Field(default=None, sa_type=Json)
    """The state of each proposal as this draft tells it; None: written before that was kept."""
    sections: list[dict[str, Any]] = Field(sa_type=Json)
    markdown: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)


class CauseRow(SQLModel, table=True):
    """What one person said an incident was; the newest stands, the older ones are its history."""

    __tablename__ = "causes"
    id: int | None = _key()
    incident_id: int = Field(index=True, sa_type=BigInteger)
    text: str = Field(sa_type=Text)
    service: str = ""
    kind: str = ""
    """As a hypothesis': change, dependency, ...; empty where words alone were given."""
    change_id: str = ""
    said_by: str
    at: datetime = Field(sa_type=Moment)


class FrozenCaseRow(SQLModel, table=True):
    """A closed incident whose cause a person confirmed, as it was seen: what replay investigates again, without secrets."""

    __tablename__ = "frozen_cases"
    incident_id: int = Field(primary_key=True, sa_type=BigInteger)
    asked: dict[str, Any] = Field(sa_type=Json)
    """The case."""
    transcripts: list[dict[str, Any]] = Field(sa_type=Json)
    """Every look with its arguments and answer, oldest first."""
    answered: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """What was found at that time."""
    truth: dict[str, Any] = Field(sa_type=Json)
    at: datetime = Field(sa_type=Moment, index=True)


class QuestionRow(SQLModel, table=True):
    """What a person asked of one group or incident, and the answer that stands in its thread."""

    __tablename__ = "questions"
    id: int | None = _key()
    key: str = Field(unique=True)
    """The interaction it came with: a doubled event is one question."""
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    text: str = Field(sa_type=Text)
    asked_by: str
    state: str = Field(default="asked", index=True)
    """asked, answered, failed."""
    answer: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    usd: float = 0.0
    at: datetime = Field(sa_type=Moment, index=True)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)


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


class SwitchRow(SQLModel, table=True):
    """A switch people threw: `pause` (everywhere)."""

    __tablename__ = "switches"
    name: str = Field(primary_key=True)
    on: bool
    who: str
    reason: str = ""
    at: datetime = Field(sa_type=Moment)


class UsergroupRow(SQLModel, table=True):
    """The members of a Slack user group as last read: who is on call while Slack cannot be asked."""

    __tablename__ = "usergroups"
    id: str = Field(primary_key=True)
    """Slack's id (`S...`)."""
    members: list[str] = Field(sa_type=Json)
    """User ids."""
    read_at: datetime = Field(sa_type=Moment)
    seal: str
    """Keyed hash: rights are drawn from this row, so a writer of the database must not be able to make one."""
