"""What an attempt knows of times before: the onset of its own outage, and when something else was wrong."""

from datetime import datetime

import pytest

from bot.core.evidence import Findings, Hypothesis
from bot.core.investigation.triage_state import TriageState
from bot.store.alerts import regroup
from bot.store.incidents.privacy import set_private
from bot.store.slack.investigation_contents import triage_content
from bot.store.tables import GroupRow
from bot.store.triage.cases import leading_alert
from bot.store.triage.earlier_outage import first_alert_at
from bot.store.triage.triage import Triages
from tests.unit.builders import at
from tests.unit.store.databases import SortingFixture, alert


async def ranked(sorting: SortingFixture, group: str, attempt: int, onset: datetime, likely: str = "") -> None:
    """An attempt that found this onset, and as the likely cause the change with this id."""
    triages = Triages(sorting.db)
    await triages.open(group, attempt, "", "")
    cause = Hypothesis(cause="a deploy", service="checkout", kind="change", change_id=likely, confidence="likely")
    findings = Findings(onset=onset, hypotheses=[cause] if likely else []).model_dump(mode="json")
    await triages.update(group, attempt, state=TriageState.DONE, findings=findings)


async def test_an_attempt_knows_the_first_onset_that_was_measured_of_its_outage(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=1))
    for attempt, onset in ((1, at(0.5)), (2, at(0)), (3, at(0.7))):
        await ranked(sorting, "AL-1", attempt, onset)

    known = (await Triages(sorting.db).open("AL-1", 4, "", "")).onset
    assert known is not None and known.at == at(0)


async def test_the_onset_of_the_outage_before_is_none_of_the_present_one(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="Slow", start=1))
    await ranked(sorting, "AL-1", 1, at(0))
    await sorting.receive(alert("a", name="Slow", status="resolved", start=1, ends_at=at(3)))
    sorting.clock.forward(6)
    await sorting.receive(alert("a", name="Slow", start=6))
    await ranked(sorting, "AL-1", 2, at(0))

    assert (await Triages(sorting.db).open("AL-1", 3, "", "")).onset is None


async def test_of_the_outage_before_the_newest_likely_cause_is_known_and_which_it_took_the_place_of(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a", name="Slow", start=1))
    for attempt, change in ((1, "c1"), (2, "c2")):
        await ranked(sorting, "AL-1", attempt, at(0), likely=change)
    await sorting.receive(alert("a", name="Slow", status="resolved", start=1, ends_at=at(3)))
    sorting.clock.forward(6)
    await sorting.receive(alert("a", name="Slow", start=6))

    earlier = (await Triages(sorting.db).open("AL-1", 3, "", "")).earlier
    assert earlier is not None and (earlier.likely, earlier.superseded) == (("change", "checkout", "c2"), ("c1",))


async def test_the_outage_before_is_the_same_whichever_alert_leads_the_present_one(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="Slow", start=1))
    await ranked(sorting, "AL-1", 1, at(0))
    await sorting.receive(alert("a", name="Slow", status="resolved", start=1, ends_at=at(3)))
    sorting.clock.forward(6)
    await sorting.receive(alert("a", name="Slow", start=6))
    first = await Triages(sorting.db).open("AL-1", 2, "", "")
    sorting.clock.forward(2)
    await sorting.receive(alert("b", name="Slow", start=8, severity="page"))
    await sorting.receive(alert("a", name="Slow", status="resolved", start=6, ends_at=at(8)))
    async with sorting.db.read() as session:
        content = await triage_content(session, "AL-1")
    second = await Triages(sorting.db).open("AL-1", 3, "", "")

    assert (first.started_at, second.started_at) == (at(6), at(8))
    assert content is not None and content.started_at == first.alerted_at == second.alerted_at == at(6)
    assert first.earlier == second.earlier and first.firing_before == second.firing_before


