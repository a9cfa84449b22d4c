"""The tool `slo_status`: what is left of a service's error budgets, and how fast they burn."""

import asyncio
import math

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import ObjectiveFact
from bot.core.metrics.series import finite_or_none
from bot.core.metrics.slo import WINDOWS, ObjectiveStatus, good_ratio_query, objective_status
from bot.core.service import Objective
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import Topic, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from bot.ports import Metrics
from tools._arguments import service_of
from tools._signals import metrics_of


@tool(label="SLO of {service}", topic=Topic("slo budget burn burning objective"), first_for={"errors": 2})
async def slo_status(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Tell how much error budget each objective of a service has left and how fast it burns.

    Call it to judge how much this matters to users.
    """
    name = service_of(ctx, service)
    metrics, entry = metrics_of(ctx), ctx.catalogue.get(name)
    if entry is None or not entry.objectives:
        raise QueryFailed(f"{name} has no objectives (services.{name}.objectives)")
    results = await asyncio.gather(*(_measured(ctx, metrics, objective) for objective in entry.objectives.values()))
    by_name = dict(zip(entry.objectives, (status for status, _ in results), strict=True))
    failed = [error for _, errors in results for error in errors]
    if failed and not any(status.measured for status in by_name.values()):
        raise failed[0]
    gap = f"; {len(failed)} of its windows could not be checked: {one_line(str(failed[0]), 160)}" if failed else ""
    return Evidence(
        summary=f"{name}: " + "; ".join(_text(key, entry.objectives[key], status) for key, status in by_name.items()) + gap,
        query="; ".join(good_ratio_query(objective, objective.window) for objective in entry.objectives.values()),
        details=tuple(_line(key, status) for key, status in by_name.items()),
        source="prometheus",
        unseen=(could_not_check(f"{name}'s objectives", one_line(str(failed[0]), 200)),) if failed else (),
        ok=any(status.measured for status in by_name.values()),
        facts=EvidenceFacts(objectives={key: _fact(status) for key, status in by_name.items()}),
    )


async def _measured(ctx: ToolContext, metrics: Metrics, objective: Objective) -> tuple[ObjectiveStatus, list[QueryFailed]]:
    """The status, and what could not be queried: the longest window is the slowest, and must not hide the others."""
    windows = (objective.window, *WINDOWS)

    async def share(window: str) -> float | QueryFailed:
        try:
            series = await metrics.instant(good_ratio_query(objective, window), at=ctx.now)
        except QueryFailed as error:
            return error
        return series[0].last if series else math.nan

    answers = await asyncio.gather(*map(share, windows))
    shares = [math.nan if isinstance(answer, QueryFailed) else answer for answer in answers]
    failed = [answer for answer in answers if isinstance(answer, QueryFailed)]
    return objective_status(objective, shares[0], dict(zip(WINDOWS, shares[1:], strict=True))), failed


def _text(name: str, objective: Objective, status: ObjectiveStatus) -> str:
    if not math.isfinite(status.good):
        return f"{name} could not be measured (no events over {objective.window}){_burning(status)}"
    left = f"{figure(status.budget_left, 'ratio')} of the budget left"
    good = f"{figure(status.good, 'ratio')} good over {objective.window}, objective {objective.objective:g} %"
    return f"{name} {good}, {left}{_burning(status)}"


def _burning(status: ObjectiveStatus) -> str:
    """The fastest pair that is beyond its threshold, as text to be added."""
    breaches = status.breaches[:1]
    return "".join(
        f", burns at {status.burn[long]:.1f} times the rate that lasts, over {long} and {short}" for long, short, _ in breaches
    )


def _line(name: str, status: ObjectiveStatus) -> str:
    rates = ", ".join(
        f"{window} {rate:.2f}" if math.isfinite(rate) else f"{window} no value" for window, rate in status.burn.items()
    )
    return f"{name} burn rate over {rates}"


def _fact(status: ObjectiveStatus) -> ObjectiveFact:
    burn = {window: finite_or_none(rate) for window, rate in status.burn.items()}
    return ObjectiveFact(good=finite_or_none(status.good), budget_left=finite_or_none(status.budget_left), burn=burn)
