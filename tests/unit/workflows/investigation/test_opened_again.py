"""What somebody resolved while it waited for an approval, and is open again: it is offered anew, and needs a new approval."""

from datetime import timedelta

from bot.core.incident import GroupState
from bot.core.service import Catalogue
from bot.store.alerts.sorting.early_resolves import EarlyResolves
from bot.store.incidents import incidents
from bot.store.tables import EpisodeRow
from tests.unit.workflows.investigation.triage_fixture import TriageFixture


async def opened_again(fixture: TriageFixture) -> None:
    """AL-1 is resolved by hand, and a look ten minutes later shows that its alert fires on."""
    await incidents.resolve(fixture.db, "AL-1", "alice")
    fixture.pass_time(minutes=10)
    (alert,) = await fixture.rows(EpisodeRow)
    await EarlyResolves(fixture.db, fixture.config, Catalogue()).judge(1, {alert.id: "still fires"}, undecided=False)


async def test_what_waited_for_an_approval_is_put_to_people_anew_each_time(fixture: TriageFixture) -> None:
    await fixture.told()
    await fixture.tick()
    states = [await fixture.state("AP-1")]
    for _ in range(2):
        await opened_again(fixture)
        await fixture.tick()

    states += [await fixture.state(f"AP-{number}") for number in (1, 2, 3)]
    assert states == ["pending", "expired", "expired", "pending"]
    shown = await fixture.shown()
    assert shown.waiting is not None and shown.waiting.ref == "AP-3" and shown.hypotheses[0].change_id == "ci:v2"


async def test_what_waited_in_a_second_outage_on_the_card_is_put_to_people_anew_too(fixture: TriageFixture) -> None:
    await fixture.told()
    await fixture.tick()
    fixture.pass_time(minutes=1)
    await fixture.change(state=GroupState.FIRING, renewed_at=fixture.now, renewed_by=1, renewals=1, reopened=1)
    await fixture.tick()
    before = await fixture.state("AP-1")
    await opened_again(fixture)
    await fixture.tick()

    waiting = (await fixture.shown()).waiting
    assert (before, await fixture.state("AP-1")) == ("pending", "expired")
    assert waiting is not None and waiting.ref == "AP-2"


async def test_an_approval_of_what_expired_with_the_resolve_counts_for_nothing(fixture: TriageFixture) -> None:
    await fixture.told()
    await fixture.tick()
    await opened_again(fixture)

    assert not (await fixture.press("AP-1", "bob")).counted
    fixture.now += timedelta(minutes=1)
    await fixture.tick()
    assert await fixture.state("AP-2") == "pending"
