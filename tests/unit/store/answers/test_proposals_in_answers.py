"""What a question may know of proposals: those that wait, and what was decided of the others and came of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.questions.yes_no.short_answers import short_answer
from bot.store.answers.questions import Questions
from bot.store.approvals.switches import Switches
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    yield fixture
    await fixture.close()


async def first_sentence(fixture: ApprovalsFixture, question: str) -> str:
    short = short_answer(question, await Questions(fixture.db, ["checkout"]).facts_of_group("AL-1"))
    assert short is not None
    return f"{short.lead} {short.text}"


async def test_a_question_for_an_approval_is_answered_with_who_gave_it(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    before = await first_sentence(fixture, "was AP-1 approved?")
    await fixture.approve("AP-1", "bob")
    await fixture.ended("AP-1", seconds=5)

    assert before.startswith("No. AP-1 (") and before.endswith("waits for approval; nobody has decided")
    assert "approved by bob at " in await first_sentence(fixture, "who approved AP-1?")
    assert (await first_sentence(fixture, "did AP-1 work?")).startswith("Yes. AP-1 (")


async def test_a_denial_is_known_with_its_reason(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob", "deny", reason="wrong service")

    assert (await first_sentence(fixture, "was it approved?")).startswith("No. AP-1 (")
    assert "denied by bob at 03:00 UTC (wrong service)" in await first_sentence(fixture, "why was AP-1 denied?")


async def test_a_pause_and_a_stop_are_known_with_who_and_why(fixture: ApprovalsFixture) -> None:
    before = await first_sentence(fixture, "is automation paused?")
    await Switches(fixture.db).pause("alice", "game day")
    await Switches(fixture.db).stop("AL-1", "bob")

    assert before.startswith("No. ")
    assert await first_sentence(fixture, "is automation paused?") == (
        "Yes. All automated actions are paused by alice: game day; stopped here, until somebody says `resume`"
    )
