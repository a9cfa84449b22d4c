"""One look: what a tool saw, as it is kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.evidence import Evidence, FiringInterval
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.investigation.triage_facts import TriageFacts
from bot.plugins import ToolContext, tool
from bot.store.triage.triage import Triages
from bot.workflows.investigation.tool_running import ToolRunner
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals
from tests.unit.builders import at
from tests.unit.tools.tool_fixture import context

SECRET = "password=FAKEhunter2x"
TEXTS: dict[Any, Any] = {str: SECRET, tuple[str, ...]: (SECRET,), EvidenceFacts: EvidenceFacts(files=(SECRET,))}


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    yield fixture
    await fixture.close()


@tool
async def leaky(ctx: ToolContext) -> Evidence:
    """Says a secret wherever evidence holds text."""
    fields = Evidence.model_fields.items()
    return Evidence(
        **{name: TEXTS[field.annotation] for name, field in fields if field.annotation in TEXTS and name != "source"}
    )


async def test_no_part_of_what_was_seen_keeps_a_secret(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    case = await triages.open("AL-1", 1, "", "")

    entry = await ToolRunner(triages, {"leaky": leaky}, lambda case: context()).call(case, "leaky", {}, "c1")

    stored = entry.evidence
    assert stored.unseen == ("password=[secret]",) == stored.details and "hunter2" not in entry.model_dump_json()


@tool
async def counted(ctx: ToolContext, service: str, minutes: int = 30) -> Evidence:
    """Counts its calls."""
    CALLS.append(service)
    return Evidence(summary=f"call {len(CALLS)}", query="q", ok=service != "broken")


CALLS: list[str] = []


async def test_a_call_that_was_made_lately_is_served_from_the_ledger_under_its_id(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    case = await triages.open("AL-1", 1, "", "")
    runner = ToolRunner(triages, {"counted": counted}, lambda _: context())

    first = await runner.call(case, "counted", {"service": "checkout"}, "analyst")
    same = await runner.call(case, "counted", {"service": "checkout", "minutes": 30}, "agent", reuse=True)
    own = await runner.call(case, "counted", {"service": ""}, "agent", reuse=True)
    other = await runner.call(case, "counted", {"service": "checkout", "minutes": 5}, "agent", reuse=True)
    failed = [await runner.call(case, "counted", {"service": "broken"}, call, reuse=True) for call in ("a", "b")]
    fixture.now += timedelta(minutes=6)
    later = await runner.call(case, "counted", {"service": "checkout"}, "agent", reuse=True)

    assert same.id == own.id == first.id == "E1"
    assert len({first.id, other.id, later.id, *(one.id for one in failed)}) == 5


async def test_a_further_attempt_reads_nothing_that_was_recorded_before_it(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    runner = ToolRunner(triages, {"counted": counted}, lambda _: context())
    before = await runner.call(await triages.open("AL-1", 1, "", ""), "counted", {"service": "checkout"}, "analyst")
    fixture.now += timedelta(seconds=30)
    case = await triages.open("AL-1", 2, "", "")
    first = await runner.call(case, "counted", {"service": "checkout"}, "agent", reuse=True)

    assert first.id != before.id
    assert (await runner.call(case, "counted", {"service": "checkout"}, "again", reuse=True)).id == first.id


@tool
async def onset(ctx: ToolContext) -> Evidence:
    """Says the onset of its case."""
    return Evidence(summary=str(ctx.case.onset and ctx.case.onset.at), query="q")


async def test_a_tool_knows_the_onset_that_the_facts_of_the_same_attempt_measured(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    fired = FiringInterval(began_at=at(-50), ended_at=at(-40), service="payments")
    case = (await triages.open("AL-1", 1, "", "")).model_copy(update={"firing_before": (fired,)})
    await triages.update("AL-1", 1, facts=TriageFacts(onset=at(-45)).model_dump(mode="json"))
    runner = ToolRunner(triages, {"onset": onset}, lambda case: replace(context(), case=case))

    assert (await runner.call(case, "onset", {}, "analyst")).evidence.summary == str(at(-45))
