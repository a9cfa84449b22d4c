"""Where to look first: from the kind of alert and the service graph alone, whatever any text says."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from bot.core.alerts.kind import kind_of
from bot.core.evidence import Case, LedgerEntry
from bot.core.facts.alerting import AlertKind
from bot.core.ranking.observations import Observations, observe

Look = tuple[str, dict[str, Any]]
MOST_NEIGHBOURS = 6
MOST_LOOKS = 12
_OF_KIND: dict[AlertKind, tuple[str, ...]] = {
    "errors": ("search_logs", "slo_status"),
    "latency": ("search_traces", "search_logs"),
    "load": ("call_mix", "search_logs"),
    "network": ("call_waits", "search_traces"),
    "logs": ("log_mix", "search_logs"),
}
"""What tells most about a service whose alert is of this kind; of resources and the rest its lines."""
_OF_ALL = frozenset({"call_waits"})
"""Looks that take no service."""
_LOOKED_UPWARDS: frozenset[AlertKind] = frozenset({"load", "network"})
"""Kinds that callers bring about as often as what lies below."""


def first_plan(case: Case, ledger: Sequence[LedgerEntry], tools: Collection[str]) -> list[Look]:
    """Looks to make first, the widest first; without those that succeeded already or whose tool is not there.

    The alerting service, what it calls (for traffic and network also who calls it), changes, other alerts, and what its
    kind of alert asks for. An alert that names no service is looked into by way of all services and all alerts.
    """
    seen, kind = observe(ledger), kind_of(case.alert_name)
    made = {(e.tool, str(e.arguments.get("service", ""))) for e in ledger if e.evidence.ok}
    wanted = _everywhere() if not case.service else _around(case.service, kind, seen)
    kept = [look for look in wanted if look[0] in tools and (look[0], str(look[1].get("service", ""))) not in made]
    return kept[:MOST_LOOKS]


def _everywhere() -> Iterator[Look]:
    yield "dependencies", {"service": ""}
    yield "active_alerts", {"service": ""}
    yield "recent_changes", {"service": ""}


def _around(service: str, kind: AlertKind, seen: Observations) -> Iterator[Look]:
    yield "service_health", {"service": service}
    yield "dependencies", {"service": service}
    yield "recent_changes", {"service": ""}
    yield "active_alerts", {"service": ""}
    neighbours = [*seen.depends_on.get(service, ())]
    if kind in _LOOKED_UPWARDS:
        neighbours += seen.dependents.get(service, ())
    for name in list(dict.fromkeys(neighbours))[:MOST_NEIGHBOURS]:
        yield "service_health", {"service": name}
    for tool in _OF_KIND.get(kind, ("search_logs",)):
        yield tool, {} if tool in _OF_ALL else {"service": service}
