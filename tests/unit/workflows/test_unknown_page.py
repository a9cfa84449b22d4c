"""The page about an action whose outcome is unknown: it ends when nobody need look any more, and not before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import OutcomeUnknown
from bot.plugins import HttpAnswer
from bot.store.incidents import incidents
from bot.store.oversight.pages import Pages
from bot.store.oversight.paging import PagingQueries
from bot.workflows.pager_tick import PagerTick
from bot.workflows.remediation.by_hand import ManualRuns
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.workflows.pager_fixture import RecordedPager, reminders_of


class UnknownOutcomeFixture(ApprovalsFixture):
    """Approvals whose first restart got no answer, and the pager tick."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.pager = RecordedPager()
        self.tick = PagerTick(
            Pages(self.db), PagingQueries(self.db), self.pager, self.config, reminders_of(self.db, self.config)
        )

    async def restart(self, key: str) -> str:
        proposal = await self.propose("restart", key=key)
        await self.approve(proposal.ref, key=f"bob:{key}")
        return await self.ended(proposal.ref, seconds=1)

    async def told(self) -> list[str]:
        """What the pager was told of it until now."""
        await self.tick()
        return [what for what, key in self.pager.told if key == "unknown:AP-1"]


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[UnknownOutcomeFixture]:
    fixture = UnknownOutcomeFixture(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await fixture.open()
    fixture.http.answer = OutcomeUnknown("no answer within 10 s")
    assert await fixture.restart("first") == "unknown"
    yield fixture
    await fixture.close()


async def test_it_stays_while_nobody_has_looked(fixture: UnknownOutcomeFixture) -> None:
    await fixture.propose("rollforward", key="undecided")

    assert (await fixture.told(), await fixture.told()) == (["page"], ["page"])


async def test_it_ends_when_a_person_says_that_it_ran(fixture: UnknownOutcomeFixture) -> None:
    await fixture.told()
    await ManualRuns(fixture.approvals).record("AP-1", actor("bob"), service="checkout", key="did:AP-1")

    assert await fixture.told() == ["page", "clear"]


async def test_it_ends_when_a_later_action_there_was_verified(fixture: UnknownOutcomeFixture) -> None:
    await fixture.told()
    fixture.http.answer = HttpAnswer(200, '{"id": "run-2"}', {"id": "run-2"})
    assert await fixture.restart("second") == "succeeded"

    assert await fixture.told() == ["page", "clear"]


async def test_a_later_action_that_did_not_help_settles_nothing(fixture: UnknownOutcomeFixture) -> None:
    await fixture.told()
    fixture.http.answer, fixture.metrics.values["errors"] = HttpAnswer(200, '{"id": "run-2"}', {"id": "run-2"}), 0.4
    assert await fixture.restart("second") == "not recovered"

    assert await fixture.told() == ["page"]


async def test_it_ends_with_the_incident(fixture: UnknownOutcomeFixture) -> None:
    await fixture.told()
    await incidents.resolve(fixture.db, "INC-1", "alice")

    assert await fixture.told() == ["page", "clear"]
