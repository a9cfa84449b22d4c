"""Sorts committed alerts: episode by episode into groups, whatever their order and however often they come.

An episode is (source, fingerprint, start). Resolved is final for it; a late copy never reopens it nor closes a newer one. Only
while nobody knows whether its end was one (Prometheus could not be read) it may fire on, unless its alert began anew since.
It has ended at the latest when the next episode of the same alert began.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import KnownChannels
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.store.alerts import silences
from bot.store.alerts.sorting.batch import SortingBatch
from bot.store.alerts.sorting.episodes import delivered_now
from bot.store.alerts.sorting.open_groups import OpenGroups
from bot.store.alerts.sorting.repeats import Repeats
from bot.store.alerts.sorting.result import SortingResult
from bot.store.db.database import Database
from bot.store.db.yielding import LoopYield
from bot.store.tables import AlertRow, EpisodeRow, GroupRow, SilenceRow

MAX_OPENED = 16
"""New groups a batch: acknowledgements wait while it holds the one writer; what a batch reads first costs like two groups."""


class Sorter:
    """Sorts one batch in the caller's transaction. `channels` answers what is known of channels now, without waiting."""

    def __init__(
        self, db: Database, config: Config, catalogue: Catalogue, channels: Callable[[], KnownChannels] = KnownChannels
    ) -> None:
        self.db = db
        self.channels = channels
        self.config = config
        self.catalogue = catalogue
        self.open_groups = OpenGroups(catalogue)
        self.repeats = Repeats(self._members_of)

    def reset(self) -> None:
        """Read the open groups anew before the next batch: this one was undone, or another replica sorted in between."""
        self.open_groups = OpenGroups(self.catalogue)
        self.repeats = Repeats(self._members_of)

    def _members_of(self, number: int) -> int | None:
        group = self.open_groups.groups.get(number)
        return group.members if group else None

    def _batch(self, session: AsyncSession) -> SortingBatch:
        return SortingBatch(self.db, session, self.config, self.catalogue, self.open_groups, self.channels())

    async def sort(self, session: AsyncSession, rows: Sequence[AlertRow]) -> SortingResult:
        """Apply the rows in the order they were stored, until enough groups were opened."""
        batch, loop = self._batch(session), LoopYield()
        await batch.load(rows)
        # Rows that a query in between needs are flushed where they are made; the others need not be written one by one.
        with session.no_autoflush:
            for row in rows:
                if batch.result.opened == MAX_OPENED:
                    break
                await batch.apply(row)
                batch.result.rows += 1
                # Nothing here waits for SQLite, and others have requests to answer meanwhile.
                await loop.when_due()
            await batch.finish()
        await batch.new_episodes.write()
        await session.flush()
        self.repeats.remember(rows[: batch.result.rows], batch.episodes.all(), self.open_groups.groups)
        return batch.result

    async def open_again(self, session: AsyncSession, group: GroupRow, findings: Mapping[int, str]) -> None:
        """Open a resolved group for the first of these alerts that fires and is not muted; what is known of each by its id."""
        batch = self._batch(session)
        query = select(EpisodeRow).where(col(EpisodeRow.id).in_(list(findings)), EpisodeRow.status == "firing")
        firing = {episode.id: episode for episode in (await session.exec(query)).all()}
        if firing:
            # As they were delivered last: that they are looked at is nothing that their source sent.
            await batch.load_alerts([delivered_now(episode, episode.last_seen_at) for episode in firing.values()])
        for number, finding in findings.items():
            episode = firing.get(number)
            if episode and await batch.open_again(group, episode, delivered_now(episode, self.db.clock()), finding):
                break
        await batch.finish()

    async def show_again(self, session: AsyncSession, silence: SilenceRow) -> SortingResult:
        """What still fires when a silence is over joins or opens its groups now, as far as a batch may open any."""
        batch, firing = self._batch(session), await silences.muted_by(session, silence)
        if firing:
            await batch.load([delivered_now(episode, self.db.clock()) for episode in firing])
        left = list(reversed(firing))
        while left and batch.result.opened < MAX_OPENED:
            await batch.place_again(left.pop())
        await batch.finish()
        if not left:
            await silences.hand_back(self.db, session, silence)
        return batch.result
