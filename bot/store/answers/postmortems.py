"""Postmortem drafts as rows, and the rows they are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog
from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Decision, Proposal, ProposalState
from bot.core.errors import NotFound
from bot.core.evidence import Evidence, MeasuredOnset
from bot.core.history.postmortem import RAN, PostmortemRecord, PostmortemSection
from bot.core.incident import Incident, number_of
from bot.core.messages.content import MessageKind
from bot.core.timeline import EntryKind
from bot.store import messages, timeline
from bot.store.approvals import rows as proposal_rows
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.incidents import causes
from bot.store.incidents import rows as incident_rows
from bot.store.tables import (
    AttemptRow,
    CauseRow,
    DecisionRow,
    EvidenceRow,
    IncidentRow,
    PostmortemRow,
    ProposalRow,
    TimelineRow,
)
from bot.store.triage.attempts import all_attempts, findings_of, measured_onset, shown_triage
from bot.store.triage.ledger import entry_of

log = structlog.get_logger(__name__)
LATELY = timedelta(days=7)
OUTCOME_WITHIN = timedelta(minutes=5)
"""So long a draft waits for an action that still runs; after that it is written without the outcome, and again later."""
_IS_DRAFT = col(PostmortemRow.state) != "failed"
_BEGUN = tuple(s.value for s in (ProposalState.CLAIMED, ProposalState.EXECUTING, ProposalState.VERIFYING))
_ENDED = tuple(s.value for s in RAN if s.final)


@dataclass(frozen=True)
class DueDraft:
    """A resolved incident without its draft."""

    incident: Incident
    executed: bool
    """Whether an action ran, by the bot or by hand."""
    human_minutes: float
    n: int
    """The number of the draft to write."""


class Postmortems:
    """What the postmortem workflow reads and writes."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def record(self, ref: str) -> PostmortemRecord:
        """All that is recorded of one incident; raises NotFound."""
        number = number_of(ref, "INC")
        async with self.db.read() as session:
            incident = await incident_rows.load_incident(session, ref)
            if incident is None or number is None:
                raise NotFound(f"no incident {ref}")
            group_id = number_of(incident.group, "AL") if incident.group else None
            group = await incident_rows.load_group(session, incident.group) if incident.group else None
            triage = await shown_triage(session, group_id)
            onset = await _first_onset(session, group_id, incident)
            evidence = await _evidence(session, group_id)
            return PostmortemRecord(
                incident=incident,
                group=group,
                timeline=tuple(await timeline.of(session, group_id=group_id, incident_id=number)),
                findings=findings_of(triage),
                onset=onset.at if onset else None,
                onset_not_before=onset.not_before if onset else None,
                onset_evidence=onset.evidence if onset else "",
                signal=onset.signal if onset else "",
                proposals=tuple(await _proposals(session, group_id, number)),
                decisions=tuple(await _decisions(session, group_id, number)),
                evidence={id: entry.summary for id, entry in evidence.items()},
                unseen={id: entry.blind_spots for id, entry in evidence.items() if entry.blind_spots},
                cause=(await causes.newest(session, [number])).get(number),
            )

    async def save(
        self,
        ref: str,
        n: int,
        sections: Sequence[PostmortemSection],
        text: str,
        proposal_states: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Store draft `n` (once) and have it posted in the thread, with the state of each proposal as the draft has it."""
        async with self.db.write() as session:
            row, number = await _incident(session, ref)
            if not await _drafted(session, number, n):
                session.add(
                    PostmortemRow(
                        incident_id=number,
                        n=n,
                        sections=[section.model_dump(mode="json") for section in sections],
                        markdown=text,
                        proposal_states=dict(proposal_states),
                        at=self.db.clock(),
                    )
                )
            line = f"Postmortem draft {n} was written"
            await timeline.add(
                self.db, session, EntryKind.SYSTEM, line, group_id=row.group_id, incident_id=number, key=f"postmortem:{ref}:{n}"
            )
            channel, thread = await transitions.thread_of(session, row.group_id, number)
            await messages.touch(
                self.db,
                session,
                f"postmortem:{ref}",
                channel=channel,
                kind=MessageKind.POSTMORTEM,
                subject=ref,
                thread_key=thread,
            )

    async def newest(self, ref: str) -> PostmortemRow | None:
        """The latest draft of an incident that could be written."""
        async with self.db.read() as session:
            query = select(PostmortemRow).where(PostmortemRow.incident_id == (number_of(ref, "INC") or 0), _IS_DRAFT)
            return (await session.exec(query.order_by(col(PostmortemRow.n).desc()).limit(1))).first()

    async def next_number(self, ref: str) -> int:
        """The number of the next draft, from 1; that of one which could not be written is used up."""
        async with self.db.read() as session:
            return await _next_number(session, number_of(ref, "INC") or 0)

    async def due_drafts(self) -> list[DueDraft]:
        """Incidents resolved lately of which no draft was written since, or one that is older than an action's end.

        A draft of the middle of an incident is not its last. While an action still runs it waits for the end, at most
        OUTCOME_WITHIN.
        """
        written = select(PostmortemRow.id).where(
            PostmortemRow.incident_id == IncidentRow.id, col(PostmortemRow.at) >= col(IncidentRow.resolved_at)
        )
        now = self.db.clock()
        lately = col(IncidentRow.resolved_at) > now - LATELY
        async with self.db.read() as session:
            if (
                await session.exec(select(IncidentRow.id).where(IncidentRow.state == "RESOLVED", lately).limit(1))
            ).first() is None:
                # All three questions are about such incidents, and they are put every five seconds.
                return []
            query = select(IncidentRow).where(IncidentRow.state == "RESOLVED", lately, ~written.exists())
            due = [
                row
                for row in (await session.exec(query)).all()
                if _over_at(row) + OUTCOME_WITHIN <= now or not await _running(session, row)
            ]
            due += [row for row in await _ended_since(session, now - LATELY) if await _outdated(session, row)]
            due += [row for row in await _explained_since(session, now - LATELY) if row not in due]
            return [await _due_draft(session, row) for row in due]

    async def failed(self, ref: str, n: int, why: str) -> None:
        """Post in the thread that draft `n` was not written; its number is used up, so that the next is a new try."""
        async with self.db.write() as session:
            row, number = await _incident(session, ref)
            if not await _drafted(session, number, n):
                empty = PostmortemRow(incident_id=number, n=n, state="failed", sections=[], markdown="", at=self.db.clock())
                session.add(empty)
            line = "The postmortem draft could not be written; the log says why"
            key = f"postmortem-failed:{ref}:{n}"
            await timeline.add(self.db, session, EntryKind.SYSTEM, line, group_id=row.group_id, incident_id=number, key=key)
            channel, thread = await transitions.thread_of(session, row.group_id, number)
            await messages.touch(
                self.db,
                session,
                f"line:{key}",
                channel=channel,
                kind=MessageKind.LINE,
                subject=f"{ref}: {line}",
                thread_key=thread,
            )
            log.error("a postmortem draft failed", ref=ref, n=n, why=why)


def _over_at(row: IncidentRow) -> datetime:
    return row.resolved_at or row.declared_at


async def _running(session: AsyncSession, row: IncidentRow) -> bool:
    """Whether an action of this incident has begun and not ended."""
    begun = transitions.belongs_to(row.group_id, row.id), col(ProposalRow.state).in_(_BEGUN)
    query = select(ProposalRow.id).where(*begun).limit(1)
    return (await session.exec(query)).first() is not None


async def _ended_since(session: AsyncSession, since: datetime) -> Sequence[IncidentRow]:
    """Resolved incidents of which an action ended after they were resolved."""
    here = or_(
        col(ProposalRow.incident_id) == IncidentRow.id,
        and_(col(ProposalRow.group_id).is_not(None), col(ProposalRow.group_id) == IncidentRow.group_id),
    )
    ended = select(ProposalRow.id).where(
        here, col(ProposalRow.state).in_(_ENDED), col(ProposalRow.changed_at) >= col(IncidentRow.resolved_at)
    )
    query = select(IncidentRow).where(IncidentRow.state == "RESOLVED", col(IncidentRow.resolved_at) > since, ended.exists())
    return (await session.exec(query)).all()


async def _explained_since(session: AsyncSession, since: datetime) -> Sequence[IncidentRow]:
    """Resolved incidents whose cause a person confirmed after the newest draft was written."""
    newest = select(func.max(PostmortemRow.at)).where(PostmortemRow.incident_id == IncidentRow.id).scalar_subquery()
    explained = select(CauseRow.id).where(CauseRow.incident_id == IncidentRow.id, col(CauseRow.at) > newest)
    query = select(IncidentRow).where(IncidentRow.state == "RESOLVED", col(IncidentRow.resolved_at) > since, explained.exists())
    return (await session.exec(query)).all()


async def _outdated(session: AsyncSession, row: IncidentRow) -> bool:
    """Whether the newest draft describes an action in another state than the one it ended in.

    A draft that could not be written is not outdated: people ask for the next one.
    """
    query = select(PostmortemRow).where(PostmortemRow.incident_id == row.id)
    draft = (await session.exec(query.order_by(col(PostmortemRow.n).desc()).limit(1))).first()
    if draft is None or draft.proposal_states is None or draft.at < _over_at(row):
        return False
    ended = transitions.belongs_to(row.group_id, row.id), col(ProposalRow.state).in_(_ENDED)
    rows = (await session.exec(select(ProposalRow).where(*ended))).all()
    return any(draft.proposal_states.get(transitions.ref_of(proposal)) != proposal.state for proposal in rows)


async def _first_onset(session: AsyncSession, group_id: int | None, incident: Incident) -> MeasuredOnset | None:
    """The first onset that an attempt measured, of those since the outage in which it was declared began."""
    attempts = await all_attempts(session, group_id) if group_id else []
    began = max((n for n, one in enumerate(attempts) if one.renewed and one.started_at <= incident.declared_at), default=0)
    measured = [onset for one in attempts[began:] if (onset := measured_onset(one))]
    return min(measured, key=lambda onset: onset.at, default=None)


async def _incident(session: AsyncSession, ref: str) -> tuple[IncidentRow, int]:
    number = number_of(ref, "INC")
    row = await session.get(IncidentRow, number) if number is not None else None
    if row is None or number is None:
        raise NotFound(f"no incident {ref}")
    return row, number


async def _drafted(session: AsyncSession, incident_id: int, n: int) -> bool:
    query = select(PostmortemRow.n).where(PostmortemRow.incident_id == incident_id, PostmortemRow.n == n)
    return (await session.exec(query)).first() is not None


async def _next_number(session: AsyncSession, incident_id: int) -> int:
    newest = select(func.max(PostmortemRow.n)).where(PostmortemRow.incident_id == incident_id)
    return ((await session.exec(newest)).one() or 0) + 1


async def _due_draft(session: AsyncSession, row: IncidentRow) -> DueDraft:
    ran = select(ProposalRow.id).outerjoin(AttemptRow, col(AttemptRow.proposal_id) == ProposalRow.id)
    acted = col(AttemptRow.proposal_id).is_not(None) | col(ProposalRow.manual)
    executed = (await session.exec(ran.where(transitions.belongs_to(row.group_id, row.id), acted).limit(1))).first() is not None
    human = select(TimelineRow.at).where(
        TimelineRow.incident_id == row.id, TimelineRow.who != "tocsin", TimelineRow.who != "policy"
    )
    moments = sorted((await session.exec(human)).all())
    minutes = (moments[-1] - moments[0]).total_seconds() / 60 if moments else 0.0
    return DueDraft(incident_rows.to_incident(row), executed, minutes, await _next_number(session, row.id or 0))


async def _evidence(session: AsyncSession, group_id: int | None) -> dict[str, Evidence]:
    query = select(EvidenceRow).where(EvidenceRow.group_id == group_id).order_by(col(EvidenceRow.n))
    rows = (await session.exec(query)).all() if group_id else []
    return {f"E{row.n}": entry_of(row).evidence for row in rows}


async def _proposal_rows(session: AsyncSession, group_id: int | None, incident_id: int) -> list[ProposalRow]:
    query = select(ProposalRow).where(transitions.belongs_to(group_id, incident_id)).order_by(col(ProposalRow.id))
    return list((await session.exec(query)).all())


async def _proposals(session: AsyncSession, group_id: int | None, incident_id: int) -> list[Proposal]:
    return [proposal_rows.stored_proposal(row) for row in await _proposal_rows(session, group_id, incident_id)]


async def _decisions(session: AsyncSession, group_id: int | None, incident_id: int) -> list[Decision]:
    ids = [row.id for row in await _proposal_rows(session, group_id, incident_id)]
    rows = (await session.exec(select(DecisionRow).where(col(DecisionRow.proposal_id).in_(ids)))).all()
    return [proposal_rows.stored_decision(row) for row in rows]
