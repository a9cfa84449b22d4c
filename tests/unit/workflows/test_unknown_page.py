"""The page about an action whose outcome is unknown: it ends when nobody need look any more, and not before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import OutcomeUnknown
from bot.plugins import HttpAnswer
from bot.store.incidents import incidents
from bot.store.oversight.pages import Pages
from bot.store.oversight.watch import OversightQueries
from bot.workflows.ticks import PagerTick
from tests.unit.approving import Office, actor
from tests.unit.workflows.test_ticks import Recorder, reminders_of


class Night(Office):
    """An office whose first restart got no answer, and the pager tick."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.pager = Recorder()
        self.tick = PagerTick(
            Pages(self.db), OversightQueries(self.db), self.pager, self.config, reminders_of(self.db, self.config)
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
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    night = Night(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await night.open()
    night.http.answer = OutcomeUnknown("no answer within 10 s")
    assert await night.restart("first") == "unknown"
    yield night
    await night.close()


async def test_it_stays_while_nobody_has_looked(night: Night) -> None:
    await night.propose("rollforward", key="undecided")

    assert (await night.told(), await night.told()) == (["page"], ["page"])


async def test_it_ends_when_a_person_says_that_it_ran(night: Night) -> None:
    await night.told()
    await night.approvals.record_manual("AP-1", actor("bob"), service="checkout", key="did:AP-1")

    assert await night.told() == ["page", "clear"]


async def test_it_ends_when_a_later_action_there_was_verified(night: Night) -> None:
    await night.told()
    night.http.answer = HttpAnswer(200, '{"id": "run-2"}', {"id": "run-2"})
    assert await night.restart("second") == "succeeded"

    assert await night.told() == ["page", "clear"]


async def test_a_later_action_that_did_not_help_settles_nothing(night: Night) -> None:
    await night.told()
    night.http.answer, night.metrics.values["errors"] = HttpAnswer(200, '{"id": "run-2"}', {"id": "run-2"}), 0.4
    assert await night.restart("second") == "not recovered"

    assert await night.told() == ["page"]


async def test_it_ends_with_the_incident(night: Night) -> None:
    await night.told()
    await incidents.resolve(night.db, "INC-1", "alice")

    assert await night.told() == ["page", "clear"]
