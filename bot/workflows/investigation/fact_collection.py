"""Gathers the facts of one case with tools alone, all calls at once, within five seconds."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from bot.core.change import kind_in_words
from bot.core.changes.late_reports import CHANGE_LOOKBACK_HOURS
from bot.core.evidence import Case, LedgerEntry, MeasuredOnset
from bot.core.facts.measured import DeviationFact
from bot.core.investigation import first_facts
from bot.core.investigation.triage_facts import AlertCount, PriorChange, TriageFacts
from bot.core.loading import arrays
from bot.core.service import Catalogue, Signal
from bot.core.tool_calls import ToolRole, tool_for
from bot.ports import Metrics
from bot.store.triage.triage import Triages
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.messages.drawing import Draw, picture

CHECK_SECONDS = 3.0
"""Limit of each tool call here: the facts stand within five seconds or say what could not be checked."""
BEFORE_ONSET = timedelta(minutes=15)


class FactCollector:
    """Gathers what a person would look up first."""

    def __init__(self, tools: ToolRunner, triages: Triages, catalogue: Catalogue, metrics: Metrics | None, draw: Draw) -> None:
        self.tools = tools
        self.triages = triages
        self.catalogue = catalogue
        self.metrics = metrics
        self.draw = draw

    async def gather(self, case: Case) -> TriageFacts:
        """The facts of the case; their evidence is in the ledger by then."""
        if self.metrics is not None:
            # The first series would have the event loop wait for it.
            await asyncio.to_thread(arrays.load)
        requests: dict[ToolRole, dict[str, Any]] = {
            ToolRole.HEALTH: {"service": case.service},
            ToolRole.CHANGES: {"service": "", "hours": CHANGE_LOOKBACK_HOURS},
            ToolRole.ALERTS: {"service": ""},
            ToolRole.RUNBOOK: {"alert": case.alert_name},
            ToolRole.PAST_INCIDENTS: {},
        }
        answers = await asyncio.gather(*(self._check(case, *request) for request in requests.items()))
        entries = dict(zip(requests, answers, strict=True))
        deviations = entries[ToolRole.HEALTH].evidence.facts.deviations
        main = first_facts.main_deviation(sorted(deviations, key=lambda deviation: -deviation.doublings), case.service)
        onset = first_facts.onset_of(case, main, entries[ToolRole.HEALTH].id)
        near = {case.service: 0, **self.catalogue.downstream(case.service)} if self.catalogue.services else {}
        listed, began = [entries[ToolRole.CHANGES]], onset.at if onset else case.alerted_at
        of = "onset" if onset else "the reported start" if case.declared else "the alert"
        beside = case.overlap_began_at
        changes = first_facts.changes_before(listed, onset=began, services=near, overlap_began_at=beside, of=of)
        graph = await self._graph(case, main, changes, onset)
        alerts = [AlertCount.model_validate(row) for row in (await self.triages.members(case.group))[:8]]
        return first_facts.composed(case, entries, changes, alerts, graph)

    async def _check(self, case: Case, role: ToolRole, arguments: dict[str, object]) -> LedgerEntry:
        tool = tool_for(self.tools.infos, role)
        return await self.tools.call(case, tool, arguments, f"facts:{case.attempt}", CHECK_SECONDS)

    async def _graph(
        self, case: Case, main: DeviationFact | None, changes: list[PriorChange], began: MeasuredOnset | None
    ) -> str:
        """Draw the main signal; its picture's key, or "" when there is nothing to draw."""
        if main is None or main.onset is None or self.metrics is None:
            return ""
        service, onset = self.catalogue.get(main.service), main.onset
        if began and began.signal == f"{main.service} {main.signal}":
            onset = began.at
        signal = service.signals.get(main.signal) if service else None
        signal = signal or Signal(promql=main.promql or case.expression, unit=main.unit)
        if not signal.promql:
            return ""
        title, end = f"{main.service} {main.signal}", self.triages.db.clock()
        span = {"start": min(onset, end) - BEFORE_ONSET, "end": end}
        graph = await picture(
            self.metrics,
            self.draw,
            signal,
            title,
            onset=onset,
            marks=_marks(changes),
            levels=first_facts.levels_text(main),
            level=main.after,
            **span,
        )
        if graph is None:
            return ""
        key = f"triage:{case.group}:{case.attempt}"
        await self.triages.keep_picture(key, *graph)
        return key


def _marks(changes: list[PriorChange]) -> list[tuple[datetime, str]]:
    """The newest changes as short labels."""
    return [(c.at, f"{kind_in_words(c.kind)} {c.service} {c.version}".strip()) for c in changes[:3]]
