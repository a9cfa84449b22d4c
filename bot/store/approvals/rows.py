"""Proposal rows as nouns, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DECIDABLE, Decision, DecisionChoice, Proposal, ProposalState, Terms
from bot.core.approvals.canonical_record import terms_of
from bot.core.errors import NotFound
from bot.core.incident import number_of, reference
from bot.core.text.moments import minute_of_day
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import DecisionRow, GroupRow, IncidentRow, ProposalRow

DENIABLE = (*DECIDABLE, ProposalState.APPROVED, ProposalState.CLAIMED)
"""A denial wins as long as the remote call has not begun."""
UNDO = "back"
"""Begins the key of a proposal that undoes another one, before that one's reference."""
_BESIDE_THE_RECORD = set(Proposal.model_fields) - set(Terms.model_fields) | {"dry_run"}
"""What a proposal takes from columns of its row; everything else is in the record."""


@dataclass(frozen=True)
class Owner:
    """The group and incident to which a proposal belongs."""

    group_id: int | None = None
    incident_id: int | None = None


async def locked(session: AsyncSession, ref: str) -> ProposalRow:
    """The row as it is now, locked until the transaction ends. Raises NotFound."""
    number = transitions.proposal_number(ref)
    row = await transitions.lock(session, number) if number is not None else None
    if row is None:
        raise NotFound(f"There is no proposal {ref}.")
    return row


async def row_of(session: AsyncSession, ref: str) -> ProposalRow:
    """The row, to read. Raises NotFound."""
    number = transitions.proposal_number(ref)
    row = await session.get(ProposalRow, number) if number is not None else None
    if row is None:
        raise NotFound(f"There is no proposal {ref}.")
    return row


async def column_of(db: Database, ref: str, column: str) -> str:
    """One column of a proposal that holds a text, which takes half the time of its row. Raises NotFound."""
    values = await db.rows(select(column).where(col(ProposalRow.id) == transitions.proposal_number(ref)))
    if not values:
        raise NotFound(f"There is no proposal {ref}.")
    return str(values[0][0])


def undoes(key: str) -> str:
    """The reference of what the proposal with this key undoes; "" where it undoes none."""
    kind, _, rest = key.partition(":")
    return rest.partition(":")[0] if kind == UNDO else ""


async def owner_of(session: AsyncSession, ref: str) -> Owner:
    """The group and incident behind `AL-n` or `INC-n`; neither for an empty reference. Raises NotFound."""
    if (number := number_of(ref, "AL")) is not None:
        group = await session.get(GroupRow, number)
        if group is None:
            raise NotFound(f"There is no alert group {ref}.")
        return Owner(number, group.incident_id)
    if (number := number_of(ref, "INC")) is not None:
        incident = await session.get(IncidentRow, number)
        if incident is None:
            raise NotFound(f"There is no incident {ref}.")
        return Owner(incident.group_id, number)
    if ref:
        raise NotFound(f"{ref} is neither an alert group (AL-n) nor an incident (INC-n).")
    return Owner()


def stored_terms(row: ProposalRow) -> Terms:
    """What people approve, from the row's record."""
    return terms_of(row.record, row.dry_run)


def stored_proposal(row: ProposalRow) -> Proposal:
    """The row as a proposal, of the group in whose hands it is now: another one, where its own was merged into that."""
    group = {"group": reference("AL", row.group_id)} if row.group_id else {}
    return Proposal.model_validate({**row.record, **group, **row.model_dump(include=_BESIDE_THE_RECORD)})


def stored_decision(row: DecisionRow) -> Decision:
    """One person's answer."""
    fields = row.model_dump(include={"revision", "person", "verdict", "reason", "at"})
    return Decision.model_validate({**fields, "proposal": f"AP-{row.proposal_id}"})


async def decision_rows(session: AsyncSession, row: ProposalRow, *, revision: int | None = None) -> Sequence[DecisionRow]:
    """Answers, oldest first; of one revision or of all."""
    query = select(DecisionRow).where(DecisionRow.proposal_id == row.id).order_by(col(DecisionRow.at), col(DecisionRow.id))
    if revision is not None:
        query = query.where(DecisionRow.revision == revision)
    return (await session.exec(query)).all()


async def state_text(session: AsyncSession, row: ProposalRow, now: datetime) -> str:
    """The answer to a late press: who did what and when."""
    ref, state = transitions.ref_of(row), ProposalState(row.state)
    rows = await decision_rows(session, row, revision=row.revision)
    answers = ", ".join(f"already {DecisionChoice(d.verdict).past} by {d.person} at {minute_of_day(d.at, now)}" for d in rows)
    if state is ProposalState.EXPIRED:
        return f"{ref} expired at {minute_of_day(row.expires_at, now)}; propose it anew if it is still needed."
    return f"{ref} is {state.predicate}" + (f": {answers}." if answers else ".") + (f" {row.outcome}" if row.outcome else "")
