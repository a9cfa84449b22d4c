"""The case of an attempt: what its group and its worst alert hold for an investigator."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.core.evidence import Case
from bot.core.questions.declared import began_at
from bot.store.tables import EpisodeRow, GroupRow, TriageRow


def leading(number: int) -> SelectOfScalar[EpisodeRow]:
    """The query for a group's worst, oldest firing episode: what it is called after."""
    worst_first = (col(EpisodeRow.severity), col(EpisodeRow.status), col(EpisodeRow.starts_at), col(EpisodeRow.id))
    return select(EpisodeRow).where(EpisodeRow.group_id == number).order_by(*worst_first).limit(1)


def case_from(group: GroupRow, lead: EpisodeRow | None, attempt: int, question: str, requester: str) -> Case:
    return Case(
        group=f"AL-{group.id}",
        attempt=attempt,
        service=group.service,
        alert_name=lead.name if lead else group.title,
        severity=group.severity,
        summary=(lead.annotations.get("summary") or lead.name) if lead else group.title,
        labels=lead.labels if lead else {},
        expression=lead.expression if lead else "",
        runbook_url=lead.annotations.get("runbook_url", "") if lead else "",
        started_at=lead.starts_at if lead else began_at(group.title, group.opened_at) or group.opened_at,
        question=question,
        requester=requester,
    )


async def case_of(session: AsyncSession, group: GroupRow, row: TriageRow | None) -> Case:
    """The case of one attempt; without an attempt, that of the first one."""
    lead = (await session.exec(leading(group.id or 0))).first()
    return case_from(group, lead, row.attempt, row.question, row.requester) if row else case_from(group, lead, 1, "", "")
