"""Policies as rows: which one counts stands in the keyed audit; what a wider one gives waits for a second person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.approvals.policies.policy_review import (
    CONFIRM_WITHIN,
    TAKEN_BACK_WITHIN,
    Confirmation,
    PolicyState,
    confirmers_text,
    is_base,
    is_wider,
)
from bot.core.approvals.policies.widening import Gain, gains
from bot.core.approvals.roster import Roster
from bot.core.config.policy_snapshot import PolicySnapshot, fingerprint_of
from bot.core.errors import NotAllowed, NotFound
from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.core.messages.proposals import PolicyContent
from bot.core.text.moments import date_to_the_minute
from bot.store import audit, messages
from bot.store.db.database import Database
from bot.store.tables import AuditRow, PolicyRow

KIND = "policy"
"""What an audit row about a policy is called."""
NOBODY = PolicySnapshot()
"""Where what counted is not there any more or was changed: then nobody has a right until the file that counted is loaded."""
_LOOKED_BACK = 20


@dataclass(frozen=True)
class Considered:
    """What came of loading a policy: what holds it back, and what a second person has to agree to."""

    held_back_to: PolicySnapshot | None = None
    ref: str = ""
    gains: Sequence[str] = ()


class Policies:
    """Every method is one transaction. `channel`: where a card stands that asks for a second person."""

    def __init__(self, db: Database, channel: Callable[[], str]) -> None:
        self.db, self._channel = db, channel

    async def base(self) -> str:
        """The fingerprint of the policy that counts; "" before the first start."""
        async with self.db.read() as session:
            return next(iter(await self._bases(session)), "")

    async def held_back_to(self, new: PolicySnapshot) -> PolicySnapshot | None:
        """What a loaded policy is held back to now; None: it counts as it is."""
        async with self.db.read() as session:
            bases = await self._bases(session)
            if not bases or bases[0] == new.fingerprint:
                return None
            old = await self._content(session, bases[0]) or NOBODY
            return old if gains(old, new, self.db.clock()) else None

    async def consider(self, new: PolicySnapshot, who: str, *, anew: bool) -> Considered:
        """Note that this policy was loaded. `anew`: ask again where somebody has rejected it, or nobody answered."""
        async with self.db.write() as session:
            bases = await self._bases(session)
            if not bases:
                return await self._put_in_force(session, new, who, "", "the first policy: there is nothing to compare it with")
            if bases[0] == new.fingerprint:
                return await self._still_counts(session, new, who)
            old = await self._content(session, bases[0])
            earlier = [one for base in bases[1:] if (one := await self._content(session, base))]
            if not is_wider([old or NOBODY, *earlier], new, self.db.clock()):
                return await self._narrower(session, old or NOBODY, new, who)
            if old is not None and not old.confirmers:
                reason = "nobody had a right before, so there is nobody to ask"
                return await self._put_in_force(session, new, who, bases[0], reason)
            return await self._wait(session, old or NOBODY, bases[0], new, who, anew=anew)

    # ------------------------------------------------------------ what people answer

    async def confirm(self, ref: str, person: str, roster: Roster) -> str:
        """Let a waiting policy count; what came of it in words. Raises NotFound, and NotAllowed for who may not."""
        async with self.db.write() as session:
            row = await self._row(session, ref)
            if (over := await self._over(session, row)) is not None:
                return over
            old, new = await self._both(session, row)
            changes = gains(old, new, row.at)
            wish = Confirmation(person, row.asked_by, roster.members_of(old.confirmers), changes)
            if wish.refusal:
                raise NotAllowed(wish.refusal)
            await self._decide(session, row, PolicyState.IN_FORCE, person)
            reason = f"{ref} confirmed by {person}, loaded by {row.asked_by}: {_text(changes)}"
            await self._audit_in_force(session, person, row.before, row.fingerprint, reason)
            return f"{ref} counts now, everywhere. The audit has it."

    async def reject(self, ref: str, person: str, roster: Roster) -> str:
        """Let it not count. Raises like `confirm`."""
        async with self.db.write() as session:
            row = await self._row(session, ref)
            if (over := await self._over(session, row)) is not None:
                return over
            old, _ = await self._both(session, row)
            if person not in (confirmers := roster.members_of(old.confirmers)):
                raise NotAllowed(f"You can't reject this. {confirmers_text(confirmers)}")
            await self._decide(session, row, PolicyState.REJECTED, person)
            await self._audit(session, person, ref, row.before, row.fingerprint, f"rejected: {'; '.join(row.gains)}")
            return f"{ref} is rejected: the rights stay as they were. Take it out of the file, or a reload asks again."

    async def expire(self) -> None:
        """End what nobody answered in time."""
        due = PolicyRow.state == PolicyState.WAITING, col(PolicyRow.until) <= self.db.clock()
        async with self.db.read() as session:
            if (await session.exec(select(PolicyRow.id).where(*due))).first() is None:
                return
        async with self.db.write() as session:
            for row in (await session.exec(select(PolicyRow).where(*due).with_for_update())).all():
                await self._over(session, row)

    async def waiting(self) -> PolicyContent | None:
        """The policy that waits now."""
        async with self.db.read() as session:
            query = select(PolicyRow).where(PolicyRow.state == PolicyState.WAITING).order_by(col(PolicyRow.id).desc()).limit(1)
            row = (await session.exec(query)).first()
            return await policy_content(session, _ref(row)) if row else None

    # ------------------------------------------------------------ inside

    async def _bases(self, session: AsyncSession) -> list[str]:
        """Fingerprints of the policy that counts, and of those that did until TAKEN_BACK_WITHIN ago, by the keyed audit."""
        about = AuditRow.subject == audit.POLICY_IN_FORCE, AuditRow.what == KIND
        query = select(AuditRow).where(*about).order_by(col(AuditRow.seq).desc()).limit(_LOOKED_BACK)
        bases, ended_at = list[str](), datetime.max.replace(tzinfo=self.db.clock().tzinfo)
        for row in (await session.exec(query)).all():
            if not audit.genuine(self.db, row):
                continue
            if bases and ended_at < self.db.clock() - TAKEN_BACK_WITHIN:
                break
            bases.append(row.after)
            ended_at = row.at
        return bases

    async def _content(self, session: AsyncSession, fingerprint: str) -> PolicySnapshot | None:
        """What the policy of a fingerprint says; None if it is gone, or another than the one that was fingerprinted."""
        query = select(PolicyRow).where(PolicyRow.fingerprint == fingerprint).order_by(col(PolicyRow.id).desc()).limit(1)
        row = (await session.exec(query)).first()
        if row is None or fingerprint_of(row.content) != fingerprint:
            return None
        try:
            return PolicySnapshot.model_validate(row.content)
        except ValidationError:
            return None

    async def _still_counts(self, session: AsyncSession, new: PolicySnapshot, who: str) -> Considered:
        await self._replace_waiting(session)
        if await self._content(session, new.fingerprint) is None:
            await self._insert(session, new, who, PolicyState.IN_FORCE)
        return Considered()

    async def _narrower(self, session: AsyncSession, old: PolicySnapshot, new: PolicySnapshot, who: str) -> Considered:
        taken_back = bool(gains(old, new, self.db.clock()))
        if taken_back or is_base(old, new):
            reason = "what counted just now, again" if taken_back else "nobody may do more than before"
            return await self._put_in_force(session, new, who, old.fingerprint, reason)
        await self._replace_waiting(session)
        reason = "nobody may do more than before, and nobody could confirm another: the next is compared with the one before"
        await self._audit(session, who, KIND, old.fingerprint, new.fingerprint, reason)
        return Considered()

    async def _put_in_force(self, session: AsyncSession, new: PolicySnapshot, who: str, before: str, reason: str) -> Considered:
        await self._replace_waiting(session)
        await self._insert(session, new, who, PolicyState.IN_FORCE, before=before)
        await self._audit_in_force(session, who, before, new.fingerprint, reason)
        return Considered()

    async def _wait(
        self, session: AsyncSession, old: PolicySnapshot, before: str, new: PolicySnapshot, who: str, *, anew: bool
    ) -> Considered:
        texts = [gain.text for gain in gains(old, new, self.db.clock())]
        same = PolicyRow.fingerprint == new.fingerprint, PolicyRow.before == before
        query = select(PolicyRow).where(*same).order_by(col(PolicyRow.id).desc()).limit(1)
        row = (await session.exec(query)).first()
        if row is None or (row.state != PolicyState.WAITING and (anew or row.state == PolicyState.REPLACED)):
            await self._replace_waiting(session)
            row = await self._insert(session, new, who, PolicyState.WAITING, before=before, texts=texts)
            reason = f"waits for a second person: {'; '.join(texts)}"
            await self._audit(session, who, _ref(row), before, new.fingerprint, reason)
            await self._touch(session, row)
        return Considered(old, _ref(row), texts)

    async def _insert(
        self,
        session: AsyncSession,
        new: PolicySnapshot,
        who: str,
        state: PolicyState,
        *,
        before: str = "",
        texts: Sequence[str] = (),
    ) -> PolicyRow:
        now = self.db.clock()
        row = PolicyRow(
            fingerprint=new.fingerprint,
            content=new.model_dump(mode="json"),
            state=state,
            before=before,
            gains=list(texts),
            asked_by=who,
            at=now,
            until=now + CONFIRM_WITHIN,
        )
        session.add(row)
        await session.flush()
        return row

    async def _replace_waiting(self, session: AsyncSession) -> None:
        query = select(PolicyRow).where(PolicyRow.state == PolicyState.WAITING).with_for_update()
        for row in (await session.exec(query)).all():
            await self._decide(session, row, PolicyState.REPLACED, "")
            await self._audit(session, "tocsin", _ref(row), row.before, row.fingerprint, "replaced: another file was loaded")

    async def _row(self, session: AsyncSession, ref: str) -> PolicyRow:
        row = await session.get(PolicyRow, number_of(ref, "POL") or 0, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound(f"There is no policy {ref} that waits.")
        return row

    async def _over(self, session: AsyncSession, row: PolicyRow) -> str | None:
        """What became of it, where it waits no more; None while it waits."""
        ref = _ref(row)
        if row.state == PolicyState.WAITING and self.db.clock() >= row.until:
            await self._decide(session, row, PolicyState.EXPIRED, "")
            await self._audit(session, "tocsin", ref, row.before, row.fingerprint, "expired: nobody confirmed it in time")
        if row.state == PolicyState.WAITING:
            return None
        by = f" by {row.decided_by}" if row.decided_by else ""
        return f"{ref} is {row.state}{by}" + (f" since {date_to_the_minute(row.decided_at)}." if row.decided_at else ".")

    async def _both(self, session: AsyncSession, row: PolicyRow) -> tuple[PolicySnapshot, PolicySnapshot]:
        """What counts and what waits, if both are what was shown. Raises NotAllowed."""
        old, new = await self._content(session, row.before), await self._content(session, row.fingerprint)
        if old is None or new is None or next(iter(await self._bases(session)), "") != row.before:
            raise NotAllowed("What counts has changed since this was shown, so nothing was decided. Reload the file.")
        if [gain.text for gain in gains(old, new, row.at)] != row.gains:
            raise NotAllowed("What is stored is not what was shown, so nothing was decided. Reload the file.")
        return old, new

    async def _decide(self, session: AsyncSession, row: PolicyRow, state: PolicyState, person: str) -> None:
        row.state, row.decided_by, row.decided_at = state, person, self.db.clock()
        session.add(row)
        await session.flush()
        await self._touch(session, row)

    async def _touch(self, session: AsyncSession, row: PolicyRow) -> None:
        ref, channel = _ref(row), self._channel()
        await messages.touch(self.db, session, f"policy:{ref}", channel=channel, kind=MessageKind.POLICY, subject=ref)

    async def _audit_in_force(self, session: AsyncSession, who: str, before: str, after: str, reason: str) -> None:
        await self._audit(session, who, audit.POLICY_IN_FORCE, before, after, reason)

    async def _audit(self, session: AsyncSession, who: str, subject: str, before: str, after: str, reason: str) -> None:
        await audit.append(self.db, session, who=who, what=KIND, subject=subject, before=before, after=after, reason=reason)


def _ref(row: PolicyRow) -> str:
    return f"POL-{row.id}"


def _text(changes: Sequence[Gain]) -> str:
    return "; ".join(gain.text for gain in changes)


async def policy_content(session: AsyncSession, ref: str) -> PolicyContent | None:
    """What the card of `POL-n` shows."""
    row = await session.get(PolicyRow, number_of(ref, "POL") or 0)
    if row is None:
        return None
    query = select(PolicyRow).where(PolicyRow.fingerprint == row.before).order_by(col(PolicyRow.id).desc()).limit(1)
    before = (await session.exec(query)).first()
    return PolicyContent(
        ref=ref,
        state=PolicyState(row.state),
        gains=row.gains,
        loaded_by=row.asked_by,
        until=row.until,
        who_may=confirmers_text(PolicySnapshot.model_validate(before.content).confirmers if before else ()),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
