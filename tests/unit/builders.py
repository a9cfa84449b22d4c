"""Nouns for tests, with defaults that do not matter."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.alert import Severity
from bot.core.change import Change
from bot.core.evidence import Evidence, LedgerEntry
from bot.core.incident import AlertGroup, GroupState, Incident, IncidentState

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def at(minutes: float = 0) -> datetime:
    """NOW plus so many minutes."""
    return NOW + timedelta(minutes=minutes)


def change(name: str, service: str = "checkout", *, minutes_before: float = 5, **values: Any) -> Change:
    fields = {"kind": "deploy", "title": f"deploy {name}", **values}
    return Change(id=f"test:{name}", at=at(-minutes_before), service=service, **fields)


def evidence(id: str = "E1", summary: str = "errors at 0.07 ratio", **values: Any) -> LedgerEntry:
    fields = {"query": "up", "source": "prometheus", **values}
    return LedgerEntry(id=id, group="AL-1", tool="query_metric", at=NOW, evidence=Evidence(summary=summary, **fields))


def incident(**values: Any) -> Incident:
    fields: dict[str, Any] = {
        "ref": "INC-1", "title": "Errors on checkout", "severity": Severity.SEV2, "service": "checkout",
        "state": IncidentState.RESOLVED, "channel": "C1", "group": "AL-1", "declared_by": "policy", "declared_at": NOW,
        "resolved_at": at(20),
    }  # fmt: skip
    return Incident(**{**fields, **values})


def group(**values: Any) -> AlertGroup:
    fields: dict[str, Any] = {
        "ref": "AL-1", "key": "checkout", "title": "HighErrorRate", "service": "checkout", "severity": Severity.SEV2,
        "state": GroupState.FIRING, "channel": "C1", "opened_at": NOW, "last_alert_at": NOW, "alerts": 60, "firing": 60,
    }  # fmt: skip
    return AlertGroup(**{**fields, **values})
