"""Groups firing alerts and decides when to send which webhook, as Alertmanager does."""

from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.world.change import iso
from bot.sandbox.world.rules import Active
from bot.sandbox.world.silences import Silences
from bot.sandbox.world.tables import Labels

GROUP_BY = ("alertname", "service")
GROUP_WAIT_SECONDS = 1.0
GROUP_INTERVAL_SECONDS = 2.0
REPEAT_SECONDS = 240.0
WATCHDOG_REPEAT_SECONDS = 20.0
NEVER_ENDED = "0001-01-01T00:00:00Z"
RECEIVER = "incident-bot"


def fingerprint(labels: Labels) -> str:
    """Prometheus' 64-bit FNV-1a over the sorted labels, in hex (prometheus/common, model/signature.go)."""
    digest = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in b"".join(part.encode() + b"\xff" for part in (name, labels[name])):
            digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


@dataclass
class Entry:
    """One alert as Alertmanager knows it."""

    labels: Labels
    annotations: Labels
    starts_at: float
    generator_url: str
    fingerprint: str
    ends_at: float | None = None
    updated_at: float = 0.0

    def in_webhook(self) -> dict[str, Any]:
        """Its form inside a webhook body."""
        return {
            "status": "resolved" if self.ends_at else "firing",
            "labels": self.labels,
            "annotations": self.annotations,
            "startsAt": iso(self.starts_at),
            "endsAt": iso(self.ends_at) if self.ends_at else NEVER_ENDED,
            "generatorURL": self.generator_url,
            "fingerprint": self.fingerprint,
        }

    def in_api(self, silenced_by: list[str], now: float) -> dict[str, Any]:
        """Its form in API v2."""
        return {
            "annotations": self.annotations,
            "endsAt": iso(self.ends_at or now + 240),
            "fingerprint": self.fingerprint,
            "receivers": [{"name": RECEIVER}],
            "startsAt": iso(self.starts_at),
            "status": {
                "inhibitedBy": [],
                "mutedBy": [],
                "silencedBy": silenced_by,
                "state": "suppressed" if silenced_by else "active",
            },
            "updatedAt": iso(self.updated_at),
            "generatorURL": self.generator_url,
            "labels": self.labels,
        }


@dataclass
class Group:
    """Alerts that are sent together, and what was sent of them."""

    labels: Labels
    next_flush: float
    entries: dict[str, Entry] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    """Fingerprints that were last sent as firing."""
    sent_at: float = 0.0

    @property
    def key(self) -> str:
        """Alertmanager's groupKey."""
        inside = ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels.items()))
        return f"{{}}:{{{inside}}}"


def _common(maps: list[Labels]) -> Labels:
    first, *rest = maps
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}


@dataclass
class Notifier:
    """Call `update` after each evaluation of the rules and send what `due` answers."""

    silences: Silences
    base_url: str = ""
    groups: dict[str, Group] = field(default_factory=dict)

    def update(self, firing: list[Active], now: float) -> None:
        """Take the firing alerts over; what fires no more is resolved."""
        alive = set()
        for active in firing:
            print_ = fingerprint(active.labels)
            alive.add(print_)
            group = self._group(active.labels, now)
            entry = group.entries.get(print_)
            if entry is None or entry.ends_at:
                entry = group.entries[print_] = Entry(
                    active.labels, {}, active.fired_at or now, active.generator_url(self.base_url), print_
                )
            entry.annotations, entry.updated_at = active.annotations(self.base_url), now
        for group in self.groups.values():
            for entry in group.entries.values():
                if entry.ends_at is None and entry.fingerprint not in alive:
                    entry.ends_at = now

    def due(self, now: float) -> list[dict[str, Any]]:
        """Webhook bodies to send now, version 4."""
        bodies = []
        for group in self.groups.values():
            if now >= group.next_flush:
                group.next_flush = now + GROUP_INTERVAL_SECONDS
                if body := self._flush(group, now):
                    bodies.append(body)
        return bodies

    def entries(self, now: float) -> list[dict[str, Any]]:
        """Firing alerts in the form of API v2."""
        alive = [e for group in self.groups.values() for e in group.entries.values() if e.ends_at is None]
        return [entry.in_api(self.silences.muting(entry.labels, now), now) for entry in alive]

    def _group(self, labels: Labels, now: float) -> Group:
        own = {name: labels[name] for name in GROUP_BY if name in labels}
        group = Group(own, now + GROUP_WAIT_SECONDS)
        return self.groups.setdefault(group.key, group)

    def _flush(self, group: Group, now: float) -> dict[str, Any] | None:
        loud = [e for e in group.entries.values() if not self.silences.muting(e.labels, now)]
        firing = {e.fingerprint for e in loud if e.ends_at is None}
        resolved = {e.fingerprint for e in loud if e.ends_at and e.fingerprint in group.sent}
        pause = WATCHDOG_REPEAT_SECONDS if group.labels.get("alertname") == "Watchdog" else REPEAT_SECONDS
        repeat = bool(firing) and now - group.sent_at >= pause
        body = None
        if firing - group.sent or resolved or repeat:
            body = self._body(group, [e for e in loud if e.fingerprint in firing | resolved])
            group.sent_at, group.sent = now, firing | {p for p in group.sent if p in group.entries and p not in resolved}
        group.entries = {p: e for p, e in group.entries.items() if e.ends_at is None or self.silences.muting(e.labels, now)}
        return body

    def _body(self, group: Group, entries: list[Entry]) -> dict[str, Any]:
        return {
            "receiver": RECEIVER,
            "status": "firing" if any(e.ends_at is None for e in entries) else "resolved",
            "alerts": [e.in_webhook() for e in entries],
            "groupLabels": group.labels,
            "commonLabels": _common([e.labels for e in entries]),
            "commonAnnotations": _common([e.annotations for e in entries]),
            "externalURL": f"{self.base_url}/world/alertmanager",
            "version": "4",
            "groupKey": group.key,
            "truncatedAlerts": 0,
        }
