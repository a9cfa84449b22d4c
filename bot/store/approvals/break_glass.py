"""Break-glass: a person's approval that counts alone for a time, and who is notified of it.

The keyed audit alone says that an approval counts so; the rows are for people.
"""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.approvals import in_force
from bot.core.approvals.break_glass import WINDOW, review_by
from bot.core.approvals.canonical_record import stamp
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.core.messages.content import MessageKind
from bot.core.text.moments import date_to_the_minute
from bot.core.timeline import EntryKind
from bot.store import audit, messages
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import BreakGlassRow, PageRow, ProposalRow

WHAT = "break-glass"
"""How the audit names an approval that counts alone."""


async def is_in_force(db: Database, session: AsyncSession, row: ProposalRow, config: Config, person: str) -> bool:
    """Whether this person's approval of exactly this revision counts alone now: named for it still, and within its time."""
    if person not in in_force.break_glass(config):
        return False
    now, message = stamp(db.clock()), f"r{row.revision} {row.plan_fingerprint}"
    entries = [
        entry
        for entry in await audit.about(session, transitions.ref_of(row))
        if entry.what == WHAT and entry.who == person and entry.message == message
    ]
    # `after` holds the end of the time: moments that are spelled alike are in the order of their text.
    return any(now < entry.after for entry in entries if audit.genuine(db, entry))


async def overdue_review(db: Database, session: AsyncSession, person: str) -> str:
    """The oldest use of this person whose review is overdue, by its proposal; "" without one."""
    query = select(BreakGlassRow).where(
        BreakGlassRow.person == person, BreakGlassRow.reviewed_by == "", col(BreakGlassRow.review_by) < db.clock()
    )
    row = (await session.exec(query.order_by(col(BreakGlassRow.id)))).first()
    return row.proposals[0] if row is not None else ""


async def use(
    db: Database, session: AsyncSession, row: ProposalRow, roster: Roster, *, person: str, reason: str, policy: str
) -> None:
    """Have this person's approval count alone for the rest of their time, tell everyone, and page somebody."""
    opened = await _open_window(db, session, row, person, reason)
    ref = transitions.ref_of(row)
    await audit.append(
        db, session, who=person, what=WHAT, subject=ref, before=row.state, after=stamp(opened.until), reason=reason,
        policy=policy, message=f"r{row.revision} {row.plan_fingerprint}",
    )  # fmt: skip
    await _notify(db, session, row, roster, opened, reason)
    summary = f"BREAK-GLASS: {person} approved {ref} alone ({row.record['title']}): {reason}"
    if await session.get(PageRow, f"break-glass:{ref}") is None:
        details = {"proposal": ref, "service": row.service, "who": person, "why": reason}
        page = PageRow(key=f"break-glass:{ref}", summary=summary, severity="SEV2", details=details, at=db.clock())
        session.add(page)
    entry = f"BREAK-GLASS: {person} approves {ref} alone: {reason}"
    await transitions.add_to_timeline(
        db, session, row, EntryKind.DECISION, entry, who=person, key=f"break-glass:{ref}:{row.revision}"
    )


async def _open_window(db: Database, session: AsyncSession, row: ProposalRow, person: str, reason: str) -> BreakGlassRow:
    """The person's open time for this service, with this proposal in it, or a new one."""
    now, ref = db.clock(), transitions.ref_of(row)
    query = select(BreakGlassRow).where(
        BreakGlassRow.person == person, BreakGlassRow.service == row.service, BreakGlassRow.reviewed_by == "",
        col(BreakGlassRow.until) > now, col(BreakGlassRow.opened_at) > now - WINDOW,
    )  # fmt: skip
    opened = (await session.exec(query.order_by(col(BreakGlassRow.id).desc()).with_for_update())).first()
    if opened is None:
        opened = BreakGlassRow(
            person=person, service=row.service, reason=reason, proposals=[], opened_at=now, until=now + WINDOW,
            review_by=review_by(now),
        )  # fmt: skip
    opened.proposals = list(dict.fromkeys([*opened.proposals, ref]))
    session.add(opened)
    await session.flush()
    return opened


async def _notify(
    db: Database, session: AsyncSession, row: ProposalRow, roster: Roster, opened: BreakGlassRow, reason: str
) -> None:
    """One line in the service's channel and one in the default channel, for everyone whom it concerns."""
    config, ref = roster.config, transitions.ref_of(row)
    channel, _ = await transitions.thread_of(session, row.group_id, row.incident_id)
    rest = f"Somebody else reviews it by {date_to_the_minute(opened.review_by)}: break-glass review {ref} <what you found>."
    # Why, and what exactly, is for those who may read where it happened; that it happened is for everyone.
    lines = {
        config.default_channel: f"BREAK-GLASS: {opened.person} approved {ref} on {row.service} alone. {rest}",
        channel or config.default_channel: (
            f"BREAK-GLASS: {opened.person} approved {ref} ({row.record['title']}) alone: {reason.rstrip(' .')}. {rest}"
        ),
    }
    mentions = _concerned(roster, row.service, opened)
    for place, line in lines.items():
        key = f"line:break-glass:{ref}:{row.revision}:{place}"
        kind = MessageKind.LINE
        await messages.touch(db, session, key, channel=place, kind=kind, subject=line, mentions=mentions)


def _concerned(roster: Roster, service: str, opened: BreakGlassRow) -> list[str]:
    """On call, owners, deputies and admins: everyone but who used it."""
    config = roster.config
    owners = config.services[service].owners if service in config.services else ()
    approvers = config.approvers
    people = dict.fromkeys((*roster.called(service, opened.opened_at), *owners, *approvers.deputies, *approvers.admins))
    return [person for person in people if person != opened.person]
