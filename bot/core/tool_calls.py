"""What a look looked at, in the words of people: `health of checkout`, not a tool's name and its arguments."""

import re
from collections.abc import Mapping
from typing import Any

from bot.core.text.untrusted import one_line

_KINDS = {
    "service_health": "health of {service}",
    "recent_changes": "changes{of}",
    "active_alerts": "alerts{of}",
    "read_runbook": "runbook",
    "dependencies": "what {service} depends on",
    "metric_breakdown": "{service} {signal} split",
    "query_metric": "{service} {signal}",
    "compare_metric": "{service} {signal} compared",
    "search_logs": "logs of {service}",
    "search_traces": "traces of {service}",
    "log_mix": "kinds of log line of {service}",
    "call_mix": "what {service} calls",
    "call_waits": "waits of calls between services",
    "code_changes": "code changes of {service}",
    "model_versions": "model versions of {service}",
    "slo_status": "SLO of {service}",
    "past_incidents": "past incidents",
    "impact": "impact",
}
_FAILED = re.compile(r"\ACould not look \((.*?)\): (.*)\Z", re.DOTALL)


def looked_at(tool: str, arguments: Mapping[str, Any], limit: int = 40) -> str:
    """What a look was at, as one line; a tool without words of its own is told by its name and what it was asked."""
    if (kind := _KINDS.get(tool)) is None:
        asked = ", ".join(one_line(str(value), limit) for value in arguments.values() if value not in ("", None))
        return one_line(tool.replace("_", " ") + (f" of {asked}" if asked else ""), 4 * limit)
    service, signal = (one_line(str(arguments.get(name) or ""), limit) for name in ("service", "signal"))
    words = kind.format(service=service or "the service", signal=signal, of=f" on {service}" if service else "")
    return " ".join(words.split())


def could_not_look(at: str, why: str) -> str:
    """The summary of a look that failed."""
    return f"Could not look ({at}): {why}"


def unseen(summary: str) -> str:
    """`health of checkout: connection refused`: a failed look where a label says already that it failed."""
    match = _FAILED.match(summary)
    return f"{match[1]}: {match[2]}" if match else summary
