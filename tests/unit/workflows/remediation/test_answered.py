"""Whoever said what came of a run asked for what follows from it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import OutcomeUnknown
from tests.unit.approving import Office, actor, office


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def test_who_says_that_an_unknown_run_took_place_does_not_approve_the_way_back(house: Office) -> None:
    house.http.answer = OutcomeUnknown("the answer was lost.")
    proposal = await house.propose("rollback")
    await house.approve(proposal.ref, "bob")
    await house.ended(proposal.ref, seconds=1)
    house.metrics.values["errors"] = 0.4
    await house.approvals.answer_unknown(proposal.ref, actor("alice"), ran=True)
    await house.ended_as(f"remediation:{proposal.ref}:ran", seconds=1)

    back = await house.store.load("AP-2")
    own, other = await house.approve("AP-2", "alice"), await house.approve("AP-2", "bob")

    assert (back.action, back.all_requesters) == ("rollforward", {"alice"})
    assert (own.counted, other.counted) == (False, True)
