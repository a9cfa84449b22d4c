"""What the cards of alert groups and incidents show, the storm card, the backlog summary and single lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.core.alert import Severity
from bot.core.alerts.renewal import Notify
from bot.core.evidence import Hypothesis
from bot.core.incident import AlertGroup, GroupState, Incident
from bot.core.investigation.triage_facts import PriorChange
from bot.core.messages.content import Content


@dataclass(frozen=True, kw_only=True)
class CardContent(Content):
    """One alert group with its incident, if there is one."""

    group: AlertGroup
    previous: str = ""
    """The closed group with the same key before this one, `AL-n`."""
    incident: Incident | None = None
    summary: str = ""
    """What the worst alert says is wrong; untrusted, as are the links."""
    place: str = ""
    """The pod, host or instance that this alert is about; "" where it names none. Untrusted."""
    severity_word: str = ""
    """The severity in the words of its sender, where `severities` does not map it; untrusted."""
    links: Sequence[tuple[str, str]] = ()
    """Label and address."""
    last_change: PriorChange | None = None
    confirmed_cause: str = ""
    """What a person confirmed of its present outage; untrusted."""
    first_cause: Hypothesis | None = None
    cause_is_earlier: bool = False
    """The first cause is of another outage of the group than the alert that leads it now."""
    started_at: datetime | None = None
    """When the first alert of its present outage fired, which may be long before it came; None without one."""
    closes_itself: bool = False
    """Nobody has acted on it, so it closes once its alerts have cleared."""
    triaged: bool = False
    """An attempt runs or has ranked causes."""
    reasons: str = ""
    """Why its alerts are one card and what mutes others, in short."""

    @property
    def incident_ref(self) -> str:
        """`INC-n`; "" without an incident."""
        return self.incident.ref if self.incident else ""

    @property
    def lead(self) -> str:
        """Who leads the incident; "" for nobody."""
        return self.incident.lead if self.incident else ""

    @property
    def service(self) -> str:
        return self.group.service

    @property
    def notified_services(self) -> Sequence[str]:
        return (self.group.service,) if self.incident else ()

    @property
    def urgent_part(self) -> object:
        group, incident = self.group, self.incident
        by_people = (incident.ref, incident.lead, incident.stopped, incident.resolved_by) if incident else ()
        cause = self.first_cause and (self.first_cause.cause, self.first_cause.confidence, self.cause_is_earlier)
        return (
            group.state,
            group.unconfirmed_at,
            group.readable_at,
            group.severity,
            group.title,
            group.service,
            group.acknowledged_by,
            by_people,
            self.confirmed_cause or cause,
        )


@dataclass(frozen=True, kw_only=True)
class IncidentContent(Content):
    """An incident that people declared without an alert group."""

    incident: Incident

    @property
    def service(self) -> str:
        return self.incident.service

    @property
    def notified_services(self) -> Sequence[str]:
        return (self.incident.service,)

    @property
    def urgent_part(self) -> object:
        incident = self.incident
        return incident.state, incident.severity, incident.lead, incident.stopped, incident.resolved_by


OpenContent = CardContent | IncidentContent
"""What the card of anything that can be open shows."""


class StormOrigin(NamedTuple):
    """Where a storm seems to come from, and how many of its firing groups are on that service or depend on it."""

    service: str
    groups: int


@dataclass(frozen=True, kw_only=True)
class StormContent(Content):
    """The groups that stand on one storm card now, the worst first."""

    groups: Sequence[AlertGroup]
    origin: StormOrigin | None = None
    severity_words: Sequence[str] = ()
    """Severities in the words of their senders, where `severities` does not map them; untrusted."""

    @property
    def firing(self) -> Sequence[AlertGroup]:
        """Those that are not resolved."""
        return [group for group in self.groups if group.state is not GroupState.RESOLVED]

    @property
    def fires(self) -> bool:
        """Whether an alert of any of them fires."""
        return any(group.state in (GroupState.FIRING, GroupState.ACKNOWLEDGED) for group in self.groups)

    @property
    def cleared(self) -> bool:
        """Whether none fires, as far as this could be checked."""
        return not self.fires and all(group.cleared for group in self.firing)

    @property
    def service(self) -> str:
        return self.groups[0].service if self.groups else ""

    @property
    def notified_services(self) -> Sequence[str]:
        called = dict.fromkeys(group.service for group in self.groups if group.incident or group.mentioned_at)
        return [*called, *([self.service] if called and not any(called) and self.service else [])]

    @property
    def urgent_part(self) -> object:
        # The message is redrawn at once when the storm has doubled, and when nothing of it fires any more.
        return bool(self.notified_services), len(self.groups).bit_length(), self.fires, self.cleared, bool(self.firing)


class BacklogAlert(NamedTuple):
    """An alert that fired before its source was connected; its texts are untrusted."""

    name: str
    service: str
    severity: str


class BacklogSubject(NamedTuple):
    """What a backlog's summary is about, as its message row keeps it: a source, and the channel where that is its own."""

    source: str
    channel: str = ""

    @property
    def stored(self) -> str:
        return f"{self.source} #{self.channel}" if self.channel else self.source


