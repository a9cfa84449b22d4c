"""Questions and their answers as rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.answering import QuestionAnswer
from bot.core.questions.open_states import OpenState
from bot.core.tool_calls import Tools
from bot.store import messages
from bot.store.answers.answer_facts import read_facts, read_state
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import GroupRow, MessageRow, QuestionRow, TriageRow
from bot.store.triage.spending import fits, spent


@dataclass(frozen=True)
class StoredQuestion:
    """A question that is kept now, and the thread in which its answer will stand."""

    number: int
    thread_key: str


@dataclass(frozen=True)
class AnswerTarget:
    """Where an answer stands instead of the thread of what it is about: where it was asked for."""

    channel: str
    thread_key: str = ""
    """Of a message that stands there already."""
    under: str = ""
    """ts of a person's message: the answer opens or continues its thread."""


class Questions:
    """What the verb `ask` writes and the workflow `question` reads and writes."""

    def __init__(self, db: Database, services: Collection[str] = (), tools: Tools = MappingProxyType({})) -> None:
        """`services`: names of the catalogue, which a question may name; `tools` say which questions they answer."""
        self.db = db
        self.services = services
        self.tools = tools

    async def put(
        self,
        key: str,
        text: str,
        who: str,
        *,
        group: str = "",
        incident: str = "",
        refs: Sequence[str] = (),
        target: AnswerTarget | None = None,
    ) -> StoredQuestion:
        """Keep a question, once for each key: a repeat gets what the first one made. `refs`: all of those it is about."""
        group_id, incident_id = number_of(group, "AL"), number_of(incident, "INC")
        try:
            async with self.db.write() as session:
                row = QuestionRow(
                    key=key[:400], group_id=group_id, incident_id=incident_id, text=text, requester=who, at=self.db.clock()
                )
                row.refs = list(refs) or None
                session.add(row)
                await session.flush()
                number = row.id or 0
                if target is not None:
                    await self._reserve_answer(session, number, target, group or incident)
        except IntegrityError:
            number = 0
        async with self.db.read() as session:
            query = select(QuestionRow.id).where(QuestionRow.key == key[:400])
            number = number or (await session.exec(query)).one() or 0
            return StoredQuestion(number, (await transitions.thread_of(session, group_id, incident_id))[1])

    async def _reserve_answer(self, session: AsyncSession, number: int, target: AnswerTarget, about: str) -> None:
        """The answer's message, not yet wanted: whoever shows the answer finds its place there."""
        key, thread_key, now = f"answer:{number}", target.thread_key, self.db.clock()
        if target.under:
            thread_key = f"asked:{number}"
            row = MessageRow(
                key=thread_key,
                kind=MessageKind.QUESTION,
                subject=about,
                channel=target.channel,
                posted_channel=target.channel,
                ts=target.under,
                sent_rev=1,
                sent_at=now,
                created_at=now,
                changed_at=now,
            )
            session.add(row)
        await messages.reserve(
            self.db, session, key, channel=target.channel, kind=MessageKind.ANSWER, subject=str(number), thread_key=thread_key
        )

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
        return await self._facts(row.group_id, row.incident_id)

    async def facts_of(self, ref: str) -> AnswerFacts:
        """All that was recorded of one group with its incident, or of an incident without one. Raises NotFound."""
        return await (self._facts(None, number_of(ref, "INC")) if ref.startswith("INC-") else self.facts_of_group(ref))

    async def facts_of_group(self, ref: str) -> AnswerFacts:
        """All that was recorded of one group and its incident. Raises NotFound."""
        number = number_of(ref, "AL")
        async with self.db.read() as session:
            group = await session.get(GroupRow, number or 0)
        if group is None:
            raise NotFound(f"no alert group {ref}")
        return await self._facts(number, group.incident_id)

    async def _facts(self, group_id: int | None, incident_id: int | None) -> AnswerFacts:
        async with self.db.read() as session:
            now = self.db.clock()
            return await read_facts(session, group_id, incident_id, services=self.services, tools=self.tools, now=now)

    async def open_states(self, refs: Sequence[str]) -> list[OpenState]:
        """How it is with these groups and incidents now, in this order."""
        async with self.db.read() as session:
            return [state for ref in refs if (state := await read_state(session, ref)) is not None]

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
