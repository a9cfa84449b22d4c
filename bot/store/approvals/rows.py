"""Proposal rows as nouns, and what the rules are asked about them, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Decision, Proposal, ProposalState, Tier
from bot.core.approvals import policy
from bot.core.approvals.policy_types import DRY_RUN_LIFE, ActionRequest, CountedDecision, DecisionContext
from bot.core.approvals.record import proposal_of
from bot.core.approvals.roster import Eligibility, Roster
from bot.core.config import Config, parse_duration
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.text.moments import clock_to_the_minute
from bot.store.approvals import transitions as edges
from bot.store.approvals.context import scene_of
from bot.store.approvals.revisions import last_verified
from bot.store.db.database import Database
from bot.store.tables import DecisionRow, GroupRow, IncidentRow, ProposalRow

DECIDABLE = (ProposalState.PENDING, ProposalState.PARTLY_APPROVED)
DENIABLE = (*DECIDABLE, ProposalState.APPROVED, ProposalState.CLAIMED)
"""A denial wins as long as the remote call has not begun."""


@dataclass(frozen=True)
class Places:
    """Where a proposal belongs."""

    group_id: int | None = None
    incident_id: int | None = None


async def locked(session: AsyncSession, ref: str) -> ProposalRow:
    """The row, locked until the transaction ends. Raises NotFound."""
    number = edges.proposal_number(ref)
    row = await edges.lock(session, number) if number is not None else None
    if row is None:
        raise NotFound(f"There is no proposal {ref}.")
    return row


async def row_of(session: AsyncSession, ref: str) -> ProposalRow:
    """The row, to read. Raises NotFound."""
    number = edges.proposal_number(ref)
    row = await session.get(ProposalRow, number) if number is not None else None
    if row is None:
        raise NotFound(f"There is no proposal {ref}.")
    return row


async def places(session: AsyncSession, ref: str) -> Places:
    """The group and incident behind `AL-n` or `INC-n`; neither for an empty reference. Raises NotFound."""
    if (number := number_of(ref, "AL")) is not None:
        group = await session.get(GroupRow, number)
        if group is None:
            raise NotFound(f"There is no alert group {ref}.")
        return Places(number, group.incident_id)
    if (number := number_of(ref, "INC")) is not None:
        incident = await session.get(IncidentRow, number)
        if incident is None:
            raise NotFound(f"There is no incident {ref}.")
        return Places(incident.group_id, number)
    if ref:
        raise NotFound(f"{ref} is neither an alert group (AL-n) nor an incident (INC-n).")
    return Places()


def noun(row: ProposalRow) -> Proposal:
    """The row as people see it."""
    return proposal_of(
        row.record,
        digest=row.digest,
        state=row.state,
        dry_run=row.dry_run,
        dry_run_at=row.dry_run_at,
        outcome=row.outcome,
        verification=row.verification,
        created_at=row.created_at,
    )


def decision_noun(row: DecisionRow) -> Decision:
    """One person's answer as people see it."""
    answer: Any = row.verdict
    return Decision(
        proposal=f"AP-{row.proposal_id}", revision=row.revision, person=row.person, verdict=answer, reason=row.reason, at=row.at
    )


async def decision_rows(session: AsyncSession, row: ProposalRow, *, revision: int | None = None) -> Sequence[DecisionRow]:
    """Answers, oldest first; of one revision or of all."""
    query = select(DecisionRow).where(DecisionRow.proposal_id == row.id).order_by(col(DecisionRow.at), col(DecisionRow.id))
    if revision is not None:
        query = query.where(DecisionRow.revision == revision)
    return (await session.exec(query)).all()


def ask_of(row: ProposalRow, config: Config, *, fresh: bool) -> ActionRequest:
    """What the rules are asked about a stored proposal. `fresh`: whether its dry run counts."""
    record = row.record
    entry = config.actions.get(record["action"])
    return ActionRequest(
        action=record["action"],
        service=record["service"],
        tier=Tier(record["tier"]),
        targets=tuple(record["targets"]),
        requester=record["requester"],
        undoes_change=entry is not None and policy.undoes_change(entry),
        dry_run_ok=fresh,
        notified_at=row.notified_at,
        kind=record["kind"],
        silence=silence_of(record["kind"], record["arguments"]),
        back_to=_back_to(row, config),
    )


def silence_of(kind: str, arguments: Any) -> timedelta | None:
    """How long a silence would last; None for everything else."""
    if kind != "silence_alert" or not arguments.get("duration"):
        return None
    return parse_duration(arguments["duration"])


async def surroundings(
    db: Database, session: AsyncSession, config: Config, row: ProposalRow, targets: Iterable[str] | None = None
) -> DecisionContext:
    """The scene around a stored proposal."""
    scene = await scene_of(
        db,
        session,
        config,
        service=row.service,
        group_id=row.group_id,
        incident_id=row.incident_id,
        targets=row.record["targets"] if targets is None else targets,
        own=row.id,
    )
    if not _back_to(row, config):
        return scene
    return replace(scene, verified_revision=await last_verified(db, session, row.service, row.action))


def _back_to(row: ProposalRow, config: Config) -> str:
    """The revision to which a rollback would go back; "" for everything else."""
    entry = config.actions.get(row.record["action"])
    return str(row.record["arguments"].get("previous_version", "")) if entry and policy.undoes_change(entry) else ""


async def standing(
    session: AsyncSession, person: str, service: str, where: Places, roster: Roster, scene: DecisionContext
) -> Eligibility:
    """What a person is to this service and incident now."""
    incident = await session.get(IncidentRow, where.incident_id) if where.incident_id is not None else None
    if incident is None:
        return roster.standing(person, service, scene.now)
    return roster.standing(person, service, scene.now, lead=incident.lead, deputies=incident.deputies)


async def said(
    session: AsyncSession, row: ProposalRow, roster: Roster, scene: DecisionContext, *, without: frozenset[str] = frozenset()
) -> list[CountedDecision]:
    """The answers to the current revision, each with the person's standing now. `without`: people who no longer count."""
    where = Places(row.group_id, row.incident_id)
    found = []
    for decision in await decision_rows(session, row, revision=row.revision):
        person = "" if decision.person in without else decision.person
        now = await standing(session, person, row.service, where, roster, scene)
        verdict: Any = decision.verdict
        found.append(CountedDecision(standing=now, verdict=verdict, at=decision.at, reason=decision.reason))
    return found


def dry_run_fresh(row: ProposalRow, scene: DecisionContext) -> bool:
    """Whether the shown dry run worked and still counts."""
    return bool(row.record.get("dry_run_ok")) and scene.now - row.dry_run_at <= DRY_RUN_LIFE


async def happened(session: AsyncSession, row: ProposalRow) -> str:
    """What a late press is answered with: who did what and when."""
    ref, state = edges.ref_of(row), ProposalState(row.state)
    rows = await decision_rows(session, row, revision=row.revision)
    answers = ", ".join(f"already {_PAST[d.verdict]} by {d.person} at {clock_to_the_minute(d.at)}" for d in rows)
    if state is ProposalState.EXPIRED:
        return f"{ref} expired at {clock_to_the_minute(row.expires_at)}; propose it anew if it is still needed."
    return f"{ref} is {state.value}" + (f": {answers}." if answers else ".") + (f" {row.outcome}" if row.outcome else "")


_PAST = {"approve": "approved", "deny": "denied"}
