"""Always-firing rules: how often they are expected, learned from what arrives, and when their silence is worth a page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from bot.core.alerts.component import SCOPE_LABELS, scope_of

LEARNED_AFTER = 3
"""Heartbeats that must have come before a learned period counts: before that, silence says nothing."""
SAME_HEARTBEAT = timedelta(seconds=10)
"""Deliveries so near to each other are one heartbeat: two Alertmanagers send it each."""
SHRINKS_TO = 0.9
"""Of the longest gap so far, with each heartbeat: one outage of the monitoring must not raise it for ever."""
MISSED_PERIODS = 2
"""So many periods of silence are a miss."""
GROWS_BY = 2
"""Most by which a miss lengthens the period: an outage rather than a new interval, and the next must be noticed."""
FORGOTTEN_AFTER = timedelta(days=7)
"""So long after the last heartbeat of one of several installations it is not waited for any more: it was removed."""
_SCOPED = re.compile(rf"(.*?)\{{((?:{'|'.join(SCOPE_LABELS)})=.*)\}}", re.DOTALL)


@dataclass(frozen=True)
class HeartbeatKey:
    """An always-firing rule of one source and one installation: one that dies must not be hidden by another that lives."""

    source: str
    rule: str
    scope: str = ""
    """`cluster=eu`; "" where its labels name none."""

    @classmethod
    def of(cls, source: str, rule: str, labels: Mapping[str, str]) -> Self:
        """Of the alert that a rule fires."""
        return cls(source, rule, ",".join(f"{name}={value}" for name, value in scope_of(labels).items()))

    @classmethod
    def parse(cls, stored: str) -> Self:
        """As it is stored."""
        source, _, rule = stored.partition(":")
        scoped = _SCOPED.fullmatch(rule)
        return cls(source, scoped[1], scoped[2]) if scoped else cls(source, rule)

    @property
    def stored(self) -> str:
        """`prod:Watchdog`, `prod:Watchdog{cluster=eu}`."""
        return f"{self.source}:{self.rule}" + (f"{{{self.scope}}}" if self.scope else "")

    def is_forgotten(self, last_seen_at: Mapping["HeartbeatKey", datetime], now: datetime) -> bool:
        """Whether it is not waited for any more: another installation of the same rule still comes."""
        if not self.scope or now - last_seen_at[self] <= FORGOTTEN_AFTER:
            return False
        others = [at for key, at in last_seen_at.items() if (key.source, key.rule) == (self.source, self.rule)]
        return now - max(others) <= FORGOTTEN_AFTER


@dataclass(frozen=True)
class Rhythm:
    """How an always-firing rule has come so far."""

    last_seen_at: datetime
    count: int = 1
    period: timedelta = timedelta(0)
    """The longest gap between two heartbeats, a little less with each that comes sooner; 0 before there are two."""


def next_rhythm(rhythm: Rhythm, at: datetime) -> Rhythm:
    """The rhythm after one more delivery; one that arrives late or twice changes no period."""
    gap = at - rhythm.last_seen_at
    if gap < SAME_HEARTBEAT:
        return Rhythm(max(rhythm.last_seen_at, at), rhythm.count, rhythm.period)
    if rhythm.count >= LEARNED_AFTER and gap > MISSED_PERIODS * rhythm.period:
        gap = GROWS_BY * rhythm.period
    return Rhythm(at, rhythm.count + 1, max(gap, rhythm.period * SHRINKS_TO))


def is_missed(rhythm: Rhythm, silence: timedelta, configured: timedelta | None) -> bool:
    """Whether a rule has been silent for too long: by the period that is configured, else by the learned one."""
    if configured is not None:
        return silence > MISSED_PERIODS * configured
    return rhythm.count >= LEARNED_AFTER and silence > MISSED_PERIODS * rhythm.period
