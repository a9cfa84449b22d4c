"""The open groups that a batch changes: each is read and locked once, and its card is shown again once, at the end."""

from collections.abc import Iterable

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import GroupState
from bot.store.alerts import groups
from bot.store.alerts.sorting.open_groups import OpenGroups
from bot.store.db.database import Database
from bot.store.tables import GroupRow

MAX_AT_ONCE = 500
"""Groups that are read in one query."""


class ChangedGroups:
    """Rows of one batch, in the transaction of its caller; what they have in common with `open_groups` is the same in both."""

    def __init__(self, db: Database, session: AsyncSession, open_groups: OpenGroups) -> None:
        self.db, self.session, self.open_groups = db, session, open_groups
        self._locked: dict[int, GroupRow] = {}
        self._touched: dict[int, GroupRow] = {}

    async def lock(self, numbers: Iterable[int]) -> None:
        """Read at once those that a batch probably changes: one by one costs as much as sorting them."""
        newest = sorted(numbers)[-MAX_AT_ONCE:]
        query = select(GroupRow).where(col(GroupRow.id).in_(newest), GroupRow.state != GroupState.RESOLVED)
        locked = query.order_by(col(GroupRow.id)).with_for_update()
        self._locked = {row.id or 0: row for row in (await self.session.exec(locked)).all()}

    async def get(self, number: int | None) -> GroupRow | None:
        """The locked row of an open group; None without one, or if somebody resolved it."""
        if number is None or number not in self.open_groups.groups:
            return None
        if number not in self._locked:
            row = await self.session.get(GroupRow, number, with_for_update=True)
            if row is None or GroupState(row.state) is GroupState.RESOLVED:
                self.open_groups.close(number)
                return None
            self._locked[number] = row
        return self._locked[number]

    def add(self, group: GroupRow) -> None:
        """Take a group that this batch has opened, and so holds already."""
        self._locked[group.id or 0] = group

    def touch(self, group: GroupRow, *, firing: int = 0) -> None:
        """Have the group's card shown anew after this batch; `firing` is added to its count."""
        assert group.id is not None
        group.firing = max(0, group.firing + firing)
        self.open_groups.groups[group.id].set_running(group.firing, self.db.clock().timestamp())
        self._touched[group.id] = group

    def begin_firing(self, group: GroupRow, service: str) -> None:
        """One more alert of a service fires in a group."""
        self.open_groups.groups[group.id or 0].firing.add(service)
        self.touch(group, firing=+1)
        self._update_open_group(group)

    def end_firing(self, group: GroupRow, service: str) -> None:
        """One alert of a service fires no more in a group."""
        self.open_groups.groups[group.id or 0].firing.discard(service)
        self.touch(group, firing=-1)

    def _update_open_group(self, group: GroupRow) -> None:
        current = self.open_groups.groups[group.id or 0]
        current.state, current.last_alert_at = GroupState(group.state), group.last_alert_at
        current.cleared_at = group.cleared_at

    async def finish(self) -> None:
        """Clear groups whose last alert ended; show what changed, one touch a group."""
        now = self.db.clock()
        for group in self._touched.values():
            # A flapping alert counts as firing until it has been quiet: its pauses are no ends.
            if group.firing == 0 and not (group.flapping_until and group.flapping_until > now):
                await groups.clear(self.db, self.session, group, now)
                self._update_open_group(group)
        await groups.touch_cards(self.db, self.session, self._touched.values())
