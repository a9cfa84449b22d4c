"""What mutes the alerts of one batch: the configuration, silences, what fires beside them, and a source's first minutes."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.alerts import muting
from bot.core.alerts.silences import Silence
from bot.core.config import Config
from bot.store.alerts import silences
from bot.store.alerts.sorting.episodes import EpisodeIndex
from bot.store.alerts.sorting.routing import Routing
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow, SourceRow


class Mutes:
    """Of one batch, in the transaction of its caller."""

    def __init__(self, db: Database, session: AsyncSession, config: Config, routing: Routing, episodes: EpisodeIndex) -> None:
        self.db, self.session, self.config, self.routing, self.episodes = db, session, config, routing, episodes
        self._sources: dict[str, SourceRow] = {}
        self._silences: Sequence[Silence] = ()

    async def load(self, rows: Sequence[AlertRow]) -> None:
        """Read the silences that are in force, and note when each source was received first and last."""
        for source in {row.source for row in rows}:
            received = [row.received_at for row in rows if row.source == source]
            self._sources[source] = await self._source(source, min(received), max(received))
        self._silences = await silences.in_force(self.session, self.db.clock())

    async def _source(self, name: str, first: datetime, last: datetime) -> SourceRow:
        row = await self.session.get(SourceRow, name)
        if row is None:
            row = SourceRow(name=name, first_seen_at=first, last_seen_at=last)
        row.last_seen_at = max(row.last_seen_at, last)
        self.session.add(row)
        return row

    def mute_of(self, episode: EpisodeRow, row: AlertRow) -> muting.Mute | None:
        """What mutes a firing episode, as `row` delivers it; None if nothing does."""
        severity = Severity(episode.severity)
        return muting.mute_of(
            muting.FiringAlert(
                row.name, row.labels, severity, row.starts_at, row.received_at, service=episode.service, source=row.source
            ),
            config=self.config,
            firing=self.episodes.inhibiting(episode),
            earlier=self.episodes.earlier(episode),
            connected_at=self._sources[row.source].first_seen_at,
            silences=self._silences,
            name_of=lambda labels: self.routing.name_of(labels, episode.service),
            backlog_of=self.backlog_channel(episode),
        )

    def backlog_channel(self, episode: EpisodeRow) -> str:
        """The channel whose summary of a source's backlog names it; "": the default one."""
        channel = self.routing.common_channel_of(episode.service)
        return "" if channel == self.config.default_channel else channel
