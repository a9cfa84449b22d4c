"""The tool `dependencies`: whom a service calls, and who calls it."""

import asyncio

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.call_graphs import CALL_GRAPHS
from bot.core.metrics.promql import Matcher, selector
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import CALLS, Basis, ToolRole
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import service_of
from tools._observed_calls import observed_calls
from tools._signals import metrics_of


@tool(label="what {service} depends on", role=ToolRole.DEPENDENCIES, topic=CALLS, basis=Basis.BACKGROUND)
async def dependencies(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Tell which services a service calls, directly and further on, and which call it.

    Call it to know where else to look, since a fault shows in the callers. Without any service: the
    list of all.
    """
    if not (service.strip() or ctx.case.service) and ctx.catalogue.services:
        return _all_services(ctx)
    name = service_of(ctx, service)
    if name in ctx.catalogue.services:
        calls, callers = list(ctx.catalogue.dependencies(name)), list(ctx.catalogue.dependents(name))
        if not calls and not callers and (ctx.traces or ctx.logs):
            # Nobody wrote down whom it calls: what it was seen calling says it.
            calls, callers, query = await observed_calls(ctx, name)
            return _evidence(ctx, name, calls, callers, query=query, source="traces and logs")
        return _evidence(ctx, name, calls, callers, query="tocsin.yaml: services.*.depends_on", source="catalogue")
    calls, callers, query = await _calls_in_metrics(ctx, name)
    return _evidence(ctx, name, calls, callers, query=query, source="prometheus")


async def _calls_in_metrics(ctx: ToolContext, name: str) -> tuple[list[str], list[str], str]:
    """Without a catalogue entry: the ends of calls in the metrics' own service graph. Raises QueryFailed without one."""
    metrics = metrics_of(ctx)
    for metric, caller, callee in CALL_GRAPHS:
        outward = f"count by ({callee}) ({selector(metric, [Matcher(caller, name)])})"
        inward = f"count by ({caller}) ({selector(metric, [Matcher(callee, name)])})"
        calls, callers = await asyncio.gather(metrics.instant(outward, at=ctx.now), metrics.instant(inward, at=ctx.now))
        if calls or callers:
            called = sorted({line.labels.get(callee, "") for line in calls} - {"", name})
            calling = sorted({line.labels.get(caller, "") for line in callers} - {"", name})
            return called, calling, f"{outward}; {inward}"
    raise QueryFailed(f"the dependencies of {name} are not known: no catalogue entry and no service graph in the metrics")


def _all_services(ctx: ToolContext) -> Evidence:
    names = sorted(ctx.catalogue.services)
    return Evidence(
        summary=f"The catalogue holds {len(names)} services: {_listed(names)}",
        query="tocsin.yaml: services",
        source="catalogue",
        facts=EvidenceFacts(services=tuple(names)),
    )


def _evidence(ctx: ToolContext, name: str, calls: list[str], callers: list[str], *, query: str, source: str) -> Evidence:
    further = {service: distance for service, distance in ctx.catalogue.downstream(name).items() if distance > 1}
    return Evidence(
        summary=f"{name} calls {_listed(calls)}; it is called by {_listed(callers)}",
        query=query,
        details=tuple(f"{service}, {distance} calls away" for service, distance in further.items()),
        source=source,
        facts=EvidenceFacts(depends_on=tuple(calls), dependents=tuple(callers), further=further),
    )


def _listed(names: list[str]) -> str:
    shown = [one_line(name, 60) for name in names[:12]]
    return (", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")) or "no known service"
