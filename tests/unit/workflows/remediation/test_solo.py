"""One on-call alone: when a rollback need not wait, and who is told."""

from typing import Any

import pytest

from bot.core.action import ProposalState
from bot.core.config.actions import SoloMode
from bot.core.messages.content import MessageKind
from bot.slack.render import Renderer
from bot.store.approvals.decisions import DecisionResult
from bot.store.tables import ChangeRow, IncidentRow, MessageRow, ProposalRow
from bot.workflows.remediation.by_hand import ManualRuns
from tests.unit.approvals_fixture import ApprovalsFixture, actor


async def deployed(fixture: ApprovalsFixture, version: str, previous: str) -> str:
    async with fixture.db.write() as session:
        row = ChangeRow(
            id=f"ci:{version}", at=fixture.now, service="checkout", kind="deploy", title=version, version=version,
            previous_version=previous, received_at=fixture.now,
        )  # fmt: skip
        session.add(row)
    return row.id


async def rolled_back(fixture: ApprovalsFixture, version: str, previous: str) -> ProposalRow:
    """The bot takes a deploy back, the deputy approved it, and its signal is watched."""
    proposal = await fixture.propose("rollback", key=f"b{version}", change_id=await deployed(fixture, version, previous))
    await fixture.approve(proposal.ref, reason="it broke", key=f"bob:{version}")
    await fixture.ended(proposal.ref, seconds=1)
    return next(row for row in await fixture.rows(ProposalRow) if row.key == f"b{version}")


async def alone(fixture: ApprovalsFixture, version: str, previous: str) -> DecisionResult:
    """The on-call asks for a rollback and approves it in the same minute."""
    change = await deployed(fixture, version, previous)
    proposal = await fixture.propose("rollback", requester="alice", key=f"a{version}", change_id=change)
    return await fixture.press(proposal.ref, "alice", reason="it broke again")


async def change(fixture: ApprovalsFixture, table: Any, key: int, **values: Any) -> None:
    async with fixture.db.write() as session:
        row = await session.get(table, key)
        for name, value in values.items():
            setattr(row, name, value)


@pytest.fixture(autouse=True)
async def an_alert_stands_behind_the_severity(fixture: ApprovalsFixture) -> None:
    await fixture.alert_fires()


async def test_a_rollback_to_the_revision_that_was_verified_last_does_not_wait(fixture: ApprovalsFixture) -> None:
    assert (await rolled_back(fixture, "2", "1")).state == "succeeded"

    decided = await alone(fixture, "3", "1")

    assert (decided.counted, decided.state) == (True, ProposalState.APPROVED)
    assert "Recorded as SOLO" in decided.text


async def test_a_revision_that_merely_ran_before_is_no_verified_one(fixture: ApprovalsFixture) -> None:
    await deployed(fixture, "1", "0")

    assert (await alone(fixture, "2", "1")).rule == "requester"


async def test_another_revision_than_the_verified_one_waits(fixture: ApprovalsFixture) -> None:
    await rolled_back(fixture, "2", "1")

    assert (await alone(fixture, "4", "3")).rule == "requester"


async def test_after_a_rollback_that_did_not_help_nothing_is_verified(fixture: ApprovalsFixture) -> None:
    await rolled_back(fixture, "2", "1")
    fixture.metrics.values["errors"] = 0.4
    assert (await rolled_back(fixture, "3", "1")).state == "not recovered"
    await fixture.press("AP-3", "bob", "deny", reason="not the undo")

    assert (await alone(fixture, "5", "1")).rule == "requester"


async def test_outside_an_open_sev1_or_2_it_waits(fixture: ApprovalsFixture) -> None:
    await rolled_back(fixture, "2", "1")
    await change(fixture, IncidentRow, 1, severity="SEV3")

    assert (await alone(fixture, "3", "1")).rule == "requester"


async def test_a_success_that_somebody_wrote_into_the_database_verifies_nothing(fixture: ApprovalsFixture) -> None:
    await fixture.propose("rollback", key="forged", change_id=await deployed(fixture, "2", "1"))
    await change(fixture, ProposalRow, 1, state="succeeded")

    assert (await alone(fixture, "3", "1")).rule == "requester"


async def test_a_record_that_was_changed_afterwards_verifies_nothing(fixture: ApprovalsFixture) -> None:
    row = await rolled_back(fixture, "2", "1")
    forged = {**row.record, "arguments": {**row.record["arguments"], "previous_version": "7"}}
    await change(fixture, ProposalRow, 1, record=forged)

    assert (await alone(fixture, "8", "7")).rule == "requester"


async def test_what_a_person_ran_by_hand_verifies_nothing(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("rollback", change_id=await deployed(fixture, "2", "1"))
    by_hand = await ManualRuns(fixture.approvals).record(proposal.ref, actor("bob"), service="checkout")
    assert await fixture.ended(by_hand.ref, seconds=1) == "succeeded"

    assert (await alone(fixture, "3", "1")).rule == "requester"


async def test_the_secondary_is_mentioned_once_in_the_thread(fixture: ApprovalsFixture) -> None:
    await rolled_back(fixture, "2", "1")
    await alone(fixture, "3", "1")

    (line,) = [row for row in await fixture.rows(MessageRow) if row.key.startswith("line:solo:")]

    async def nobody(service: str) -> tuple[str, ...]:
        return ()

    shown = await Renderer(fixture.db, fixture.config, nobody).render(line)
    assert (line.mentions, line.thread_key) == (["carol"], "card:AL-1")
    assert shown is not None and "<@UCAROL> AP-2 was approved SOLO by alice" in str(shown.blocks)


@pytest.mark.parametrize(("mode", "said"), [(SoloMode.AFTER, True), (SoloMode.OFF, False)])
async def test_the_card_says_whether_the_policy_in_force_lets_who_asked_approve_alone(
    fixture: ApprovalsFixture, mode: SoloMode, said: bool
) -> None:
    await fixture.propose("rollback", requester="alice", change_id=await deployed(fixture, "2", "1"))
    (card,) = [row for row in await fixture.rows(MessageRow) if row.kind == MessageKind.PROPOSAL]

    async def alice(service: str) -> tuple[str, ...]:
        return ("alice",)

    shown = await Renderer(fixture.db, fixture.config.model_copy(update={"solo": mode}), alice).render(card)
    assert shown is not None and ("alice alone after 2 min without an answer" in str(shown.blocks)) is said
