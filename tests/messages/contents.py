"""What messages show of an investigated fault, as the store reads it: the triage, its card, and a proposal."""

from bot.core.action import ProposalState
from bot.core.incident import AlertGroup, GroupState
from bot.core.investigation.first_facts import changes_before, composed, main_deviation
from bot.core.investigation.triage_facts import AlertCount, TriageFacts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.investigation import ProposalLine, TriageContent
from bot.core.messages.triage_consistency import without_contradictions
from bot.core.tool_calls import ToolRole, tool_for
from tests.answers.faults import TOOLS, Investigated

_FIRST = {
    ToolRole.HEALTH: "service_health",
    ToolRole.CHANGES: "recent_changes",
    ToolRole.ALERTS: "active_alerts",
    ToolRole.RUNBOOK: "find_runbook",
}


def triage_of(one: Investigated, *, proposed: bool = True) -> TriageContent:
    """The triage of a fault once its causes are ranked; with a proposal that waits."""
    content = TriageContent(
        group=group_of(one),
        attempt=1,
        state=TriageState.DONE,
        facts=facts_of(one),
        findings=one.findings,
        evidence={entry.id: entry for entry in one.ledger},
        proposals=[ProposalLine("AP-1", ProposalState.PENDING, f"Roll back {one.root}")] if proposed else [],
    )
    return without_contradictions(content)


def group_of(one: Investigated) -> AlertGroup:
    case = one.case
    return AlertGroup(
        ref=case.group, key=case.group, title=case.alert_name, service=case.service, severity=case.severity,
        state=GroupState.FIRING, channel="C0", opened_at=case.started_at, last_alert_at=case.started_at, alerts=60, firing=60,
    )  # fmt: skip


def facts_of(one: Investigated) -> TriageFacts:
    """The facts as the bot composes them, of the checks in the ledger."""
    infos = {name: tool.info for name, tool in TOOLS.items()}
    by_role = {role: tool_for(infos, role) for role in _FIRST}
    own = [e for e in one.ledger if e.arguments.get("service", "") in ("", one.case.service)]
    entries = {role: next((e for e in own if e.tool == tool), one.ledger[0]) for role, tool in by_role.items()}
    entries[ToolRole.PAST_INCIDENTS] = entries[ToolRole.RUNBOOK]
    main = main_deviation(entries[ToolRole.HEALTH].evidence.facts.deviations, one.case.service)
    onset = main.onset if main and main.onset else one.case.started_at
    changes = changes_before([entries[ToolRole.CHANGES]], onset=onset, services={})
    alerts = [AlertCount(name=one.case.alert_name, service=one.case.service, count=60)]
    return composed(one.case, entries, changes, alerts)
