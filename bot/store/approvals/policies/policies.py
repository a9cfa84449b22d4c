"""Policies as rows: which one counts stands in the keyed audit; what a wider one gives waits for a second person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.approvals.policies.policy_review import (
    CONFIRM_WITHIN,
    Confirmation,
    PolicyState,
    confirmers_text,
    confirmers_there,
    is_base,
    leaves_somebody,
)
from bot.core.approvals.policies.widening import Gain, gains
from bot.core.approvals.roster import Roster
from bot.core.config.policy_snapshot import GROUP, PolicySnapshot
from bot.core.errors import NotAllowed, NotFound
from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.core.messages.proposals import PolicyContent
from bot.core.text.moments import date_to_the_minute
from bot.store import audit, messages
from bot.store.approvals.policies.in_force import AGREED, KIND, Base, agreed, bases, content, has_request, put_in_force
from bot.store.db.database import Database
from bot.store.tables import AuditRow, PolicyRow

NOBODY = PolicySnapshot()
"""Where what counted is not there any more or was changed: then nobody has a right until the file that counted is loaded."""


@dataclass(frozen=True)
class PolicyReviewResult:
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
            return next((base.fingerprint for base in await bases(self.db, session)), "")

    async def held_back_to(self, new: PolicySnapshot) -> PolicySnapshot | None:
        """What a loaded policy is held back to now; None: it counts as it is."""
        async with self.db.read() as session:
            base = next(iter(await bases(self.db, session)), None)
            if base is None or base.fingerprint == new.fingerprint:
                return None
            old = await content(session, base.fingerprint) or NOBODY
            return old if gains(old, new, self.db.clock()) else None

    async def consider(self, new: PolicySnapshot, who: str, *, anew: bool) -> PolicyReviewResult:
        """Note that this policy was loaded. `anew`: ask again where somebody has rejected it, or nobody answered."""
        async with self.db.write() as session:
            counted = await bases(self.db, session)
            if not counted:
                reason = "the first policy: there is nothing to compare it with"
                return await self._put_in_force(session, new, who, "", reason)
            if counted[0].fingerprint == new.fingerprint:
                return await self._still_counts(session, new, who)
            for base in counted:
                old = await content(session, base.fingerprint)
                if old is None and base is not counted[0]:
                    continue
                if not gains(old or NOBODY, new, self.db.clock()):
                    return await self._narrower(session, base, counted[0], new, who)
            return await self._wider(session, counted[0], new, who, anew=anew)

    # ------------------------------------------------------------ what people answer

    async def confirm(self, ref: str, person: str, roster: Roster) -> str:
        """Let a waiting policy count; what came of it in words. Raises NotFound, and NotAllowed for who may not."""
        async with self.db.write() as session:
            row = await self._row(session, ref)
            if (over := await self._over(session, row)) is not None:
                return over
            confirmation, base = await self._confirmation(session, row, person, roster)
            if confirmation.refusal:
                raise NotAllowed(confirmation.refusal)
            earlier = await agreed(self.db, session, row)
            if not confirmation.is_enough(earlier):
                return await self._agree(session, row, confirmation, earlier)
            await self._decide(session, row, PolicyState.IN_FORCE, person)
            people = " and ".join(sorted({person, *earlier & confirmation.confirmers}))
            reason = f"{ref} confirmed by {people}, loaded by {row.loaded_by}: {_text(confirmation.gains)}"
            await put_in_force(self.db, session, person, base.fingerprint, Base(row.fingerprint, row.fingerprint), reason)
            return f"{ref} counts now, everywhere. The audit has it."

    async def reject(self, ref: str, person: str, roster: Roster) -> str:
        """Let it not count. Raises like `confirm`."""
        async with self.db.write() as session:
            row = await self._row(session, ref)
            if (over := await self._over(session, row)) is not None:
                return over
            confirmation, _ = await self._confirmation(session, row, person, roster)
            if person not in confirmation.confirmers:
                raise NotAllowed(f"You can't reject this. {confirmers_text(confirmation.confirmers)}")
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

    async def _still_counts(self, session: AsyncSession, new: PolicySnapshot, who: str) -> PolicyReviewResult:
        await self._replace_waiting(session)
        if await content(session, new.fingerprint) is None:
            await self._insert(session, new, who, PolicyState.IN_FORCE)
        return PolicyReviewResult()

    async def _narrower(
        self, session: AsyncSession, base: Base, counted: Base, new: PolicySnapshot, who: str
    ) -> PolicyReviewResult:
        """It gives nobody more than `base`, which counts or did until just now."""
        source = await content(session, base.confirmers_in)
        reverted = base is not counted
        if source is not None and source.confirmers and not reverted and not leaves_somebody(source, new):
            return await self._too_narrow(session, counted, new, who)
        reason = "what counted just now, again" if reverted else "nobody may do more than before"
        own = source is not None and (is_base(source, new) or not source.confirmers)
        confirmers_in = new.fingerprint if own else base.confirmers_in
        return await self._put_in_force(session, new, who, counted.fingerprint, reason, confirmers_in=confirmers_in)

    async def _too_narrow(self, session: AsyncSession, counted: Base, new: PolicySnapshot, who: str) -> PolicyReviewResult:
        """Nobody could ever confirm another than this one, such as an empty file."""
        await self._replace_waiting(session)
        reason = "nobody may do more than before, nor confirm another: the next is compared with the one before"
        await self._audit(session, who, KIND, counted.fingerprint, new.fingerprint, reason)
        return PolicyReviewResult()

    async def _wider(
        self, session: AsyncSession, base: Base, new: PolicySnapshot, who: str, *, anew: bool
    ) -> PolicyReviewResult:
        source = await content(session, base.confirmers_in)
        if source is not None and not source.confirmers:
            reason = "nobody had a right before, so there is nobody to ask"
            return await self._put_in_force(session, new, who, base.fingerprint, reason)
        old = await content(session, base.fingerprint) or NOBODY
        return await self._wait(session, old, base.fingerprint, new, who, anew=anew)

    async def _put_in_force(
        self, session: AsyncSession, new: PolicySnapshot, who: str, before: str, reason: str, *, confirmers_in: str = ""
    ) -> PolicyReviewResult:
        await self._replace_waiting(session)
        await self._insert(session, new, who, PolicyState.IN_FORCE, before=before)
        base = Base(new.fingerprint, confirmers_in or new.fingerprint)
        await put_in_force(self.db, session, who, before, base, reason)
        return PolicyReviewResult()

    async def _wait(
        self, session: AsyncSession, old: PolicySnapshot, before: str, new: PolicySnapshot, who: str, *, anew: bool
    ) -> PolicyReviewResult:
        texts = [gain.text for gain in gains(old, new, self.db.clock())]
        same = PolicyRow.fingerprint == new.fingerprint, PolicyRow.before == before
        query = select(PolicyRow).where(*same).order_by(col(PolicyRow.id).desc()).limit(1)
        row = (await session.exec(query)).first()
        if row is not None:
            await self._over(session, row)
        if row is None or (row.state != PolicyState.WAITING and (anew or row.state == PolicyState.REPLACED)):
            await self._replace_waiting(session)
            row = await self._insert(session, new, who, PolicyState.WAITING, before=before, texts=texts)
            reason = f"waits for a second person: {'; '.join(texts)}"
            await self._audit(session, who, _ref(row), before, new.fingerprint, reason)
            await self._touch(session, row)
        return PolicyReviewResult(old, _ref(row), texts)

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
            loaded_by=who,
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

    async def _confirmation(
        self, session: AsyncSession, row: PolicyRow, person: str, roster: Roster
    ) -> tuple[Confirmation, Base]:
        """Somebody's confirmation, and the policy that counts, if everything is what was shown. Raises NotAllowed."""
        base, source, changes = await self._unchanged(session, row)
        confirmers, stand_in = confirmers_there(source, roster.reachable(), roster.members_of)
        confirmation = Confirmation(
            person=person,
            loaded_by=row.loaded_by,
            confirmers=confirmers,
            gains=changes,
            people=source.accounts,
            stand_in=stand_in,
            until_now=await self._until_now(session, roster),
        )
        return confirmation, base

    async def _unchanged(self, session: AsyncSession, row: PolicyRow) -> tuple[Base, PolicySnapshot, tuple[Gain, ...]]:
        """What counts, the policy whose people confirm, and what gets wider. Raises NotAllowed unless all is as shown."""
        base = next(iter(await bases(self.db, session)), None)
        old, new = await content(session, row.before), await content(session, row.fingerprint)
        source = await content(session, base.confirmers_in) if base else None
        if base is None or old is None or new is None or source is None or base.fingerprint != row.before:
            raise NotAllowed("What counts has changed since this was shown, so nothing was decided. Reload the file.")
        changes = gains(old, new, row.at)
        if [gain.text for gain in changes] != row.gains or not await has_request(self.db, session, row):
            raise NotAllowed("What is stored is not what was shown, so nothing was decided. Reload the file.")
        return base, source, changes

    async def _until_now(self, session: AsyncSession, roster: Roster) -> frozenset[str]:
        """Who could have confirmed at some time of the last CONFIRM_WITHIN, though a file has taken them out meanwhile."""
        people = set[str]()
        for base in await bases(self.db, session, CONFIRM_WITHIN):
            policy, source = await content(session, base.fingerprint), await content(session, base.confirmers_in)
            if policy is not None and source is not None:
                people |= {name for name in roster.members_of(source.confirmers) if policy.accounts.get(name)}
        return frozenset(people)

    async def _agree(self, session: AsyncSession, row: PolicyRow, confirmation: Confirmation, earlier: frozenset[str]) -> str:
        """Note that one of two agrees; what is still missing in words."""
        ref, others = _ref(row), confirmation.confirmers - {confirmation.person, confirmation.loader}
        if confirmation.person not in earlier:
            reason = f"agrees: {_text(confirmation.gains)}"
            await self._audit(session, confirmation.person, ref, row.before, row.fingerprint, reason, message=AGREED)
            await self._touch(session, row)
        return f"You agree to {ref}. Nothing counts yet: one more person has to confirm it. {confirmers_text(others)}"

    async def _decide(self, session: AsyncSession, row: PolicyRow, state: PolicyState, person: str) -> None:
        row.state, row.decided_by, row.decided_at = state, person, self.db.clock()
        session.add(row)
        await session.flush()
        await self._touch(session, row)

    async def _touch(self, session: AsyncSession, row: PolicyRow) -> None:
        ref, channel = _ref(row), self._channel()
        await messages.touch(self.db, session, f"policy:{ref}", channel=channel, kind=MessageKind.POLICY, subject=ref)

    async def _audit(
        self, session: AsyncSession, who: str, subject: str, before: str, after: str, reason: str, *, message: str = ""
    ) -> None:
        hashes = {"before": before, "after": after}
        await audit.append(
            self.db, session, who=who, what=KIND, subject=subject, reason=reason, message=message, at=None, **hashes
        )


