"""Triage as a whole for tests: checkout's errors rose, and causes are ranked, and ranked again when ticks find that due."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.core.changes.late_reports import QUIET_PERIOD
from bot.core.evidence import Case, Findings, Hypothesis
from bot.core.messages.investigation import TriageContent
from bot.plugins import ToolContext
from bot.ports import Investigator, Run
from bot.store.answers.postmortems import Postmortems
from bot.store.slack.investigation_contents import triage_content
from bot.store.tables import ChangeRow, EpisodeRow, GroupRow, TriageRow
from bot.store.triage.changes import Changes
from bot.store.triage.retries.due_rerankings import DueRerankings
from bot.store.triage.retries.early_rankings import EarlyRankings
from bot.store.triage.retries.late_reported_changes import LateReportedChanges
from bot.store.triage.triage import Triages
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.fact_collection import FactCollector
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.investigation.triage import TriageSteps, triage
from bot.workflows.ticks import HousekeepingTick
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.tools.tool_fixture import CATALOGUE, ERRORS, INFOS, NO_KUBERNETES, ONSET, TOOLS, Step, context


class CountedModel:
    """Names one service, with nothing to show for it, and counts how often it was asked."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.asked = 0

    async def investigate(self, run: Run, case: Case) -> Findings:
        self.asked += 1
        cause = Hypothesis(cause=f"{self.service} fails", kind="dependency", service=self.service, confidence="possible")
        return Findings(hypotheses=[cause], by="agent", model="m1", stop_reason="answered")


class TriageFixture(ApprovalsFixture):
    """Approvals and triage where checkout's errors rose at ONSET, and the analyst ranks."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.triages = Triages(self.db)
        self.late = LateReportedChanges(self.db, CATALOGUE, INFOS)
        self.early = EarlyRankings(self.db, INFOS)
        self.observed: Mapping[str, Step] = {ERRORS: Step(0.001, 0.3), **NO_KUBERNETES}
        """What metrics hold; a query of nothing else can be answered."""
        self.alert_at = ONSET + timedelta(minutes=1)
        self.changes = Changes(self.db)
        tool_runner = ToolRunner(self.triages, TOOLS, self._sees)
        facts = FactCollector(tool_runner, self.triages, CATALOGUE, None, lambda _graph: b"")
        self.model: CountedModel | None = None
        self.steps = TriageSteps(self.triages, facts, self.approvals, self.config)
        self.engine.register("triage", triage(self.steps, Analyst(tool_runner.for_case, tool_runner.infos), self._agent))

    async def _agent(self) -> Investigator | None:
        return self.model

    def with_model(self, service: str) -> "CountedModel":
        """A model that names this service, from now on."""
        self.model = CountedModel(service)
        return self.model

    def _sees(self, case: Case) -> ToolContext:
        return context(self.observed, changes=self.changes)

    async def fires(self, service: str = "checkout") -> None:
        began = self.alert_at
        async with self.db.write() as session:
            session.add(
                EpisodeRow(
                    source="am", fingerprint=service, starts_at=began, status="firing", name="HighErrorRate", service=service,
                    severity="SEV2", labels={"service": service}, annotations={}, expression=ERRORS, group_id=1,
                    first_seen_at=began, last_seen_at=began,
                )
            )  # fmt: skip
            group = await session.get(GroupRow, 1)
            assert group is not None
            group.alerts, group.firing = group.alerts + 1, group.firing + 1

    async def rank(self) -> None:
        await self.engine.start("triage", "triage:AL-1:1", "AL-1", 1)
        await self.engine.result("triage:AL-1:1")

    async def told(self, name: str = "v2", service: str = "checkout", at: datetime = ONSET - timedelta(minutes=1)) -> None:
        """The pipeline reports now what happened then."""
        async with self.db.write() as session:
            row = ChangeRow(
                id=f"ci:{name}", at=at, service=service, kind="deploy", title=f"deploy {name}", version="2",
                previous_version="1", received_at=self.now,
            )  # fmt: skip
            await session.merge(row)

    async def tick(self, *, settle: bool = True) -> list[str]:
        """What a tick starts, and everything that came of it."""
        if settle:
            self.now += QUIET_PERIOD
        retries = DueRerankings(self.db), self.late, self.early
        due = [retry for one in retries for retry in await one.due()]
        await HousekeepingTick(self.config, Postmortems(self.db), retries, self.engine)()
        for again in due:
            await self.engine.result(f"triage:{again.group}:{again.attempt}")
        return [again.group for again in due]

    async def shown(self) -> TriageContent:
        """What the triage message is rendered from."""
        async with self.db.read() as session:
            content = await triage_content(session, "AL-1")
        assert content is not None
        return content

    async def attempts(self) -> list[tuple[int, list[str]]]:
        return [(row.attempt, row.late_changes) for row in await self.rows(TriageRow)]

    async def change(self, **values: Any) -> None:
        async with self.db.write() as session:
            group = await session.get(GroupRow, 1)
            for name, value in values.items():
                setattr(group, name, value)
