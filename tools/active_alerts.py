"""The tool `active_alerts`: what fires now, here and elsewhere."""

import asyncio
from collections import Counter
from urllib.parse import quote

from bot.core.alert import Alert
from bot.core.evidence import Evidence
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.ranking.alert_burst import REACH, Burst, read_burst
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted, one_line
from bot.core.tool_calls import Basis, ToolRole, Topic
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import AnyService
from tools._arguments import alert_moment, service_of

MAX_SHOWN = 40
_MAX_NEW = 10


@tool(
    label="alerts{of}",
    role=ToolRole.ALERTS,
    topic=Topic("alert alerts alerting firing fires fire"),
    basis=Basis.REPORTED,
    row="alert",
)
async def active_alerts(ctx: ToolContext, service: AnyService = "") -> Evidence:
    """List the alerts that fire now, the oldest first.

    Call it to see how far the trouble reaches and where it began: the first to fire is often nearer to
    the cause than the loudest.
    """
    service = service_of(ctx, service) if service.strip() else ""
    alerts = sorted(await ctx.alerts.active(service), key=lambda alert: (alert.starts_at, alert.name))
    facts = EvidenceFacts(alerts=tuple(_fact(ctx, alert) for alert in alerts))
    details = [_line(ctx, alert) for alert in alerts[:MAX_SHOWN]]
    if not service and alerts:
        burst = await _burst(ctx, alerts)
        facts = facts.model_copy(update={"burst": burst.as_fact()})
        details += _rare(burst)
    return Evidence(
        summary=_summary(ctx, alerts, service),
        query=f"GET /api/alerts?state=firing&service={quote(service, safe='')}",
        details=tuple(details),
        source="alerts",
        user_controllable=True,
        facts=facts,
    )


async def _burst(ctx: ToolContext, alerts: list[Alert]) -> Burst:
    """What fires since shortly before the case's alert, counted in the groups before."""
    start = alert_moment(ctx) - REACH
    earlier = await ctx.alerts.earlier(start)
    # Thousands of earlier alerts are counted: not in the way of everything else.
    return await asyncio.to_thread(read_burst, [a for a in alerts if a.starts_at >= start], earlier, ctx.catalogue)


def _rare(burst: Burst) -> list[str]:
    """What fires now and never did before, if there is a before."""
    new = [f for f in burst.firings if not f.earlier_here]
    if not burst.bursts or not new:
        return []
    named = [f"{one_line(f.component, 60)}: {one_line(f.shown, 80)}" for f in new[:_MAX_NEW]]
    return [f"{counted(len(new), 'alert')} that fired in none of {burst.bursts} earlier alert groups:", *named]


def _summary(ctx: ToolContext, alerts: list[Alert], service: str) -> str:
    where = f" on {service}" if service else ""
    if not alerts:
        return f"No alert fires{where} now"
    first = alerts[0]
    services = Counter(ctx.catalogue.of_labels(alert.labels) or "no service" for alert in alerts)
    spread = ", ".join(f"{one_line(name, 40)} {count}" for name, count in services.most_common(6))
    began = f"first {one_line(first.name, 60)} at {clock(first.starts_at)}"
    count = "1 alert fires" if len(alerts) == 1 else f"{len(alerts)} alerts fire"
    return f"{count}{where} now ({spread}); {began}"


def _line(ctx: ToolContext, alert: Alert) -> str:
    service = ctx.catalogue.of_labels(alert.labels) or "no service"
    severity = f" [{one_line(alert.severity, 20)}]" if alert.severity else ""
    summary = one_line(alert.summary, 160)
    return f"{clock(alert.starts_at)} {one_line(service, 40)}: {one_line(alert.name, 60)}{severity} {summary}"


def _fact(ctx: ToolContext, alert: Alert) -> AlertFact:
    service = ctx.catalogue.of_labels(alert.labels)
    return AlertFact(name=alert.name, service=service, starts_at=alert.starts_at, severity=alert.severity)
