"""How clearly a deviation shows, and how its moment lies to the failure of its service and to the changes of it."""

from datetime import datetime, timedelta

from bot.core.metrics.deviation import Deviation
from bot.core.ranking.context import DETECTION_DELAY, RankingContext


def came_late(context: RankingContext, deviation: Deviation) -> bool:
    """Whether it deviates only since its service had symptoms, in the present outage: then it is rather an effect."""
    if deviation.onset is None:
        return False
    began = context.onset_of(deviation.service)
    if context.overlap_began_at and context.belongs_to_earlier_outage(began):
        own = context.symptom_of(deviation.service)
        since = (
            own.onset if own and own.onset and not context.belongs_to_earlier_outage(own.onset) else context.overlap_began_at
        )
        began = max(began, since)
    return deviation.onset > began + DETECTION_DELAY


def strength(context: RankingContext, deviation: Deviation) -> float:
    return min(1.0, deviation.doublings / context.tuning.other_causes.full_strength)


def is_clear(context: RankingContext, deviation: Deviation) -> bool:
    return deviation.doublings >= context.tuning.confidence.sure


def changed_since(context: RankingContext, deviation: Deviation) -> bool:
    """Whether the service stood a deviation until it was changed, and failed after that."""
    if deviation.onset is None:
        return False
    since, failed = deviation.onset + timedelta(seconds=deviation.step), failed_at(context, deviation.service)
    changes = context.observations.changes.values()
    return any(change.service == deviation.service and since < change.at <= failed for change in changes)


def failed_at(context: RankingContext, service: str) -> datetime:
    """When the service began to fail, or the one with the largest share if that was later."""
    largest = max(context.shares, key=lambda name: context.shares[name], default=service)
    symptom = context.symptom_of(largest)
    onset = symptom.onset if symptom else None
    return max(context.onset_of(service), onset) if onset else context.onset_of(service)