async def test_an_outage_began_with_its_own_first_alert_where_the_one_that_made_it_new_was_split_off(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a", name="Slow", start=1))
    await sorting.receive(alert("a", name="Slow", status="resolved", start=1, ends_at=at(3)))
    sorting.clock.forward(6)
    await sorting.receive(alert("a", name="Slow", start=6))
    sorting.clock.forward(2)
    await sorting.receive(alert("b", name="Failing", start=8, severity="page"))
    await regroup.split(sorting.db, "AL-1", "Slow", "alice")

    async with sorting.db.read() as session:
        group = await session.get_one(GroupRow, 1)
        lead = await leading_alert(session, group)
        assert lead is not None and group.renewals and await first_alert_at(session, group, lead) == lead.starts_at == at(8)


@pytest.mark.parametrize("worse", ["a", "b"])
async def test_the_first_alert_of_an_outage_is_the_earliest_of_its_burst_whichever_leads(
    sorting: SortingFixture, worse: str
) -> None:
    sorting.clock.now = at(1)
    for name, start in (("a", 0.8), ("b", 0.5)):
        await sorting.receive(alert(name, start=start, severity="page" if name == worse else "critical"))
    sorting.clock.forward(2)
    await sorting.receive(alert("c", start=-60, severity="page"))
    await sorting.receive(alert(worse, status="resolved", start=0.8 if worse == "a" else 0.5, ends_at=at(3)))

    case = await Triages(sorting.db).open("AL-1", 1, "", "")
    assert case.started_at == at(-60) and case.alerted_at == at(0.5)


async def test_an_attempt_knows_when_something_was_wrong_before_from_its_onset_on(sorting: SortingFixture) -> None:
    for start, end in ((1, 3), (2, 5), (20, 24)):
        sorting.clock.now = at(start)
        await sorting.receive(alert(f"a{start}", start=start))
        if start == 20:
            await ranked(sorting, f"AL-{(await sorting.groups())[-1].id}", 9, at(19))
        sorting.clock.now = at(end)
        await sorting.receive(alert(f"a{start}", status="resolved", start=start, ends_at=at(end)))
    await sorting.receive(alert("c", start=30))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 10, "", "")
    assert [(one.began_at, one.ended_at) for one in case.firing_before] == [(at(1), at(5)), (at(19), at(24))]


async def test_an_attempt_knows_of_each_other_service_when_it_failed_before(sorting: SortingFixture) -> None:
    for name, start, end in (("a", 1, 3), ("b", 2, 5), ("c", 20, 24)):
        sorting.clock.now = at(start)
        await sorting.receive(alert(name, start=start, labels={"service": "payments"}))
        sorting.clock.now = at(end)
        await sorting.receive(alert(name, status="resolved", start=start, ends_at=at(end), labels={"service": "payments"}))
    sorting.clock.now = at(40)
    await sorting.receive(alert("d", start=40, labels={"service": "search"}))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 10, "", "")
    fired = [(one.service, one.began_at, one.ended_at) for one in case.firing_before]
    assert fired == [("payments", at(1), at(5)), ("payments", at(20), at(24))]


async def test_what_fires_on_under_a_later_start_is_no_outage_that_was_over_before(sorting: SortingFixture) -> None:
    # A Prometheus that was started anew dates what it still sees from then on.
    for start in (1, 5, 9):
        sorting.clock.now = at(start + 0.1)
        await sorting.receive(alert("a", start=start, labels={"service": "payments"}))
    await sorting.receive(alert("b", name="ShopDown", start=20, labels={"service": "shop"}))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 1, "", "")
    assert case.service == "shop" and case.firing_before == ()


async def test_what_fired_under_two_starts_and_ended_was_over_before(sorting: SortingFixture) -> None:
    for start in (1, 5):
        sorting.clock.now = at(start + 0.1)
        await sorting.receive(alert("a", start=start, labels={"service": "payments"}))
    sorting.clock.now = at(9)
    await sorting.receive(alert("a", status="resolved", start=5, ends_at=at(9), labels={"service": "payments"}))
    await sorting.receive(alert("b", name="ShopDown", start=20, labels={"service": "shop"}))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 1, "", "")
    assert [(one.service, one.began_at, one.ended_at) for one in case.firing_before] == [("payments", at(1), at(9))]


@pytest.mark.parametrize(
    ("firing_since", "expected"), [(4, []), (6, [("payments", at(1), at(5))]), (-400, [("payments", at(1), at(5))])]
)
async def test_an_outage_of_another_service_is_not_over_while_an_alert_fires_that_began_in_it(
    sorting: SortingFixture, firing_since: float, expected: list[tuple[str, datetime, datetime]]
) -> None:
    """What began later is another outage, and what has fired for many hours is in all that was measured."""
    payments = {"labels": {"service": "payments"}}
    sorting.clock.now = at(firing_since)
    await sorting.receive(alert("b", start=firing_since, **payments))
    sorting.clock.now = max(at(firing_since), at(5))
    await sorting.receive(alert("a", start=1, **payments))
    await sorting.receive(alert("a", status="resolved", start=1, ends_at=at(5), **payments))
    sorting.clock.now = at(40)
    await sorting.receive(alert("d", start=40, labels={"service": "search"}))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 10, "", "")
    assert [(one.service, one.began_at, one.ended_at) for one in case.firing_before] == expected


