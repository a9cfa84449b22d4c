"""What a question may know of the state of a group: since when it fires, when that ended, who has it."""

from datetime import timedelta

import pytest

from bot.core.config import Config
from bot.core.questions.answer_facts import IncidentStatus
from bot.core.questions.yes_no.short_answers import short_answer
from bot.store.answers.questions import Questions
from bot.store.incidents import incidents
from bot.store.oversight.unmeasured_ends import UnmeasuredEnds
from tests.unit.store.databases import SortingFixture, alert


@pytest.fixture
async def sorting(sorting: SortingFixture) -> SortingFixture:
    """With AL-1, a critical group of checkout that fires since 02:59, and its INC-1."""
    await sorting.receive(alert())
    return sorting


async def sentence(sorting: SortingFixture, question: str) -> str:
    short = short_answer(question, await Questions(sorting.db, ["checkout"]).facts_of_group("AL-1"))
    assert short is not None
    return f"{short.lead} {short.text}"


async def status(sorting: SortingFixture) -> IncidentStatus:
    status = (await Questions(sorting.db, ["checkout"]).facts_of_group("AL-1")).status
    assert status is not None
    return status


async def test_what_fires_has_begun_with_its_alert_and_not_ended(sorting: SortingFixture) -> None:
    sorting.clock.forward(5)

    assert await sentence(sorting, "when did it end?") == (
        "It has not ended: 1 alert of AL-1 fires; the first since 02:59:00 UTC (6 min)"
    )
    assert await sentence(sorting, "sev?") == "Severity: AL-1 is SEV2"


async def test_the_end_is_when_its_alerts_ended_and_the_resolve_is_told_beside_it(sorting: SortingFixture) -> None:
    await incidents.acknowledge(sorting.db, "AL-1", "bob")
    sorting.clock.forward(9)
    await sorting.receive(alert(status="resolved", ends_at=sorting.clock.now))
    sorting.clock.forward(3)
    await incidents.resolve(sorting.db, "INC-1", "alice")

    assert await sentence(sorting, "when did it stop?") == (
        "Recorded: the last alert of AL-1 ended at 03:09:00 UTC, 10 min after the first began; "
        "INC-1 was resolved by alice at 03:12:00 UTC"
    )
    assert await sentence(sorting, "who acked?") == "Recorded: Acknowledged by bob at 03:00:00 UTC; nobody leads INC-1"


async def test_an_end_that_came_with_the_end_of_what_is_measured_says_so(sorting: SortingFixture) -> None:
    sorting.clock.forward(9)
    await sorting.receive(alert(status="resolved", ends_at=sorting.clock.now))
    ends = UnmeasuredEnds(sorting.db, Config.model_validate({"sources": {"prod": {"kind": "alertmanager"}}}))
    since = sorting.clock.now - timedelta(minutes=5)
    for cleared in await ends.lately_cleared(since, readable_since=since):
        await ends.mark(cleared, "checkout")

    assert await sentence(sorting, "when did it end?") == (
        "Recorded: no alert of AL-1 is reported since 03:09:00 UTC; not confirmed, since checkout is no longer measured"
    )


async def test_what_is_resolved_while_it_fires_has_no_end_of_its_alerts(sorting: SortingFixture) -> None:
    sorting.clock.forward(9)
    await incidents.resolve(sorting.db, "INC-1", "alice")

    assert (await status(sorting)).ended_at is None
    assert (await sentence(sorting, "when did it end?")).endswith("by alice at 03:09:00 UTC while 1 alert of AL-1 still fired")
