"""The tool `slo_status`: what is left of a service's error budgets, and how fast they burn."""

import asyncio
import math
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import ObjectiveFact
from bot.core.metrics.series import finite_or_none, known_samples
from bot.core.metrics.slo import (
    WINDOWS,
    ObjectiveStatus,
    good_ratio_query,
    good_share,
    objective_status,
    slots,
    with_window,
)
from bot.core.service import Objective
from bot.core.text.durations import duration_text
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole, Topic, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from bot.ports import Metrics
from tools._arguments import service_of
from tools._signals import metrics_of


@tool(
    label="SLO of {service}",
    role=ToolRole.OBJECTIVES,
    topic=Topic("slo slos budget budgets burn burning objective objectives"),
    first_for={"errors": 2},
)
async def slo_status(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Tell how much error budget each objective of a service has left and how fast it burns.

    Call it to judge how much this matters to users.
    """
    name = service_of(ctx, service)
    metrics, entry = metrics_of(ctx), ctx.catalogue.get(name)
    if entry is None or not entry.objectives:
        raise QueryFailed(f"{name} has no objectives (services.{name}.objectives)")
    place = f"services.{name}.objectives"
    measuring = (_measured(ctx, metrics, f"{place}.{key}", objective) for key, objective in entry.objectives.items())
    results = await asyncio.gather(*measuring)
    by_name = dict(zip(entry.objectives, results, strict=True))
    failed = [error for result in results for error in result.failures]
    if failed and not any(result.status.measured for result in results):
        raise failed[0]
    gap = f"; {len(failed)} of its queries could not be checked: {one_line(str(failed[0]), 160)}" if failed else ""
    return Evidence(
        summary=f"{name}: " + "; ".join(_text(key, entry.objectives[key], result) for key, result in by_name.items()) + gap,
        query="; ".join(good_ratio_query(objective, objective.window) for objective in entry.objectives.values()),
        details=tuple(_line(key, result.status) for key, result in by_name.items()),
        source="prometheus",
        unseen=(could_not_check(f"{name}'s objectives", one_line(str(failed[0]), 200)),) if failed else (),
        ok=any(result.status.measured for result in results),
        facts=EvidenceFacts(objectives={key: _fact(result.status) for key, result in by_name.items()}),
    )


@dataclass(frozen=True)
class _Measured:
    """One objective, and what could not be queried: the longest window is the slowest, and must not hide the others."""

    status: ObjectiveStatus
    failures: Sequence[QueryFailed]


async def _measured(ctx: ToolContext, metrics: Metrics, place: str, objective: Objective) -> _Measured:
    """`place`: of the objective in tocsin.yaml."""

    async def rate(key: str, promql: str, window: str) -> float | None:
        series = await metrics.instant(with_window(promql, window), at=ctx.now)
        if len(series) > 1:
            raise QueryFailed(f"{place}.{key} gives {len(series)} series instead of one: put sum() around it")
        return series[0].last if series else None

    async def share(window: str) -> float:
        rates = await asyncio.gather(rate("good", objective.good, window), rate("total", objective.total, window))
        return good_share(*rates)

    measuring = (share(objective.window), _coverage(ctx, metrics, objective), *map(share, WINDOWS))
    answers = await asyncio.gather(*(_or_failure(measure) for measure in measuring))
    good, coverage, *shares = (math.nan if isinstance(answer, QueryFailed) else answer for answer in answers)
    failures = [answer for answer in answers if isinstance(answer, QueryFailed)]
    return _Measured(objective_status(objective, good, dict(zip(WINDOWS, shares, strict=True)), coverage), failures)


async def _or_failure(measure: Awaitable[float]) -> float | QueryFailed:
    try:
        return await measure
    except QueryFailed as error:
        return error


async def _coverage(ctx: ToolContext, metrics: Metrics, objective: Objective) -> float:
    """In which share of its window events were counted: older samples may be deleted, or the service be younger.

    NaN where the parts of the window are too short for the samples to tell.
    """
    count, seconds = slots(objective.window)
    start = ctx.now - timedelta(seconds=(count - 1) * seconds)
    series = await metrics.range(with_window(objective.total, f"{seconds}s"), start=start, end=ctx.now, step=seconds)
    times = {float(time) for one in series for time in known_samples(one).times}
    return min(1.0, len(times) / count) or math.nan


def _text(name: str, objective: Objective, measured: _Measured) -> str:
    status = measured.status
    if not math.isfinite(status.good):
        why = "" if measured.failures else ": no events were counted"
        return f"{name} could not be measured over {objective.window}{why}{_burning(status)}"
    part = status.coverage < 1
    of_which = f", of which at most {duration_text(timedelta(seconds=status.measured_seconds))} were measured" if part else ""
    good = f"{figure(status.good, 'ratio')} good over {objective.window}{of_which}, objective {objective.objective:g} %"
    return f"{name} {good}, {_budget(status.budget_left)}{' for that time' if part else ''}{_burning(status)}"


def _budget(left: float) -> str:
    if left < 0:
        return f"no budget left, {figure(1 - left, 'ratio')} of it spent"
    return f"{figure(left, 'ratio')} of the budget left"


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
