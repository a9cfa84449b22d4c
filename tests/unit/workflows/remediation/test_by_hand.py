"""What people ran by hand is recorded though nothing is left to do by then."""

from pathlib import Path

from bot.core.action import ProposalState
from bot.workflows.remediation.by_hand import ManualRuns
from tests.unit.approvals_fixture import actor
from tests.unit.workflows.remediation.flags import open_flags


async def test_what_was_done_by_hand_instead_of_a_proposal_is_recorded_as_it_was_proposed(tmp_path: Path) -> None:
    fixture, flag = await open_flags(tmp_path)
    proposal = await fixture.propose("flag", change_id="ci:1")
    flag.value = False

    manual = await ManualRuns(fixture.approvals).record(proposal.ref, actor("alice"))

    assert (manual.arguments, manual.targets, manual.dry_run) == (proposal.arguments, proposal.targets, proposal.dry_run)
    assert await fixture.ended(manual.ref, seconds=1) == ProposalState.SUCCEEDED
    assert (await fixture.state(proposal.ref), flag.sent) == ("superseded", [])
    await fixture.close()


async def test_what_was_done_by_hand_without_a_proposal_is_recorded_though_nothing_is_left_to_do(tmp_path: Path) -> None:
    fixture, flag = await open_flags(tmp_path)
    flag.value = False

    manual = await ManualRuns(fixture.approvals).record("flag", actor("alice"), service="checkout", group_ref="AL-1")

    assert "pricing is false already" in manual.dry_run and not manual.dry_run_ok
    assert await fixture.ended(manual.ref, seconds=1) == ProposalState.SUCCEEDED
    await fixture.close()
