"""Services in an older outage of their own: what they show began well before the alert, and nothing ties them to it."""

from datetime import datetime

from bot.core.alerts.renewal import SPREADS_WITHIN
from bot.core.evidence import Case
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.observations import Observations, reached
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock_of_onset
from bot.core.text.untrusted import one_line


def services_apart(case: Case, observations: Observations, began: datetime) -> frozenset[str]:
    """The services that no call ties to the alerting one, where what they showed minutes before its onset is not how it began.

    That is so of each where the alerting one is down: a process ends at once. Else of those of which an alert had fired so
    long by then: an outage spreads within five minutes. `began`: the alert's own onset.
    """
    if not case.service:
        return frozenset()
    below, above = (reached(case.service, others) for others in (observations.callees, observations.callers))
    untied = {service for service, _ in observations.all_signals} | observations.alerting.keys()
    untied -= below | above
    if any(deviation.shows_down for deviation in observations.signals.get(case.service, {}).values()):
        return frozenset(untied)
    fires_since = min(began, case.alerted_at) - SPREADS_WITHIN
    fired = {s for s, alert in observations.alerting.items() if alert.onset is not None and alert.onset < fires_since}
    return frozenset(untied & fired)


def older_outage_text(older: Deviation, onset: datetime) -> str:
    """Since when it fails; `onset`: of what alerts now."""
    began = older.onset or onset
    since, ahead = clock_of_onset(began, older.not_before), f"{duration_text(onset - began)} before the onset"
    return one_line(f"{older.service} {older.signal} left the normal range {since}, {ahead}: another outage", 300)
