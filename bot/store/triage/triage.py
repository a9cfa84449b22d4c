"""Investigations as rows: the case, its attempts, what people write meanwhile, facts and findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import bindparam, func, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.approvals.hints import Hint
from bot.core.change import kind_in_words
from bot.core.errors import NotFound
from bot.core.evidence import Case
from bot.core.incident import GroupState
from bot.core.investigation.triage_state import TriageState
from bot.core.text.untrusted import one_line
from bot.core.timeline import EntryKind
from bot.store import messages, timeline
from bot.store.alerts.groups import touch_triage
from bot.store.db.database import Database
from bot.store.tables import (
    ChangeRow,
    EpisodeRow,
    GroupRow,
    IncidentRow,
    PictureRow,
    QuestionRow,
    TimelineRow,
    TriageRow,
)
from bot.store.triage.attempts import stored_attempt
from bot.store.triage.cases import case_of, is_earlier
from bot.store.triage.ledger import EvidenceLedger, group_number
from bot.store.triage.spending import fits, spent

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class InputSinceStart:
    """What people did and wrote during an attempt; `hints` oldest first."""

    stopped: bool
    hints: tuple[str, ...]


_OWN = (col(TriageRow.group_id) == bindparam("number")) & (col(TriageRow.attempt) == bindparam("attempt"))
_HINT = col(TimelineRow.key).like(bindparam("hints"))
# Built once: they run around every tool call and model call, and building one takes longer than its answer.
_STATE = select(TriageRow.state).where(_OWN)
_HINTS = select(TimelineRow.who, TimelineRow.text).where(_HINT).order_by(col(TimelineRow.id))
_STATE_AND_HINTS = (
    select(TriageRow.state, TimelineRow.who, TimelineRow.text)
    .join_from(TriageRow, TimelineRow, _HINT, isouter=True)
    .where(_OWN)
    .order_by(col(TimelineRow.id))
)


class Triages:
    """What the triage workflow reads and writes."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.ledger = EvidenceLedger(db)

    async def open(self, ref: str, attempt: int, question: str, requester: str, late: Sequence[str] = ()) -> Case:
        """Make the attempt's row (once) and say what the case is: the group's worst, oldest firing alert leads.

        `late`: the changes, reported since the attempt before, that brought this one about. Raises NotFound.
        """
        number = group_number(ref)
        async with self.db.write() as session:
            group = await session.get(GroupRow, number)
            if group is None:
                raise NotFound(f"no alert group {ref}")
            row = await stored_attempt(session, number, attempt)
            if row is None:
                before = await stored_attempt(session, number)
                row = TriageRow(
                    group_id=number,
                    attempt=attempt,
                    state=TriageState.FACTS,
                    started_at=self.db.clock(),
                    question=question,
                    requester=requester,
                    late_changes=list(late),
                    renewed=before is not None and is_earlier(before, group),
                )
                session.add(row)
                await self._add_late_entry(session, group, attempt, late)
            await self._touch(session, group, requested=bool(requester or question))
            return await case_of(session, group, row)

    async def _add_late_entry(self, session: AsyncSession, group: GroupRow, attempt: int, late: Sequence[str]) -> None:
        changes = [row for id in late if (row := await session.get(ChangeRow, id)) is not None]
        if changes:
            reported = ", ".join(
                f"{kind_in_words(one_line(row.kind, 20))} of {one_line(row.service, 60)}" for row in changes[:3]
            )
            text = f"Attempt {attempt}: {reported} was reported after the causes had been ranked"
            key = f"late:AL-{group.id}:{attempt}"
            await timeline.add(
                self.db, session, EntryKind.TRIAGE, text, group_id=group.id, incident_id=group.incident_id, key=key
            )

    async def members(self, ref: str) -> list[dict[str, object]]:
        """The group's alerts counted by name and service, most first."""
        async with self.db.read() as session:
            query = (
                select(EpisodeRow.name, EpisodeRow.service, func.count(), func.min(EpisodeRow.starts_at))
                .where(EpisodeRow.group_id == group_number(ref))
                .group_by(EpisodeRow.name, EpisodeRow.service)
                .order_by(func.count().desc(), EpisodeRow.name)
            )
            return [{"name": n, "service": s, "count": c} for n, s, c, _ in (await session.exec(query)).all()]

    async def update(self, ref: str, attempt: int, **values: object) -> bool:
        """Set columns of the attempt's row and have its message shown anew; False, and only money is counted, once stopped."""
        number = group_number(ref)
        async with self.db.write() as session:
            where = (col(TriageRow.group_id) == number) & (col(TriageRow.attempt) == attempt)
            if "usd" in values:
                await session.exec(update(TriageRow).where(where).values(usd=values.pop("usd")))
            running = where & (col(TriageRow.state) != TriageState.STOPPED)
            changed = await session.exec(update(TriageRow).where(running).values(**values))
            if not changed.rowcount:
                return False
            group = await session.get(GroupRow, number)
            if group is not None:
                await self._touch(session, group)
            if {"facts", "findings"} & values.keys():  # the card names the last change, then the first cause
                await messages.refresh(self.db, session, f"card:{ref}")
            return True

    async def stopped(self, ref: str, attempt: int) -> bool:
        """Whether a person stopped this attempt: read before each tool call and each model call."""
        rows = await self.db.rows(_STATE, number=group_number(ref), attempt=attempt)
        return any(state == TriageState.STOPPED for (state,) in rows)

    async def resolved(self, ref: str) -> bool:
        """Whether the group is over: then nobody needs another ranking."""
        async with self.db.read() as session:
            group = await session.get(GroupRow, group_number(ref))
            return group is not None and group.state == GroupState.RESOLVED

    async def input_since_start(self, ref: str, attempt: int) -> InputSinceStart:
        """What a model must know before each of its turns, in one query."""
        number = group_number(ref)
        rows = await self.db.rows(_STATE_AND_HINTS, number=number, attempt=attempt, hints=_hint_keys(number, attempt))
        return InputSinceStart(
            stopped=any(state == TriageState.STOPPED for state, _, _ in rows),
            hints=tuple(f"{who}: {text}" for _, who, text in rows if who is not None),
        )

    async def add_entry(self, ref: str, text: str, *, key: str, evidence: Sequence[str] = ()) -> None:
        """Write one timeline entry of the triage, once."""
        number = group_number(ref)
        async with self.db.write() as session:
            group = await session.get(GroupRow, number)
            incident = group.incident_id if group else None
            await timeline.add(
                self.db, session, EntryKind.TRIAGE, text, group_id=number, incident_id=incident, evidence=evidence, key=key
            )

    async def hint(self, ref: str, attempt: int, text: str, who: str, *, key: str) -> None:
        """Store what a person writes while the model investigates; its next request holds it. The same `key` is one hint.

        Raises NotFound.
        """
        number = group_number(ref)
        async with self.db.write() as session:
            group = await session.get(GroupRow, number)
            if group is None:
                raise NotFound(f"no group {ref}")
            where = {"group_id": number, "incident_id": group.incident_id, "who": who}
            await timeline.add(self.db, session, EntryKind.NOTE, text, **where, key=f"{_hint_key(number, attempt)}{key}")  # type: ignore[arg-type]

    async def hints(self, ref: str, attempt: int) -> list[str]:
        """What people wrote during an attempt, oldest first."""
        rows = await self.db.rows(_HINTS, hints=_hint_keys(group_number(ref), attempt))
        return [f"{who}: {text}" for who, text in rows]

    async def hints_of(self, ref: str) -> list[Hint]:
        """What people wrote into any attempt of a group: questions, hints, and the title of an incident that they declared."""
        number = group_number(ref)
        questions = select(TriageRow.requester, TriageRow.question).where(
            TriageRow.group_id == number, TriageRow.question != ""
        )
        written = select(TimelineRow.who, TimelineRow.text).where(
            TimelineRow.group_id == number, col(TimelineRow.key).startswith(f"hint:AL-{number}:")
        )
        declared = select(IncidentRow.declared_by, IncidentRow.title).where(IncidentRow.group_id == number)
        async with self.db.read() as session:
            rows = [pair for query in (questions, written, declared) for pair in (await session.exec(query)).all()]
            return [Hint(who, text) for who, text in rows if who != "policy"]

    async def row(self, ref: str, attempt: int | None = None) -> TriageRow | None:
        """One attempt's row; without a number the newest."""
        async with self.db.read() as session:
            return await stored_attempt(session, group_number(ref), attempt)

    async def same_alert_since(self, ref: str, since: datetime) -> list[tuple[str, datetime, dict[str, object]]]:
        """Finished attempts at one of this group's alerts: group, when, findings; newest first.

        Of the group itself those that were about what it is about now.
        """
        number = group_number(ref)
        own, other = aliased(EpisodeRow), aliased(EpisodeRow)
        same = (col(other.source) == own.source) & (col(other.fingerprint) == own.fingerprint)
        query = (
            select(TriageRow)
            .join(other, col(other.group_id) == TriageRow.group_id)
            .join(own, same)
            .where(own.group_id == number, TriageRow.state == TriageState.DONE, col(TriageRow.finished_at) >= since)
            .order_by(col(TriageRow.finished_at).desc())
        )
        async with self.db.read() as session:
            group = await session.get(GroupRow, number)
            rows = (await session.exec(query)).unique().all()
            about_now = [row for row in rows if row.group_id != number or (group and not is_earlier(row, group))]
            return [(f"AL-{row.group_id}", row.finished_at, row.findings) for row in about_now if row.finished_at]

    async def reserve(self, ref: str, attempt: int, usd: float, *, since: datetime, limit: float) -> bool:
        """Set aside what an attempt may cost, if it still fits into `limit` dollars from `since` on; again changes nothing.

        Set aside before it is spent: the attempts of a storm all ask before the first of them has cost anything. What it
        really cost is written over it at the end; an attempt that never ends counts whole.
        """
        own = (col(TriageRow.group_id) == group_number(ref)) & (col(TriageRow.attempt) == attempt)
        async with self.db.write() as session:
            others = (col(TriageRow.started_at) >= since) & ~own
            if not fits(await spent(session, others, col(QuestionRow.at) >= since), usd, limit):
                return False
            await session.exec(update(TriageRow).where(own).values(usd=usd))
            return True

    async def keep_picture(self, key: str, png: bytes, alt: str, title: str) -> None:
        """Store a graph under its key, once."""
        async with self.db.write() as session:
            if await session.get(PictureRow, key) is None:
                session.add(PictureRow(key=key, png=png, alt=alt, title=title, created_at=self.db.clock()))

    async def _touch(self, session: AsyncSession, group: GroupRow, *, requested: bool = False) -> None:
        """Have its message shown anew. A group that is a line of a storm has none until somebody asks or it gets a card."""
        if requested or not group.on_storm_card:
            await touch_triage(self.db, session, group)
        else:
            await messages.refresh(self.db, session, f"triage:AL-{group.id}")


def _hint_key(number: int, attempt: int) -> str:
    return f"hint:AL-{number}:{attempt}:"


def _hint_keys(number: int, attempt: int) -> str:
    return f"{_hint_key(number, attempt)}%"
