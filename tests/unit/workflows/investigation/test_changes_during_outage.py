"""What is changed while an outage runs stands in its thread and its timeline, once."""

from datetime import timedelta

from bot.core.changes.during_outage import MAX_LINES
from bot.core.incident import GroupState
from bot.store.tables import EpisodeRow, MessageRow, TimelineRow
from tests.unit.builders import NOW
from tests.unit.workflows.investigation.triage_fixture import TriageFixture


async def lines(fixture: TriageFixture) -> list[str]:
    """What the thread says of changes."""
    return [row.subject for row in await fixture.rows(MessageRow) if "was changed while" in row.subject]


async def entries(fixture: TriageFixture) -> list[str]:
    return [row.text for row in await fixture.rows(TimelineRow) if row.kind == "change"]


async def test_a_deploy_of_a_failing_service_is_told_once_in_the_thread_and_kept_in_the_timeline(
    fixture: TriageFixture,
) -> None:
    await fixture.told("v2", at=NOW + timedelta(seconds=30))
    await fixture.tick()
    await fixture.tick()

    assert (
        await lines(fixture)
        == await entries(fixture)
        == ["checkout was changed while its alerts fire: deploy 1 → 2, 03:00:30 UTC"]
    )
    assert {row.thread_key for row in await fixture.rows(MessageRow) if "was changed" in row.subject} == {"card:AL-1"}


async def test_what_was_changed_before_the_card_or_elsewhere_is_no_news_of_it(fixture: TriageFixture) -> None:
    await fixture.told("v2")
    await fixture.told("v3", service="web", at=NOW + timedelta(seconds=30))
    await fixture.tick()

    assert await entries(fixture) == []


async def test_a_deploy_after_the_alerts_cleared_is_none_of_the_outage(fixture: TriageFixture) -> None:
    await fixture.change(state=GroupState.MONITORING)
    await fixture.told("v2", at=NOW + timedelta(seconds=30))
    await fixture.tick()

    assert await entries(fixture) == []


async def test_a_service_whose_alerts_ended_is_told_of_only_if_it_is_suspected(fixture: TriageFixture) -> None:
    async with fixture.db.write() as session:
        episode = await session.get(EpisodeRow, 1)
        assert episode is not None
        episode.status, episode.service = "resolved", "search"
    await fixture.told("v2", service="search", at=NOW + timedelta(seconds=30))
    await fixture.told("v3", service=(await fixture.shown()).hypotheses[0].service, at=NOW + timedelta(seconds=40))
    await fixture.tick()

    (told,) = await lines(fixture)
    assert "while it is suspected" in told and "search" not in told


async def test_many_changes_are_all_in_the_timeline_and_the_first_ones_in_the_thread(fixture: TriageFixture) -> None:
    for number in range(MAX_LINES + 3):
        await fixture.told(f"v{number:02}", at=NOW + timedelta(seconds=number))
    await fixture.tick()
    await fixture.told("late", at=NOW + timedelta(seconds=50))
    await fixture.tick()

    assert (len(await lines(fixture)), len(await entries(fixture))) == (MAX_LINES, MAX_LINES + 3)


async def test_on_a_storm_card_only_the_timeline_has_it(fixture: TriageFixture) -> None:
    await fixture.change(on_storm_card="storm:1")
    await fixture.told("v2", at=NOW + timedelta(seconds=30))
    await fixture.tick()

    assert await lines(fixture) == [] and len(await entries(fixture)) == 1
