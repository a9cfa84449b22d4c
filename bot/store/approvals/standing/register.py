"""The register of standing approvals: listed, used, stopped and ended, each in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import DecisionChoice, Plan, ProposalState
from bot.core.approvals.authority import Authority
from bot.core.approvals.standing import STANDING_APPROVAL, Grant
from bot.core.config import Config
from bot.core.errors import NotFound
from bot.core.messages.content import MessageKind
from bot.core.timeline import EntryKind
from bot.store import audit, messages
from bot.store.approvals import rows, rule_inputs, signatures, transitions
from bot.store.approvals.standing.grants import (
    REVOKED,
    grant_of,
    granted_at,
    revoked,
    verified_in_a_row,
    why_asleep,
    why_ended,
)
from bot.store.approvals.standing.starts import VETOED, begin, objection, offered_at, uses, vetoed
from bot.store.db.database import Database
from bot.store.tables import ProposalRow, SwitchRow


@dataclass(frozen=True)
class GrantSummary:
    """One grant as people see it."""

    ref: str
    service: str
    grant: Grant
    granted_by: Sequence[str]
    until: datetime
    used_today: int
    ended: str = ""
    """Why it does not count any more, or not now; "" while it does."""


class StandingApprovals:
    """Everything that people and workflows do with standing approvals."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config

    async def verified(self, plan: Plan) -> int:
        """Runs in a row, up to now, of exactly this plan that were verified and did no harm."""
        grant = Grant(
            action=plan.action, arguments=plan.arguments, targets=tuple(plan.targets), alert="-", per_day=1, days=1,
            action_version=plan.action_version,
        )  # fmt: skip
        entry = self.config.actions.get(plan.action)
        async with self.db.read() as session:
            undo = entry.undo if entry else ""
            return await verified_in_a_row(self.db, session, grant, plan.service, undo, self.db.clock())

    async def starts_at(self, ref: str) -> str:
        """When a standing approval would start this (ISO 8601); "" if none would."""
        async with self.db.read() as session:
            return await offered_at(self.db, session, await rows.row_of(session, ref))

    async def granters(self, ref: str) -> list[tuple[str, str, str]]:
        """Who granted what would start this: person, team and Slack user."""
        if not (standing_approval := await rows.column_of(self.db, ref, ProposalRow.standing_approval)):
            return []
        async with self.db.read() as session:
            granted = await rows.row_of(session, standing_approval)
            decisions = await rows.decision_rows(session, granted, revision=granted.revision)
            return [(d.person, d.team, d.slack_user) for d in decisions if d.verdict == DecisionChoice.APPROVE]

    async def use(self, ref: str, authority: Authority) -> ProposalState:
        """Let it start if everything still holds; else it waits for people, and its thread says why. The state afterwards."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            await transitions.lock_service(self.db, session, row.service)
            if row.state != ProposalState.PENDING:
                return ProposalState(row.state)
            if why := await signatures.tampering(self.db, session, row):
                await signatures.raise_alarm(self.db, session, row, why)
                return ProposalState(row.state)
            why = await objection(self.db, session, row, authority)
            if not why and self.db.clock() >= row.expires_at:
                why = "it expired"
            if not why and row.record["tier"] > 1 and not rule_inputs.dry_run_counts(row, self.db.clock()):
                why = "its dry run does not work"
            if why:
                await self._leave_to_people(session, row, why)
            else:
                await begin(self.db, session, row)
                text = f"{ref} starts by standing approval {row.standing_approval}"
                await transitions.add_to_timeline(self.db, session, row, EntryKind.DECISION, text, key=f"standing:{ref}")
                await transitions.post_line(self.db, session, row, f"standing:{ref}", f"{text}: nobody stopped it.")
            return ProposalState(row.state)

    async def _leave_to_people(self, session: AsyncSession, row: ProposalRow, why: str) -> None:
        ref = transitions.ref_of(row)
        await audit.append(
            self.db, session, who="tocsin", what="refused: standing", subject=ref, before=row.standing_approval, reason=why
        )
        granted, row.standing_approval, row.starts_at = row.standing_approval, "", None
        session.add(row)
        await session.flush()
        await transitions.refresh_card(self.db, session, row)
        line = f"{ref} does not start by standing approval {granted}: {why}. It waits for people."
        await transitions.post_line(self.db, session, row, f"standing-refused:{ref}", line)

    async def veto(self, ref: str, who: str) -> str:
        """Stop what a standing approval would start: it waits for people. The answer to whoever stopped it. Raises NotFound."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if not row.standing_approval or ProposalState(row.state) is not ProposalState.PENDING:
                return await rows.state_text(session, row, self.db.clock())
            if by := await vetoed(session, row):
                return f"{by} already."
            name = f"{VETOED}:{ref}"
            session.add(SwitchRow(name=name, on=True, who=who, at=self.db.clock()))
            await transitions.mark_human_activity(self.db, session, row.group_id, row.incident_id)
            await audit.append(self.db, session, who=who, what=VETOED, subject=ref, before=row.standing_approval)
            text = f"{who} stopped what standing approval {row.standing_approval} would have started: {ref} waits for people"
            await transitions.add_to_timeline(self.db, session, row, EntryKind.DECISION, text, who=who, key=name)
            await transitions.refresh_card(self.db, session, row)
            return f"{ref} does not start by itself. It can still be approved, or denied."

    # ------------------------------------------------------------ what is granted

    async def services(self) -> frozenset[str]:
        """Those for which anything was ever granted."""
        async with self.db.read() as session:
            return frozenset(row.service for row in await self._granted(session))

    async def newest(self, authority: Authority, service: str) -> list[GrantSummary]:
        """The grants of a service that ever came into force, newest first."""
        async with self.db.read() as session:
            return [await self._summary(session, row, authority) for row in await self._granted(session, service)]

    async def _granted(self, session: AsyncSession, service: str = "") -> Sequence[ProposalRow]:
        query = select(ProposalRow).where(
            ProposalRow.action == STANDING_APPROVAL, ProposalRow.state == ProposalState.SUCCEEDED.value
        )
        if service:
            query = query.where(ProposalRow.service == service)
        return (await session.exec(query.order_by(col(ProposalRow.id).desc()))).all()

    async def _summary(self, session: AsyncSession, row: ProposalRow, authority: Authority) -> GrantSummary:
        grant, began = grant_of(row), await granted_at(self.db, session, row)
        decisions = await rows.decision_rows(session, row, revision=row.revision)
        ended = await why_ended(self.db, session, row, authority) or await why_asleep(self.db, session, row, authority)
        return GrantSummary(
            ref=transitions.ref_of(row),
            service=row.service,
            grant=grant,
            granted_by=[d.person for d in decisions if d.verdict == DecisionChoice.APPROVE],
            until=(began or row.created_at) + timedelta(days=grant.days),
            used_today=await uses(self.db, session, transitions.ref_of(row)),
            ended=ended,
        )

    async def sweep(self, authority: Authority) -> list[str]:
        """End every grant that is over for good, and say so; the references."""
        async with self.db.read() as session:
            grants = [transitions.ref_of(row) for row in await self._granted(session)]
            not_revoked = [ref for ref in grants if not await revoked(session, ref)]
        return [ref for ref in not_revoked if await self._end_if_over(ref, authority)]

    async def _end_if_over(self, ref: str, authority: Authority) -> bool:
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if await revoked(session, ref) or not (why := await why_ended(self.db, session, row, authority)):
                return False
            await self._end(session, row, "tocsin", why)
            return True

    async def revoke(self, ref: str, who: str, reason: str) -> str:
        """End a grant by a person's word; the answer to them. Raises NotFound."""
        async with self.db.write() as session:
            row = await rows.locked(session, ref)
            if row.action != STANDING_APPROVAL:
                raise NotFound(f"{ref} is no standing approval.")
            if why := await revoked(session, ref):
                return f"{ref} ended already: {why}."
            why = f"{who} revoked it" + (f": {reason}" if reason else "")
            await self._end(session, row, who, why)
            return f"{ref} is revoked: {row.record['arguments']['action']} on {row.service} waits for people again."

    async def _end(self, session: AsyncSession, row: ProposalRow, who: str, why: str) -> None:
        ref = transitions.ref_of(row)
        session.add(SwitchRow(name=f"{REVOKED}:{ref}", on=True, who=who, reason=why[:300], at=self.db.clock()))
        await audit.append(
            self.db, session, who=who, what=REVOKED, subject=ref, before="in force", after="revoked", reason=why[:300]
        )
        service = self.config.services.get(row.service)
        channel = service.channel if service and service.channel else self.config.default_channel
        action = row.record["arguments"].get("action", "")
        line = f"Standing approval {ref} ({action} on {row.service}) has ended: {why}. It waits for people again."
        key, kind = f"line:standing-ended:{ref}", MessageKind.LINE
        owners = service.owners if service else ()
        await messages.touch(self.db, session, key, channel=channel, kind=kind, subject=line, mentions=owners)
