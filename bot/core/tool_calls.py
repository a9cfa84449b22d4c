"""What code knows of tools besides calling them: their own metadata, and tool calls in the words of people."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.facts.alerting import AlertKind
from bot.core.text.untrusted import one_line


class ToolRole(StrEnum):
    """What the workflows call a tool for, whatever its name is. At most one tool has each role."""

    HEALTH = "health"
    """All signals of one service."""
    CURRENT = "current values"
    """The newest values of the signals of one service."""
    DEPENDENCIES = "service graph"
    CHANGES = "changes"
    JUMPS = "what jumped with changes"
    """What of a service jumped with its changes."""
    ALERTS = "alerts"
    RUNBOOK = "runbook"
    PAST_INCIDENTS = "past incidents"
    BREAKDOWN = "breakdown"
    """One signal split by a label."""
    LOGS = "logs"
    LOG_MIX = "log mix"
    CALL_MIX = "call mix"
    CALL_WAITS = "call waits"
    DATABASE = "database health"
    """Locks, slow queries, connections and replication of a database."""
    CODE = "code"
    """The commits that a version brought, with their diffs."""
    WORKLOAD = "workload"
    """The pods of a service and where they run, as the cluster tells it."""
    OBJECTIVES = "objectives"
    """What is left of a service's error budgets."""


class Basis(StrEnum):
    """What the answer of a tool rests on."""

    MEASURED = "measured"
    REPORTED = "reported"
    """What people or systems put into words: in an answer it follows what was measured, unless it is asked for."""
    BACKGROUND = "background"
    """Advice, and how things are built: it shows nothing of this incident."""


@dataclass(frozen=True)
class Topic:
    """One kind of question: the words that open it."""

    words: str
    fallback_words: str = ""
    """Words that open it only where no other topic is opened: "before" in "what changed before it?" does not."""


CHANGES = Topic(
    "change changed changes deploy deployed deploys deployment rollout release released version config configuration flag "
    "ship shipped merged pushed touched upgraded edited flipped commit commits model"
)
LOGS = Topic("log logs logged logging exception exceptions stacktrace")
CALLS = Topic("depend depends dependency dependencies upstream downstream callers")


@dataclass(frozen=True)
class ToolInfo:
    """The metadata of a tool, written in the tool's own file: no other file has to name it."""

    label: str = ""
    """A call in the words of people, e.g. `health of {service}`; `{signal}`, and `{of}` for " on checkout", may stand in it."""
    role: ToolRole | None = None
    topic: Topic | None = None
    """The questions that it answers; a topic of several tools stands above, one of its own in the tool's file."""
    basis: Basis = Basis.MEASURED
    row: str = ""
    """What one row is called if a call without a service lists all services: "change"."""
    first_for: Mapping[AlertKind, int] = field(default_factory=dict)
    """The kinds of alert for which a model calls it at the start, with its place among such tools (1 is the first)."""
    takes_service: bool = True
    """Set by the decorator, from the function's arguments."""

    def describe(self, tool: str, arguments: Mapping[str, object], limit: int = 40) -> str:
        """A call of this tool as one line; without a label the tool's name and the values of its arguments."""
        if not self.label:
            values = ", ".join(one_line(str(value), limit) for value in arguments.values() if value not in ("", None))
            return one_line(tool.replace("_", " ") + (f" of {values}" if values else ""), 4 * limit)
        service, signal = (one_line(str(arguments.get(name) or ""), limit) for name in ("service", "signal"))
        on = f" on {service}" if service else ""
        return " ".join(self.label.format(service=service or "the service", signal=signal, of=on).split())


Tools = Mapping[str, ToolInfo]
"""The metadata of the tools that are set up, by name."""
UNKNOWN_TOOL = ToolInfo()


def describe_call(tools: Tools, tool: str, arguments: Mapping[str, object], limit: int = 40) -> str:
    """A tool call as one line, e.g. `health of checkout`."""
    return tools.get(tool, UNKNOWN_TOOL).describe(tool, arguments, limit)


def tool_for(tools: Tools, role: ToolRole) -> str:
    """The name of the tool of a role. Without one the role's own name: calling that fails and says so."""
    return next((name for name, info in tools.items() if info.role is role), role.value)


_FAILED = re.compile(r"\ACould not (?:check|look) \((.*?)\): (.*)\Z", re.DOTALL)
"""Older versions stored "Could not look". What stands in the brackets may hold brackets of its own, as a query does."""


def could_not_check(what: str, why: str) -> str:
    """The summary of a check that failed."""
    return f"Could not check ({what}): {why}"


def failure_of(summary: str) -> tuple[str, str] | None:
    """What could not be checked and why, from the summary of a failed check; None for another summary."""
    match = _FAILED.match(summary)
    return (match[1], match[2]) if match else None


def failure_reason(summary: str) -> str:
    """Why a check failed, without what could not be checked; another summary as it is."""
    failure = failure_of(summary)
    return failure[1] if failure else summary


def without_lead(summary: str) -> str:
    """`health of checkout: connection refused`: a failed check beside a heading that says already that it failed."""
    failure = failure_of(summary)
    return ": ".join(failure) if failure else summary
