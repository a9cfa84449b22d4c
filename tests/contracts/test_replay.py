"""A closed incident investigated again: the live analyst and agent, with only the tools' answers recorded."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.core.config.budget import Budget
from bot.core.evidence import Findings
from bot.core.history.frozen_cases import FrozenCase
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.verdict.verdict import judge
from bot.engine.direct import DirectRun
from bot.llm.agent import Agent
from bot.llm.settings import ModelSettings
from bot.ports import Run
from bot.store.triage.replays import ReplayDatabase
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.replaying import Replay
from tests.contracts.agent_fixture import ANSWER, HEALTH, AgentFixture, database, serving
from tests.real import PATIENCE
from tests.real.scripted_model import Script
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import TOOLS


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[FrozenCase]:
    """What the live analyst saw and answered, frozen."""
    db = await database(tmp_path / "app.db")
    agent_fixture = AgentFixture(db, Script([ANSWER]), "", {})
    asked = await agent_fixture.case()
    found = await Analyst(agent_fixture.tool_runner.for_case, agent_fixture.tool_runner.infos).investigate(
        run("live", NOW), asked
    )
    entries = await agent_fixture.triages.ledger.entries("AL-1")
    truth = ConfirmedCause(text="bad deploy", service="checkout", confirmed_by="alice", at=NOW)
    answered = judge(found, entries)
    yield FrozenCase(ref="INC-1", case=asked, entries=tuple(entries), findings=answered, confirmed=truth, at=NOW)
    await db.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[ReplayDatabase]:
    async with ReplayDatabase(tmp_path) as stage:
        yield stage


def run(id: str, moment: datetime) -> Run:
    return DirectRun(id, clock=lambda: moment)


def ranked(findings: Findings) -> list[tuple[str, str, float]]:
    """What was answered; evidence ids depend on which of the looks made side by side ended first."""
    return [(h.cause, h.confidence, h.likelihood) for h in findings.hypotheses]


async def test_the_analyst_answers_as_it_did_then_whatever_the_systems_say_now(case: FrozenCase, stage: ReplayDatabase) -> None:
    again = Replay(stage, TOOLS, run)

    assert case.findings.hypotheses
    assert ranked(await again.analyst(case)) == ranked(case.findings)
    assert ranked(await again.analyst(case)) == ranked(case.findings)


async def test_a_model_sees_the_recorded_looks_and_is_told_which_were_not_recorded(
    case: FrozenCase, stage: ReplayDatabase
) -> None:
    script = Script([{"call": [HEALTH, ["search_logs", {"service": "cart", "text": "x"}]]}, ANSWER])
    async with serving(script) as url:
        settings = ModelSettings(name="scripted", base_url=url)
        findings = await Replay(stage, TOOLS, run).agent(
            case, lambda *parts: Agent(settings, Budget(per_run_seconds=2 * PATIENCE), *parts)
        )

    told = [str(message["content"]) for message in script.requests[-1]["messages"] if message["role"] == "tool"]
    assert [h.cause for h in findings.hypotheses] == ["deploy 1.4 of checkout broke it"] and findings.model == "scripted"
    assert "errors rose from 0.1 % to 30 %" in told[0] and "not recorded in INC-1" in told[1]


async def test_a_prompt_of_ones_own_is_what_the_model_reads(case: FrozenCase, stage: ReplayDatabase, tmp_path: Path) -> None:
    own = tmp_path / "own.md"
    own.write_text("Say what broke. You have {{ steps }} steps.")
    script = Script([ANSWER])
    async with serving(script) as url:
        settings = ModelSettings(name="scripted", base_url=url, prompt=own)
        await Replay(stage, TOOLS, run).agent(case, lambda *parts: Agent(settings, Budget(per_run_steps=7), *parts))

    assert script.requests[0]["messages"][0]["content"] == "Say what broke. You have 7 steps."
