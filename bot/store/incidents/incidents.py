"""What people do with incidents and alert groups: each in one transaction with audit, timeline and card."""

from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts.renewal import COMES_BACK_AFTER
from bot.core.errors import NotFound
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.incident import AlertGroup, GroupState, Incident, IncidentState, number_of
from bot.core.timeline import EntryKind
from bot.store import audit, messages, timeline
from bot.store.alerts.groups import mention, open_incident, touch_card
from bot.store.approvals import transitions
from bot.store.approvals.context.incident_roles import HANDED_OVER, SELF_ASSIGNED
from bot.store.db.database import Database
from bot.store.incidents import causes
from bot.store.incidents.rows import load_incident, to_group, to_incident
from bot.store.tables import GroupRow, IncidentRow, TimelineRow


async def declare(
    db: Database,
    *,
    title: str,
    severity: Severity,
    service: str,
    channel: str,
    by: str,
    group_ref: str = "",
    key: str = "",
    private: bool = False,
) -> Incident:
    """Declare an incident, of a group if one is named. Its group's incident, if it has one already, comes back unchanged."""
    async with db.write() as session:
        if group_ref:
            group = await _group_row(session, group_ref)
            return await _declare_of(db, session, group, severity, title=title, by=by, private=private)
        row = IncidentRow(
            title=title,
            severity=severity.value,
            service=service,
            state=IncidentState.OPEN,
            channel=channel,
            declared_by=by,
            declared_at=db.clock(),
            human_at=db.clock(),
            private=private,
        )
        return await _declare_alone(db, session, row, key)


async def _declare_of(
    db: Database, session: AsyncSession, group: GroupRow, severity: Severity, *, title: str, by: str, private: bool
) -> Incident:
    if group.incident_id:
        return await _existing(session, f"INC-{group.incident_id}")
    if severity is not Severity(group.severity):
        group.severity = severity.value
    mentioned = group.mentioned_at is not None
    row = await open_incident(db, session, group, by=by, title=title)
    group.human_at = db.clock()
    group.private = row.private = group.private or private
    if not mentioned:
        await mention(db, session, group)
    await touch_card(db, session, group)
    return to_incident(row)


async def _declare_alone(db: Database, session: AsyncSession, row: IncidentRow, key: str) -> Incident:
    """An incident without alerts gets a group without alerts, to be investigated. The same `key` again is the same incident."""
    if key:
        earlier = select(TimelineRow.incident_id).where(TimelineRow.key == f"declare:{key}")
        if before := (await session.exec(earlier)).first():
            return await _existing(session, f"INC-{before}")
    session.add(row)
    await session.flush()
    ref, by = f"INC-{row.id}", row.declared_by
    group = await _group_without_alerts(db, session, row)
    text = f"{ref} was declared by {by}: {row.severity} {row.title}"
    once = f"declare:{key}" if key else None
    await timeline.add(db, session, EntryKind.INCIDENT, text, group_id=group.id, incident_id=row.id, who=by, key=once)
    await audit.append(db, session, who=by, what="declare", subject=ref, after=row.severity)
    return to_incident(row)


async def _group_without_alerts(db: Database, session: AsyncSession, incident: IncidentRow) -> GroupRow:
    """The group that holds the evidence about a declared incident, and its card."""
    now = db.clock()
    group = GroupRow(
        key="",
        title=incident.title,
        service=incident.service,
        severity=incident.severity,
        state=GroupState.RESOLVED if incident.state == IncidentState.RESOLVED else GroupState.FIRING,
        channel=incident.channel,
        private=incident.private,
        opened_at=incident.declared_at,
        last_alert_at=incident.declared_at,
        cleared_at=incident.resolved_at,
        incident_id=incident.id,
        mentioned_at=now,
        human_at=now,
    )
    session.add(group)
    await session.flush()
    incident.group_id = group.id
    session.add(incident)
    await touch_card(db, session, group)
    return group


async def group_to_investigate(db: Database, ref: str) -> AlertGroup:
    """The group of an incident; one without alerts for an incident that an older version declared without. Raises NotFound."""
    async with db.write() as session:
        group, incident = await _rows(session, ref)
        if group is None and incident is not None:
            group = await _group_without_alerts(db, session, incident)
        assert group is not None  # _rows found one of the two
        return to_group(group)


async def acknowledge(db: Database, ref: str, person: str) -> AlertGroup:
    """A person acknowledges a group that fires, or of which nobody could confirm that it ended; the first one counts.

    Raises NotFound.
    """
    async with db.write() as session:
        group, incident = await _rows(session, ref)
        if group is None:
            raise NotFound(f"{ref} has no alerts to acknowledge")
        before = GroupState(group.state)
        unconfirmed = before is GroupState.MONITORING and group.unconfirmed_at is not None
        if before is GroupState.FIRING or (unconfirmed and not group.acknowledged_by):
            group.state = before if unconfirmed else GroupState.ACKNOWLEDGED
            group.acknowledged_by, group.acknowledged_at = person, db.clock()
            await _note(db, session, group, incident, EntryKind.GROUP, f"Acknowledged by {person}", person)
            await audit.append(db, session, who=person, what="acknowledge", subject=f"AL-{group.id}", before=before.value)
        await _show(db, session, group, incident)
        return to_group(group)


