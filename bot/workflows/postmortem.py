"""The postmortem: collect the records, measure the impact, write the draft, post it."""

from datetime import datetime, timedelta

from pydantic import BaseModel

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.history.postmortem import PostmortemRecord, draft, graph_marks, is_needed, markdown
from bot.core.metrics.impact import counts_requests, impact_text, measure_impact
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Signal
from bot.core.tool_calls import could_not_check
from bot.ports import Engine, Metrics, Run, Workflow
from bot.store.answers.postmortems import Postmortems
from bot.store.triage.triage import Triages
from bot.workflows.messages.drawing import Draw, picture

FINEST, USUAL = 1.0, 5.0
"""Seconds between samples: a short incident is measured finely, or its edges would decide the figure."""
LEAD = timedelta(seconds=15)
"""Measured before the onset too: that is the first sample beyond doubt, and only bad samples count."""
AROUND = timedelta(minutes=5)
"""Drawn before the onset and after the end."""
MAX_SERVICES = 8
MAX_SAMPLES = 10_000
"""Prometheus answers at most 11,000 points."""


class DraftSize(BaseModel):
    """What the journal records of a written draft."""

    sentences: int


class PostmortemSteps:
    """The steps of the postmortem, with their collaborators."""

    def __init__(
        self, postmortems: Postmortems, triages: Triages, catalogue: Catalogue, metrics: Metrics | None, draw: Draw
    ) -> None:
        self.postmortems = postmortems
        self.triages = triages
        self.catalogue = catalogue
        self.metrics = metrics
        self.draw = draw

    async def measure(self, ref: str, n: int) -> tuple[str, str] | None:
        """Measure the impact and record it as evidence: its text and the evidence id. None without an alert group."""
        record = await self.postmortems.record(ref)
        if record.group is None:
            return None
        start = min(record.onset or record.reported_at, record.reported_at) - LEAD
        end = record.group.cleared_at or record.incident.resolved_at or self.triages.db.clock()
        service, signal = self._signal_of(record)
        evidence = await self._impact(service, signal, start, end)
        if evidence.ok:
            evidence = await self._with_others(evidence, record, (service, signal[0] if signal else ""), start, end)
        entry = await self.triages.ledger.record(record.group.ref, "impact", {"incident": ref}, f"postmortem:{n}", evidence)
        return evidence.summary, entry.id

    def _signals(self, service: str) -> dict[str, Signal]:
        configured = self.catalogue.get(service)
        return configured.signals if configured else {}

    def _signal_of(self, record: PostmortemRecord) -> tuple[str, tuple[str, Signal] | None]:
        """The service and signal that the onset was read from; where the catalogue holds none such, the service's main one."""
        service, _, name = record.signal.partition(" ")
        signals = self._signals(service)
        if name in signals:
            return service, (name, signals[name])
        return record.incident.service, _main_signal(self._signals(record.incident.service))

    async def _with_others(
        self, evidence: Evidence, record: PostmortemRecord, main: tuple[str, str], start: datetime, end: datetime
    ) -> Evidence:
        """With the failed requests of every service of the group: each its own sentence, as one request may fail at several."""
        assert record.group is not None
        alerting = [str(row["service"]) for row in await self.triages.members(record.group.ref)]
        texts, queries = [evidence.summary], [evidence.query]
        for service in list(dict.fromkeys([record.incident.service, *alerting]))[:MAX_SERVICES]:
            signals = self._signals(service)
            name = next((name for name, signal in signals.items() if counts_requests(name, signal)), "")
            counted = service == main[0] and (name == main[1] or evidence.facts.failed is not None)
            if not name or counted:
                continue
            other = await self._impact(service, (name, signals[name]), start, end)
            if other.ok and other.facts.bad_seconds:
                texts.append(other.summary)
                queries.append(other.query)
        return evidence.model_copy(update={"summary": " ".join(texts), "query": "\n".join(queries)})

    async def _impact(self, service: str, signal: tuple[str, Signal] | None, start: datetime, end: datetime) -> Evidence:
        if signal is None or self.metrics is None:
            why = (
                "no Prometheus is set up"
                if self.metrics is None
                else f"the catalogue holds no signal of {service or 'the service'}"
            )
            return Evidence(summary=could_not_check("impact", why), query="", source="prometheus", ok=False)
        name, chosen = signal
        traffic = next((s for n, s in self._signals(service).items() if n in ("traffic", "requests")), None)
        try:
            series = await self._series(chosen.promql, start, end)
            rate = await self._series(traffic.promql, start, end) if traffic and counts_requests(name, chosen) else None
        except QueryFailed as error:
            return Evidence(summary=could_not_check("impact", str(error)), query=chosen.promql, source="prometheus", ok=False)
        bounds = {"bad_above": chosen.bad_above, "bad_below": chosen.bad_below}
        impact = measure_impact(series, start=start, end=end, traffic=rate, **bounds) if series else None
        if impact is None:
            text = could_not_check("impact", "Prometheus holds no samples of the incident's time")
            return Evidence(summary=text, query=chosen.promql, source="prometheus", ok=False)
        return Evidence(
            summary=impact_text(f"{service} {name}", chosen, impact),
            query=chosen.promql,
            window=TimeWindow(start=start, end=end),
            source="prometheus",
            link=self.metrics.link(chosen.promql, start=start, end=end),
            facts=EvidenceFacts(bad_seconds=impact.bad_seconds, peak=impact.peak, mean=impact.mean, failed=impact.failed),
        )

    async def _series(self, promql: str, start: datetime, end: datetime) -> Series | None:
        assert self.metrics is not None
        series = await self.metrics.range(promql, start=start, end=end, step=_step(start, end))
        return series[0] if series else None

    async def write(self, ref: str, n: int, impact: tuple[str, str] | None) -> DraftSize:
        """Write, store and post the draft."""
        record = await self.postmortems.record(ref)
        if impact:
            shown = await self._picture(record, ref, n)
            record = record.model_copy(update={"impact": impact, "graph": shown})
        sections = draft(record)
        states = {proposal.ref: proposal.state.value for proposal in record.proposals}
        await self.postmortems.save(ref, n, sections, markdown(record, sections), states)
        return DraftSize(sentences=sum(len(section.sentences) for section in sections))

    async def _picture(self, record: PostmortemRecord, ref: str, n: int) -> str:
        """Draw and store the signal over the whole incident; its alternative text, or "" when there is nothing to draw."""
        service, signal = self._signal_of(record)
        if signal is None or self.metrics is None or record.group is None:
            return ""
        began = record.onset or record.reported_at
        over = record.group.cleared_at or record.incident.resolved_at or self.triages.db.clock()
        start, end = began - AROUND, min(over + AROUND, self.triages.db.clock())
        title = f"{service} {signal[0]}"
        marks = graph_marks(record)
        graph = await picture(self.metrics, self.draw, signal[1], title, onset=record.onset, marks=marks, start=start, end=end)
        if graph is None:
            return ""
        await self.triages.keep_picture(f"postmortem:{ref}:{n}", *graph)
        return graph[1]


