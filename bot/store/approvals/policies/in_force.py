"""Which policy counts, by the keyed audit: neither the table `policies` nor the place of a row in the trail decides it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.approvals.policies.policy_review import CONFIRM_WITHIN, TAKEN_BACK_WITHIN
from bot.core.config.policy_snapshot import PolicySnapshot, fingerprint_of
from bot.store import audit
from bot.store.db.database import Database
from bot.store.tables import AuditRow, PolicyRow

KIND = "policy"
"""What an audit row about a policy is called."""
AGREED = "agreed"
"""The message of a row that says that one of two people agrees."""
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Base:
    """A policy that counts, or did until just now."""

    fingerprint: str
    confirmers_in: str
    """The fingerprint of the policy whose people confirm the next: a narrower one may leave nobody who could."""


async def bases(db: Database, session: AsyncSession, within: timedelta = TAKEN_BACK_WITHIN) -> list[Base]:
    """The policy that counts, and those that did until so long ago, newest first; empty before the first start."""
    counted = list[Base]()
    for row in await _in_force(db, session):
        counted.append(Base(row.after, row.message or row.after))
        if row.at < db.clock() - within:
            break
    return counted


async def put_in_force(db: Database, session: AsyncSession, who: str, before: str, base: Base, reason: str) -> None:
    """From now on this policy counts."""
    newest = next(iter(await _in_force(db, session)), None)
    # A clock that is behind another replica's must not make this the older one.
    at = max(db.clock(), newest.at + _TICK) if newest else db.clock()
    message = base.confirmers_in if base.confirmers_in != base.fingerprint else ""
    about = {"what": KIND, "subject": audit.POLICY_IN_FORCE, "before": before, "after": base.fingerprint}
    await audit.append(db, session, who=who, **about, reason=reason, message=message, at=at)


async def content(session: AsyncSession, fingerprint: str) -> PolicySnapshot | None:
    """What the policy of a fingerprint says; None if it is gone, or another than the one that was fingerprinted."""
    query = select(PolicyRow).where(PolicyRow.fingerprint == fingerprint).order_by(col(PolicyRow.id).desc()).limit(1)
    row = (await session.exec(query)).first()
    if row is None or fingerprint_of(row.content) != fingerprint:
        return None
    try:
        return PolicySnapshot.model_validate(row.content)
    except ValidationError:
        return None


async def agreed(db: Database, session: AsyncSession, row: PolicyRow) -> frozenset[str]:
    """Who agreed to this policy already, while a second one was still missing."""
    about = AuditRow.what == KIND, AuditRow.subject == f"POL-{row.id}", AuditRow.message == AGREED
    same = AuditRow.before == row.before, AuditRow.after == row.fingerprint, col(AuditRow.at) > db.clock() - CONFIRM_WITHIN
    return frozenset(entry.who for entry in await audit.genuine_newest_first(db, session, *about, *same))


async def has_request(db: Database, session: AsyncSession, row: PolicyRow) -> bool:
    """Whether the trail has it that this very policy was loaded by whom the row names."""
    about = AuditRow.what == KIND, AuditRow.subject == f"POL-{row.id}", AuditRow.who == row.loaded_by
    same = AuditRow.before == row.before, AuditRow.after == row.fingerprint
    return bool(await audit.genuine_newest_first(db, session, *about, *same))


async def _in_force(db: Database, session: AsyncSession) -> Sequence[AuditRow]:
    rows = [row for row in await audit.about(session, audit.POLICY_IN_FORCE) if row.what == KIND and audit.genuine(db, row)]
    return sorted(rows, key=lambda row: (row.at, row.seq or 0), reverse=True)
