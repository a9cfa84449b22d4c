"""Questions and their answers as rows, and the record that an answer is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound
from bot.core.evidence import Findings
from bot.core.incident import number_of
from bot.core.investigation.triage_facts import stored_facts
from bot.core.messages.content import MessageKind
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.answering import QuestionAnswer
from bot.core.tool_calls import Tools
from bot.store import messages, timeline
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.slack.message_contents import newest_triage
from bot.store.tables import EvidenceRow, GroupRow, QuestionRow, TriageRow
from bot.store.triage.triage import case_of, entry_of, fits, spent

MOST_EVIDENCE = 400
"""Findings read, the newest."""


@dataclass(frozen=True)
class Put:
    """A question that is kept now, and the thread in which its answer will stand."""

    number: int
    thread_key: str


class Questions:
    """What the verb `ask` writes and the workflow `question` reads and writes."""

    def __init__(self, db: Database, services: Sequence[str] = (), tools: Tools = MappingProxyType({})) -> None:
        """`services`: names of the catalogue, which a question may name; `tools` say which questions they answer."""
        self.db = db
        self.services = services
        self.tools = tools

    async def put(self, key: str, text: str, who: str, *, group: str, incident: str) -> Put:
        """Keep a question, once for each key: a repeat gets what the first one made."""
        group_id, incident_id = number_of(group, "AL"), number_of(incident, "INC")
        try:
            async with self.db.write() as session:
                row = QuestionRow(
                    key=key[:400], group_id=group_id, incident_id=incident_id, text=text, asked_by=who, at=self.db.clock()
                )
                session.add(row)
                await session.flush()
                number = row.id or 0
        except IntegrityError:
            number = 0
        async with self.db.read() as session:
            query = select(QuestionRow.id).where(QuestionRow.key == key[:400])
            number = number or (await session.exec(query)).one() or 0
            return Put(number, (await transitions.thread_of(session, group_id, incident_id))[1])

    async def row(self, number: int) -> QuestionRow:
        """One question; raises NotFound."""
        async with self.db.read() as session:
            row = await session.get(QuestionRow, number)
        if row is None:
            raise NotFound(f"no question {number}")
        return row

    async def unanswered(self) -> list[int]:
        """Questions whose workflow may never have begun, oldest first."""
        async with self.db.read() as session:
            waiting = select(QuestionRow.id).where(QuestionRow.state == "asked").order_by(col(QuestionRow.id))
            return [number for number in (await session.exec(waiting)).all() if number]

    async def answer_facts(self, number: int) -> AnswerFacts:
        """All that was recorded of what the question is about."""
        row = await self.row(number)
        async with self.db.read() as session:
            newest = select(EvidenceRow).where(EvidenceRow.group_id == row.group_id).order_by(col(EvidenceRow.n).desc())
            rows = (await session.exec(newest.limit(MOST_EVIDENCE))).all() if row.group_id else []
            triage = await newest_triage(session, row.group_id) if row.group_id else None
            group = await session.get(GroupRow, row.group_id) if row.group_id else None
            facts = stored_facts(triage.facts) if triage else None
            return AnswerFacts(
                ledger=[entry_of(one) for one in reversed(rows)],
                findings=Findings.model_validate(triage.findings) if triage and triage.findings else None,
                timeline=await timeline.of(session, group_id=row.group_id, incident_id=row.incident_id),
                onset=facts.onset_text if facts else "",
                onset_evidence=facts.onset_evidence if facts else "",
                services=self.services,
                tools=self.tools,
                group=f"AL-{row.group_id}" if row.group_id else "",
                case=await case_of(session, group, triage) if group else None,
            )

    async def reserve(self, number: int, usd: float, *, since: datetime, limit: float) -> bool:
        """Set aside what a model's answer may cost, as an attempt does; the answer's real cost is written over it."""
        own = col(QuestionRow.id) == number
        async with self.db.write() as session:
            others = (col(QuestionRow.at) >= since) & ~own
            if not fits(await spent(session, col(TriageRow.started_at) >= since, others), usd, limit):
                return False
            await session.exec(update(QuestionRow).where(own).values(usd=usd))
            return True

    async def answer(self, number: int, answer: QuestionAnswer, *, final: bool) -> None:
        """Keep the answer and have it stand in the thread; a later one replaces it in the same message."""
        now: datetime = self.db.clock()
        ended = {"state": "answered", "answered_at": now, "usd": answer.usd} if final else {}
        async with self.db.write() as session:
            values = {"answer": answer.model_dump(mode="json"), **ended}
            await session.exec(update(QuestionRow).where(col(QuestionRow.id) == number).values(**values))
            await self._show(session, number)

    async def failed(self, number: int) -> None:
        """No answer could be made: the message says so, or what stands there already stays."""
        async with self.db.write() as session:
            unanswered = (col(QuestionRow.id) == number) & (col(QuestionRow.state) == "asked")
            await session.exec(update(QuestionRow).where(unanswered).values(state="failed", answered_at=self.db.clock()))
            await self._show(session, number)

    async def _show(self, session: AsyncSession, number: int) -> None:
        row = await session.get(QuestionRow, number)
        if row is None:
            raise NotFound(f"no question {number}")
        channel, thread_key = await transitions.thread_of(session, row.group_id, row.incident_id)
        subject = str(number)
        await messages.touch(
            self.db,
            session,
            f"answer:{number}",
            channel=channel,
            kind=MessageKind.ANSWER,
            subject=subject,
            thread_key=thread_key,
        )