def postmortem(steps: PostmortemSteps) -> Workflow:
    """The workflow `postmortem(ref, n)`."""

    async def workflow(run: Run, ref: str, n: int) -> DraftSize:
        impact = await run.step("measure the impact", steps.measure, ref, n)
        return await run.step("write the draft", steps.write, ref, n, impact)

    return workflow


async def start_due_drafts(postmortems: Postmortems, engine: Engine) -> list[str]:
    """Start the draft of each resolved incident that deserves one and has none; harmless when repeated."""
    started = []
    for due in await postmortems.due_drafts():
        ref = due.incident.ref
        if is_needed(due.incident, executed=due.executed, human_minutes=due.human_minutes):
            await engine.start("postmortem", f"postmortem:{ref}:{due.n}", ref, due.n)
            started.append(ref)
    return started


def _step(start: datetime, end: datetime) -> float:
    seconds = (end - start).total_seconds()
    return max(FINEST, min(USUAL, seconds / 240), seconds / MAX_SAMPLES)


def _main_signal(signals: dict[str, Signal]) -> tuple[str, Signal] | None:
    """Errors before latency before any signal with a threshold."""
    for name in ("errors", "error_ratio", "latency"):
        if name in signals:
            return name, signals[name]
    return next(((n, s) for n, s in signals.items() if s.bad_above is not None or s.bad_below is not None), None)