async def resolve(db: Database, ref: str, person: str, cause: str = "") -> Incident | AlertGroup:
    """Resolve an incident with its group, or a group alone; `cause` is the cause that a person confirms. Raises NotFound."""
    async with db.write() as session:
        group, incident = await _rows(session, ref)
        await resolve_rows(db, session, group, incident, person, cause)
        if incident is not None:
            return to_incident(incident)
        assert group is not None
        return to_group(group)


async def resolve_rows(
    db: Database, session: AsyncSession, group: GroupRow | None, incident: IncidentRow | None, person: str, cause: str = ""
) -> None:
    """Resolve both within the caller's transaction; `person` is "policy" where nobody did."""
    now = db.clock()
    subject = f"INC-{incident.id}" if incident else f"AL-{group.id if group else ''}"
    before = incident.state if incident else group.state if group else ""
    if cause and incident is not None and cause != incident.cause:
        await causes.store(db, session, incident, ConfirmedCause(text=cause, confirmed_by=person, at=now))
    if before != "RESOLVED":
        if incident is not None:
            incident.state, incident.resolved_at, incident.resolved_by = IncidentState.RESOLVED, now, person
        if group is not None:
            # Ends that nobody could confirm are none: it is over since this person says so.
            cleared_at = None if group.unconfirmed_at else group.cleared_at
            group.state, group.cleared_at = GroupState.RESOLVED, cleared_at or now
            unsure = group.firing or group.unconfirmed_at
            group.recheck_at = now + COMES_BACK_AFTER if unsure and person != "policy" else None
        await transitions.expire_undecided(db, session, group.id if group else None, incident.id if incident else None)
        await _note(db, session, group, incident, EntryKind.INCIDENT, f"{subject} was resolved by {person}", person)
        await audit.append(
            db, session, who=person, what="resolve", subject=subject, before=before, after="RESOLVED", reason=cause
        )
        if incident is not None and not incident.cause:
            await causes.ask_for_cause(db, session, incident)
    await _show(db, session, group, incident, human=person != "policy")


async def set_lead(db: Database, ref: str, person: str, by: str = "", *, handed_over: bool | None = None) -> Incident:
    """Set who leads. `handed_over`: by somebody who commands here, so that the right goes with it; default: by somebody else.

    Leading grants nothing to people who are not on the roster. Raises NotFound where no incident is declared.
    """
    handed = by not in ("", person) if handed_over is None else handed_over
    async with db.write() as session:
        group, incident = await _rows(session, ref)
        if incident is None:
            raise NotFound(f"{ref} is no incident; declare it first")
        before, incident.lead = incident.lead, person
        await _note(db, session, group, incident, EntryKind.INCIDENT, f"{person} leads now", by or person)
        await audit.append(
            db,
            session,
            who=by or person,
            what="lead",
            subject=f"INC-{incident.id}",
            before=before,
            after=person,
            message=HANDED_OVER if handed else SELF_ASSIGNED,
        )
        await _show(db, session, group, incident)
        return to_incident(incident)


async def note(db: Database, ref: str, text: str, who: str, at: datetime | None = None, *, key: str | None = None) -> None:
    """A person's entry in the timeline; the same `key` again is the same entry."""
    async with db.write() as session:
        group, incident = await _rows(session, ref)
        group_id, incident_id = group.id if group else None, incident.id if incident else None
        await timeline.add(
            db, session, EntryKind.NOTE, text, who=who, at=at, group_id=group_id, incident_id=incident_id, key=key
        )
        await _show(db, session, group, incident)


async def _rows(session: AsyncSession, ref: str) -> tuple[GroupRow | None, IncidentRow | None]:
    """The group and the incident behind either reference. Raises NotFound."""
    if (number := number_of(ref, "INC")) is not None:
        incident = await session.get(IncidentRow, number, with_for_update=True)
        if incident is None:
            raise NotFound(f"there is no {ref.upper()}")
        group = await session.get(GroupRow, incident.group_id, with_for_update=True) if incident.group_id else None
        return group, incident
    group = await _group_row(session, ref)
    incident = await session.get(IncidentRow, group.incident_id, with_for_update=True) if group.incident_id else None
    return group, incident


async def _group_row(session: AsyncSession, ref: str) -> GroupRow:
    row = await session.get(GroupRow, number_of(ref, "AL") or 0, with_for_update=True)
    if row is None:
        raise NotFound(f"there is no {ref.upper()}")
    return row


async def _existing(session: AsyncSession, ref: str) -> Incident:
    incident = await load_incident(session, ref)
    if incident is None:
        raise NotFound(f"there is no {ref}")
    return incident


async def _note(
    db: Database,
    session: AsyncSession,
    group: GroupRow | None,
    incident: IncidentRow | None,
    kind: EntryKind,
    text: str,
    who: str,
) -> None:
    group_id, incident_id = group.id if group else None, incident.id if incident else None
    await timeline.add(db, session, kind, text, who=who, group_id=group_id, incident_id=incident_id)


async def _show(
    db: Database, session: AsyncSession, group: GroupRow | None, incident: IncidentRow | None, *, human: bool = True
) -> None:
    """Mark the human activity and have the cards shown anew."""
    now = db.clock()
    if incident is not None:
        incident.human_at = now if human else incident.human_at
        incident.rev += 1
        session.add(incident)
        await messages.refresh(db, session, f"card:INC-{incident.id}")
    if group is not None:
        group.human_at = now if human else group.human_at
        await touch_card(db, session, group)
