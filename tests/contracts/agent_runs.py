"""Whole runs of the agent: a triage with it, and one that a crash cuts in two."""

from pathlib import Path
from typing import Any

from bot.core.approvals.remedies import Fitted
from bot.core.evidence import Findings
from bot.engine.direct import DirectEngine
from bot.engine.durable import DurableEngine
from bot.llm.loading import Agents
from bot.ports import Run
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.triage import triage
from tests.contracts.agent_fixture import AgentFixture
from tests.real import wait_until
from tests.unit.builders import NOW


class Proposer:
    """Remembers what it was asked to propose for."""

    def __init__(self) -> None:
        self.asked: list[Findings] = []
        self.ranked: list[Findings | None] = []
        """What was found without a model."""

    async def propose_fitting(self, group: str, findings: Findings, requester: str, ranked: Findings | None = None) -> Fitted:
        self.asked.append(findings)
        self.ranked.append(ranked)
        return Fitted("AP-1")


async def run_triage(
    here: AgentFixture, proposer: Proposer, *, agents: Agents | None = None, group: str = "AL-1"
) -> dict[str, Any]:
    """The whole triage without a journal; the findings that people see."""
    agent = (agents or Agents("scripted", lambda: here.agent)).get
    engine = DirectEngine(clock=lambda: NOW)
    engine.register(
        "triage", triage(here.triage_steps(proposer), Analyst(here.tool_runner.for_case, here.tool_runner.infos), agent)
    )
    await engine.start("triage", f"triage:{group}:1", group, 1)
    await engine.result(f"triage:{group}:1")
    row = await here.triages.row(group)
    assert row is not None and row.state == "done"
    return row.findings


async def crashed_and_gone_on(
    here: AgentFixture, folder: Path, *, asked: int, then: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Ends at the request `asked`, which hangs, and goes on in a new engine: the messages of that request, and the findings."""
    case = await here.case()

    async def investigate(run: Run) -> Any:
        return (await here.agent.investigate(run, case)).model_dump(mode="json")

    first = engine(folder, investigate)
    await first.launch()
    await first.start("look", "look:1")
    await wait_until(lambda: len(here.asked) == asked)
    await first.stop(within=0.1)
    before = here.asked[-1]["messages"]
    here.script.turns, here.script.requests[:] = [then], []

    second = engine(folder, investigate)
    await second.launch()
    findings = await second.result("look:1")
    await second.stop(within=1)
    return before, findings


def engine(folder: Path, investigate: Any) -> DurableEngine:
    engine = DurableEngine(folder, clock=lambda: NOW)
    engine.register("look", investigate)
    return engine
