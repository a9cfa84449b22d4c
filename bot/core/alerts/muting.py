"""Which alerts are kept quiet, and by what. Nothing is dropped: a muted alert is stored with its reason."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.core.alert import Severity
from bot.core.config import Config


def matches(match: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether every label of `match` is equal; an empty match matches nothing."""
    return bool(match) and all(labels.get(key) == value for key, value in match.items())


def heartbeat(name: str, config: Config) -> bool:
    """Whether this rule always fires to show that its monitoring lives."""
    return name in config.heartbeats


def muted_by(
    labels: Mapping[str, str], severity: Severity, *, config: Config, firing: Iterable[Mapping[str, str]], at: datetime
) -> str:
    """Why this alert is muted, in words; "" if it is not. `firing` are the label sets that fire now."""
    if severity is Severity.NONE:
        return "severity none"
    for window in config.maintenance:
        if window.starts <= at <= window.ends and matches(window.match, labels):
            return f"maintenance: {window.reason}"
    for rule in config.inhibitions:
        if not matches(rule.target, labels):
            continue
        for other in firing:
            if matches(rule.source, other) and all(other.get(name) == labels.get(name) for name in rule.equal):
                return f"inhibited by {other.get('alertname', 'another alert')}"
    return ""


def below_threshold(labels: Mapping[str, str], config: Config, seen: int) -> str:
    """Why a threshold still mutes it: `seen` counts its episodes in the window, this one included; "" if it does not."""
    for rule in config.thresholds:
        if matches(rule.match, labels) and seen < rule.count:
            return f"threshold {seen} of {rule.count}"
    return ""


def threshold_window(labels: Mapping[str, str], config: Config) -> float:
    """Seconds over which episodes of this alert count; 0 without a threshold."""
    return max((rule.window.total_seconds() for rule in config.thresholds if matches(rule.match, labels)), default=0.0)
