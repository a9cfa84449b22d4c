"""What the lower rungs of the ladder do, and the command that shows it."""

from typing import Any

import pytest

from bot.commands.autonomy import autonomy
from bot.commands.did import did
from bot.core.config.actions import ActionConfig
from bot.core.config.autonomy import ServiceAutonomy
from bot.core.errors import NotAllowed, NotFound
from bot.slack.render import Renderer
from bot.store.tables import AuditRow, MessageRow, ProposalRow
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.commands.using import use


def goes_as_far_as(fixture: ApprovalsFixture, rung: str) -> None:
    fixture.config.autonomy["checkout"] = ServiceAutonomy.model_validate({"default": rung})


async def card(fixture: ApprovalsFixture) -> str:
    async def nobody(service: str) -> tuple[str, ...]:
        return ()

    message = next(row for row in await fixture.rows(MessageRow) if row.key == "proposal:AP-1")
    return str(await Renderer(fixture.db, fixture.config, nobody).render(message))


async def shown(fixture: ApprovalsFixture) -> str:
    text: str = (await use(fixture, autonomy, "alice", text="checkout", ref="", entry_point="slash")).text
    return next(line for line in text.splitlines() if line.startswith("checkout, restart:"))


async def test_at_observe_nothing_is_proposed_and_what_would_have_been_is_written_down(fixture: ApprovalsFixture) -> None:
    goes_as_far_as(fixture, "observe")

    with pytest.raises(NotAllowed, match="only observes checkout"):
        await fixture.propose("restart")

    assert await fixture.rows(ProposalRow) == []
    assert await shown(fixture) == (
        "checkout, restart: observe; no runs yet; would have been proposed 1 time, people did the same 0."
    )


async def test_at_observe_people_propose_nothing_either(fixture: ApprovalsFixture) -> None:
    goes_as_far_as(fixture, "observe")

    with pytest.raises(NotAllowed, match="run it by hand and say `did`"):
        await fixture.propose("restart", requester="alice")


async def test_at_suggest_the_card_says_what_to_run_and_has_no_approve_button(fixture: ApprovalsFixture) -> None:
    goes_as_far_as(fixture, "suggest")
    await fixture.propose("restart")

    text = await card(fixture)

    assert "RUN BY HAND: Restart checkout" in text and "POST http://jobs" in text
    assert "I ran it" in text and "'approve'" not in text and "autonomy: suggest" in text


async def test_a_forged_press_at_suggest_is_refused_and_audited(fixture: ApprovalsFixture) -> None:
    goes_as_far_as(fixture, "suggest")
    await fixture.propose("restart")

    refused = await fixture.press("AP-1", "bob")

    assert not refused.counted and "has no Approve button" in refused.text
    assert [row.who for row in await fixture.rows(AuditRow) if row.what == "refused: approve"] == ["bob"]


async def test_what_was_proposed_before_the_rung_was_lowered_is_neither_approved_nor_started(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")
    await fixture.propose("failover", key="k2")
    await fixture.press("AP-1", "bob")
    goes_as_far_as(fixture, "suggest")

    refused, claimed = await fixture.press("AP-2", "bob"), await fixture.claim("AP-1")

    assert "its autonomy there is suggest" in refused.text
    assert not claimed.granted


async def test_whoever_did_what_was_suggested_is_counted(fixture: ApprovalsFixture) -> None:
    goes_as_far_as(fixture, "suggest")
    await fixture.propose("restart")

    answer: Any = await use(fixture, did, "alice", entry_point="button")

    assert "Recorded as AP-2" in answer.text
    assert "would have been proposed 1 time, people did the same 1." in await shown(fixture)


async def test_runs_are_shown_with_what_came_of_them(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.approve(proposal.ref)
    await fixture.ended(proposal.ref, seconds=1)

    assert await shown(fixture) == "checkout, restart: approve; 1 run, 1 verified, 0 failed, at least 21% verified."


async def test_a_service_that_is_none_is_named(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="paymnts is no service"):
        await use(fixture, autonomy, "alice", text="paymnts", ref="", entry_point="slash")


async def test_a_silence_is_on_no_rung_for_people_may_always_approve_one(fixture: ApprovalsFixture) -> None:
    goes_as_far_as(fixture, "observe")
    fixture.config.actions["hush"] = ActionConfig(kind="silence_alert")

    text: str = (await use(fixture, autonomy, "alice", text="checkout", ref="", entry_point="slash")).text

    assert "checkout, restart: observe" in text and "hush" not in text
