"""A proposal that was made for an alert group belongs to the incident that is declared of it afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.alert import Severity
from bot.core.errors import NotAllowed
from bot.store.approvals.decisions import DecisionResult
from bot.store.incidents import incidents
from bot.store.slack.proposal_contents import proposal_content
from bot.store.tables import GroupRow, IncidentRow
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    """AP-1 waits; then somebody declares the incident of its group."""
    fixture = await open_approvals(tmp_path, {"limits": {"open_proposals": 1}})
    async with fixture.db.write() as session:
        group, incident = await session.get(GroupRow, 1), await session.get(IncidentRow, 1)
        assert group is not None
        group.incident_id = None
        await session.delete(incident)
    await fixture.propose("restart")
    about = {"title": "Errors", "service": "checkout", "channel": "C1", "by": "alice"}
    declared = await incidents.declare(fixture.db, severity=Severity.SEV2, group_ref="AL-1", **about)
    await incidents.set_lead(fixture.db, declared.ref, "owner", "alice", handed_over=True)
    yield fixture
    await fixture.close()


async def approve(fixture: ApprovalsFixture) -> DecisionResult:
    return await fixture.press("AP-1", "owner")


async def test_who_was_handed_the_lead_since_approves_it(fixture: ApprovalsFixture) -> None:
    assert (await approve(fixture)).state == "approved"


async def test_its_card_notifies_who_leads(fixture: ApprovalsFixture) -> None:
    async with fixture.db.read() as session:
        content = await proposal_content(session, "AP-1")

    assert content is not None and content.lead == "owner"


async def test_it_counts_among_the_open_proposals_of_the_incident(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotAllowed, match="1 proposal is open already"):
        await fixture.propose("rollback", key="another")
