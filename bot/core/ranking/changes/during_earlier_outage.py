"""Changes made while the earlier outage ran on: which of them may have brought the present one about."""

from collections.abc import Sequence

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.ranking.changes.weighed_change import WeighedChange
from bot.core.ranking.context import RankingContext
from bot.core.service import reachable


def may_be_the_cause(context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange]) -> bool:
    """Whether a change was made below while the outage before ran on, and neither its service nor its versions clear it.

    Nor another one made then, whose service fails since while its own does not.
    """
    change = weighed.change
    below = reachable(context.start, context.observations.depends_on).keys()
    if not context.made_during_earlier_outage(change) or change.service not in below or weighed.versions.factor < 1:
        return False
    if context.observations.quiet(change.service):
        return False
    beside = (other.change for other in others if context.made_during_earlier_outage(other.change))
    return not (
        _is_well(context, change.service) and any(one.service in below and context.fails_since(one.service) for one in beside)
    )


def fails_from_before(context: RankingContext, change: Change) -> bool:
    """Whether the service of a change failed already with the outage that runs on, and began to run short of something since.

    Then its versions fail alike, whatever the change brought.
    """
    symptom = context.symptom_of(change.service)
    if not context.made_during_earlier_outage(change) or symptom is None or symptom.onset is None:
        return False
    short = (d.onset for d in context.observations.moved_resources(change.service) if d.onset)
    return context.belongs_to_earlier_outage(symptom.onset) and any(onset >= change.at - ONSET_TOLERANCE for onset in short)


def _is_well(context: RankingContext, service: str) -> bool:
    """Whether a service was measured, has no symptom, and uses more of something only where more is requested of it."""
    measured = service in context.observations.health_evidence and context.symptom_of(service) is None
    busy = context.observations.moved_resources(service) and context.traffic_rise(service) is None
    return measured and not busy
