"""The tool `pod_logs`: what a container wrote, also before its last restart, as the cluster itself holds it."""

from typing import Annotated

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import PodFact
from bot.core.text.untrusted import counted, one_line
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, ServiceName
from tools._arguments import service_of

MAX_LINES, MAX_LINE = 300, 600


@tool(needs="cluster", label="container logs of {service}")
async def pod_logs(
    ctx: ToolContext,
    service: ServiceName,
    pod: Annotated[str, Described("Empty: the one with most restarts")] = "",
    container: Annotated[str, Described("Empty: the one with most restarts")] = "",
    previous: Annotated[bool, Described("What it wrote before its last restart")] = True,
) -> Evidence:
    """Read the last lines that a container wrote, from the cluster itself.

    Call it for a pod that crashes or does not start: log stores often miss its last words.
    """
    name = service_of(ctx, service)
    if ctx.cluster is None:
        raise QueryFailed("no cluster is configured (systems.kubernetes)")
    chosen = {"pod": pod.strip()[:253], "container": container.strip()[:63]}
    lines = await ctx.cluster.logs(name, **chosen, previous=previous, lines=MAX_LINES)
    pods = sorted({line.partition("/")[0] for line in lines})
    when = "before its last restart" if previous else "now"
    of = f" of {one_line(pod, 80)}" if pod.strip() else ""
    namespace, _, workload = ctx.cluster.place(name).partition("/")
    return Evidence(
        summary=f"{name}{of}: {counted(len(lines), 'line')} that a container wrote {when}",
        query=f"kubectl logs {one_line(pod, 80) or f'{workload} pods'} -n {namespace}{' --previous' if previous else ''}",
        details=tuple(one_line(line, MAX_LINE) for line in lines),
        source="kubernetes",
        user_controllable=True,
        facts=EvidenceFacts(pods=tuple(PodFact(pod=pod, namespace=namespace) for pod in pods)),
    )
