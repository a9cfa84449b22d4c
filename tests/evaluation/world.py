"""A recorded world and one investigation in it: the live analyst with the live tools, only the outside is a recording."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.errors import QueryFailed
from bot.core.evidence import Case, Evidence, Findings, LedgerEntry
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service, Signal
from bot.core.verdict.verdict import judge
from bot.engine.direct import DirectRun
from bot.plugins import Tool, ToolContext, discover
from bot.ports import CodeHost, Logs, Traces
from bot.workflows.investigation.analyst import Analyst
from tests.evaluation.recorded import RecordedMetrics


@dataclass(frozen=True)
class Recording:
    """One signal of one service: what it is called, its unit and what was measured."""

    service: str
    signal: str
    series: Sequence[Series]
    unit: str = ""


@dataclass(frozen=True)
class World:
    """What one incident could be looked at: a catalogue and the recordings behind it."""

    catalogue: Catalogue
    metrics: RecordedMetrics
    logs: Logs | None = None
    traces: Traces | None = None
    alerts: Sequence[Alert] = ()
    earlier: Sequence[Sequence[Alert]] = ()
    """The bursts of alerts before, one list each."""
    changes: Sequence[Change] = ()
    code: CodeHost | None = None

    @classmethod
    def of(cls, recordings: Iterable[Recording], depends_on: Mapping[str, Sequence[str]], **more: Any) -> "World":
        """A catalogue that names each signal by a query, and the recording that answers it."""
        signals: dict[str, dict[str, Signal]] = {name: {} for name in depends_on}
        series: dict[str, Sequence[Series]] = {}
        for one in recordings:
            promql = _query(one)
            signals.setdefault(one.service, {})[one.signal] = Signal(promql=promql, unit=one.unit)
            series[promql] = one.series
        services = [
            Service(name=name, depends_on=tuple(depends_on.get(name, ())), signals=found) for name, found in signals.items()
        ]
        return cls(Catalogue(services), RecordedMetrics(series), **more)


@dataclass
class _Ledger:
    """Gives evidence its ids, in memory."""

    world: World
    case: Case
    now: datetime
    entries: list[LedgerEntry] = field(default_factory=list)

    async def look(self, tool: str, arguments: dict[str, Any], call: str) -> LedgerEntry:
        # Looks run side by side: the id is taken when the answer is there, or two would share one.
        evidence = await self._evidence(tool, arguments)
        entry = LedgerEntry(
            id=f"E{len(self.entries) + 1}",
            group=self.case.group,
            tool=tool,
            arguments=arguments,
            at=self.now,
            evidence=evidence,
        )
        self.entries.append(entry)
        return entry

    async def _evidence(self, tool: str, arguments: dict[str, Any]) -> Evidence:
        try:
            return await TOOLS[tool](context(self.world, self.case, self.now), **arguments)
        except QueryFailed as error:
            return Evidence(summary=f"Could not check ({tool}): {error}", query=f"{tool}()", source=tool, ok=False)


TOOLS: Mapping[str, Tool] = discover(["tools"], Tool)
INFOS = {name: tool.info for name, tool in TOOLS.items()}


@dataclass(frozen=True)
class Investigation:
    """One case, all that was looked at and what the analyst said, after the verdict has judged it."""

    case: Case
    now: datetime
    ledger: Sequence[LedgerEntry]
    findings: Findings
    injected_at: datetime | None = None
    """When its fault began, where the set says so; the analyst is never told."""


async def investigate(world: World, case: Case, *, now: datetime) -> Investigation:
    """What the analyst sees and answers at `now`."""
    ledger = _Ledger(world, case, now)
    analyst = Analyst(lambda _: ledger.look, INFOS, has_traces=world.traces is not None, has_code=world.code is not None)
    began = time.monotonic()
    findings = await analyst.investigate(DirectRun(case.group, clock=lambda: now), case)
    judged = judge(findings, ledger.entries, group=case.group, case=case)
    # The recorded clock stands still: what people wait is measured beside it.
    timed = judged.model_copy(update={"seconds": round(time.monotonic() - began, 3)})
    return Investigation(case, now, ledger.entries, timed)


SECOND_ANSWER: ContextVar[Callable[[World, Investigation], Investigation] | None] = ContextVar("afterwards", default=None)
"""Who answers after the analyst, in its place (`tests/evaluation/model_comparison.py`); None for nobody."""


ON_ANSWER: ContextVar[Callable[[Investigation], None] | None] = ContextVar("on_answer", default=None)
"""Who counts over all answers of a set (`tests/evaluation/older_conditions.py`); None for nobody."""


def investigate_and_answer(world: World, case: Case, *, now: datetime, injected_at: datetime | None = None) -> Investigation:
    """The same from code that does not wait."""
    first = asyncio.run(investigate(world, case, now=now))
    afterwards = SECOND_ANSWER.get()
    answered = replace(afterwards(world, first) if afterwards else first, injected_at=injected_at)
    if on_answer := ON_ANSWER.get():
        on_answer(answered)
    return answered


def answer_of(world: World, case: Case, *, now: datetime) -> Findings:
    """The answer alone."""
    return investigate_and_answer(world, case, now=now).findings


def moment(unix: float) -> datetime:
    """Aware UTC from Unix seconds."""
    return datetime.fromtimestamp(unix, UTC)


def _query(one: Recording) -> str:
    metric = "".join(c if c.isalnum() else "_" for c in one.signal)
    return f'{metric}{{service="{one.service}"}}'


def context(world: World, case: Case, now: datetime) -> ToolContext:
    """What the tools may query in this world."""
    return ToolContext(
        now=now,
        case=case,
        catalogue=world.catalogue,
        changes=RecordedChanges(world.changes),
        alerts=_Alerts(world.alerts, world.earlier),
        # No set holds what kube-state-metrics would have told.
        metrics=replace(world.metrics, absent="kube_"),
        logs=world.logs,
        traces=world.traces,
        code=world.code,
    )


@dataclass(frozen=True)
class RecordedChanges:
    changes: Sequence[Change]

    async def since(self, service: str, since: datetime) -> list[Change]:
        return [c for c in self.changes if c.at >= since and service in ("", c.service)]


@dataclass(frozen=True)
class _Alerts:
    alerts: Sequence[Alert]
    past: Sequence[Sequence[Alert]] = ()

    async def active(self, service: str = "") -> list[Alert]:
        return [a for a in self.alerts if service in ("", a.labels.get("service"))]

    async def earlier(self, before: datetime) -> list[list[Alert]]:
        bursts = [[a for a in burst if a.starts_at < before] for burst in self.past]
        return [burst for burst in bursts if burst]
