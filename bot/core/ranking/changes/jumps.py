"""What jumped with a change, minutes before anything failed: it did something, and that is seen."""

import re
from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.jumps import AFTER, is_limit
from bot.core.evidence import Claim
from bot.core.facts.measured import JumpFact
from bot.core.metrics.deviation import Deviation
from bot.core.metrics.signal_names import counts_served, family_of
from bot.core.ranking.attribution import SYMPTOM_FAMILIES
from bot.core.ranking.candidates import amount, short_change_text
from bot.core.ranking.context import RankingContext, nearby_services
from bot.core.ranking.fault_location import PILES_UP
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_PAUSES = re.compile(r"^(?!.*(ttl|expir|valid|uptime)).*(pause|(?<![a-z])(gc|wait|latency|duration)(?![a-z]))", re.I)
"""How long something takes: less of it is no harm."""
_LONG_BEFORE = timedelta(minutes=30)
_WORK = re.compile(
    r"(?<![a-z])(commands|reads|writes|operations|ops|statements|queries|round_?trips|hops)_per_(?!s(ec(ond)?)?s?\b|m(in(ute)?)?\b|h(our)?\b)",
    re.I,
)
"""What is done for a request: less of it is no harm."""


def jump_of(context: RankingContext, change: Change) -> JumpFact | None:
    """The largest jump with a change that is no part of the failure itself, first a limit that it lowered; None without one.

    None where the failure began so soon after it that the jump may belong to that, and where something jumped with a change
    of another service a moment before: then this jump may follow from that one.
    """
    jumps = context.observations.jumps.get(change.id, [])
    if lowered := next((jump for jump in jumps if is_limit(jump.signal) and jump.after < jump.before), None):
        # How much may be used is no part of any failure, however soon that came.
        return lowered
    early = context.onset - change.at >= timedelta(seconds=context.tuning.changes.jump_lead)
    # Of a service that nobody knows to be near, the failure would not show there by itself.
    apart = change.service not in nearby_services(context)
    if not (early or apart) or _follows_another(context, change):
        return None
    # Half an hour of it, and the failure only then, are two things: what slowed down bore no more when more was asked.
    long_before = context.onset - change.at >= _LONG_BEFORE
    effects = (jump for jump in jumps if not is_relief(jump) and not brings_demand(jump, change))
    return next((jump for jump in effects if long_before or not _is_symptom(context, jump)), None)


def _is_symptom(context: RankingContext, jump: JumpFact) -> bool:
    """Whether it is how the alerting service fails: when that began may have been read too late."""
    fails = (
        family_of(jump.signal) in SYMPTOM_FAMILIES or "wait" in jump.signal.lower() or PILES_UP.search(jump.signal) is not None
    )
    return fails and jump.service == context.start


def is_relief(moved: JumpFact | Deviation) -> bool:
    """Whether less is asked of others since, something takes less time, or more may be used: that breaks nobody."""
    if moved.after > moved.before:
        return is_limit(moved.signal)
    harmless = family_of(moved.signal) in ("traffic", "behaviour")
    less_work = harmless or any(pattern.search(moved.signal) for pattern in (_WORK, _PAUSES))
    return moved.after < moved.before and less_work


def brings_demand(moved: JumpFact | Deviation, change: Change) -> bool:
    """Whether more is asked of the changed service itself: others send that, and no change of its own."""
    return moved.service == change.service and moved.after > moved.before and counts_served(moved.signal)


def _follows_another(context: RankingContext, change: Change) -> bool:
    earlier = (context.observations.changes[id] for id in context.observations.jumps if id in context.observations.changes)
    return any(other.service != change.service and timedelta(0) < change.at - other.at <= AFTER for other in earlier)


def jump_claim(context: RankingContext, change: Change, jump: JumpFact) -> Claim:
    """What jumped, from where to where, with which change."""
    levels = f"{amount(jump.before, jump.unit)} to {amount(jump.after, jump.unit)}"
    text = f"{jump.service} {jump.signal} went from {levels} with {short_change_text(change)} at {clock(change.at)}"
    evidence = [context.observations.jumps_evidence[jump.service], context.observations.change_evidence[change.id]]
    return Claim(text=one_line(text, 400), evidence=evidence)
