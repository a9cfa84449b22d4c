"""Traffic as a cause: more requests than a service can carry."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.core.metrics.deviation import FULL_SHARE, Deviation
from bot.core.ranking.candidates import Candidate, deviation_claim, support
from bot.core.ranking.causes.timing import came_late, changed_since, failed_at, is_clear, strength
from bot.core.ranking.changes.changed_neighbours import changed_shortly_before
from bot.core.ranking.changes.code_evidence import BENEATH
from bot.core.ranking.context import RankingContext
from bot.core.service import reachable

_REFUSED = re.compile(r"(?<!\d)4(?!29)\d\d(?!\d)|denied|forbidden|unauthori[sz]ed|invalid|mismatch|not_?found|decline", re.I)
"""What an alert counts that no load brings about: a service that is short of something does not refuse what it is sent."""


def traffic_causes(context: RankingContext, changes: Iterable[Candidate] = ()) -> list[Candidate]:
    """More requests than a service can carry: of the attributed services the one whose traffic grew most, if before it failed.

    What it calls may hold its share: it explains the shares of everything behind it too. A rise under callers whose own
    traffic did not rise is retries, an effect of the fault; one after the symptoms probably is. Of `changes` one there or on
    a caller, or of what lies beneath, whose diff explains the trouble explains the rise first, unless the requests came from
    its own callers.
    """
    weights = context.tuning.traffic
    risen = {s: rise for s in context.shares if (rise := context.traffic_rise(s)) and rise.after > weights.risen * rise.before}
    if not risen:
        return []
    rise = _front_rise(context, risen)
    late = came_late(context, rise) or (rise.onset is not None and rise.onset > failed_at(context, rise.service))
    early = _was_carried(context, rise)
    callers = _measured_callers(context, rise.service)
    supported = not callers or any(context.traffic_rise(c) for c in callers)
    reached = reachable(rise.service, context.observations.depends_on)
    # Of a store nobody counts the requests, and it carries them all the same.
    behind = sum(context.shares.get(s, 0.0) for s in reached if s in risen or s not in context.observations.rates)
    timing = weights.late if late else weights.early if early else 1.0
    own = {s for s in (rise.service, *callers) if not _comes_from_callers(context, s)}
    explained = any(c.explained and (c.service in own or BENEATH.search(c.service)) for c in changes)
    refuses = _REFUSED.search(context.observations.alert) is not None
    support_factor = weights.refused if refuses else 1.0
    support_factor *= (1.0 if supported else weights.without_callers) * (weights.explained if explained else 1.0)
    candidate = Candidate(
        kind="traffic",
        service=rise.service,
        likelihood=min(1.0, _traffic_fit(context, rise) * behind * timing * support_factor),
        cause=f"More requests than {rise.service} can carry",
        check=f"Which clients or routes bring {rise.service} the extra requests?",
        strength=rise.doublings,
        began=rise.onset,
        sure=not late and not early and supported and not explained and _is_sure(context, rise, callers),
    )
    rises = (rise, *(context.traffic_rise(c) for c in callers[:2]))
    support(context, candidate, [deviation_claim(r, context.observations) for r in rises if r])
    return [candidate]


def _is_sure(context: RankingContext, rise: Deviation, callers: Sequence[str]) -> bool:
    """Whether the rise alone may be likely: clear, where most of the trouble is, and brought by a caller or after no change."""
    # Without a caller that sends more, what was changed there just before may have clients come again and again.
    brought = any(context.traffic_rise(c) for c in callers) or not changed_shortly_before(context, rise.service)
    # One service of many that take the load is what fails: the load may have been carried as well as not.
    own = context.shares.get(rise.service, 0.0) >= context.tuning.traffic.own_share
    return is_clear(context, rise) and brought and own and not _fails_altogether(context, rise)


def _fails_altogether(context: RankingContext, rise: Deviation) -> bool:
    """Whether next to nothing succeeds though the requests are not twice as many: what is overloaded goes on with a part."""
    symptom, weights = context.symptom_of(rise.service), context.tuning.traffic
    if symptom is None or symptom.family != "errors" or symptom.unit not in FULL_SHARE:
        return False
    return symptom.after >= weights.all_fail * FULL_SHARE[symptom.unit] and _growth(context, rise) < weights.meltdown


def _was_carried(context: RankingContext, rise: Deviation) -> bool:
    """Carried well for a while, or until the service was changed, then a failure: the load was not what changed."""
    if rise.onset is None:
        return False
    carried = timedelta(seconds=context.tuning.traffic.carried_for + rise.step)
    return rise.onset < failed_at(context, rise.service) - carried or changed_since(context, rise)


def _comes_from_callers(context: RankingContext, service: str) -> bool:
    """Whether the callers of a service send about as many requests more as it has."""
    more = sum(
        rise.after - rise.before for caller in context.observations.callers(service) if (rise := context.traffic_rise(caller))
    )
    own = context.traffic_rise(service)
    return own is not None and more >= context.tuning.traffic.brought * (own.after - own.before)


def _front_rise(context: RankingContext, risen: dict[str, Deviation]) -> Deviation:
    """The rise nearest to the front among those that grew about equally: what reaches it reaches everything behind it."""
    most = max(_growth(context, rise) for rise in risen.values())
    order = list(context.shares)
    steep = (r for r in risen.values() if _growth(context, r) >= context.tuning.traffic.nearly_most * most)
    return min(steep, key=lambda r: order.index(r.service))


def _traffic_fit(context: RankingContext, rise: Deviation) -> float:
    weights = context.tuning.traffic
    fit = weights.least + weights.growth * strength(context, rise)
    return fit * min(1.0, math.log2(_growth(context, rise)) / weights.full_growth)


def _growth(context: RankingContext, rise: Deviation) -> float:
    return rise.after / rise.before if rise.before > 0 else context.tuning.traffic.from_nothing


def _measured_callers(context: RankingContext, service: str) -> list[str]:
    """Its callers whose own requests are known: of the others nobody can say that they did not rise."""
    return [caller for caller in context.observations.callers(service) if caller in context.observations.rates]
