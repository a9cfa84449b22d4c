"""What is read anew for a question, and that an investigation answers the question it was asked."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.config.actions import Freeze
from bot.core.evidence import Case, Evidence, Findings
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import CurrentFact, DeviationFact
from bot.core.questions.answering import QuestionAnswer
from bot.core.tool_calls import ToolRole
from bot.plugins import Tool, ToolContext, tool
from bot.slack.view_context import ViewContext
from bot.slack.views import triage as triage_view
from bot.store.answers.questions import Questions
from bot.store.slack.investigation_contents import triage_content
from bot.store.triage.triage import Triages
from bot.workflows.investigation.question_checks import QuestionChecks
from bot.workflows.investigation.questions import QuestionSteps
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.investigation.triage import TriageSteps
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    yield fixture
    await fixture.close()


@tool(role=ToolRole.CURRENT, label="current values of {service}")
async def current(ctx: ToolContext, service: str) -> Evidence:
    """Current values."""
    text = f"{service} errors is 12 % now"
    fact = CurrentFact(
        service=service, signal="errors", family="errors", value=0.12, usual=0.0, state="high", trouble=True, text=text
    )
    return Evidence(summary=text, query="q", details=(text,), facts=EvidenceFacts(current=(fact,)))


@tool(role=ToolRole.CALL_WAITS, label="waits of calls")
async def waits(ctx: ToolContext) -> Evidence:
    """No call waits longer."""
    fact = DeviationFact(
        service="checkout", signal="time of a call on the wire", family="network", doublings=-1.0, before=0.0, after=0.0
    )
    return Evidence(summary="no wait", query="q", facts=EvidenceFacts(deviations=(fact,)))


TOOLS: dict[str, Tool] = {"current": current, "waits": waits}


def checks_of(fixture: ApprovalsFixture, tools: dict[str, Tool] = TOOLS) -> QuestionChecks:
    empty: Any = None

    def context(case: Case) -> ToolContext:
        return ToolContext(now=fixture.now, case=case, catalogue=empty, changes=empty, alerts=empty)

    runner = ToolRunner(Triages(fixture.db), tools, context)
    return QuestionChecks(Questions(fixture.db, ["checkout"], runner.infos), runner)


async def asked(fixture: ApprovalsFixture, text: str) -> QuestionAnswer:
    checks = checks_of(fixture)
    put = await checks.questions.put(text, text, "alice", group="AL-1", incident="")
    return await QuestionSteps(checks.questions, Triages(fixture.db), fixture.config, checks).answer_by_code(
        put.number, "", True
    )


async def test_a_question_about_now_reads_the_current_values_and_one_about_then_reads_nothing(
    fixture: ApprovalsFixture,
) -> None:
    now, then = await asked(fixture, "is checkout failing now?"), await asked(fixture, "was checkout failing?")

    assert now.short is not None and (now.short.verdict, now.short.text) == ("yes", "checkout errors is 12 % now")
    assert (now.reread, then.reread) == (["E1"], [])


async def test_a_question_answered_again_after_a_crash_has_one_reading(fixture: ApprovalsFixture) -> None:
    checks = checks_of(fixture)
    put = await checks.questions.put("k", "is it over?", "alice", group="AL-1", incident="")

    assert await checks.read_anew(put.number, "is it over?") == await checks.read_anew(put.number, "is it over?") == ["E1"]


@pytest.mark.parametrize(("tools", "word"), [(TOOLS, "No"), ({}, "Unknown")])
async def test_an_investigation_answers_the_question_it_was_asked(
    fixture: ApprovalsFixture, tools: dict[str, Tool], word: str
) -> None:
    triages = Triages(fixture.db)
    nothing: Any = None
    case = await triages.open("AL-1", 1, "is it the network?", "alice")
    steps = TriageSteps(triages, nothing, nothing, fixture.config, checks_of(fixture, tools))

    shown = await steps.show(case, Findings(), True)

    assert shown.answer is not None and shown.answer.text.startswith(f"{word}: ")
    async with fixture.db.read() as session:
        content = await triage_content(session, "AL-1")
    assert content is not None
    shown_text = json.dumps(triage_view.render(content, ViewContext()), ensure_ascii=False)
    assert re.search(rf"is it the network\?.*{word}:", shown_text)


async def test_a_freeze_of_the_service_is_told_and_one_of_another_is_not(fixture: ApprovalsFixture) -> None:
    span = {"starts": fixture.now, "ends": fixture.now + timedelta(days=1)}
    freezes = [{**span, "reason": "sale", "services": ["checkout"]}, {**span, "reason": "move", "services": ["search"]}]
    free = await asked(fixture, "are we in a freeze?")
    fixture.config = fixture.config.model_copy(update={"freezes": tuple(map(Freeze.model_validate, freezes))})
    frozen = await asked(fixture, "is there a change freeze?")

    assert free.short is not None and free.short.verdict == "no"
    assert frozen.short is not None and frozen.short.verdict == "yes"
    assert "changes are frozen until 2026-03-02 03:00 UTC (sale)" in frozen.short.text and "move" not in frozen.short.text


async def test_a_hint_is_no_question(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    nothing: Any = None
    case = await triages.open("AL-1", 1, "what about the database", "alice")
    steps = TriageSteps(triages, nothing, nothing, fixture.config, checks_of(fixture))

    assert (await steps.show(case, Findings(), True)).answer is None
