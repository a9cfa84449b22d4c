"""First signs: what moved at once after a change, minutes before anything failed."""

from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.nearness import ONSET_TOLERANCE
from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.candidates import short_change_text
from bot.core.ranking.context import RankingContext
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_AT_ONCE = timedelta(minutes=1)
"""A sign that follows a change follows it so soon, and by one sample more."""
_BEFORE_FAILURE = timedelta(minutes=3)
"""So long before the failure it must have come: what moves with the failure is a part of it."""


def first_sign(context: RankingContext, change: Change) -> Deviation | None:
    """A resource or the traffic of a suspect that moved at once after a change of it, or of a direct caller.

    None where something clear moved there before the change: then that was the first sign.
    """
    observed = context.observations
    suspects = dict(context.suspects())
    own = {change.service, *observed.depends_on.get(change.service, ())} & set(suspects)
    clear = [
        deviation
        for (service, _), deviation in observed.all_signals.items()
        if service in own and deviation.onset and deviation.doublings >= context.tuning.confidence.sure
    ]
    first = min(clear, key=lambda deviation: deviation.onset or context.onset, default=None)
    if first is None or first.onset is None or first.family not in ("saturation", "traffic"):
        return None
    if first.family == "traffic" and first.service == change.service:
        # Who sends it more was not changed by this.
        return None
    soon = change.at - ONSET_TOLERANCE <= first.onset <= change.at + _AT_ONCE + timedelta(seconds=first.step)
    return first if soon and first.onset <= context.onset_of(first.service) - _BEFORE_FAILURE else None


def first_sign_claim(context: RankingContext, change: Change, sign: Deviation) -> Claim:
    """What moved first, and how long before the failure."""
    onset = sign.onset or context.onset
    before = duration_text(context.onset_of(sign.service) - onset)
    text = (
        f"{sign.service} {sign.signal} moved at {clock(onset)}, with {short_change_text(change)} and "
        f"{before} before {sign.service} failed"
    )
    evidence = [context.observations.id_of(sign), context.observations.change_evidence[change.id]]
    return Claim(text=one_line(text, 400), evidence=evidence)
