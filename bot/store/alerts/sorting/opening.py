"""Opens groups: with a card of their own, as lines of a storm card, or one for all that a source sends beyond its budget."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.actor import Visibility
from bot.core.alert import Severity
from bot.core.alerts import storm
from bot.core.alerts.budget import WINDOW, overflow_membership, overflow_title
from bot.core.alerts.escalation import deserves_incident
from bot.core.alerts.grouping import Membership
from bot.core.config import Config
from bot.core.incident import GroupState
from bot.core.timeline import EntryKind
from bot.store import timeline
from bot.store.alerts import groups
from bot.store.alerts.sorting.routing import Routing
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow, GroupRow


class Opening:
    """The groups that one batch opens."""

    def __init__(self, db: Database, session: AsyncSession, config: Config, routing: Routing) -> None:
        self.db, self.session, self.config, self.routing = db, session, config, routing
        self._opened: dict[str, int] = {}
        """Of each source, the groups of the minute before and of this batch."""
        self._storms: dict[tuple[str, str, bool, datetime], str] = {}
        """Channel, source, whether it is worth a call, and moment -> the storm card that such groups stand on."""

    async def over_budget(self, row: AlertRow) -> Membership | None:
        """Why an alert that belongs to no group opens none either; None if it may."""
        source, budget = row.source, self.config.groups_a_minute(row.source)
        if source not in self._opened:
            recent = GroupRow.source == source, col(GroupRow.opened_at) > row.received_at - WINDOW
            query = select(func.count()).select_from(GroupRow).where(*recent)
            self._opened[source] = (await self.session.exec(query)).one()
        return overflow_membership(source, budget) if self._opened[source] >= budget else None

    async def group(self, episode: EpisodeRow, row: AlertRow) -> GroupRow:
        """A group of its own, begun by this episode."""
        channel = self.routing.channel_of(episode.service)
        bad = deserves_incident(Severity(episode.severity), self.config)
        group = GroupRow(
            key=row.group_key,
            source=row.source,
            title=episode.name,
            service=episode.service,
            severity=episode.severity,
            state=GroupState.FIRING,
            channel=channel,
            on_storm_card=await self._storm(channel, row, worth_a_call=bad),
            opened_at=row.received_at,
            last_alert_at=row.received_at,
            previous_id=await self._previous(episode, channel),
        )
        await self._opened_by(group, episode, row)
        return group

    async def overflow(self, episode: EpisodeRow, row: AlertRow) -> GroupRow:
        """The group of what its source sends beyond its budget: never a line among others, since it stands for many."""
        group = GroupRow(
            key="",
            source=row.source,
            overflow=True,
            title=overflow_title(row.source, self.config.groups_a_minute(row.source)),
            service="",
            severity=episode.severity,
            state=GroupState.FIRING,
            channel=self.routing.common_channel_of(episode.service),
            opened_at=row.received_at,
            last_alert_at=row.received_at,
        )
        await self._opened_by(group, episode, row)
        return group

    async def _previous(self, episode: EpisodeRow, channel: str) -> int | None:
        columns: Any = (GroupRow.id, GroupRow.channel, GroupRow.private)
        before = select(*columns).where(GroupRow.service == episode.service, GroupRow.title == episode.name)
        newest = (await self.session.exec(before.order_by(col(GroupRow.id).desc()).limit(1))).first()
        if newest is None or not self.routing.channels.may_name(Visibility(newest.channel, newest.private), channel):
            return None
        return int(newest.id)

    async def _opened_by(self, group: GroupRow, episode: EpisodeRow, row: AlertRow) -> None:
        self.session.add(group)
        await self.session.flush()
        self._opened[row.source] = self._opened.get(row.source, 0) + 1
        text = f"{episode.name} opened this group: {episode.annotations.get('summary') or episode.name}"
        await timeline.add(self.db, self.session, EntryKind.ALERT, text, group_id=group.id, link=episode.link)
        if not self.config.knows_severity(row.severity):
            text = f"its severity {row.severity!r} is not mapped in `severities` of tocsin.yaml: it counts as {group.severity}"
            await timeline.add(self.db, self.session, EntryKind.SYSTEM, text, group_id=group.id)
        if deserves_incident(Severity(group.severity), self.config):
            if group.on_storm_card:
                await groups.mention_in_storm(self.db, self.session, group)
            else:
                await groups.open_incident(self.db, self.session, group, by="policy")

    async def _storm(self, channel: str, row: AlertRow, *, worth_a_call: bool) -> str:
        """Once there is a storm, what arrives in the same moment belongs to it."""
        place = (channel, row.source, worth_a_call, row.received_at)
        if place not in self._storms:
            in_channel, by_source = await self._opened_in(channel, row)
            key = storm.storm_card(channel, row.received_at, in_channel, by_source, worth_a_call=worth_a_call)
            if not key:
                return ""
            self._storms[place] = key
        return self._storms[place]

    async def _opened_in(self, channel: str, row: AlertRow) -> tuple[storm.Opened, storm.Opened]:
        """In this channel within the window before: by all sources, and by the one of this alert."""
        recent = GroupRow.channel == channel, col(GroupRow.opened_at) > row.received_at - storm.STORM_WINDOW
        own = case((col(GroupRow.source) == row.source, 1), else_=0)
        own_card = case((col(GroupRow.source) == row.source, GroupRow.on_storm_card), else_="")
        columns: Any = (func.count(), func.max(GroupRow.on_storm_card), func.sum(own), func.max(own_card))
        groups, card, own_groups, running = (await self.session.exec(select(*columns).where(*recent))).one()
        return storm.Opened(groups, card or ""), storm.Opened(own_groups or 0, running or "")
