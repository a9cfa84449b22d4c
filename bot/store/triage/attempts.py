"""The attempts of one group: those of its present outage, the one that people see, which were made again by themselves, and
what one more of them takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.evidence import Findings, Hypothesis, MeasuredOnset, nothing_wrong, stored_findings
from bot.core.incident import GroupState, number_of
from bot.core.investigation.triage_facts import stored_facts
from bot.core.investigation.triage_state import TriageState
from bot.store.approvals.context.decision_context import stop_switch
from bot.store.db.database import Database
from bot.store.incidents.rows import to_group
from bot.store.tables import GroupRow, IncidentRow, SwitchRow, TriageRow


@dataclass(frozen=True)
class RetryDue:
    """An attempt to start: it answers the same question of the same person as the one before."""

    group: str
    attempt: int
    question: str
    requester: str
    changes: tuple[str, ...]


async def all_attempts(session: AsyncSession, group_id: int) -> Sequence[TriageRow]:
    """Every attempt of a group, oldest first."""
    query = select(TriageRow).where(TriageRow.group_id == group_id).order_by(col(TriageRow.attempt))
    return (await session.exec(query)).all()


async def stored_attempt(session: AsyncSession, group_id: int, attempt: int | None = None) -> TriageRow | None:
    """One attempt of a group; without a number the newest."""
    query = select(TriageRow).where(TriageRow.group_id == group_id).order_by(col(TriageRow.attempt).desc()).limit(1)
    if attempt is not None:
        query = query.where(TriageRow.attempt == attempt)
    return (await session.exec(query)).first()


async def newest_ranking(session: AsyncSession, group_id: int | None) -> TriageRow | None:
    """The latest attempt that ranked causes; while a new one runs, the one before."""
    done = TriageRow.group_id == group_id, TriageRow.state == TriageState.DONE, col(TriageRow.finished_at).is_not(None)
    query = select(TriageRow).where(*done).order_by(col(TriageRow.attempt).desc())
    return next((row for row in (await session.exec(query)).all() if row.findings), None)


async def shown_triage(session: AsyncSession, group_id: int | None) -> TriageRow | None:
    """The attempt of a group whose facts and causes people see now."""
    attempts = await attempts_of_outage(session, group_id) if group_id else []
    return shown_of(attempts) if attempts else None


async def shown_triage_of(db: Database, ref: str) -> TriageRow | None:
    """The same for `AL-3`."""
    async with db.read() as session:
        return await shown_triage(session, number_of(ref, "AL"))


def findings_of(attempt: TriageRow | None) -> Findings | None:
    """What an attempt ranked; None where it ranked nothing yet."""
    return stored_findings(attempt.findings) if attempt else None


def first_cause(attempt: TriageRow | None) -> Hypothesis | None:
    """The likeliest cause of an attempt that is done; None where nothing looks wrong, for what was ranked then is chance."""
    findings = findings_of(attempt) if attempt and attempt.state == TriageState.DONE else None
    return findings.first_cause if findings and not nothing_wrong(findings) else None


async def is_over(db: Database, ref: str) -> bool:
    """Whether all alerts of `AL-3` have ended, as far as this could be checked."""
    async with db.read() as session:
        group = await session.get(GroupRow, number_of(ref, "AL") or 0)
        return group is not None and to_group(group).over_at is not None


async def attempts_of_outage(session: AsyncSession, group_id: int) -> Sequence[TriageRow]:
    """The attempts about what a group is about since it was last renewed, oldest first."""
    return of_newest_outage(await all_attempts(session, group_id))


def of_newest_outage(attempts: Sequence[TriageRow]) -> Sequence[TriageRow]:
    """The last of a group's attempts, oldest first, from the one on that was first about its present outage."""
    return attempts[max((n for n, attempt in enumerate(attempts) if attempt.renewed), default=0) :]


def shown_of(attempts: Sequence[TriageRow]) -> TriageRow:
    """Of the attempts about one outage the one that people see: the last ranking, while one that nobody asked for has none."""
    newest = attempts[-1]
    if newest.findings or newest.state == TriageState.DONE or _requested(newest):
        return newest
    return next((one for one in reversed(attempts[:-1]) if one.findings and one.state == TriageState.DONE), newest)


def measured_onset(attempt: TriageRow) -> MeasuredOnset | None:
    """The onset as the message of an attempt says it: by which its causes were ranked, before that by its facts."""
    facts, findings = stored_facts(attempt.facts), findings_of(attempt)
    at = (findings.onset if findings else None) or (facts.onset if facts else None)
    if at is None:
        return None
    if facts is None:
        return MeasuredOnset(at=at)
    not_before = facts.onset_not_before if at == facts.onset else None
    return MeasuredOnset(at=at, not_before=not_before, signal=facts.signal, evidence=facts.onset_evidence)


async def onset_of_outage(
    session: AsyncSession, group: GroupRow, attempt: int, *, since: datetime | None
) -> MeasuredOnset | None:
    """The first onset that the attempts before one measured of the same outage; one up to `since` is of the outage before."""
    attempts = await attempts_of_outage(session, group.id or 0)
    measured = [measured_onset(one) for one in attempts if one.attempt < attempt]
    return min((o for o in measured if o and (since is None or o.at > since)), key=lambda onset: onset.at, default=None)


def retries(attempts: Sequence[TriageRow]) -> int:
    """How many of the attempts about one outage were made again by themselves, with nothing new to go by but time."""
    return sum(_is_retry(attempt, attempts[:n]) for n, attempt in enumerate(attempts))


def last_for_a_reason(attempts: Sequence[TriageRow]) -> TriageRow:
    """Of the attempts about one outage the last that is no such one."""
    return next(one for n, one in reversed(list(enumerate(attempts))) if not _is_retry(one, attempts[:n]))


def is_retry(attempts: Sequence[TriageRow]) -> bool:
    """Whether the last of the attempts about one outage is such a one."""
    return _is_retry(attempts[-1], attempts[:-1])


def _is_retry(attempt: TriageRow, before: Sequence[TriageRow]) -> bool:
    made_by_itself = not (_requested(attempt) or attempt.renewed or attempt.late_changes)
    return made_by_itself and any(one.findings for one in before)


def _requested(attempt: TriageRow) -> bool:
    return bool(attempt.question or attempt.requester)


def something_fires() -> ColumnElement[bool]:
    """Of a group: an alert of it fires, or people declared it without any.

    A group whose alert flaps stays FIRING through its pauses: what is measured then is an outage that is over.
    """
    fires = or_(col(GroupRow.firing) > 0, col(GroupRow.alerts) == 0)
    return and_(col(GroupRow.state).in_((GroupState.FIRING, GroupState.ACKNOWLEDGED)), fires)


async def automation_stopped(session: AsyncSession, group: GroupRow) -> bool:
    """Whether a person stopped the bot here."""
    if group.incident_id is not None:
        incident = await session.get(IncidentRow, group.incident_id)
        if incident is not None and incident.stopped:
            return True
    switch = await session.get(SwitchRow, stop_switch(group.id or 0))
    return switch is not None and switch.on
