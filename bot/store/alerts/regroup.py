"""Groups as people correct them: one merged into another, and alerts split off into a group of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts.grouping import GroupingReason
from bot.core.errors import NotFound
from bot.core.incident import GroupState, IncidentState, number_of
from bot.core.text.untrusted import counted
from bot.core.timeline import EntryKind
from bot.store import audit, timeline
from bot.store.alerts import groups
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow


async def merge(db: Database, into: str, other: str, person: str) -> None:
    """Move all alerts of one open group into another, and close the empty one. Raises NotFound with what is wrong."""
    if number_of(into, "AL") == number_of(other, "AL"):
        raise NotFound(f"{into} is one group already.")
    async with db.write() as session:
        # In one order whoever merges what, so that two people never wait for each other.
        rows = {ref: await _open_group(session, ref) for ref in sorted((into, other))}
        target, source = rows[into], rows[other]
        await _move(session, source, target, await _members(session, source), f"{person} merged AL-{source.id} into this group")
        _fire_again(db, source, target)
        await _hand_over(db, session, source, target, person)
        await transitions.hand_over(db, session, source, target)
        source.state, source.cleared_at, source.human_at = GroupState.RESOLVED, db.clock(), db.clock()
        target.human_at = db.clock()
        for row, text in ((target, f"{other} was merged into this group"), (source, f"Merged into {into}")):
            await timeline.add(db, session, EntryKind.GROUP, text, group_id=row.id, incident_id=row.incident_id, who=person)
        await audit.append(db, session, who=person, what="merge", subject=into, before=other, after=into)
        await groups.touch_cards(db, session, [target, source])


@dataclass(frozen=True)
class Split:
    """The new group, and how many alerts it took."""

    ref: str
    alerts: int


async def split(db: Database, ref: str, what: str, person: str) -> Split:
    """Give the alerts of one service or of one name a group of their own. Raises NotFound with what is wrong."""
    async with db.write() as session:
        source = await _open_group(session, ref)
        members = await _members(session, source)
        leaving = [one for one in members if what.casefold() in (one.service.casefold(), one.name.casefold())]
        if not leaving:
            names = sorted({name for one in members for name in (one.service, one.name) if name})
            there = ", ".join(names[:10])
            raise NotFound(f'{ref} has no alert of a service or name "{what[:60]}". There are: {there}.')
        if len(leaving) == len(members):
            raise NotFound(f"All {len(members)} alerts of {ref} are of {what[:60]}: nothing would be left to split from.")
        target = await _new_group(session, source, leaving)
        await _move(session, source, target, leaving, f"{person} split it off {ref}")
        source.human_at = target.human_at = db.clock()
        new, verb = f"AL-{target.id}", "was" if len(leaving) == 1 else "were"
        for row, text in (
            (target, f"Split off {ref}"),
            (source, f"{counted(len(leaving), 'alert')} of {what[:60]} {verb} split off as {new}"),
        ):
            await timeline.add(db, session, EntryKind.GROUP, text, group_id=row.id, incident_id=row.incident_id, who=person)
        await audit.append(db, session, who=person, what="split", subject=ref, before=ref, after=f"{new}: {what[:60]}")
        await _after_leaving(db, session, source)
        if target.firing == 0:
            await groups.clear(db, session, target, db.clock())
        await groups.touch_cards(db, session, [source, target])
        return Split(new, len(leaving))


async def _open_group(session: AsyncSession, ref: str) -> GroupRow:
    row = await session.get(GroupRow, number_of(ref, "AL") or 0, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no {ref}.")
    if row.state == GroupState.RESOLVED:
        raise NotFound(f"{ref} is resolved: only open groups are merged and split.")
    return row


async def _members(session: AsyncSession, group: GroupRow) -> Sequence[EpisodeRow]:
    query = select(EpisodeRow).where(EpisodeRow.group_id == group.id).order_by(col(EpisodeRow.id))
    return (await session.exec(query)).all()


async def _new_group(session: AsyncSession, source: GroupRow, members: Sequence[EpisodeRow]) -> GroupRow:
    """A group under the name of its worst alert that fires, else of its worst; in the same channel."""
    worst = min(members, key=lambda one: (one.status != "firing", Severity(one.severity).rank, one.first_seen_at))
    group = GroupRow(
        key=source.key,
        source=worst.source,
        title=worst.name,
        service=worst.service,
        severity=worst.severity,
        state=GroupState.FIRING,
        channel=source.channel,
        private=source.private,
        opened_at=min(one.first_seen_at for one in members),
        last_alert_at=max(one.first_seen_at for one in members),
        mentioned_at=source.mentioned_at,
    )
    session.add(group)
    await session.flush()
    return group


async def _move(session: AsyncSession, source: GroupRow, target: GroupRow, members: Sequence[EpisodeRow], text: str) -> None:
    """Make alerts members of another group, with the counts of both."""
    firing, repeats = sum(one.status == "firing" for one in members), sum(one.repeats for one in members)
    for row, sign in ((source, -1), (target, 1)):
        row.alerts = max(0, row.alerts + sign * len(members))
        row.firing = max(0, row.firing + sign * firing)
        row.repeats = max(0, row.repeats + sign * repeats)
        session.add(row)
    target.last_alert_at = max([target.last_alert_at, *(one.first_seen_at for one in members)])
    for one in members:
        one.group_id = target.id
        one.grouping_reason, one.grouping_text = GroupingReason.BY_PERSON.value, text
        session.add(one)


def _fire_again(db: Database, source: GroupRow, target: GroupRow) -> None:
    """A cleared group takes alerts that fire: whoever has these has it."""
    if not target.firing or target.state != GroupState.MONITORING:
        return
    target.state, target.cleared_at = source.state, None
    target.acknowledged_by, target.acknowledged_at = source.acknowledged_by, source.acknowledged_at
    target.unacknowledged_at = db.clock()


async def _hand_over(db: Database, session: AsyncSession, source: GroupRow, target: GroupRow, person: str) -> None:
    """What the closed group stood for: its severity, and its incident, which ends where the other group has one."""
    severity = Severity(source.severity)
    if severity.worse_than(Severity(target.severity)):
        target.severity, target.service, target.title = source.severity, source.service or target.service, source.title
    incident = await session.get(IncidentRow, source.incident_id, with_for_update=True) if source.incident_id else None
    await _keep_private(session, source, target)
    if GroupState(source.state) is GroupState(target.state) is GroupState.MONITORING and not target.unconfirmed_at:
        # Nobody saw that its alerts ended, wherever they are.
        target.unconfirmed_at, target.readable_at = source.unconfirmed_at, source.readable_at
        target.unmeasured = source.unmeasured
    if incident is not None and target.incident_id is None:
        target.incident_id, target.mentioned_at = incident.id, target.mentioned_at or source.mentioned_at
        incident.group_id, source.incident_id = target.id, None
    elif incident is not None and incident.state != IncidentState.RESOLVED:
        incident.state, incident.resolved_at, incident.resolved_by = IncidentState.RESOLVED, db.clock(), person
        incident.cause = f"the same as INC-{target.incident_id}: its alerts were merged"
    if target.state != GroupState.MONITORING:
        await _reopen_incident(session, target)


async def _reopen_incident(session: AsyncSession, group: GroupRow) -> None:
    """The incident of a group that fires is monitored no more."""
    incident = await session.get(IncidentRow, group.incident_id, with_for_update=True) if group.incident_id else None
    if incident is not None and incident.state == IncidentState.MONITORING:
        incident.state = IncidentState.OPEN


async def _keep_private(session: AsyncSession, source: GroupRow, target: GroupRow) -> None:
    """What only one channel's members read stays so in the group that takes it over."""
    if not source.private or target.private:
        return
    target.private = True
    if incident := await session.get(IncidentRow, target.incident_id or 0, with_for_update=True):
        incident.private = True
        session.add(incident)


async def _after_leaving(db: Database, session: AsyncSession, group: GroupRow) -> None:
    """A group clears where all that fired left it; its severity is that of what stays."""
    members = await _members(session, group)
    group.severity = min((Severity(one.severity) for one in members), key=lambda severity: severity.rank).value
    if group.firing == 0:
        await groups.clear(db, session, group, db.clock())
