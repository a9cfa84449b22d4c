"""Alert groups as rows: opening, joining, raising, clearing, and the cards that show them in Slack."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts import escalation, storm
from bot.core.config import Config
from bot.core.incident import GroupState, IncidentState, number_of
from bot.core.messages.content import MessageKind
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import GroupRow, IncidentRow, MessageRow, TriageRow


async def any_unfinished(db: Database) -> bool:
    """Whether any group is not resolved or still marked as flapping: without one there is nothing to end or to retry."""
    unfinished = (col(GroupRow.state) != GroupState.RESOLVED) | (col(GroupRow.flapping) != "")
    async with db.read() as session:
        return (await session.exec(select(GroupRow.id).where(unfinished).limit(1))).first() is not None


async def touch_card(db: Database, session: AsyncSession, group: GroupRow) -> None:
    """Have the group's card (or the storm card it stands on) shown anew; raises the group's revision."""
    await touch_cards(db, session, [group])


async def touch_cards(db: Database, session: AsyncSession, rows: Iterable[GroupRow]) -> None:
    """The same for several groups; a card that many of them stand on is touched once."""
    storms: dict[str, str] = {}
    for group in rows:
        group.rev += 1
        session.add(group)
        if group.on_storm_card:
            storms[group.on_storm_card] = group.channel
        else:
            ref = f"AL-{group.id}"
            await messages.touch(db, session, f"card:{ref}", channel=group.channel, kind=MessageKind.CARD, subject=ref)
    for key, channel in storms.items():
        await messages.touch(db, session, key, channel=channel, kind=MessageKind.STORM, subject=key)


async def end_storms(db: Database, config: Config) -> None:
    """Give what is left of storms that are over cards of its own, where that is little."""
    async with db.write() as session:
        in_storms = select(GroupRow).where(GroupRow.on_storm_card != "", GroupRow.state != GroupState.RESOLVED)
        rows = (await session.exec(in_storms)).all()
        over = storm.storms_over([(row.on_storm_card, row.opened_at) for row in rows], db.clock())
        for key in sorted(over):
            firing = {row.id or 0: row for row in rows if row.on_storm_card == key and row.state != GroupState.MONITORING}
            for number in storm.leave_storm(list(firing)):
                await _leave_storm(db, session, firing[number], config)


async def _leave_storm(db: Database, session: AsyncSession, row: GroupRow, config: Config) -> None:
    key, row.on_storm_card = row.on_storm_card, ""
    await messages.refresh(db, session, key)
    await touch_card(db, session, row)
    if row.incident_id is None and escalation.deserves_incident(Severity(row.severity), config):
        await open_incident(db, session, row, by="policy")
    if (await session.exec(select(TriageRow.group_id).where(TriageRow.group_id == row.id).limit(1))).first() is not None:
        await touch_triage(db, session, row)


async def touch_triage(db: Database, session: AsyncSession, group: GroupRow) -> None:
    """Have the message with a group's causes shown anew."""
    ref = f"AL-{group.id}"
    thread = group.on_storm_card or f"card:{ref}"
    await messages.touch(
        db, session, f"triage:{ref}", channel=group.channel, kind=MessageKind.TRIAGE, subject=ref, thread_key=thread
    )


async def give_card(db: Database, ref: str, config: Config) -> bool:
    """Give a group that stands on a storm card one of its own, because somebody opened it; True if it had none."""
    async with db.write() as session:
        row = await session.get(GroupRow, number_of(ref, "AL") or 0)
        if row is None or not row.on_storm_card:
            return False
        await _leave_storm(db, session, row, config)
        return True


async def open_incident(db: Database, session: AsyncSession, group: GroupRow, *, by: str, title: str = "") -> IncidentRow:
    """Declare the incident of a group, in the caller's transaction."""
    now = db.clock()
    row = IncidentRow(
        title=title or group.title,
        severity=group.severity,
        service=group.service,
        state=IncidentState.OPEN,
        channel=group.channel,
        group_id=group.id,
        declared_by=by,
        declared_at=now,
        human_at=None if by == "policy" else now,
    )
    session.add(row)
    await session.flush()
    group.incident_id = row.id
    group.mentioned_at = group.mentioned_at or now
    ref = f"INC-{row.id}"
    text = f"{ref} was declared by {by}: {row.severity} {row.title}"
    await timeline.add(db, session, EntryKind.INCIDENT, text, group_id=group.id, incident_id=row.id, who=by)
    await audit.append(db, session, who=by, what="declare", subject=ref, after=row.severity)
    return row


