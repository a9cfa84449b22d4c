"""Proposals, decisions, claims, attempts and switches, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.store.db.columns import Json, Moment, numbered_key


class ProposalRow(SQLModel, table=True):
    """`AP-<id>`: an action with exact arguments. `record` is the canonical JSON that people approve."""

    __tablename__ = "proposals"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = numbered_key()
    key: str = Field(unique=True)
    """Of the request: a doubled request makes one proposal."""
    revision: int = 1
    group_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, index=True, sa_type=BigInteger)
    service: str = Field(index=True)
    action: str
    record: dict[str, Any] = Field(sa_type=Json)
    plan_fingerprint: str = Field(sa_column_kwargs={"name": "digest"})
    state: str = Field(index=True)
    because: str = Field(default="", sa_type=Text)
    dry_run: str = Field(default="", sa_type=Text)
    dry_run_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    approved_at: datetime | None = Field(default=None, sa_type=Moment)
    solo: bool = False
    break_glass: bool = False
    """One person named for it approved it alone."""
    standing_approval: str = ""
    """The standing approval that would start it, for its card. Gives no right: the audit does."""
    starts_at: datetime | None = Field(default=None, sa_type=Moment)
    manual: bool = False
    """A person did it by hand (`did`)."""
    outcome: str = Field(default="", sa_type=Text)
    verification: str = Field(default="", sa_type=Text)
    steps_begun: int = 0
    """Steps of a plan for which a call was begun; 1 for a single action. For people: what decides are the attempts."""
    notified_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    rev: int = 1


class DecisionRow(SQLModel, table=True):
    """One person's answer to one revision of a proposal."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("proposal_id", "revision", "person"),)
    id: int | None = numbered_key()
    proposal_id: int = Field(index=True, sa_type=BigInteger)
    revision: int
    person: str
    team: str
    slack_user: str
    verdict: str
    reason: str = Field(default="", sa_type=Text)
    plan_fingerprint: str = Field(sa_column_kwargs={"name": "digest"})
    """Of the record that this person saw."""
    at: datetime = Field(sa_type=Moment)


class ClaimRow(SQLModel, table=True):
    """The right to run one step of a proposal, taken once; a single action is one step."""

    __tablename__ = "claims"
    proposal_id: int = Field(primary_key=True, sa_type=BigInteger)
    step: int = Field(default=1, primary_key=True)
    workflow: str
    service: str = Field(index=True)
    targets: list[str] = Field(sa_type=Json)
    at: datetime = Field(sa_type=Moment, index=True)


class AttemptRow(SQLModel, table=True):
    """Written just before the remote call of a step; one without an outcome after a crash means `unknown`."""

    __tablename__ = "attempts"
    proposal_id: int = Field(primary_key=True, sa_type=BigInteger)
    step: int = Field(default=1, primary_key=True)
    idempotency_key: str
    state: str
    """started, done, failed, unknown."""
    at: datetime = Field(sa_type=Moment)
    outcome: str = Field(default="", sa_type=Text)
    remote_id: str = ""
    verification: str = Field(default="", sa_type=Text)
    """What the signal showed after this step; "" before."""


class BreakGlassRow(SQLModel, table=True):
    """What one person approved alone of one service, within one break-glass time. Gives no right: the audit does."""

    __tablename__ = "break_glass"
    id: int | None = numbered_key()
    person: str
    service: str
    reason: str = Field(sa_type=Text)
    proposals: list[str] = Field(sa_type=Json)
    """Their references."""
    opened_at: datetime = Field(sa_type=Moment)
    until: datetime = Field(sa_type=Moment)
    review_by: datetime = Field(sa_type=Moment)
    reviewed_by: str = Field(default="", index=True)
    reviewed_at: datetime | None = Field(default=None, sa_type=Moment)
    review: str = Field(default="", sa_type=Text)


class SuggestionRow(SQLModel, table=True):
    """What would have been proposed, or was only suggested, because the service's autonomy goes no further."""

    __tablename__ = "suggestions"
    id: int | None = numbered_key()
    key: str = Field(unique=True)
    """Of the request, as of a proposal."""
    at: datetime = Field(sa_type=Moment)
    group_id: int | None = Field(default=None, sa_type=BigInteger)
    incident_id: int | None = Field(default=None, sa_type=BigInteger)
    service: str = Field(index=True)
    action: str
    arguments: dict[str, Any] = Field(sa_type=Json)


class SwitchRow(SQLModel, table=True):
    """A switch that a person turned: `pause` (everywhere), `stop:AL-3` (one group)."""

    __tablename__ = "switches"
    name: str = Field(primary_key=True)
    on: bool
    who: str
    reason: str = ""
    at: datetime = Field(sa_type=Moment)


class PolicyRow(SQLModel, table=True):
    """`POL-<id>`: a policy that was loaded. The keyed audit says which one counts; this holds what it says."""

    __tablename__ = "policies"
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = numbered_key()
    fingerprint: str = Field(index=True)
    content: dict[str, Any] = Field(sa_type=Json)
    state: str = Field(index=True)
    before: str = ""
    """The fingerprint of the policy that it was compared with."""
    gains: list[str] = Field(default_factory=list, sa_type=Json)
    """What it allows beyond that, in words."""
    loaded_by: str = Field(sa_column_kwargs={"name": "asked_by"})
    at: datetime = Field(sa_type=Moment)
    until: datetime = Field(sa_type=Moment)
    decided_by: str = ""
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
