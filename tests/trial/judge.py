"""Whether Slack told a run's outages: at once, with the right start and cause, to somebody; and nothing that did not happen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tests.trial.causes import NamedCause, named_cause
from tests.trial.contradictions import contradictions
from tests.trial.outage import DeliveredAlert, Outage, Run, alerts_of, firing, first_alert, newest_until, stands_beside
from tests.trial.recorder import Version

TOLD_WITHIN = 5.0
"""Seconds from the acknowledged webhook to a message that names the outage."""
CRITICAL = "critical"
"""The severity of the shop's rules that is worth a call."""
EARLY = 30.0
"""A start that is shown may lie so long before the alert's own: signals deviate before a rule fires."""
_MOMENT = re.compile(r"<!date\^(\d+)\^")
_CLOCK = re.compile(r"\b(?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d:\d\d) UTC")


class Verdict(StrEnum):
    """What became of one outage."""

    TOLD = "told"
    SILENT = "no alert of it was sent"
    HIDDEN = "hidden: no message named it in time"
    UNHEARD = "nobody was mentioned"
    WRONG_START = "told with a wrong start"


@dataclass(frozen=True)
class JudgedOutage:
    """One outage and how it was told."""

    outage: Outage
    verdict: Verdict
    seconds: float | None
    """From the webhook to the message; None where none came."""
    cause: NamedCause | None = None
    """What was named as its cause; None where no message told it."""
    further_cards: int = 0
    """Cards that were posted of it beside the one that told it: one cause should stand on one card."""


def judge(run: Run, versions: Sequence[Version]) -> tuple[list[JudgedOutage], list[str]]:
    """Each outage, and what was wrong beside them: false pages and contradictions, each as a line."""
    outages = [judged(outage, run, versions) for outage in run.outages]
    return outages, [*false_pages(run, versions), *contradictions(run, versions)]


def judged(outage: Outage, run: Run, versions: Sequence[Version]) -> JudgedOutage:
    """How one outage was told."""
    alert = first_alert(outage, run)
    if alert is None:
        return JudgedOutage(outage, Verdict.SILENT, None)
    named = naming_messages(outage, alert, run, versions)
    if not named:
        return JudgedOutage(outage, Verdict.HIDDEN, None)
    naming = named[0]
    seconds = max(naming.at - alert.delivered_at, 0.0)
    details = seconds, named_cause(outage, run, naming, versions), further_cards(outage, run, naming, versions)
    if not any(mentioned(message, outage, run, versions) for message in named):
        return JudgedOutage(outage, Verdict.UNHEARD, *details)
    right = starts_right(outage, alert, naming)
    return JudgedOutage(outage, Verdict.TOLD if right else Verdict.WRONG_START, *details)


def further_cards(outage: Outage, run: Run, naming: Version, versions: Sequence[Version]) -> int:
    """Cards in other threads than that of the message that told an outage, posted since then and before the next was caused."""
    until = newest_until(outage, run)
    cards = {v.thread for v in versions if v.posted and v.key.startswith("card:") and naming.posted_at <= v.posted_at <= until}
    return len(cards - {naming.thread})


def naming_messages(outage: Outage, alert: DeliveredAlert, run: Run, versions: Sequence[Version]) -> list[Version]:
    """The messages that were posted since its first alert and name, by then, a service that alerted of it, the first one first.

    Edits notify nobody, so one that stood before tells nothing; who was notified seconds ago reads it as it stands then.
    """
    own = alerts_of(outage, run.alerts)
    since, until = min(a.delivered_at for a in own) - TOLD_WITHIN, alert.delivered_at + TOLD_WITHIN
    known = {alert.service} if stands_beside(outage, run) else {a.service for a in own if a.delivered_at <= until}
    posted = [v for v in versions if since <= v.posted_at and v.at <= until]
    return [v for v in posted if any(names(v, service) for service in known)]


def names(version: Version, service: str) -> bool:
    """Whether a message holds the name of a service as a word."""
    return re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", version.words) is not None


def mentioned(naming: Version, outage: Outage, run: Run, versions: Sequence[Version]) -> bool:
    """Somebody is called within the time of its first critical alert, or was called in that thread and has not taken it yet.

    What warns only is shown and calls nobody.
    """
    critical = [a.delivered_at for a in alerts_of(outage, run.alerts) if a.severity == CRITICAL]
    if not critical:
        return True
    since, until = min(critical) - 1, max(min(critical), naming.posted_at) + TOLD_WITHIN
    calls = [v for v in versions if v.posted and v.pings]
    earlier = [v.posted_at for v in calls if v.thread == naming.thread and v.posted_at < since]
    # Who takes it once it is named there has read that, and takes this one too.
    taken = any(
        where == naming.thread and earlier and earlier[-1] < when < naming.posted_at for where, when in run.acknowledged
    )
    return any(since <= v.posted_at <= until for v in calls) or (bool(earlier) and not taken)


def starts_right(outage: Outage, alert: DeliveredAlert, naming: Version) -> bool:
    """A moment in the message lies between the outage's beginning and its telling."""
    moments = moments_in(naming.words, naming.posted_at)
    earliest = min(outage.caused_at, alert.starts_at) - EARLY
    return any(earliest <= moment <= naming.at + 1 for moment in moments)


def moments_in(words: str, posted_at: float) -> list[float]:
    """Every moment that a message shows: Slack's own, and clock times, of the day it was posted unless a date stands there."""
    today = datetime.fromtimestamp(posted_at, UTC).date().isoformat()
    clocks = [datetime.fromisoformat(f"{day or today}T{clock}+00:00").timestamp() for day, clock in _CLOCK.findall(words)]
    return [*(float(moment) for moment in _MOMENT.findall(words)), *clocks]


def false_pages(run: Run, versions: Sequence[Version]) -> list[str]:
    """Messages that notify somebody while nothing fires and nothing fired in the minute before."""
    lines = []
    for version in versions:
        recent = any(firing(run.alerts, version.posted_at - back) for back in (0, 15, 30, 45, 60))
        if version.posted and version.pings and not recent:
            lines.append(f"false page: {version.key}: {version.text[:120]}")
    return lines
