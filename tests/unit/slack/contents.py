"""Contents of messages as bot.store.slack.message_contents makes them, for the views' tests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.core.action import Proposal, ProposalState, Tier
from bot.core.alert import Severity
from bot.core.evidence import Claim, Evidence, Findings, Hypothesis, LedgerEntry
from bot.core.incident import AlertGroup
from bot.core.investigation.triage_facts import AlertCount, PriorChange, RunbookExcerpt, TriageFacts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import CardContent, RenewedContent, StormContent, StormOrigin
from bot.core.messages.investigation import ProposalLine, TriageContent
from bot.core.messages.proposals import ProposalContent
from bot.core.messages.replies import DetailsReply
from bot.slack.blocks import Rendered
from bot.slack.view_context import ViewContext
from bot.slack.views import card, details, line, storm, triage
from tests.unit import builders
from tests.unit.builders import NOW, at

HOSTS = frozenset({"prometheus.example"})
VIEW = ViewContext(hosts=HOSTS)
NASTY = "<!channel> *APPROVED* `x` https://attacker.example/a\nsecond line"
_OF_INCIDENT = ("lead", "stopped", "resolved_by", "resolved_at", "cause")


def change(service: str = "checkout", **values: Any) -> PriorChange:
    fields = {"id": "d1", "at": at(-4), "kind": "deploy", "title": "v2", "age_text": "4 min before onset", "evidence": "E2"}
    return PriorChange(service=service, **{**fields, **values})


def group(**values: Any) -> AlertGroup:
    return builders.group(**{"ref": "AL-3", "alerts": 60, "firing": 58, "repeats": 3, **values})


def card_content(*, declared: bool = True, **values: Any) -> CardContent:
    """The card of AL-3, by default of INC-2; values of the group and the incident are given beside those of the card."""
    of_group = {name: values.pop(name) for name in AlertGroup.model_fields if name in values}
    of_incident = {"ref": "INC-2", "resolved_at": None, **{name: values.pop(name) for name in _OF_INCIDENT if name in values}}
    fields = {
        "summary": "5xx ratio is 7.4 %", "links": [("Source", "http://prometheus.example/graph")], "triaged": True,
        "last_change": change(version="2.0"), **values,
    }  # fmt: skip
    return CardContent(group=group(**of_group), incident=builders.incident(**of_incident) if declared else None, **fields)


def rendered_card(*, mention: Sequence[str] = (), **values: Any) -> Rendered:
    return card.render(card_content(**values), ViewContext(hosts=HOSTS, on_call=["alice"], mention=mention))


def rendered_renewed(*, mention: Sequence[str] = (), written_at: datetime | None = None, **values: Any) -> Rendered:
    fields = {
        "severity": Severity.SEV2, "card_severity": Severity.SEV2, "alert": "HighErrorRate", "alert_service": "checkout",
        "started_at": NOW, **values,
    }  # fmt: skip
    return line.render_renewed(RenewedContent(**fields), ViewContext(hosts=HOSTS, mention=mention, written_at=written_at))


def rendered_storm(groups: Sequence[AlertGroup], origin: StormOrigin | None = None) -> Rendered:
    return storm.render(StormContent(groups=groups, origin=origin), VIEW)


def claim(text: str, *evidence: str) -> Claim:
    return Claim(text=text, evidence=list(evidence))


def hypothesis(cause: str = "deploy v2 broke checkout", **values: Any) -> Hypothesis:
    fields = {
        "service": "checkout", "kind": "change", "change_id": "d1", "confidence": "likely", "likelihood": 0.78,
        "claims": [claim("errors rose 40 s after the deploy", "E1")], "against": [claim("traffic was normal", "E2")],
        "not_checked": ["node metrics"], **values,
    }  # fmt: skip
    return Hypothesis(cause=cause, **fields)


def findings(*hypotheses: Hypothesis, **values: Any) -> Findings:
    return Findings(hypotheses=list(hypotheses), **{"steps": 5, "seconds": 2.0, **values})


def facts(**values: Any) -> TriageFacts:
    fields = {
        "onset": NOW, "onset_text": "checkout errors left the normal range", "signal": "checkout errors",
        "onset_evidence": "E1", "changes_evidence": "E2", "alerts_evidence": "E3", "changes": (change(author="bob"),),
        "alerts": (AlertCount(name="HighErrorRate", service="checkout", count=60),),
        "runbook": RunbookExcerpt(title="Errors", passage="roll back", evidence="E4"), "graph": "triage:AL-3:1",
        "main": "checkout errors: 1 % → 20 % (E1)", "health": ("checkout latency: 0.1 s → 2 s (E1)",), **values,
    }  # fmt: skip
    return TriageFacts(**fields)


def entry(id: str = "E1", **values: Any) -> LedgerEntry:
    address = f"http://prometheus.example/x{id[1:]}"
    fields = {"summary": f"seen {id}", "query": "up", "link": address, "label": "health of checkout", **values}
    evidence = Evidence(**fields)
    return LedgerEntry(id=id, group="AL-3", tool="service_health", arguments={"service": "checkout"}, at=NOW, evidence=evidence)


def ledger() -> dict[str, LedgerEntry]:
    return {f"E{n}": entry(f"E{n}") for n in range(1, 5)}


def triage_content(**values: Any) -> TriageContent:
    fields = {
        "group": group(), "attempt": 1, "state": TriageState.DONE, "facts": facts(), "findings": findings(hypothesis()),
        "evidence": ledger(), **values,
    }  # fmt: skip
    return TriageContent(**fields)


def rendered_triage(**values: Any) -> Rendered:
    return triage.render(triage_content(**values), VIEW)


def rendered_details(**values: Any) -> Rendered:
    """What Details shows of the same triage."""
    return details.render(DetailsReply(triage=triage_content(**values)), VIEW)


def proposal_content(proposal: dict[str, Any] | None = None, **values: Any) -> ProposalContent:
    """AP-1, waiting for an approval; `proposal` are values of the proposal itself."""
    fields = {
        "ref": "AP-1", "revision": 2, "group": "AL-3", "incident": "INC-2", "action": "rollback", "action_version": "1",
        "kind": "run_webhook", "service": "checkout", "title": "Roll back checkout", "because": "v2 broke it (likely, E1)",
        "arguments": {"change_id": "test:v2"}, "targets": {"checkout": "2"}, "steps": ["POST http://jobs.example/rollback"],
        "dry_run": "POST", "dry_run_at": NOW, "tier": Tier.TWO, "policy_version": "1", "requester": "alice",
        "undo": "Roll forward checkout", "expires_at": at(60), "state": ProposalState.PENDING,
        "plan_fingerprint": "abcdef0123456789", "created_at": NOW, **(proposal or {}),
    }  # fmt: skip
    return ProposalContent(proposal=Proposal(**fields), **{"lead": "bob", "deputies": ["dave"], **values})


def proposal_lines(*states: Any) -> list[ProposalLine]:
    """AP-1, AP-2, ... in these states."""
    return [ProposalLine(f"AP-{number}", ProposalState(state)) for number, state in enumerate(states, 1)]
