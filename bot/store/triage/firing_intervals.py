"""When something was wrong before the present outage: what was measured then is not how a signal usually is."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alert import Severity
from bot.core.evidence import FiringInterval
from bot.store.db.visibility import has_same_readers
from bot.store.tables import EpisodeRow, GroupRow, TriageRow

COMPARED_WITHIN = timedelta(days=3)
"""As far back as a signal is compared with itself."""
OTHERS_WITHIN = timedelta(hours=6)
"""As far back as the lines and signals of another service are read."""
LONGEST_FIRING = timedelta(hours=1)
"""What fires for longer says little of single signals, and would leave nothing to compare with."""
MAX_FIRINGS = 500
MAX_ATTEMPTS = 100
"""Attempts of which the onset is read, the newest: a noisy service has some hundred in three days."""


async def firing_before(
    session: AsyncSession, group: GroupRow, lead: EpisodeRow, began: datetime
) -> tuple[FiringInterval, ...]:
    """When alerts fired in the groups of a service, and had ended when the present outage `began`; oldest first.

    From the onset that was measured while they fired: an alert waits (`for:`). After them what fired on each other service:
    an outage there that is over has left lines and samples which are none of this one. What the same alert's next firing
    took the place of had not ended: Prometheus was started anew, say.
    """
    row = EpisodeRow
    within = col(row.starts_at).between(began - COMPARED_WITHIN, began), col(row.ended_at) <= began
    groups = select(row.group_id).where(row.service == lead.service, row.service != "", col(row.group_id).is_not(None), *within)
    own = await _fired(session, group, began, col(row.group_id).in_(groups), *within)
    elsewhere = row.service != lead.service, row.service != "", col(row.starts_at).between(began - OTHERS_WITHIN, began)
    ended = await _fired(session, group, began, *elsewhere, col(row.group_id).not_in(groups), col(row.ended_at) <= began)
    running = await _firing_since(session, began, *elsewhere)
    services = sorted({interval.service for interval in ended})
    over = [_over((one for one in ended if one.service == service), running.get(service)) for service in services]
    of_case = [interval.model_copy(update={"service": ""}) for interval in own]
    return tuple(interval for intervals in (of_case, *over) for interval in _joined(intervals))


_Firing = tuple[int | None, datetime, datetime]
"""Group, start and end."""


async def _fired(
    session: AsyncSession, group: GroupRow, began: datetime, *conditions: ColumnElement[bool] | bool
) -> list[FiringInterval]:
    row = EpisodeRow
    query = select(row.group_id, row.starts_at, row.ended_at, row.service).where(*conditions)
    rows = (await session.exec(query.order_by(col(row.starts_at).desc()).limit(MAX_FIRINGS))).all()
    short = [((number, start, end), service) for number, start, end, service in rows if end and end - start <= LONGEST_FIRING]
    firings = [firing for firing, _ in short]
    numbers = {number for number, *_ in firings if number}
    rankings = await _rankings(session, numbers, began)
    readable = select(GroupRow.id).where(col(GroupRow.id).in_(numbers), has_same_readers(GroupRow, group))
    same_readers = set((await session.exec(readable)).all())
    return [
        FiringInterval(
            began_at=_onset(rankings, firing, firings),
            ended_at=firing[2],
            service=service,
            same_readers=firing[0] in same_readers,
        )
        for firing, service in short
    ]


async def _firing_since(
    session: AsyncSession, began: datetime, *conditions: ColumnElement[bool] | bool
) -> Mapping[str, datetime]:
    """The services of which an alert still fired when the present outage began, and since when something was wrong there."""
    row = EpisodeRow
    fires = or_(col(row.ended_at).is_(None), col(row.ended_at) > began)
    # What only informs says of no outage.
    query = select(row.service, row.group_id, func.min(row.starts_at)).where(*conditions, fires, row.severity != Severity.NONE)
    running = (await session.exec(query.group_by(row.service, col(row.group_id)))).all()
    rankings = await _rankings(session, {number for _, number, _ in running if number}, began)
    firings = [(number, start, began) for _, number, start in running]
    since: dict[str, datetime] = {}
    for (service, *_), firing in zip(running, firings, strict=True):
        since[service] = min(since.get(service, began), _onset(rankings, firing, firings))
    return since


def _over(intervals: Iterable[FiringInterval], running_since: datetime | None) -> list[FiringInterval]:
    """Those that had ended when what still fires began: the others are of the same outage, which is not over."""
    over = sorted(intervals, key=lambda interval: interval.ended_at)
    while over and running_since and over[-1].ended_at >= running_since:
        running_since = min(running_since, over.pop().began_at)
    return over


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


def _onset(rankings: Iterable[_Ranking], firing: _Firing, firings: Iterable[_Firing]) -> datetime:
    """The first onset that was measured while an alert fired, or what fired before it in its group without a pause."""
    group, start, end = firing
    since = _unbroken_since(start, [(one[1], one[2]) for one in firings if one[0] == group])
    onsets = [onset for of, at, onset in rankings if of == group and since <= at <= end and start - onset <= LONGEST_FIRING]
    return min([*onsets, start])


def _unbroken_since(start: datetime, spans: Iterable[tuple[datetime, datetime]]) -> datetime:
    for began, ended in sorted(spans, key=lambda span: span[1], reverse=True):
        start = min(start, began) if ended >= start else start
    return start


def _joined(intervals: Iterable[FiringInterval]) -> list[FiringInterval]:
    """Intervals that overlap as one, apart by who reads of them."""
    joined: list[FiringInterval] = []
    for one in sorted(intervals, key=lambda interval: (interval.same_readers, interval.began_at)):
        if joined and one.same_readers is joined[-1].same_readers and one.began_at <= joined[-1].ended_at:
            ended_at = max(joined[-1].ended_at, one.ended_at)
            joined[-1] = joined[-1].model_copy(update={"ended_at": ended_at})
        else:
            joined.append(one)
    return sorted(joined, key=lambda interval: interval.began_at)