@pytest.mark.parametrize(
    ("private", "service", "named"), [(True, "search", False), (False, "search", True), (False, "payments", False)]
)
async def test_when_another_group_fired_is_named_only_to_those_who_read_it_too(
    sorting: SortingFixture, private: bool, service: str, named: bool
) -> None:
    """The default channel has the alerts of search and stock, another one those of payments."""
    labels = {"service": service}
    await sorting.receive(alert("a", start=1, labels=labels))
    await set_private(sorting.db, "INC-1", "alice", private=private)
    await sorting.receive(alert("a", status="resolved", start=1, ends_at=at(5), labels=labels))
    sorting.clock.now = at(40)
    await sorting.receive(alert("d", start=40, labels={"service": "stock"}))

    (fired,) = (await Triages(sorting.db).open("AL-2", 1, "", "")).firing_before
    assert (fired.service, fired.began_at, fired.same_readers) == (service, at(1), named)


async def test_what_followed_in_the_outage_of_another_service_was_wrong_from_its_onset_on(sorting: SortingFixture) -> None:
    sorting.clock.now = at(2)
    await sorting.receive(alert("a", start=2, labels={"service": "payments"}))
    await ranked(sorting, "AL-1", 1, at(0))
    sorting.clock.now = at(5)
    await sorting.receive(alert("b", start=5, labels={"service": "checkout"}))
    assert len(await sorting.groups()) == 1
    for name, start, service in (("a", 2, "payments"), ("b", 5, "checkout")):
        await sorting.receive(alert(name, status="resolved", start=start, ends_at=at(9), labels={"service": service}))
    sorting.clock.now = at(60)
    await sorting.receive(alert("d", start=60, labels={"service": "search"}))

    case = await Triages(sorting.db).open("AL-2", 1, "", "")
    fired = [(one.service, one.began_at, one.ended_at) for one in case.firing_before]
    assert fired == [("checkout", at(0), at(9)), ("payments", at(0), at(9))]


@pytest.mark.parametrize(("minutes", "expected"), [(59, [(at(0), at(59))]), (61, [])])
async def test_what_fired_for_hours_says_little_of_a_single_signal(
    sorting: SortingFixture, minutes: float, expected: list[tuple[datetime, datetime]]
) -> None:
    await sorting.receive(alert("disk", name="DiskFull", start=0))
    sorting.clock.forward(minutes)
    await sorting.receive(alert("disk", name="DiskFull", status="resolved", start=0, ends_at=at(minutes)))
    await sorting.receive(alert("c", start=90))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 2, "", "")
    assert [(one.began_at, one.ended_at) for one in case.firing_before] == expected


async def test_findings_of_the_attempt_before_that_no_longer_fit_fail_no_triage_and_are_told_as_unread(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"))
    triages = Triages(sorting.db)
    await ranked(sorting, "AL-1", 1, at(-2))
    await triages.update("AL-1", 1, findings={"onset": at(-2).isoformat(), "hypotheses": "none"})
    async with sorting.db.read() as session:
        content = await triage_content(session, "AL-1")

    assert content is not None and content.findings is not None
    assert "could not be read (hypotheses: " in content.findings.not_checked[0]
    assert (await triages.open("AL-1", 2, "", "")).onset is None


async def test_findings_of_before_that_no_longer_fit_keep_no_new_attempt_from_its_case(sorting: SortingFixture) -> None:
    sorting.clock.now = at(20)
    await sorting.receive(alert("a", start=20))
    await ranked(sorting, "AL-1", 9, at(19))
    of_another_version = {"onset": at(19).isoformat(), "hypotheses": "none"}
    await Triages(sorting.db).update("AL-1", 9, findings=of_another_version)
    sorting.clock.now = at(24)
    await sorting.receive(alert("a", status="resolved", start=20, ends_at=at(24)))
    await sorting.receive(alert("c", start=30))

    case = await Triages(sorting.db).open(f"AL-{(await sorting.groups())[-1].id}", 10, "", "")
    assert [(one.began_at, one.ended_at) for one in case.firing_before] == [(at(19), at(24))]
