"""Which alerts are muted, and by what. Nothing is dropped: a muted alert is stored with its reason."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.alert import Severity, Status
from bot.core.alerts.silences import Silence, matchable, silence_of
from bot.core.config import Config

BACKLOG_AGE = timedelta(minutes=10)
"""An alert that fired this long before its source was first connected belongs to the backlog of that source."""


class MuteReason(StrEnum):
    """Why an alert is muted, as the API names it."""

    SEVERITY_NONE = "severity_none"
    SILENCE = "silence"
    MAINTENANCE = "maintenance"
    INHIBITION = "inhibition"
    THRESHOLD = "threshold"
    HEARTBEAT = "heartbeat"
    BACKLOG = "backlog"
    ALREADY_RESOLVED = "already_resolved"
    SUPERSEDED = "superseded"


_STORED = {
    MuteReason.SILENCE: "silenced by ",
    MuteReason.MAINTENANCE: "maintenance: ",
    MuteReason.INHIBITION: "inhibited by ",
    MuteReason.THRESHOLD: "threshold ",
    MuteReason.SEVERITY_NONE: "severity none",
    MuteReason.HEARTBEAT: "heartbeat",
    MuteReason.BACKLOG: "digest",
    MuteReason.ALREADY_RESOLVED: "already over when it was first seen",
    MuteReason.SUPERSEDED: "superseded by a newer episode",
}
"""How each reason begins in the database, where it has stood in words from the first version on; a detail follows."""
_DETAILED = (
    MuteReason.SILENCE,
    MuteReason.MAINTENANCE,
    MuteReason.INHIBITION,
    MuteReason.THRESHOLD,
    MuteReason.BACKLOG,
)
_DESCRIBED = {MuteReason.BACKLOG: "it fired before its source was first connected"}
"""Where the words for people are not the stored ones."""


@dataclass(frozen=True)
class Mute:
    """Why one alert is muted; `detail`: the silence, the maintenance's reason, the inhibiting alert, how far a threshold is.

    Of a backlog the detail is the channel whose summary names the alert, where that is not the default one.
    """

    reason: MuteReason
    detail: str = ""

    @property
    def stored(self) -> str:
        """The text that the database keeps."""
        return _STORED[self.reason] + self.detail

    @property
    def lasting(self) -> bool:
        """Whether a repeat of the alert cannot end it: neither what fired before the connect nor a heartbeat becomes news."""
        return self.reason in (MuteReason.BACKLOG, MuteReason.HEARTBEAT)

    def describe(self) -> str:
        """In words for people."""
        return _DESCRIBED.get(self.reason, self.stored)


def parse_mute(stored: str) -> Mute | None:
    """The mute behind a stored text; None for "" (not muted) and for words of an unknown version."""
    for reason, start in _STORED.items():
        if stored == start or (reason in _DETAILED and stored.startswith(start)):
            return Mute(reason, stored.removeprefix(start))
    return None


def is_lasting(stored: str) -> bool:
    """Whether no repeat of an alert ends the mute behind a stored text."""
    mute = parse_mute(stored)
    return mute is not None and mute.lasting


def matches(match: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether every label of `match` is equal; an empty match matches nothing."""
    return bool(match) and all(labels.get(key) == value for key, value in match.items())


def is_heartbeat(name: str, config: Config) -> bool:
    """Whether this rule always fires to show that its monitoring lives."""
    return name in config.heartbeats


@dataclass(frozen=True)
class FiringAlert:
    """A firing alert as muting sees it; `at` is when it was received."""

    name: str
    labels: Mapping[str, str]
    severity: Severity
    starts_at: datetime
    at: datetime
    service: str = ""
    source: str = ""


def mute_of_backlog(channel: str = "") -> Mute:
    """Of an alert that fired before its source was connected: it stands in the summary of this channel; "": the default one."""
    return Mute(MuteReason.BACKLOG, f" of {channel}" if channel else "")


def _name(labels: Mapping[str, str]) -> str:
    return labels.get("alertname", "another alert")


def mute_of(
    alert: FiringAlert,
    *,
    config: Config,
    firing: Sequence[Mapping[str, str]],
    earlier: Iterable[datetime],
    connected_at: datetime,
    silences: Sequence[Silence] = (),
    name_of: Callable[[Mapping[str, str]], str] = _name,
    backlog_of: str = "",
) -> Mute | None:
    """Why a firing alert is muted; None if it is not.

    `firing`: labels of the others that fire now. `earlier`: when the other episodes of the same alert were first seen.
    `connected_at`: when anything was first received from its source. `silences`: those in force. `name_of`: what an alert
    of these labels is called where this one stands. `backlog_of`: see `mute_of_backlog`.
    """
    if is_heartbeat(alert.name, config):
        return Mute(MuteReason.HEARTBEAT)
    return (
        _by_rule(alert, config, firing, name_of)
        or _by_silence(alert, silences)
        or _below_threshold(alert, config, earlier)
        or (mute_of_backlog(backlog_of) if alert.starts_at < connected_at - BACKLOG_AGE else None)
    )


def mute_of_history(delivered: Status, episode: Status) -> Mute | None:
    """Why an alert that is new to us is history already; None if it is news.

    `delivered` is what the source reports, `episode` what follows from all that is known of the alert.
    """
    if delivered == "resolved":
        return Mute(MuteReason.ALREADY_RESOLVED)
    # A newer episode of the same alert arrived before this one.
    return Mute(MuteReason.SUPERSEDED) if episode == "resolved" else None


def _by_rule(
    alert: FiringAlert, config: Config, firing: Sequence[Mapping[str, str]], name_of: Callable[[Mapping[str, str]], str]
) -> Mute | None:
    if alert.severity is Severity.NONE:
        return Mute(MuteReason.SEVERITY_NONE)
    for window in config.maintenance:
        if window.starts <= alert.at <= window.ends and matches(window.match, alert.labels):
            return Mute(MuteReason.MAINTENANCE, window.reason)
    for rule in config.inhibitions:
        if not matches(rule.target, alert.labels):
            continue
        for other in firing:
            if matches(rule.source, other) and all(other.get(name) == alert.labels.get(name) for name in rule.equal):
                return Mute(MuteReason.INHIBITION, name_of(other))
    return None


def _by_silence(alert: FiringAlert, silences: Sequence[Silence]) -> Mute | None:
    if not silences:
        return None
    labels = matchable(alert.labels, name=alert.name, service=alert.service, source=alert.source)
    silence = silence_of(labels, silences)
    return Mute(MuteReason.SILENCE, silence.text) if silence else None


def stored_for(silence: str) -> str:
    """How the stored text of whatever a silence (`SI-3`) mutes begins."""
    return f"{_STORED[MuteReason.SILENCE]}{silence} "


def _below_threshold(alert: FiringAlert, config: Config, earlier: Iterable[datetime]) -> Mute | None:
    rules = [rule for rule in config.thresholds if matches(rule.match, alert.labels)]
    if not rules:
        return None
    moments = [alert.at, *earlier]
    for rule in rules:
        count = sum(at >= alert.at - rule.window for at in moments)
        if count < rule.count:
            return Mute(MuteReason.THRESHOLD, f"{count} of {rule.count}")
    return None
