"""States as bot.store.slack.message_states makes them, for the views' tests."""

from typing import Any

from tests.unit.builders import NOW, at

HOSTS = frozenset({"prometheus.example"})
NASTY = "<!channel> *APPROVED* `x` https://attacker.example/a\nsecond line"


def card_state(**values: Any) -> dict[str, Any]:
    return {
        "ref": "AL-3", "title": "HighErrorRate", "service": "checkout", "severity": "SEV2", "state": "FIRING",
        "channel": "C1", "opened_at": NOW, "cleared_at": None, "acknowledged_by": "", "acknowledged_at": None,
        "alerts": 60, "firing": 58, "repeats": 3, "reopened": 0, "mentioned_at": None, "previous": "",
        "incident": "INC-2", "lead": "", "stopped": False, "resolved_by": "", "resolved_at": None, "cause": "",
        "summary": "5xx ratio is 7.4 %", "links": [("Source", "http://prometheus.example/graph")],
        "last_change": {"kind": "deploy", "service": "checkout", "version": "2.0", "title": "v2",
                        "age_text": "4 min before onset"},
        "first_cause": None, "triaged": True,
        "hosts": HOSTS, "on_call": ["alice"], "mention": [], **values,
    }  # fmt: skip


def claim(text: str, *evidence: str) -> dict[str, Any]:
    return {"text": text, "evidence": list(evidence)}


def hypothesis(cause: str = "deploy v2 broke checkout", **values: Any) -> dict[str, Any]:
    return {
        "cause": cause, "service": "checkout", "kind": "change", "change_id": "d1", "confidence": "likely", "likelihood": 0.78,
        "claims": [claim("errors rose 40 s after the deploy", "E1")], "against": [claim("traffic was normal", "E2")],
        "not_checked": ["node metrics"], "check": "", **values,
    }  # fmt: skip


def findings(*hypotheses: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "hypotheses": list(hypotheses), "ruled_out": [], "not_checked": [], "by": "analyst", "note": "", "model": "",
        "stop_reason": "", "steps": 5, "seconds": 2.0, "tokens": 0, "usd": 0.0, "dropped": [], **values,
    }  # fmt: skip


def facts(**values: Any) -> dict[str, Any]:
    return {
        "onset": NOW.isoformat(), "onset_text": "checkout errors left the normal range", "signal": "checkout errors",
        "onset_evidence": "E1", "changes_evidence": "E2", "changes_ok": True, "alerts_evidence": "E3",
        "changes": [
            {"id": "d1", "at": at(-4).isoformat(), "service": "checkout", "kind": "deploy", "title": "v2", "author": "bob",
             "age_text": "4 min before onset", "evidence": "E2"}
        ],
        "alerts": [{"name": "HighErrorRate", "service": "checkout", "count": 60}],
        "runbook": {"title": "Errors", "link": "", "passage": "roll back", "evidence": "E4"}, "graph": "triage:AL-3:1",
        "not_checked": [], "main": "checkout errors: 1 % → 20 % (E1)",
        "health": ["checkout latency: 0.1 s → 2 s (E1)"], **values,
    }  # fmt: skip


def triage_state(**values: Any) -> dict[str, Any]:
    evidence = {
        f"E{n}": {
            "summary": f"seen {n}",
            "query": "up",
            "link": f"http://prometheus.example/x{n}",
            "tool": "service_health",
            "arguments": {"service": "checkout"},
        }
        for n in range(1, 5)
    }
    return {
        "ref": "AL-3", "title": "HighErrorRate", "service": "checkout", "severity": "SEV2", "attempt": 1,
        "triage_state": "done", "question": "", "requester": "", "facts": facts(), "findings": findings(hypothesis()),
        "checks": [], "evidence": evidence, "proposals": [], "hosts": HOSTS, "on_call": [], "mention": [], **values,
    }  # fmt: skip
