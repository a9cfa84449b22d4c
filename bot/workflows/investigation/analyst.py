"""The analyst: calls the same tools as the agent, in waves along the service graph, and ranks without a model."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

from bot.core.changes.late_reports import CHANGE_LOOKBACK_HOURS, CLIMB_LOOKBACK_HOURS
from bot.core.evidence import Case, Findings, LedgerEntry
from bot.core.facts.measured import Family
from bot.core.ranking.next_checks import (
    changed_services,
    next_services,
    services_to_look_back_on,
    services_to_place,
    services_to_read,
    services_with_calls,
    services_with_older_changes,
    symptoms_to_inspect,
    versions_to_compare,
    versions_to_read,
)
from bot.core.ranking.observations import Observations, observe
from bot.core.ranking.ranking import rank
from bot.core.tool_calls import ToolRole, Tools, tool_for
from bot.core.verdict.category import categorize
from bot.ports import Run

CallTool = Callable[[str, Mapping[str, object], str], Awaitable[LedgerEntry]]
"""`call_tool(tool, arguments, call)`: one recorded tool call. `call` names it within the case."""

MAX_WAVES = 8
"""So many calls deep the graph is followed from the alerting service."""
MAX_SERVICES = 60
"""Services checked in one investigation."""
MAX_VERSIONS = 8
"""Versions whose code is read: those of the changes that may be the cause."""
MAX_COMPARED = 12
"""Signals of deployed services that are split by version."""
MAX_CHANGED = 6
"""Changed services whose health is checked, and as many whose signals are compared before and after their changes."""
MAX_INSPECTED = 3
"""Services whose symptoms are broken down by label and whose logs are read."""
MAX_READ = 8
"""Further services whose logs are read: what fails beneath may show in lines alone."""

_Request = tuple[ToolRole, Mapping[str, object]]


class Analyst:
    """An Investigator without a model. `calls` gives the tool calls of one case.

    `has_traces`, `has_code` (of versions) and `has_cluster` (where pods run): what can be read at all.
    """

    def __init__(
        self,
        calls: Callable[[Case], CallTool],
        tools: Tools,
        *,
        has_traces: bool = False,
        has_code: bool = False,
        has_cluster: bool = False,
    ) -> None:
        self._calls = calls
        self._tools = tools
        self._has_traces = has_traces
        self._has_code = has_code
        self._has_cluster = has_cluster

    async def investigate(self, run: Run, case: Case) -> Findings:
        """Check, follow what deviates, inspect it, rank. Each tool call is a step; a failed one is evidence that says so."""
        began = await run.now()
        ledger: list[LedgerEntry] = []
        observations = Observations(case.alert_name)
        call_tool = self._calls(case)

        async def check(requests: Iterable[_Request]) -> None:
            # Started together and named by what they ask: a replay finds each answer whatever the order they ended in.
            calls = [(tool_for(self._tools, role), arguments) for role, arguments in requests]
            steps = [run.step(_step_name(case, *call), call_tool, *call, call_name(case, *call)) for call in calls]
            entries = await asyncio.gather(*steps)
            ledger.extend(entries)
            observations.add(entries)

        await check([*_first_checks(case), *([(ToolRole.CALL_WAITS, {})] if self._has_traces else [])])
        await check([(ToolRole.CALL_MIX, {"service": s}) for s in services_with_calls(observations, [case.service])])
        followed = await self._follow_graph(case, observations, check)
        recent = changed_services(case, observations, now=began, tried=followed, most=MAX_CHANGED)
        await check([(ToolRole.HEALTH, {"service": s}) for s in recent])
        symptoms = symptoms_to_inspect(case, observations, now=began, most=MAX_INSPECTED)
        await check(_inspections(symptoms))
        if self._has_cluster:
            await check([(ToolRole.WORKLOAD, {"service": s}) for s in services_to_place(observations)[:MAX_INSPECTED]])
        await check(self._own_lines(case, ledger))
        if read := self._services_with_logs_read(ledger):
            further = services_to_read(case, observations, now=began, read=read, most=MAX_READ)
            await check([(ToolRole.LOGS, {"service": s, "text": ""}) for s in further])
        climbing = services_to_look_back_on(case, observations, now=began)[:MAX_INSPECTED]
        await check([(ToolRole.CHANGES, {"service": s, "hours": CLIMB_LOOKBACK_HOURS}) for s in climbing])
        changed = services_with_older_changes(case, observations, now=began, most=MAX_CHANGED)
        await check([(ToolRole.JUMPS, {"service": s}) for s in changed])
        splits = versions_to_compare(case, observations, now=began, most=MAX_COMPARED)
        await check([(ToolRole.BREAKDOWN, {"service": s, "signal": signal, "by": "version"}) for s, signal in splits])
        if self._has_code:
            versions = versions_to_read(case, observations, now=began, most=MAX_VERSIONS)
            await check([(ToolRole.CODE, {"service": s, "base": base, "head": head}) for s, base, head in versions])
        findings = _ranked(case, ledger, began, observations)
        return _with_cost(findings, len(ledger), began, await run.now())

    async def _follow_graph(
        self, case: Case, observations: Observations, check: Callable[[Iterable[_Request]], Awaitable[None]]
    ) -> set[str]:
        """Wave by wave down the dependencies of what deviates, and up where traffic rose; all services that were tried."""
        checked = {case.service}
        for _ in range(MAX_WAVES):
            # A service that could not be checked is not checked again: the same answer would come at the same price.
            services = [s for s in next_services(case, observations) if s not in checked][: MAX_SERVICES - len(checked)]
            if not services:
                break
            checked.update(services)
            await check([(role, {"service": s}) for s in services for role in (ToolRole.HEALTH, ToolRole.DEPENDENCIES)])
            await check([(ToolRole.CALL_MIX, {"service": s}) for s in services_with_calls(observations, services)])
            if not case.service:
                # Nobody says which service hurts: what each one logs is a sign of its own.
                await check([(ToolRole.LOG_MIX, {"service": s}) for s in services])
        return checked

    def _services_with_logs_read(self, ledger: Iterable[LedgerEntry]) -> set[str]:
        """The services whose logs were asked for; none where no log store answers."""
        reads = [entry for entry in ledger if entry.tool == tool_for(self._tools, ToolRole.LOGS)]
        return {str(entry.arguments["service"]) for entry in reads} if any(entry.evidence.ok for entry in reads) else set()

    def _own_lines(self, case: Case, ledger: Iterable[LedgerEntry]) -> list[_Request]:
        """What the alerting service logs since the onset, if its logs were not read yet: many faults show in lines alone."""
        logs = tool_for(self._tools, ToolRole.LOGS)
        read = any(entry.tool == logs and entry.arguments.get("service") == case.service for entry in ledger)
        return [(ToolRole.LOGS, {"service": case.service, "text": ""})] if case.service and not read else []


def ranked_again(findings: Findings, case: Case, ledger: Sequence[LedgerEntry], more: Sequence[LedgerEntry]) -> Findings:
    """The analyst's findings over its own ledger and what a model recorded in the same attempt.

    Where both made the same query the analyst's own reading counts: a later one may show the recovery.
    """
    own = {_hash(case, entry.tool, entry.arguments) for entry in ledger}
    new = [entry for entry in more if _hash(case, entry.tool, entry.arguments) not in own]
    if not ledger or not new:
        return findings
    entries = [*ledger, *new]
    again = _ranked(case, entries, ledger[0].at, observe(entries, alert=case.alert_name))
    result = ("hypotheses", "ruled_out", "not_checked", "category", "because", "note")
    return findings.model_copy(update={field: getattr(again, field) for field in result})


def _ranked(case: Case, ledger: Sequence[LedgerEntry], now: datetime, observations: Observations) -> Findings:
    return categorize(rank(case, ledger, now=now, observations=observations), case, ledger, observations)


def _first_checks(case: Case) -> list[_Request]:
    # An alert that names no service gives no place to begin: all services, then.
    service = {"service": case.service}
    own = [(ToolRole.HEALTH, service), (ToolRole.DEPENDENCIES, service)] if case.service else [(ToolRole.DEPENDENCIES, service)]
    return [*own, (ToolRole.CHANGES, {"service": "", "hours": CHANGE_LOOKBACK_HOURS}), (ToolRole.ALERTS, {"service": ""})]


def _inspections(symptoms: Iterable[tuple[str, str, Family]]) -> list[_Request]:
    """Which label value carries each symptom, who the provider is, and what is logged."""
    symptoms = list(symptoms)
    split = [(ToolRole.BREAKDOWN, {"service": service, "signal": signal}) for service, signal, _ in symptoms]
    # With one provider alone no label tells anything apart, but people want its name.
    named = [
        (ToolRole.BREAKDOWN, {"service": service, "signal": signal, "by": "provider"})
        for service, signal, family in symptoms
        if family == "external"
    ]
    logs = [(ToolRole.LOGS, {"service": service, "text": ""}) for service in dict.fromkeys(s for s, _, _ in symptoms)]
    return [*split, *named, *logs]


def _with_cost(findings: Findings, steps: int, began: datetime, ended: datetime) -> Findings:
    update = {"by": "analyst", "steps": steps, "seconds": round((ended - began).total_seconds(), 2), "stop_reason": "done"}
    return findings.model_copy(update=update)


def _step_name(case: Case, tool: str, arguments: Mapping[str, object]) -> str:
    return f"tool:{tool}:{_hash(case, tool, arguments)}"


def call_name(case: Case, tool: str, arguments: Mapping[str, object]) -> str:
    """How the ledger knows a call of the analyst."""
    return f"analyst:{case.attempt}:{_hash(case, tool, arguments)}"


def _hash(case: Case, tool: str, arguments: Mapping[str, object]) -> str:
    request = json.dumps([case.group, case.attempt, tool, arguments], sort_keys=True)
    return hashlib.sha256(request.encode()).hexdigest()[:12]