async def raise_severity(
    db: Database, session: AsyncSession, group: GroupRow, severity: Severity, change: escalation.Escalation
) -> None:
    """Apply what follows from a worse alert: the card, the mention of the on-call and the incident."""
    before, group.severity = group.severity, severity.value
    text = f"Severity raised from {before} to {severity.value}"
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    if change.mention:
        group.mentioned_at = db.clock()
        await mention(db, session, group)
    if change.incident and not group.on_storm_card:
        await open_incident(db, session, group, by="policy")


async def mention(db: Database, session: AsyncSession, group: GroupRow) -> None:
    """Mention the on-call of a group: in its thread where the card does not do it."""
    ref = f"AL-{group.id}"
    thread = group.on_storm_card or f"card:{ref}"
    # Locked: a post that is noted while this is committed would be rendered without it, and nobody would be mentioned.
    card = await session.get(MessageRow, thread, with_for_update=True)
    if card is None:
        return
    # A notice in its place has called people, or not: it is no more edited into a call than a card.
    posted = card.sent_rev > 0 or await session.get(MessageRow, messages.notice_key(thread)) is not None
    if escalation.mention_needs_line(posted=posted, attempted=card.attempted_at is not None):
        await messages.touch(
            db, session, f"raised:{ref}", channel=group.channel, kind=MessageKind.RAISED, subject=ref, thread_key=thread
        )


async def mention_in_storm(db: Database, session: AsyncSession, group: GroupRow) -> None:
    """Mention the on-call of a bad group that stands on a storm card, unless its service was mentioned there before.

    It is no incident of its own: a storm is one outage, with one end. Whoever opens it makes it one.
    """
    group.mentioned_at = db.clock()
    same_service = select(GroupRow.id).where(
        GroupRow.on_storm_card == group.on_storm_card,
        GroupRow.service == group.service,
        GroupRow.id != group.id,
        col(GroupRow.mentioned_at).is_not(None),
    )
    if (await session.exec(same_service.limit(1))).first() is None:
        await mention(db, session, group)


async def add_line(db: Database, session: AsyncSession, group: GroupRow, name: str, text: str) -> None:
    """One line in the group's thread, once per name."""
    key = f"line:AL-{group.id}:{name}"
    if await session.get(MessageRow, key) is None:
        thread = group.on_storm_card or f"card:AL-{group.id}"
        await messages.touch(db, session, key, channel=group.channel, kind=MessageKind.LINE, subject=text, thread_key=thread)


async def clear(db: Database, session: AsyncSession, group: GroupRow, at: datetime) -> None:
    """All its alerts cleared: monitoring, until it is resolved or closes by itself."""
    if group.state in (GroupState.MONITORING, GroupState.RESOLVED):
        return
    group.state, group.cleared_at, group.flapping = GroupState.MONITORING, at, ""
    text = "All alerts cleared; monitoring"
    if group.unconfirmed_at:
        text = "No alert is reported any more; not confirmed, since Prometheus could not be read"
    await timeline.add(db, session, EntryKind.GROUP, text, group_id=group.id, incident_id=group.incident_id)
    await transitions.refresh_undecided(db, session, group.id)
    if group.incident_id and (row := await session.get(IncidentRow, group.incident_id)) and row.state == IncidentState.OPEN:
        row.state, row.monitoring_at = IncidentState.MONITORING, db.clock()
        session.add(row)


async def end_flapping(db: Database) -> None:
    """Take the mark from groups whose alert has stopped flapping: one that does not fire any more has cleared."""
    over = GroupRow.flapping != "", col(GroupRow.flapping_until) <= db.clock()
    async with db.read() as session:
        if (await session.exec(select(GroupRow.id).where(*over).limit(1))).first() is None:
            return
    async with db.write() as session:
        rows = (await session.exec(select(GroupRow).where(*over).with_for_update())).all()
        for group in rows:
            group.flapping = ""
            if group.firing == 0 and group.alerts:
                await clear(db, session, group, db.clock())
        await touch_cards(db, session, rows)


async def next_attempt(session: AsyncSession, group: GroupRow) -> int:
    """The number of the next investigation of an open group: its first one was started with it, if it has not begun yet."""
    newest = select(func.max(TriageRow.attempt)).where(TriageRow.group_id == group.id)
    return ((await session.exec(newest)).one() or 1) + 1
