"""The command break-glass, as people use it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.commands.break_glass import break_glass
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import FieldErrors, Form
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals
from tests.unit.commands.using import use


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path, {"break_glass": ["carol"], "default_channel": "C0"})
    yield fixture
    await fixture.close()


async def submitted(fixture: ApprovalsFixture, **fields: str) -> Any:
    return await use(fixture, break_glass, "carol", entry_point="modal", fields=fields)


async def test_the_slash_command_shows_the_plan_and_says_what_happens(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    form = await use(fixture, break_glass, "carol", entry_point="slash", text="nobody answers", revision=None)

    assert isinstance(form, Form) and "a second person reviews it" in form.intro and "failover" in form.code
    assert [(field.name, field.value) for field in form.fields] == [("target", ""), ("reason", "nobody answers")]


async def test_it_runs_with_the_targets_name_and_a_reason(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    answer = await submitted(fixture, target="checkout", reason="no owner can be reached")

    assert answer.text.endswith("Recorded as BREAK-GLASS.")


@pytest.mark.parametrize("fields", [{"target": "checkout", "reason": " "}, {"target": "search", "reason": "nobody answers"}])
async def test_without_one_of_them_nothing_happens(fixture: ApprovalsFixture, fields: dict[str, str]) -> None:
    await fixture.propose("failover")

    assert isinstance(await submitted(fixture, **fields), FieldErrors)
    assert await fixture.state("AP-1") == "pending"


async def test_words_in_a_thread_open_nothing(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    answer = await use(fixture, break_glass, "carol", entry_point="mention", text="it burns")

    assert "Words alone open nothing" in answer.text
    assert await fixture.state("AP-1") == "pending"


async def test_who_is_not_named_sees_no_dialog(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    with pytest.raises(NotAllowed, match="Who may: carol"):
        await use(fixture, break_glass, "bob", entry_point="slash")


async def test_what_waits_for_a_review_is_listed_until_somebody_else_reviewed_it(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await submitted(fixture, target="checkout", reason="no owner can be reached")

    assert "break-glass review AP-1" in (await use(fixture, break_glass, "bob", ref="", entry_point="slash")).text
    with pytest.raises(NotAllowed, match="somebody else reviews it"):
        await use(fixture, break_glass, "carol", text="review fine", entry_point="slash")
    await use(fixture, break_glass, "bob", text="review right call", entry_point="slash")

    assert "reviewed by bob: right call" in (await use(fixture, break_glass, "bob", ref="", entry_point="slash", key="2")).text


async def test_what_was_not_approved_so_is_not_reviewed(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    with pytest.raises(NotFound, match="was not approved by break-glass"):
        await use(fixture, break_glass, "bob", text="review fine", entry_point="slash")
