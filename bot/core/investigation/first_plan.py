"""The first tool calls of a model: from the kind of alert and the service graph alone, whatever any text says."""

from collections.abc import Iterator, Sequence

from bot.core.alerts.problem_kind import kind_of
from bot.core.evidence import Case, LedgerEntry
from bot.core.facts.alerting import AlertKind
from bot.core.ranking.observations import Observations, observe
from bot.core.tool_calls import ToolRole, Tools, tool_for

PlannedCall = tuple[str, dict[str, object]]
"""A tool and its arguments."""
MAX_NEIGHBOURS = 6
MAX_CALLS = 12
_FROM_CALLERS: frozenset[AlertKind] = frozenset({"load", "network"})
"""Kinds of trouble that callers bring about as often as the called services do."""


def first_plan(case: Case, ledger: Sequence[LedgerEntry], tools: Tools) -> list[PlannedCall]:
    """The calls to make first, the widest first; without those that succeeded already or whose tool is not set up.

    The alerting service, what it calls (for traffic and network also who calls it), changes, other alerts, and the tools
    that are first for its kind of alert. For an alert that names no service: all services, all alerts, all changes.
    """
    observations, kind = observe(ledger), kind_of(case.alert_name)
    done = {(e.tool, str(e.arguments.get("service", ""))) for e in ledger if e.evidence.ok}
    calls = _around(case.service, kind, observations, tools) if case.service else _everywhere(tools)
    planned = [call for call in calls if call[0] in tools and (call[0], str(call[1].get("service", ""))) not in done]
    return planned[:MAX_CALLS]


def _everywhere(tools: Tools) -> Iterator[PlannedCall]:
    for role in (ToolRole.DEPENDENCIES, ToolRole.ALERTS, ToolRole.CHANGES):
        yield tool_for(tools, role), {"service": ""}


def _around(service: str, kind: AlertKind, observations: Observations, tools: Tools) -> Iterator[PlannedCall]:
    health = tool_for(tools, ToolRole.HEALTH)
    yield health, {"service": service}
    yield tool_for(tools, ToolRole.DEPENDENCIES), {"service": service}
    yield tool_for(tools, ToolRole.CHANGES), {"service": ""}
    yield tool_for(tools, ToolRole.ALERTS), {"service": ""}
    neighbours = [*observations.depends_on.get(service, ())]
    if kind in _FROM_CALLERS:
        neighbours += observations.dependents.get(service, ())
    for name in list(dict.fromkeys(neighbours))[:MAX_NEIGHBOURS]:
        yield health, {"service": name}
    for tool in _first_for(kind, tools):
        yield tool, {"service": service} if tools[tool].takes_service else {}


def _first_for(kind: AlertKind, tools: Tools) -> list[str]:
    return sorted(
        (name for name, info in tools.items() if kind in info.first_for), key=lambda name: tools[name].first_for[kind]
    )
