"""What is ranked when all alerts have ended is told as the cause of an outage that is over."""

from datetime import timedelta

import pytest

from bot.core.approvals.remedies import OVER
from bot.core.incident import GroupState
from bot.core.text.moments import clock
from bot.slack.view_context import ViewContext
from bot.slack.views import triage as view
from bot.store.tables import ProposalRow
from tests.messages.words import text_of
from tests.unit.workflows.investigation.triage_fixture import TriageFixture

SECOND = timedelta(seconds=1)


@pytest.fixture
def fixture(before_any_alert: TriageFixture) -> TriageFixture:
    return before_any_alert


async def shown(fixture: TriageFixture) -> tuple[str, str]:
    """What a screen reader reads of the triage's message, and what stands there."""
    text, blocks = view.render(await fixture.shown(), ViewContext())
    return text, text_of(blocks)


@pytest.mark.parametrize("state", [GroupState.MONITORING, GroupState.RESOLVED])
async def test_causes_that_are_ranked_after_all_alerts_ended_say_that_it_is_over(
    fixture: TriageFixture, state: GroupState
) -> None:
    await fixture.fires()
    ended_at = fixture.now - SECOND
    await fixture.change(state=state, cleared_at=ended_at, firing=0)
    await fixture.rank()

    read_aloud, message = await shown(fixture)
    assert f"*Over:* no alert fires since {clock(ended_at)}" in message
    assert read_aloud.startswith(f"Triaged, AL-1, no alert fires since {clock(ended_at)}: ")


async def test_what_somebody_resolved_while_alerts_fired_is_not_told_to_have_none(fixture: TriageFixture) -> None:
    await fixture.fires()
    resolved_at = fixture.now - SECOND
    await fixture.change(state=GroupState.RESOLVED, cleared_at=resolved_at, firing=2)
    await fixture.rank()

    _, message = await shown(fixture)
    assert f"*Over:* resolved by hand at {clock(resolved_at)} while 2 alerts fired" in message


async def test_nothing_is_put_to_people_once_all_alerts_ended(fixture: TriageFixture) -> None:
    await fixture.fires()
    await fixture.told()
    await fixture.change(state=GroupState.MONITORING, cleared_at=fixture.now - SECOND, firing=0)
    await fixture.rank()

    assert await fixture.rows(ProposalRow) == []
    content = await fixture.shown()
    assert content.no_proposal == OVER
    assert "*Next:* it is over. Resolve once it holds" in text_of(view.render(content, ViewContext())[1])


@pytest.mark.parametrize(
    "ended",
    [{}, {"unconfirmed_at": True}],
    ids=["ranked before", "nobody knows whether it ended"],
)
async def test_what_was_ranked_while_it_ran_or_may_run_on_says_nothing_of_that(
    fixture: TriageFixture, ended: dict[str, bool]
) -> None:
    await fixture.fires()
    await fixture.rank()
    ended_at = fixture.now + (SECOND if not ended else -SECOND)
    await fixture.change(state=GroupState.MONITORING, cleared_at=ended_at, firing=0, **dict.fromkeys(ended, ended_at))

    read_aloud, message = await shown(fixture)
    assert "no alert fires" not in read_aloud + message
