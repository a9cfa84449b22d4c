"""The analyst: looks with the same tools as the agent, in waves along the service graph, and ranks without a model."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from bot.core.evidence import Case, Findings, LedgerEntry
from bot.core.facts.measured import Family
from bot.core.ranking.next_checks import next_services, services_with_calls, symptoms_to_inspect
from bot.core.ranking.ranking import rank
from bot.core.verdict.category import categorize
from bot.ports import Run

Look = Callable[[str, dict[str, Any], str], Awaitable[LedgerEntry]]
"""`look(tool, arguments, call)`: one look, recorded. `call` names the look within the case."""

WAVES = 8
"""So many calls deep the graph is followed from the alerting service."""
MOST_SERVICES = 60
"""Services looked at in one investigation."""
HOURS = 6
"""How far back changes are listed: a leak may be hours old."""
CLOSE_LOOKS = 3
"""Services whose symptoms are broken down by label and whose logs are read."""

_Request = tuple[str, dict[str, Any]]


class Analyst:
    """An Investigator without a model. `looks` gives the look of one case; `traced` says that there are traces."""

    def __init__(self, looks: Callable[[Case], Look], *, traced: bool = False) -> None:
        self._looks = looks
        self._traced = traced

    async def investigate(self, run: Run, case: Case) -> Findings:
        """Look, follow what deviates, look closer there, rank. Each look is a step; a failed one is evidence that says so."""
        began = await run.now()
        ledger: list[LedgerEntry] = []
        look = self._looks(case)

        async def see(requests: Iterable[_Request]) -> None:
            # Started together and named by what they ask: a replay finds each answer whatever the order they ended in.
            asked = [run.step(_name(case, *request), look, *request, _call(case, *request)) for request in requests]
            ledger.extend(await asyncio.gather(*asked))

        await see([*_first_looks(case), *([("call_waits", {})] if self._traced else [])])
        await see([("call_mix", {"service": s}) for s in services_with_calls(ledger, [case.service])])
        await self._follow(case, ledger, see)
        closer = symptoms_to_inspect(case, ledger, now=began, most=CLOSE_LOOKS)
        await see(_close_looks(closer))
        await see(_own_lines(case, ledger))
        findings = categorize(rank(case, ledger, now=began), case, ledger)
        return _signed(findings, len(ledger), began, await run.now())

    async def _follow(
        self, case: Case, ledger: list[LedgerEntry], see: Callable[[Iterable[_Request]], Awaitable[None]]
    ) -> None:
        """Wave by wave down the dependencies of what deviates, and up where traffic rose."""
        asked = {case.service}
        for _ in range(WAVES):
            # A service that could not be looked at is not asked again: the same answer would come at the same price.
            services = [s for s in next_services(case, ledger) if s not in asked][: MOST_SERVICES - len(asked)]
            if not services:
                return
            asked.update(services)
            await see([(tool, {"service": s}) for s in services for tool in ("service_health", "dependencies")])
            await see([("call_mix", {"service": s}) for s in services_with_calls(ledger, services)])
            if not case.service:
                # Nobody says which service hurts: what each one logs is a sign of its own.
                await see([("log_mix", {"service": s}) for s in services])


def _first_looks(case: Case) -> list[_Request]:
    # An alert that names no service says nothing about where to look: everywhere, then.
    own = (
        [("service_health", {"service": case.service}), ("dependencies", {"service": case.service})]
        if case.service
        else [("dependencies", {"service": ""})]
    )
    return [
        *own,
        ("recent_changes", {"service": "", "hours": HOURS}),
        ("active_alerts", {"service": ""}),
    ]


def _close_looks(closer: Iterable[tuple[str, str, Family]]) -> list[_Request]:
    """Which label value carries each symptom, who the provider is, and what is logged."""
    closer = list(closer)
    split = [("metric_breakdown", {"service": service, "signal": signal}) for service, signal, _ in closer]
    # With one provider alone no label tells anything apart, but people want its name.
    named = [
        ("metric_breakdown", {"service": service, "signal": signal, "by": "provider"})
        for service, signal, family in closer
        if family == "external"
    ]
    logs = [("search_logs", {"service": service, "text": ""}) for service in dict.fromkeys(s for s, _, _ in closer)]
    return [*split, *named, *logs]


def _own_lines(case: Case, ledger: Iterable[LedgerEntry]) -> list[_Request]:
    """What the alerting service logs since the onset, if nothing led there yet: many faults show in lines alone."""
    read = any(e.tool == "search_logs" and e.arguments.get("service") == case.service for e in ledger)
    return [("search_logs", {"service": case.service, "text": ""})] if case.service and not read else []


def _signed(findings: Findings, steps: int, began: datetime, ended: datetime) -> Findings:
    update = {"by": "analyst", "steps": steps, "seconds": round((ended - began).total_seconds(), 2), "stop_reason": "done"}
    return findings.model_copy(update=update)


def _name(case: Case, tool: str, arguments: dict[str, Any]) -> str:
    return f"tool:{tool}:{_digest(case, tool, arguments)}"


def _call(case: Case, tool: str, arguments: dict[str, Any]) -> str:
    return f"analyst:{case.attempt}:{_digest(case, tool, arguments)}"


def _digest(case: Case, tool: str, arguments: dict[str, Any]) -> str:
    asked = json.dumps([case.group, case.attempt, tool, arguments], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]
