"""Approvals as the tables have them, beside the audit that tells of each: whoever holds the database can change both alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ATTEMPT_STARTED, DecisionChoice, ProposalState
from bot.core.incident import number_of
from bot.core.text.untrusted import escape_controls
from bot.store.approvals.transitions import ref_of
from bot.store.db.database import Database
from bot.store.tables import AttemptRow, AuditRow, ClaimRow, DecisionRow, ProposalRow

_ANSWERS = tuple(choice.value for choice in DecisionChoice)


@dataclass
class _Recorded:
    """What the audit says of one proposal: its transitions, oldest first, and the last answer of each person to a revision."""

    moves: list[AuditRow] = field(default_factory=list)
    answers: dict[tuple[str, str], AuditRow] = field(default_factory=dict)

    def note(self, row: AuditRow) -> None:
        if row.what == "proposal":
            self.moves.append(row)
        elif row.what in _ANSWERS:
            self.answers[row.who, row.message] = row

    def to(self, state: ProposalState) -> list[AuditRow]:
        return [move for move in self.moves if move.after == state]

    def leaving(self, state: ProposalState) -> list[AuditRow]:
        return [move for move in self.moves if move.before == state]


@dataclass(frozen=True)
class _Stored:
    """What the tables hold of one proposal; of a plan a claim and an attempt for each step."""

    proposal: ProposalRow
    decisions: Sequence[DecisionRow]
    claims: Sequence[ClaimRow]
    attempts: Sequence[AttemptRow]


async def contradictions(db: Database, kept_for: timedelta) -> list[str]:
    """Where the tables of proposals, decisions, claims and attempts differ from the audit, in words.

    A proposal whose last transition is older than `kept_for` may be gone: retention deletes what is over.
    """
    async with db.read() as session:
        recorded, since = await _recorded(session), await _trail_since(session)
        stored = await _stored(session)
    kept_since = db.clock() - kept_for
    problems: list[str] = []
    for ref in sorted(recorded.keys() | stored.keys(), key=lambda one: number_of(one, "AP") or 0):
        problems += [f"{ref} {problem}" for problem in _of_one(recorded.get(ref), stored.get(ref), since, kept_since)]
    return problems


async def _recorded(session: AsyncSession) -> Mapping[str, _Recorded]:
    query = select(AuditRow).where(col(AuditRow.subject).like("AP-%"), col(AuditRow.what).in_(("proposal", *_ANSWERS)))
    recorded: dict[str, _Recorded] = defaultdict(_Recorded)
    for row in (await session.exec(query.order_by(col(AuditRow.seq)))).all():
        recorded[row.subject].note(row)
    return recorded


async def _trail_since(session: AsyncSession) -> datetime | None:
    """The beginning of the trail: nothing is known of what is older."""
    return (await session.exec(select(AuditRow.at).order_by(col(AuditRow.seq)).limit(1))).first()


async def _stored(session: AsyncSession) -> Mapping[str, _Stored]:
    decisions: dict[int, list[DecisionRow]] = defaultdict(list)
    claims: dict[int, list[ClaimRow]] = defaultdict(list)
    attempts: dict[int, list[AttemptRow]] = defaultdict(list)
    for decision in (await session.exec(select(DecisionRow).order_by(col(DecisionRow.id)))).all():
        decisions[decision.proposal_id].append(decision)
    for claim in (await session.exec(select(ClaimRow).order_by(col(ClaimRow.step)))).all():
        claims[claim.proposal_id].append(claim)
    for attempt in (await session.exec(select(AttemptRow).order_by(col(AttemptRow.step)))).all():
        attempts[attempt.proposal_id].append(attempt)
    rows = [(row, row.id or 0) for row in (await session.exec(select(ProposalRow))).all()]
    return {ref_of(row): _Stored(row, decisions[number], claims[number], attempts[number]) for row, number in rows}


def _of_one(recorded: _Recorded | None, stored: _Stored | None, since: datetime | None, kept_since: datetime) -> Iterator[str]:
    if stored is None:
        if recorded and recorded.moves and recorded.moves[-1].at > kept_since:
            yield "is gone from the table of proposals, and the audit tells of it"
        return
    if since is None or stored.proposal.created_at < since:
        return
    if recorded is None or not recorded.moves:
        yield "stands in the table of proposals, and the audit knows nothing of it"
        return
    if recorded.moves[-1].after != stored.proposal.state:
        yield f"is {stored.proposal.state} in its table, and {recorded.moves[-1].after} by the audit"
    yield from _of_answers(recorded, stored.decisions)
    yield from _of_the_run(recorded, stored)


def _of_answers(recorded: _Recorded, decisions: Sequence[DecisionRow]) -> Iterator[str]:
    stored = {(row.person, f"r{row.revision} {row.plan_fingerprint}"): row for row in decisions}
    for key, row in recorded.answers.items():
        decision = stored.get(key)
        if decision is None:
            yield f"lacks the answer that {row.who} gave by the audit"
        elif decision.verdict != row.what or escape_controls(decision.reason) != row.reason:
            yield f"has another answer of {row.who} than the audit"
    for person, _ in stored.keys() - recorded.answers.keys():
        yield f"has an answer of {person} that the audit does not know"


def _of_the_run(recorded: _Recorded, stored: _Stored) -> Iterator[str]:
    yield from _counts("claim", len(recorded.to(ProposalState.CLAIMED)), len(stored.claims))
    starts, ends = recorded.to(ProposalState.EXECUTING), recorded.leaving(ProposalState.EXECUTING)
    yield from _counts("attempt", len(starts), len(stored.attempts))
    for start, attempt in zip(starts, stored.attempts, strict=False):
        if not f"{start.message} ".startswith(f"key {attempt.idempotency_key} "):
            yield "has another idempotency key than the audit"
    if sum(attempt.state != ATTEMPT_STARTED for attempt in stored.attempts) != min(len(ends), len(stored.attempts)) or any(
        not end.reason.endswith(escape_controls(attempt.outcome)) for end, attempt in zip(ends, stored.attempts, strict=False)
    ):
        yield "has another outcome of its attempt than the audit"


def _counts(what: str, by_audit: int, stored: int) -> Iterator[str]:
    if stored < by_audit:
        yield f"lacks its {what}"
    elif stored > by_audit:
        yield f"has {'an' if what[0] == 'a' else 'a'} {what} that the audit does not know"
