"""The heartbeats that are configured beside those that arrive, for `tocsin doctor`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.alerts.heartbeat import LEARNED_AFTER, HeartbeatKey, Rhythm, is_missed
from bot.core.check import Check, absent, failed, ok
from bot.core.config import Config
from bot.core.text.durations import elapsed_text

OFTEN_ENOUGH = timedelta(minutes=15)
"""A rule that comes more seldom says too late that the monitoring is gone."""
_ROUTE = "give it a route of its own with a short group_interval and repeat_interval (README, Alertmanager)"
_SENDERS = ("alertmanager",)
"""Kinds of sources whose senders usually have an always-firing rule."""


def check_heartbeats(config: Config, arrived: Sequence[tuple[str, Rhythm]], now: datetime) -> list[Check]:
    """One check for each source and rule that arrived or should; `arrived` are keys `<source>:<rule>`."""
    if not config.heartbeats:
        return [absent("Heartbeat", "name an always-firing rule under `heartbeats`: without one a dead Prometheus is silence")]
    rhythms = {HeartbeatKey.parse(stored): rhythm for stored, rhythm in arrived}
    last_seen_at = {key: rhythm.last_seen_at for key, rhythm in rhythms.items()}
    expected = [(source, rule) for source in config.sources for rule in config.heartbeats]
    coming = [key for key in rhythms if (key.source, key.rule) in expected and not key.is_forgotten(last_seen_at, now)]
    coming.sort(key=lambda key: (expected.index((key.source, key.rule)), key.scope))
    checks = [_check(config, key.stored, rhythms[key], now) for key in coming]
    beating = {key.source for key in coming}
    silent = [name for name, source in config.sources.items() if source.kind in _SENDERS and name not in beating]
    return checks + [_missing(config, source) for source in silent]


def _missing(config: Config, source: str) -> Check:
    rules = " or ".join(config.heartbeats)
    advice = f"nothing pages for it before it came: add an always-firing rule {rules} and {_ROUTE}"
    return absent(f"Heartbeat {source}", advice)


def _check(config: Config, key: str, rhythm: Rhythm, now: datetime) -> Check:
    name, configured = f"Heartbeat {key}", config.heartbeat_every
    silence = now - rhythm.last_seen_at
    last = f"last {elapsed_text(silence)} ago"
    comes = f"comes every {elapsed_text(rhythm.period)}" if rhythm.period else f"{rhythm.count} so far"
    if is_missed(rhythm, silence, configured):
        return failed(name, f"{comes}, {last}", "check that source's sender: its Prometheus, its Alertmanager and the route")
    if configured is not None and rhythm.period > 2 * configured:
        advice = f"with heartbeat_every: {elapsed_text(configured)} each gap pages: raise it, leave it out, or {_ROUTE}"
        return failed(name, f"{comes}, configured {elapsed_text(configured)}", advice)
    if configured is None and rhythm.count < LEARNED_AFTER:
        return ok(
            name,
            f"{rhythm.count} of {LEARNED_AFTER} heartbeats, {last}",
            "its period is learned from three; until then it pages nobody",
        )
    if rhythm.period > OFTEN_ENOUGH:
        return ok(name, f"{comes}, {last}", f"so its silence pages after {elapsed_text(2 * rhythm.period)}: {_ROUTE}")
    return ok(name, f"{comes}, {last}")
