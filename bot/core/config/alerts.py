"""Where alerts come from, and what mutes them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from bot.core.alert import Alert
from bot.core.config.fields import ConfigSection, Duration, Matchers, Period, TimeZone
from bot.core.payloads.names import AlertField

GROUPS_A_MINUTE = 600
"""A storm of 200 services, whose alerts open more than one group here and there, is below it."""


class SourceFields(ConfigSection):
    """Where a sender's JSON holds what: paths such as `event.labels.team`, or `=text` for a fixed text; "": guessed.

    Paths begin at the alert; where `alerts` names a list of them, at each of its items.
    """

    alerts: str = ""
    name: str = ""
    status: str = ""
    severity: str = ""
    service: str = ""
    summary: str = ""
    starts_at: str = ""
    ends_at: str = ""
    link: str = ""
    expression: str = ""
    fingerprint: str = ""

    def paths(self) -> dict[AlertField, str]:
        """Those that are given."""
        return {field: path for field in AlertField if (path := getattr(self, field.value).strip())}


class FingerprintRule(ConfigSection):
    """Of which labels the identity of some alerts is made: the same values, the same alert."""

    match: dict[str, str] = Field(default_factory=dict)
    """Which alerts, by labels that must be equal (`alertname` is the name whatever the source calls it); empty: all."""
    labels: tuple[str, ...] = ()
    """These alone make the identity,"""
    without: tuple[str, ...] = ()
    """or all but these."""

    @model_validator(mode="after")
    def _either_way(self) -> Self:
        if bool(self.labels) == bool(self.without):
            raise ValueError("name the labels that make the identity (`labels`), or those that do not (`without`)")
        return self

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether it is about an alert, which must have one of the labels that the rule names."""
        return all(labels.get(name) == value for name, value in self.match.items()) and any(
            name in labels for name in self.labels or self.without
        )

    def covers(self, other: "FingerprintRule") -> bool:
        """Whether it fits whatever another rule fits: behind it the other matches nothing."""
        named, needed = {*self.labels, *self.without}, {*other.labels, *other.without}
        present = {"alertname", *other.match}
        return self.match.items() <= other.match.items() and (needed <= named or not named.isdisjoint(present))

    def identity(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels that make the identity, with their values."""
        names = self.labels or [name for name in labels if name not in self.without]
        return {name: labels[name] for name in names if name in labels}


class SourceConfig(ConfigSection):
    kind: str
    """A file of bot/sources, e.g. `alertmanager`, `generic`; for changes `generic` or `github`."""
    options: dict[str, Any] = Field(default_factory=dict)
    fields: SourceFields = SourceFields()
    """For `generic`: corrects what it understood of the sender's JSON."""
    takes: tuple[Literal["alerts", "changes"], ...] = ()
    """What it may send, where its kind could send both; empty: whatever its kind can."""
    services: tuple[str, ...] = ()
    """Of which services it may speak; empty: of any."""
    resolved_words: tuple[str, ...] = ()
    """For `generic`: more words of the sender's that mean it is over."""
    fingerprint: tuple[FingerprintRule, ...] = ()
    """The first rule that fits an alert makes its identity; where none fits, the source's own counts."""
    time_zone: TimeZone = ""
    """Of its times that name none; empty: UTC, where that is about when they arrive."""
    replica_of: str = ""
    """The source whose alerts this one sends too: a second Alertmanager of the same Prometheus servers."""

    groups_a_minute: int = Field(default=GROUPS_A_MINUTE, ge=1)
    """New groups that it may open within a minute; what it sends beyond them stands in one group."""
    repeat_every: Duration | None = None
    """How often it repeats what fires; learned where it is not given. Four times as long without one makes an alert stale."""

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of its times that name none; None where nobody said it."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    def identified(self, source: str, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Alerts of this source, `source`, under their identity here: one that its replica sends too is the same alert."""
        if not self.fingerprint and not self.replica_of:
            return alerts
        identities = [{"source": self.replica_of or source, "fingerprint": self._fingerprint(alert)} for alert in alerts]
        return [alert.model_copy(update=identity) for alert, identity in zip(alerts, identities, strict=True)]

    def _fingerprint(self, alert: Alert) -> str:
        labels = {"alertname": alert.name, **alert.labels}
        rule = next((rule for rule in self.fingerprint if rule.fits(labels)), None)
        return _hashed(rule.identity(labels)) if rule else alert.fingerprint


def _hashed(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


class Maintenance(Matchers, Period):
    """Alerts with these labels are muted meanwhile."""


class Inhibition(ConfigSection):
    """Alerts that match `target` are muted while one that matches `source` fires with equal values of `equal`."""

    source: dict[str, str]
    target: dict[str, str]
    equal: tuple[str, ...] = ()


class Threshold(Matchers):
    """Muted until `count` episodes came within `window`."""

    count: int = Field(ge=2)
    window: Duration = timedelta(minutes=10)
