"""What people are paged for: alerts that nobody acknowledged, messages that are not in Slack, heartbeats, unknown outcomes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.alert import Severity
from bot.store.approvals.context.decision_context import is_open
from bot.store.approvals.transitions import proposal_number
from bot.store.db.database import Database
from bot.store.slack.outbox import NO_ACCESS
from bot.store.tables import (
    EpisodeRow,
    GroupRow,
    HeartbeatRow,
    IncidentRow,
    MessageRow,
    ProposalRow,
)
from bot.store.triage.cases import leading_alert

WORST = (Severity.SEV1.value, Severity.SEV2.value)
CONFIRMED_WITHIN = timedelta(seconds=30)
"""So soon after alerts ended it is known whether that could be confirmed: a page that is closed does not open again for it."""
_MUST_STAND = ("card", "storm", "incident_card", "proposal")
"""Kinds of messages whose absence opens a page."""


@dataclass(frozen=True)
class Unacknowledged:
    """A firing group that nobody acknowledged, and the moment since when somebody should have."""

    ref: str
    title: str
    service: str
    severity: str
    channel: str
    thread_key: str
    """Of its card, or of the storm's that it stands on."""
    since: datetime


class PagingQueries:
    """Queries of the tick that pages."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def unacknowledged(self, older_than: timedelta) -> list[Unacknowledged]:
        """Firing SEV1/2 groups that nobody acknowledged for this long since they are that bad, fire again, or lost who had."""
        limit = self.db.clock() - older_than
        async with self.db.read() as session:
            query = select(GroupRow).where(
                GroupRow.state == "FIRING",
                col(GroupRow.severity).in_(WORST),
                col(GroupRow.opened_at) <= limit,
                or_(col(GroupRow.mentioned_at).is_(None), col(GroupRow.mentioned_at) <= limit),
            )
            groups = (await session.exec(query.order_by(col(GroupRow.id)))).all()
            waiting = [await _waiting(session, group) for group in groups]
            return [group for group in waiting if group.since <= limit]

    async def unacknowledged_keys(self) -> set[str]:
        """References of all groups that nobody acknowledged yet and that are not known to be over.

        What evaluates the alerts may be gone, or the service with all that is measured of it: their end says nothing then.
        """
        row = GroupRow
        unsure = or_(col(row.unconfirmed_at).is_not(None), col(row.cleared_at) > self.db.clock() - CONFIRMED_WITHIN)
        ended = and_(col(row.state) == "MONITORING", col(row.acknowledged_by) == "", unsure)
        async with self.db.read() as session:
            return {
                f"AL-{id}" for id in (await session.exec(select(row.id).where(or_(col(row.state) == "FIRING", ended)))).all()
            }

    async def oldest_undelivered(self) -> datetime | None:
        """When the oldest message was made that waits for Slack; first posts only.

        None while Slack takes others: a long queue is no outage. What Slack refuses with a reason is in `refused_messages`.
        """
        async with self.db.read() as session:
            oldest: datetime | None = (
                await session.exec(select(func.min(MessageRow.created_at)).where(waits_for_slack()))
            ).one()
            if oldest is None:
                return None
            posted = select(func.max(MessageRow.sent_at)).where(MessageRow.edits == 0)
            newest: datetime | None = (await session.exec(posted)).one()
        return max(oldest, newest) if newest else oldest

    async def refused_messages(self, after: timedelta, until: timedelta) -> list[MessageRow]:
        """Messages made `after` to `until` ago that Slack refuses with a reason: they are in no channel."""
        now = self.db.clock()
        async with self.db.read() as session:
            query = select(MessageRow).where(
                MessageRow.sent_rev == 0,
                col(MessageRow.kind).in_(_MUST_STAND),
                ~_not_refused(),
                col(MessageRow.created_at) <= now - after,
                col(MessageRow.created_at) > now - until,
            )
            return list((await session.exec(query.order_by(col(MessageRow.created_at)))).all())

    async def needs_no_check(self, ref: str) -> bool:
        """Whether nobody has to check an action with an unknown outcome any more.

        A person recorded what came of it (`did AP-3`), the incident is over, or a later action there was verified.
        """
        number = proposal_number(ref)
        async with self.db.read() as session:
            row = await session.get(ProposalRow, number) if number is not None else None
            if row is None or row.state != ProposalState.UNKNOWN:
                return True
            group = await session.get(GroupRow, row.group_id) if row.group_id is not None else None
            incident = await session.get(IncidentRow, row.incident_id) if row.incident_id is not None else None
            if not is_open(group, incident):
                return True
            later = select(ProposalRow.id).where(
                col(ProposalRow.id) > row.id, or_(_recorded_by_hand(ref), _verified_beside(row))
            )
            return (await session.exec(later.limit(1))).first() is not None

    async def heartbeats(self) -> list[HeartbeatRow]:
        """Every heartbeat that was ever received; the configuration says which are expected."""
        async with self.db.read() as session:
            return list((await session.exec(select(HeartbeatRow))).all())


def _recorded_by_hand(ref: str) -> ColumnElement[bool]:
    return and_(
        col(ProposalRow.manual), or_(col(ProposalRow.key) == f"did:{ref}", col(ProposalRow.key).startswith(f"did:{ref}:"))
    )


def _verified_beside(row: ProposalRow) -> ColumnElement[bool]:
    return and_(
        col(ProposalRow.service) == row.service,
        col(ProposalRow.group_id).is_not_distinct_from(row.group_id),
        col(ProposalRow.incident_id).is_not_distinct_from(row.incident_id),
        col(ProposalRow.state) == ProposalState.SUCCEEDED,
    )


def waits_for_slack() -> ColumnElement[bool]:
    """Never posted, and not refused with a reason. What a person deleted was posted once."""
    return and_(
        col(MessageRow.sent_rev) == 0, col(MessageRow.sent_at).is_(None), col(MessageRow.kind).in_(_MUST_STAND), _not_refused()
    )


def _not_refused() -> ColumnElement[bool]:
    return or_(col(MessageRow.undelivered) == "", col(MessageRow.undelivered).startswith(NO_ACCESS, autoescape=True))


async def _waiting(session: AsyncSession, group: GroupRow) -> Unacknowledged:
    """As its card has it: once it is about something new, that alert and its service, whose people are called."""
    lead, fires_since = await leading_alert(session, group) if group.renewed_at else None, await _fires_since(session, group)
    return Unacknowledged(
        ref=f"AL-{group.id}",
        title=lead.name if lead else group.title,
        service=(lead.service if lead else "") or group.service,
        severity=group.severity,
        channel=group.channel,
        thread_key=group.on_storm_card or f"card:AL-{group.id}",
        since=max(filter(None, (fires_since, group.mentioned_at, group.unacknowledged_at))),
    )


async def _fires_since(session: AsyncSession, group: GroupRow) -> datetime:
    """When this firing began; a group that cleared in between fires since its first alert that fires now."""
    if not group.reopened:
        return group.opened_at
    firing = (EpisodeRow.group_id == group.id, EpisodeRow.status == "firing")
    began: datetime | None = (await session.exec(select(func.min(EpisodeRow.first_seen_at)).where(*firing))).one()
    return began or group.opened_at
