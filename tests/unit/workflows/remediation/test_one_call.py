"""Around the one call: what is remembered where the database is away, and what is not called any more."""

import pytest

from bot.core.action import Outcome, ProposalState
from bot.store.approvals.runs.claims import Claims
from bot.store.db.database import DatabaseUnavailable
from tests.unit.approvals_fixture import ApprovalsFixture


class AwayOnce(Claims):
    """The database is away when the outcome is to be stored, and is there again at the next try."""

    away = True

    async def attempt_finish(self, ref: str, outcome: Outcome, step: int = 1) -> ProposalState:
        if self.away:
            self.away = False
            raise DatabaseUnavailable("the database does not answer")
        return await super().attempt_finish(ref, outcome, step)


async def claimed(fixture: ApprovalsFixture) -> str:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    assert (await fixture.claim(proposal.ref)).granted
    return proposal.ref


async def test_an_answer_that_came_while_the_database_was_away_is_stored_when_it_is_back(fixture: ApprovalsFixture) -> None:
    ref = await claimed(fixture)
    fixture.executor.claims = AwayOnce(fixture.db, fixture.config)

    with pytest.raises(DatabaseUnavailable):
        await fixture.execute(ref)

    assert await fixture.execute(ref) == "verifying"
    assert len(fixture.http.sent) == 1


async def test_a_process_that_is_held_up_after_its_last_check_calls_nothing(fixture: ApprovalsFixture) -> None:
    ref = await claimed(fixture)

    async def wait_for_a_heartbeat() -> None:
        fixture.pass_time(seconds=60)

    fixture.executor.permit = wait_for_a_heartbeat

    assert await fixture.execute(ref) == "failed"
    assert (await fixture.store.load(ref)).outcome == (
        "This process was held up for 60 s after its last check. Nothing was sent."
    )
    assert fixture.http.sent == []
