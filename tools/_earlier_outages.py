"""Outages that were over before the present one: what was measured and logged then is neither usual nor of this one."""

from datetime import datetime
from typing import NamedTuple

from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Case
from bot.plugins import ToolContext
from tools._alert_wait import GUESS, fault_began_by

LEAST_USUAL = 0.1
"""Share of what was before the alert that must be of no outage to tell what is usual."""
NOT_USUAL = "nearly all of the time before was in earlier outages, so what is usual is not known"


class OutageSpan(NamedTuple):
    start: datetime
    end: datetime


async def outages_over_before(ctx: ToolContext, service: str, at: datetime) -> list[OutageSpan]:
    """The times of outages of the case's own service, and of the one that is read, that were over by `at`; oldest first.

    In a short pause hardly a sample is back to normal. What fired elsewhere counts only if it was over before the trouble
    behind the alert began, as it was measured, and can have begun: else it may be how that began.
    """
    case = ctx.case
    own, there = _fired_on("", case), _fired_on(service, case) if service != case.service else []
    if case.earlier and case.earlier.began_at and case.earlier.recovered_at:
        own.append(OutageSpan(case.earlier.began_at - ONSET_TOLERANCE, case.earlier.recovered_at))
    if there:
        began_by = await fault_began_by(ctx, case.alerted_at) or case.alerted_at - GUESS
        began_by = min(began_by, case.onset.at) if case.onset else began_by
        there = [span for span in there if span.end <= began_by]
    return sorted(span for span in {*own, *there} if span.end <= at)


def _fired_on(service: str, case: Case) -> list[OutageSpan]:
    # Not every signal left its normal range at the onset that was measured.
    return [OutageSpan(one.began_at - ONSET_TOLERANCE, one.ended_at) for one in case.firing_before if one.service == service]
