"""Processor time that a virtual machine's host gives to its other guests: measured as "steal", and nobody's change."""

import re

from bot.core.metrics.deviation import Deviation
from bot.core.ranking.candidates import Candidate, add_symptoms, deviation_claim
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.text.untrusted import one_line

_STEAL = re.compile(r"cpu\w*steal|steal\w*(cpu|pct|percent|ratio|time|seconds)", re.I)
"""As the kernel counts it (proc(5), `/proc/stat`); tasks that a scheduler's workers take from each other are none."""


def stolen_time_causes(context: RankingContext) -> list[Candidate]:
    """One candidate where such time rose clearly, no later than anything failed; attributed to its most suspect service."""
    stolen = [
        deviation
        for (_, signal), deviation in context.observations.all_signals.items()
        if _STEAL.search(signal) and _rose_first(deviation, context)
    ]
    if not stolen:
        return []
    services = sorted({one.service for one in stolen}, key=lambda s: (-context.shares.get(s, 0.0), s))
    weights = context.tuning.outside
    share = min(1.0, sum(context.shares.get(service, 0.0) for service in services))
    first = next(one for one in stolen if one.service == services[0])
    cause = Candidate(
        kind="external",
        service=services[0],
        likelihood=max(share, weights.least_share) * weights.sure,
        cause=f"The host of {one_line(services[0], 80)} gives its processor time to other guests",
        check="Move the virtual machine to another host, and read what else runs on this one",
        began=first.onset,
        strength=first.doublings,
        sure=True,
        outside=True,
    )
    cause.claims += [deviation_claim(one, context.observations) for one in stolen[:2]]
    add_symptoms(context, cause)
    return [cause]


def _rose_first(deviation: Deviation, context: RankingContext) -> bool:
    clear = deviation.direction == "up" and deviation.doublings >= context.tuning.confidence.sure
    return clear and deviation.onset is not None and deviation.onset <= context.onset + DETECTION_DELAY