def backlog_subject(stored: str) -> BacklogSubject:
    """Read back what `stored` made."""
    source, _, channel = stored.partition(" #")
    return BacklogSubject(source, channel)


@dataclass(frozen=True, kw_only=True)
class BacklogContent(Content):
    """What a source was already firing when it was first connected."""

    source: str
    alerts: Sequence[BacklogAlert]


@dataclass(frozen=True, kw_only=True)
class LineContent(Content):
    """One line of text."""

    text: str
    full_text_at: str = ""
    """Where the whole of a long text can be read, in words; "" where nothing holds it."""


@dataclass(frozen=True, kw_only=True)
class RaisedContent(LineContent):
    """The line that mentions the on-call when a group became worse after its card was posted, or is open again."""

    group: AlertGroup
    services_notified_before: Sequence[str] = ()
    """Of the same storm: whoever is on call for them as well is not mentioned again."""
    in_storm: bool = False
    """It stands below a storm's card, which shows its groups itself."""

    @property
    def service(self) -> str:
        return self.group.service

    @property
    def notified_services(self) -> Sequence[str]:
        return (self.group.service,) if self.group.incident or self.group.mentioned_at else ()

    @property
    def urgent_part(self) -> object:
        return self.group.incident


_TRAFFIC = re.compile(r"traffic|request.?rate|throughput|\brps\b|\bqps\b", re.IGNORECASE)


def burst_services(renewed: "RenewedContent") -> list[str]:
    """The services among which a burst may have begun; none where it is on one alone.

    More requests are handed down to what is called, where other problems are handed up: who only has more of them is none.
    """
    alerts = [(renewed.alert_service, renewed.alert), *((one.service, name) for one in renewed.beside for name in one.alerts)]
    services = list(dict.fromkeys(service for service, name in alerts if not _TRAFFIC.search(name)))
    return services if len({service for service, _ in alerts}) > 1 else []


class RenewedSubject(NamedTuple):
    """What a renewal's line is about, as its message row keeps it: `AL-3:57:on_call`."""

    group: str
    episode: int
    notify: Notify

    @property
    def stored(self) -> str:
        return f"{self.group}:{self.episode}:{self.notify}"


def renewed_subject(stored: str) -> RenewedSubject:
    """Read back what `stored` made."""
    group, episode, notify = stored.split(":")
    return RenewedSubject(group, int(episode), Notify(notify))


class ReopenedSubject(NamedTuple):
    """What the line of a group that is open again says, as its message row keeps it; the text is untrusted."""

    group: str
    text: str

    @property
    def stored(self) -> str:
        return f"{self.group}:{self.text}"


def reopened_subject(stored: str) -> ReopenedSubject:
    """Read back what `stored` made."""
    group, _, text = stored.partition(":")
    return ReopenedSubject(group, text)


class BurstService(NamedTuple):
    """A service that alerted in a burst, and the names of its alerts, the first ones first; untrusted."""

    service: str
    alerts: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RenewedContent(Content):
    """The line in a card's thread that says what an open group is about now, and what else began with it."""

    severity: Severity
    card_severity: Severity
    alert: str
    """The name of the alert that made it new; untrusted, as its service is."""
    alert_service: str
    started_at: datetime
    again: bool = False
    """It fired in the group before."""
    reason: str = ""
    """Why it is in this group, where that tells something."""
    beside: Sequence[BurstService] = ()
    """What else came in its burst."""
    origin: str = ""
    """The service that most of the burst is on or depends on; "" where none stands out."""
    notified_services: Sequence[str] = ()
    services_notified_before: Sequence[str] = ()

    @property
    def service(self) -> str:
        return self.alert_service

    @property
    def urgent_part(self) -> object:
        return self.severity, self.card_severity, self.alert, [one.service for one in self.beside], self.origin