def _ref(row: PolicyRow) -> str:
    return f"POL-{row.id}"


def _text(changes: Sequence[Gain]) -> str:
    return "; ".join(gain.text for gain in changes)


async def policy_content(session: AsyncSession, ref: str) -> PolicyContent | None:
    """What the card of `POL-n` shows."""
    row = await session.get(PolicyRow, number_of(ref, "POL") or 0)
    if row is None:
        return None
    return PolicyContent(
        ref=ref,
        state=PolicyState(row.state),
        gains=row.gains,
        loaded_by=row.loaded_by,
        until=row.until,
        who_may=await _who_may(session, row),
        agreed=await _agreed_so_far(session, ref),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


async def _who_may(session: AsyncSession, row: PolicyRow) -> str:
    """For reading only, so the trail's rows are taken as they are."""
    query = select(AuditRow).where(AuditRow.subject == audit.POLICY_IN_FORCE, AuditRow.after == row.before)
    base = (await session.exec(query.order_by(col(AuditRow.seq).desc()).limit(1))).first()
    source = await content(session, base.message or base.after) if base else None
    new = await content(session, row.fingerprint)
    if source is None or new is None:
        return confirmers_text(())
    groups = {name for name in source.rostered if name.startswith(GROUP)}
    confirmers, stand_in = confirmers_there(source, {*new.accounts, *groups}, frozenset)
    confirmation = Confirmation(
        person="", loaded_by=row.loaded_by, confirmers=confirmers, gains=(), people=source.accounts, stand_in=stand_in
    )
    return confirmers_text(confirmers, confirmation.needed, can="can confirm it")


async def _agreed_so_far(session: AsyncSession, ref: str) -> tuple[str, ...]:
    about = AuditRow.what == KIND, AuditRow.subject == ref, AuditRow.message == AGREED
    return tuple((await session.exec(select(AuditRow.who).where(*about).order_by(col(AuditRow.seq)))).all())
