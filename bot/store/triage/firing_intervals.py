"""When something was wrong before the present outage: what was measured then is not how a signal usually is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.evidence import FiringInterval
from bot.store.tables import EpisodeRow, TriageRow

COMPARED_WITHIN = timedelta(days=3)
"""As far back as a signal is compared with itself."""
OTHERS_WITHIN = timedelta(hours=6)
"""As far back as the lines and signals of another service are read."""
LONGEST_FIRING = timedelta(hours=1)
"""What fires for longer says little of single signals, and would leave nothing to compare with."""
MAX_FIRINGS = 500
MAX_ATTEMPTS = 100
"""Attempts of which the onset is read, the newest: a noisy service has some hundred in three days."""


async def firing_before(session: AsyncSession, lead: EpisodeRow, began: datetime) -> tuple[FiringInterval, ...]:
    """When alerts fired in the groups of a service, and had ended when the present outage `began`; oldest first.

    From the onset that was measured while they fired: an alert waits (`for:`). After them what fired on each other service:
    an outage there that is over has left lines and samples which are none of this one. What the same alert's next firing
    took the place of had not ended: Prometheus was started anew, say.
    """
    row = EpisodeRow
    within = col(row.starts_at).between(began - COMPARED_WITHIN, began), col(row.ended_at) <= began
    groups = select(row.group_id).where(row.service == lead.service, row.service != "", col(row.group_id).is_not(None), *within)
    own = await _fired(session, began, col(row.group_id).in_(groups), *within)
    elsewhere = row.service != lead.service, row.service != "", col(row.starts_at).between(began - OTHERS_WITHIN, began)
    others = await _fired(session, began, *elsewhere, col(row.group_id).not_in(groups), col(row.ended_at) <= began)
    joined = [_joined(interval for interval in others if interval.service == name) for name in _services(others)]
    return (*_joined(interval.model_copy(update={"service": ""}) for interval in own), *chain.from_iterable(joined))


async def _fired(session: AsyncSession, began: datetime, *conditions: ColumnElement[bool] | bool) -> list[FiringInterval]:
    row = EpisodeRow
    query = select(row).where(*conditions).order_by(col(row.starts_at).desc()).limit(MAX_FIRINGS)
    fired = await _over(session, (await session.exec(query)).all(), began)
    short = [(one, one.ended_at) for one in fired if one.ended_at and one.ended_at - one.starts_at <= LONGEST_FIRING]
    rankings = await _rankings(session, {one.group_id for one, _ in short if one.group_id}, began)
    return [
        FiringInterval(began_at=_onset(rankings, one.group_id, one.starts_at, end), ended_at=end, service=one.service)
        for one, end in short
    ]


async def _over(session: AsyncSession, fired: Sequence[EpisodeRow], began: datetime) -> list[EpisodeRow]:
    """Without what went on: the same alert's next firing began at its very end, and has not ended by then either.

    `fired`: the newest first.
    """
    row = EpisodeRow
    of_alerts = col(row.source).in_({one.source for one in fired}), col(row.fingerprint).in_({one.fingerprint for one in fired})
    next_ones = (
        col(row.starts_at).in_({one.ended_at for one in fired}),
        or_(col(row.ended_at).is_(None), col(row.ended_at) > began),
    )
    query = select(row.source, row.fingerprint, row.starts_at).where(*of_alerts, *next_ones)
    going_on = {*(await session.exec(query)).all()} if fired else set()
    over = []
    for one in fired:
        if (one.source, one.fingerprint, one.ended_at) in going_on:
            going_on.add((one.source, one.fingerprint, one.starts_at))
        else:
            over.append(one)
    return over


def _services(intervals: Iterable[FiringInterval]) -> list[str]:
    return sorted({interval.service for interval in intervals})


_Ranking = tuple[int, datetime, datetime]
"""Group, when an attempt began, and the onset that it measured."""


async def _rankings(session: AsyncSession, groups: Iterable[int], began: datetime) -> list[_Ranking]:
    since, row = began - COMPARED_WITHIN, TriageRow
    query = select(row.group_id, row.started_at, row.findings, row.facts)
    within = col(row.group_id).in_(list(groups)), col(row.started_at).between(since, began)
    attempts = (await session.exec(query.where(*within).order_by(col(row.started_at).desc()).limit(MAX_ATTEMPTS))).all()
    dated = [(group, at, _stored_onset(findings) or _stored_onset(facts)) for group, at, findings, facts in attempts]
    return [(group, at, onset) for group, at, onset in dated if onset]


def _stored_onset(stored: Mapping[str, object] | None) -> datetime | None:
    """The onset alone: what else an attempt of days ago holds need not be what it would hold today."""
    text = stored.get("onset") if stored else None
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _onset(rankings: Iterable[_Ranking], group: int | None, start: datetime, end: datetime) -> datetime:
    onsets = [onset for of, at, onset in rankings if of == group and start <= at <= end and start - onset <= LONGEST_FIRING]
    return min([*onsets, start])


def _joined(intervals: Iterable[FiringInterval]) -> tuple[FiringInterval, ...]:
    """Intervals that overlap as one."""
    joined: list[FiringInterval] = []
    for one in sorted(intervals, key=lambda interval: interval.began_at):
        if joined and one.began_at <= joined[-1].ended_at:
            ended_at = max(joined[-1].ended_at, one.ended_at)
            joined[-1] = joined[-1].model_copy(update={"ended_at": ended_at})
        else:
            joined.append(one)
    return tuple(joined)
