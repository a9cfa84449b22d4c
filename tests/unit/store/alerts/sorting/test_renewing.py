"""An open group that is about something new: what its card says, whom its thread calls, and what is ranked again."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from bot.core.action import ProposalState
from bot.core.evidence import EarlierOutage, Findings
from bot.core.investigation.triage_facts import TriageFacts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import CardContent, RenewedContent
from bot.store.incidents import incidents
from bot.store.slack import message_contents
from bot.store.slack.investigation_contents import triage_content
from bot.store.tables import ChangeRow, GroupRow, IncidentRow, MessageRow, ProposalRow, TimelineRow
from bot.store.triage.retries.due_rerankings import DueRerankings
from bot.store.triage.triage import Triages
from tests.unit.builders import at
from tests.unit.slack.contents import change, proposal_content
from tests.unit.store.databases import SortingFixture, alert

PAYMENTS, STOCK = {"service": "payments"}, {"service": "stock"}


async def lines(sorting: SortingFixture) -> list[RenewedContent]:
    """The lines about renewals, oldest first."""
    rows = sorted((row for row in await sorting.rows(MessageRow) if row.kind == "renewed"), key=lambda row: row.key)
    async with sorting.db.read() as session:
        contents = [await message_contents.load(session, row.kind, row.subject) for row in rows]
    return [content for content in contents if isinstance(content, RenewedContent)]


async def card(sorting: SortingFixture) -> CardContent:
    async with sorting.db.read() as session:
        content = await message_contents.load(session, "card", "AL-1")
    assert isinstance(content, CardContent)
    return content


async def rank(
    sorting: SortingFixture,
    attempt: int = 1,
    cause: str = "deploy 5.1.0 broke checkout",
    service: str = "checkout",
    *,
    onset: datetime | None = None,
    signal: str = "",
) -> None:
    triages = Triages(sorting.db)
    await triages.open("AL-1", attempt, "", "")
    if signal:
        await triages.update("AL-1", attempt, facts=TriageFacts(signal=signal).model_dump(mode="json"))
    found = {
        "hypotheses": [{"cause": cause, "confidence": "likely", "service": service}],
        "onset": onset.isoformat() if onset else None,
    }
    await triages.update("AL-1", attempt, state=TriageState.DONE, findings=found, finished_at=sorting.clock())


async def ran(sorting: SortingFixture, state: ProposalState) -> None:
    """A proposal of AL-1 that came to this end."""
    record = proposal_content().proposal.model_dump(
        mode="json", exclude={"state", "plan_fingerprint", "created_at", "dry_run_at"}
    )
    moments = dict.fromkeys(("dry_run_at", "expires_at", "created_at", "changed_at"), sorting.clock())
    about = {"group_id": 1, "service": "checkout", "action": "rollback", "record": record, "plan_fingerprint": ""}
    async with sorting.db.write() as session:
        session.add(ProposalRow(key="ran", state=state, **about, **moments))


async def proposed(sorting: SortingFixture) -> list[str]:
    """The states of the proposals that the triage's message speaks of."""
    async with sorting.db.read() as session:
        content = await triage_content(session, "AL-1")
    assert content is not None
    return [one.state for one in content.proposals]


async def clears_and_fires_again(sorting: SortingFixture, minutes: float) -> None:
    await sorting.receive(alert(status="resolved", start=-1, ends_at=sorting.clock()))
    sorting.clock.forward(minutes)
    await sorting.receive(alert(start=minutes))


async def test_a_failing_callee_has_a_line_of_its_own_and_calls_its_on_call(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(0.5)
    await sorting.receive(alert("b", labels=PAYMENTS, start=0.5))

    (line,) = await lines(sorting)
    assert (line.severity, line.alert, line.alert_service, line.started_at) == ("SEV2", "Alert b", "payments", at(0.5))
    assert (line.again, line.reason, line.beside) == (False, "checkout depends on payments", [])
    assert (line.notified_services, line.services_notified_before) == (("payments",), ("checkout",))


async def test_an_alert_of_the_service_that_the_ranking_names_already_is_no_news(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting, cause="payments ran out of connections", service="payments")
    sorting.clock.forward(0.5)
    await sorting.receive(alert("b", labels=PAYMENTS))

    assert await lines(sorting) == [] and await DueRerankings(sorting.db).due() == []


async def test_a_service_that_was_suspected_and_has_been_changed_since_is_told_when_it_alerts(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting, cause="payments ran out of connections", service="payments")
    sorting.clock.forward(0.5)
    await was_changed(sorting, "payments")
    await sorting.receive(alert("b", labels=PAYMENTS))

    assert [line.alert_service for line in await lines(sorting)] == ["payments"]


async def test_what_was_acknowledged_before_is_not_acknowledged_for_something_new(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    sorting.clock.forward(0.5)
    await sorting.receive(alert("b", labels=PAYMENTS))

    (group,) = await sorting.groups()
    (line,) = await lines(sorting)
    assert (group.state, group.acknowledged_by) == ("FIRING", "")
    assert (line.notified_services, line.services_notified_before) == (("payments",), ())


async def test_the_line_of_a_warning_knows_how_bad_its_card_is(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, start=1, severity="warning"))

    assert [(line.severity, line.card_severity) for line in await lines(sorting)] == [("SEV3", "SEV2")]


async def test_who_acknowledged_a_warning_is_called_again_once_it_is_critical(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, start=1, severity="warning"))
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    sorting.clock.forward(0.1)
    await sorting.receive(alert("c", labels=PAYMENTS, start=1.1, severity="warning"))
    as_bad = await lines(sorting)
    await sorting.receive(alert("d", labels=PAYMENTS, start=1.1))

    worse = (await lines(sorting))[-1]
    assert len(as_bad) == 1 and (worse.alert, worse.notified_services) == ("Alert d", ("payments",))
    assert [group.acknowledged_by for group in await sorting.groups()] == [""]


@pytest.mark.parametrize(("minutes", "state", "notified"), [(2, "ACKNOWLEDGED", ()), (20, "FIRING", ("checkout",))])
async def test_an_acknowledgement_outlives_a_flap(
    sorting: SortingFixture, minutes: float, state: str, notified: tuple[str, ...]
) -> None:
    await sorting.receive(alert())
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    await clears_and_fires_again(sorting, minutes)

    assert [group.state for group in await sorting.groups()] == [state]
    assert [line.notified_services for line in await lines(sorting)] == [notified]


async def test_an_acknowledgement_that_outlived_a_flap_is_not_for_what_begins_beside_it(sorting: SortingFixture) -> None:
    await sorting.receive(alert())
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    await clears_and_fires_again(sorting, 2)
    sorting.clock.forward(0.1)
    await sorting.receive(alert("b", start=2.1))
    kept = [group.acknowledged_by for group in await sorting.groups()]
    await sorting.receive(alert("c", labels=PAYMENTS, start=2.1))

    assert (kept, [group.acknowledged_by for group in await sorting.groups()]) == (["alice"], [""])
    assert [(line.alert_service, line.notified_services) for line in await lines(sorting)] == [
        ("checkout", ()),
        ("payments", ("payments",)),
    ]


async def was_changed(sorting: SortingFixture, service: str) -> None:
    """A deploy of a service, now."""
    now = sorting.clock()
    async with sorting.db.write() as session:
        session.add(ChangeRow(id="c1", at=now, service=service, kind="deploy", title="3.0", received_at=now))


async def test_an_acknowledgement_that_outlived_a_flap_is_not_for_what_its_service_ran_out_of_then(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert())
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    await clears_and_fires_again(sorting, 2)
    sorting.clock.forward(0.1)
    await sorting.receive(alert("b", name="ProviderErrors", start=2.1))

    assert [group.acknowledged_by for group in await sorting.groups()] == [""]
    assert [line.notified_services for line in await lines(sorting)] == [(), ("checkout",)]


async def test_what_fires_again_after_a_deploy_behind_it_is_not_taken_by_who_acknowledged_the_outage_before(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert())
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    sorting.clock.forward(1)
    await was_changed(sorting, "payments")
    await clears_and_fires_again(sorting, 2)

    assert [group.state for group in await sorting.groups()] == ["FIRING"]
    assert [line.notified_services for line in await lines(sorting)] == [("checkout",)]


@pytest.mark.parametrize("labels", [{}, PAYMENTS], ids=["of the service", "of what it depends on"])
async def test_a_flap_after_which_something_else_fires_is_told_on_the_card_of_that_outage(
    sorting: SortingFixture, labels: dict[str, str]
) -> None:
    await sorting.receive(alert())
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    sorting.clock.forward(1)
    await sorting.receive(alert(status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(1)
    pool = partial(alert, "pool", name="ConnectionPoolExhausted", severity="warning", start=2)
    await sorting.receive(pool(**({"labels": labels} if labels else {})))
    sorting.clock.forward(0.1)
    await sorting.receive(alert(start=2.1))

    assert [(group.state, group.severity, group.acknowledged_by) for group in await sorting.groups()] == [
        ("MONITORING", "SEV2", "alice"),
        ("FIRING", "SEV2", ""),
    ]
    assert await lines(sorting) == []


async def test_an_acknowledgement_does_not_outlive_a_flap_beside_which_an_older_outage_grows(sorting: SortingFixture) -> None:
    await sorting.receive(alert("old", labels=PAYMENTS))
    sorting.clock.forward(6)
    await sorting.receive(alert(start=6))
    await incidents.acknowledge(sorting.db, "AL-2", "alice")
    sorting.clock.forward(1)
    await sorting.receive(alert(status="resolved", start=6, ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(alert("pool", name="ConnectionPoolExhausted", labels=PAYMENTS, start=8))
    sorting.clock.forward(0.1)
    await sorting.receive(alert(start=8.1))

    assert [(group.state, group.acknowledged_by) for group in await sorting.groups()] == [("FIRING", ""), ("FIRING", "")]
    assert [line.notified_services for line in await lines(sorting) if line.again] == [("checkout",)]


async def test_errors_on_a_caller_that_was_deployed_meanwhile_are_told(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", labels=PAYMENTS))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", start=1))
    silent = await lines(sorting)
    await was_changed(sorting, "checkout")
    await sorting.receive(alert("c", name="HighErrorRate", start=1))

    assert silent == []
    assert [(line.alert, line.alert_service, line.again) for line in await lines(sorting)] == [
        ("HighErrorRate", "checkout", False)
    ]


@pytest.mark.parametrize(("deployed", "told"), [(False, ["HighLatency"]), (True, ["HighLatency", "HighErrorRate"])])
async def test_what_a_deploy_breaks_beside_a_running_outage_is_told_though_it_failed_so_in_the_outage_before(
    sorting: SortingFixture, deployed: bool, told: list[str]
) -> None:
    slow, errors = partial(alert, "slow", name="HighLatency"), partial(alert, "errors", name="HighErrorRate")
    await sorting.receive(slow(), errors())
    for one in (slow, errors):
        await sorting.receive(one(status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(slow(start=1))
    sorting.clock.forward(1)
    if deployed:
        await was_changed(sorting, "checkout")
    await sorting.receive(errors(start=2))
    sorting.clock.forward(0.5)
    await sorting.receive(errors(start=2))

    assert [line.alert for line in await lines(sorting)] == told


@pytest.mark.parametrize(("deployed", "told"), [("checkout", ["HighErrorRate"]), ("payments", [])])
async def test_an_alert_that_had_cleared_seconds_ago_is_told_where_its_service_was_deployed_meanwhile(
    sorting: SortingFixture, deployed: str, told: list[str]
) -> None:
    errors = partial(alert, "errors", name="HighErrorRate")
    await sorting.receive(errors(), alert("slow", name="ErrorBudgetBurn"))
    sorting.clock.forward(1)
    await was_changed(sorting, deployed)
    await sorting.receive(errors(status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(0.1)
    await sorting.receive(errors(start=1.1))

    assert [line.alert for line in await lines(sorting)] == told


async def test_more_requests_beside_another_outage_are_told_though_they_came_in_the_outage_before_it(
    sorting: SortingFixture,
) -> None:
    traffic, errors = partial(alert, "traffic", name="TrafficHigh"), partial(alert, "errors", name="HighErrorRate")
    await sorting.receive(traffic(), errors())
    for one in (traffic, errors):
        await sorting.receive(one(status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(errors(start=1))
    sorting.clock.forward(1)
    await sorting.receive(traffic(start=2))
    sorting.clock.forward(0.1)
    await sorting.receive(traffic(start=2))

    assert [line.alert for line in await lines(sorting)] == ["HighErrorRate", "TrafficHigh"]


async def test_a_service_that_had_recovered_fires_again_in_a_group_that_others_hold_open(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b", labels=PAYMENTS))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, start=2))
    await sorting.receive(alert("c", start=2, name="HighErrorRate"))

    (line,) = await lines(sorting)
    assert (line.alert, line.alert_service, line.again) == ("Alert b", "payments", True)
    assert line.beside == [("checkout", ["HighErrorRate"])]


async def test_a_service_that_joins_an_alert_that_flapped_is_told_though_the_flap_has_no_line_any_more(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"), alert("stock", labels=STOCK))
    for start in (0, 4, 8):
        sorting.clock.forward(2)
        await sorting.receive(alert("a", start=start, status="resolved", ends_at=sorting.clock()))
        sorting.clock.forward(2)
        await sorting.receive(alert("a", start=start + 4))
    flaps = await lines(sorting)
    sorting.clock.forward(0.03)
    await sorting.receive(alert("b", labels=PAYMENTS, start=12.03))

    assert [line.alert for line in flaps] == ["Alert a", "Alert a"], "the first and the second time"
    assert [line.alert_service for line in (await lines(sorting))[2:]] == ["payments"]


@pytest.mark.parametrize(("over", "told"), [(True, ["HighErrorRate"]), (False, [])])
async def test_an_outage_that_left_an_alert_standing_is_told_when_it_comes_back_beside_one_that_was_acknowledged(
    sorting: SortingFixture, over: bool, told: list[str]
) -> None:
    errors = partial(alert, "errors", name="HighErrorRate", labels=PAYMENTS)
    await sorting.receive(errors(), alert("queue", name="QueueBacklog", labels=PAYMENTS))
    sorting.clock.forward(1)
    if over:
        await sorting.receive(errors(status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(alert("pool", name="ConnectionPoolExhausted", start=2))
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    sorting.clock.forward(1)
    if not over:
        await sorting.receive(errors(status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(errors(start=4))

    again = [line for line in await lines(sorting) if line.again]
    assert [line.alert for line in again] == told
    assert [line.notified_services for line in again] == [("payments",)] * len(told)


async def wanted(sorting: SortingFixture) -> list[int]:
    return [row.wanted_rev for row in await sorting.rows(MessageRow) if row.kind == "renewed"]


async def test_what_comes_in_the_burst_of_something_new_stands_on_its_line(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, start=1))
    before = await wanted(sorting)
    sorting.clock.forward(0.1)
    await sorting.receive(alert("c", start=1.1, name="ConnectionPoolExhausted"), alert("d", labels=PAYMENTS, start=1.1))
    told = await wanted(sorting)
    sorting.clock.forward(0.5)
    await sorting.receive(alert("e", start=1.6, name="ErrorBudgetBurn"))

    (line,) = await lines(sorting)
    assert line.beside == [("checkout", ["ConnectionPoolExhausted"]), ("payments", ["Alert d"])]
    assert (before, told, await wanted(sorting)) == ([1], [2], [2])


async def test_a_slow_alert_of_a_service_that_alerts_since_the_burst_is_no_other_outage(sorting: SortingFixture) -> None:
    slow = {"name": "ErrorBudgetBurn", "labels": PAYMENTS}
    await sorting.receive(alert("a"), alert("b", labels=PAYMENTS), alert("slow", **slow))
    sorting.clock.forward(1)
    cleared = {"status": "resolved", "ends_at": sorting.clock()}
    await sorting.receive(alert("b", labels=PAYMENTS, **cleared), alert("slow", **slow, **cleared))
    sorting.clock.forward(1)
    await sorting.receive(alert("c", start=2, name="DiskFull"))
    sorting.clock.forward(0.2)
    await sorting.receive(alert("b", labels=PAYMENTS, start=2.2), alert("d", labels=PAYMENTS, start=2.2))
    sorting.clock.forward(0.1)
    await sorting.receive(alert("d", labels=PAYMENTS, start=2.2, status="resolved", ends_at=sorting.clock()))
    await sorting.receive(alert("slow", start=2.3, **slow))

    assert [line.alert for line in await lines(sorting)] == ["DiskFull"]


@pytest.mark.parametrize(("quiet", "told"), [(0.3, 1), (0.1, 0)])
async def test_a_slow_alert_that_stood_until_a_moment_ago_makes_the_next_outage_not_the_same(
    sorting: SortingFixture, quiet: float, told: int
) -> None:
    await sorting.receive(alert("a"), alert("b", labels=PAYMENTS), alert("slow", name="ErrorBudgetBurn"))
    sorting.clock.forward(2)
    await sorting.receive(alert("a", status="resolved", ends_at=sorting.clock()))
    sorting.clock.forward(quiet)
    await sorting.receive(alert("slow", name="ErrorBudgetBurn", status="resolved", ends_at=sorting.clock()))
    await sorting.receive(alert("a", start=2 + quiet))

    assert [line.again for line in await lines(sorting)] == [True] * told


async def test_the_card_names_what_fires_now_and_calls_the_old_cause_earlier(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    before = await card(sorting)
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1))

    after = await card(sorting)
    assert (before.group.title, before.cause_is_earlier) == ("Alert a", False)
    assert (after.group.title, after.group.service, after.started_at) == ("Down", "payments", at(1))
    assert after.cause_is_earlier and after.first_cause is not None


async def test_the_cause_of_an_outage_that_is_over_does_not_explain_what_fired_before_it(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="QueueBacklog"))
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1))
    await rank(sorting, cause="deploy 5.2.0 broke payments", service="payments")
    during = await card(sorting)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", status="resolved", start=1, ends_at=sorting.clock()))

    after = await card(sorting)
    assert (during.group.title, during.cause_is_earlier) == ("Down", False)
    assert (after.group.title, after.cause_is_earlier) == ("QueueBacklog", True)


async def test_what_fires_on_beside_an_outage_that_is_over_has_its_own_cause_again(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="HighErrorRate"))
    await rank(sorting, 1, "deploy 5.1.0 broke checkout", signal="checkout errors")
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1))
    await rank(sorting, 2, "payments ran out of connections", service="payments", signal="payments errors")
    during = await card(sorting)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", status="resolved", start=1, ends_at=sorting.clock()))

    after = await card(sorting)
    causes = [(one.group.title, one.first_cause.cause, one.cause_is_earlier) for one in (during, after) if one.first_cause]
    assert causes == [
        ("Down", "payments ran out of connections", False), ("HighErrorRate", "deploy 5.1.0 broke checkout", False)
    ]  # fmt: skip


async def test_what_fires_on_since_before_a_restart_of_its_source_has_its_own_cause_still(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="HighErrorRate"))
    await rank(sorting, 1, "deploy 5.1.0 broke checkout", signal="checkout errors")
    sorting.clock.forward(2)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=2))
    await rank(sorting, 2, "payments ran out of connections", service="payments", signal="payments errors")
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", status="resolved", start=2, ends_at=sorting.clock()))
    sorting.clock.forward(1)
    await sorting.receive(alert("a", name="HighErrorRate", start=1))

    after = await card(sorting)
    assert (after.group.title, after.started_at) == ("HighErrorRate", at(-1))
    assert after.first_cause is not None
    assert (after.first_cause.cause, after.cause_is_earlier) == ("deploy 5.1.0 broke checkout", False)


async def test_of_an_outage_that_fires_on_after_several_restarts_of_its_source_the_first_start_counts(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a", name="HighErrorRate"))
    sorting.clock.forward(2)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=2))
    for minute in (3, 6):
        sorting.clock.forward(3)
        await sorting.receive(alert("a", name="HighErrorRate", start=minute))
    await sorting.receive(alert("b", status="resolved", labels=PAYMENTS, name="Down", start=2, ends_at=at(7)))

    assert (await card(sorting)).started_at == at(-1)


async def test_an_outage_runs_on_whose_source_was_restarted_while_it_fires(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="HighErrorRate"))
    await rank(sorting, 1, onset=at(-2), signal="checkout errors")
    sorting.clock.forward(2)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=2))
    await sorting.receive(alert("a", name="HighErrorRate", start=1))

    earlier = (await Triages(sorting.db).open("AL-1", 2, "", "")).earlier
    assert earlier is not None
    assert (earlier.runs_on, earlier.recovered_at) == (True, None)


async def test_the_card_names_the_worst_of_what_fires_again_in_whatever_order_it_came(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b", severity="warning"))
    sorting.clock.forward(1)
    await sorting.receive(*(alert(name, status="resolved", start=-1, ends_at=sorting.clock()) for name in "ab"))
    sorting.clock.forward(5)
    await sorting.receive(alert("b", severity="warning", start=5))
    first = await card(sorting)
    await sorting.receive(alert("a", start=5.1))

    assert (first.group.title, (await card(sorting)).group.title) == ("Alert b", "Alert a")
    assert first.urgent_part != (await card(sorting)).urgent_part, "people must not wait for the right name"


async def test_the_line_names_the_worst_of_what_began_together(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b", severity="warning"))
    sorting.clock.forward(1)
    await sorting.receive(*(alert(name, status="resolved", start=-1, ends_at=sorting.clock()) for name in "ab"))
    sorting.clock.forward(5)
    await sorting.receive(alert("b", severity="warning", start=5))
    await sorting.receive(alert("a", start=5.1))

    (line,) = await lines(sorting)
    assert (line.severity, line.alert) == ("SEV2", "Alert a")
    assert [(one.service, one.alerts) for one in line.beside] == [("checkout", ["Alert b"])]


async def test_what_worked_in_the_outage_before_is_no_next_step_of_this_one(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    await ran(sorting, ProposalState.SUCCEEDED)
    before = await proposed(sorting)
    await clears_and_fires_again(sorting, 5)
    await rank(sorting, 2)

    assert (before, await proposed(sorting)) == (["succeeded"], [])


async def test_a_cleared_card_still_names_the_present_outage_and_its_start(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await clears_and_fires_again(sorting, 5)
    sorting.clock.forward(1)
    await sorting.receive(alert(status="resolved", start=5, ends_at=sorting.clock()))

    cleared = await card(sorting)
    assert (cleared.group.state, cleared.started_at) == ("MONITORING", at(5))


async def test_a_new_first_cause_is_shown_at_once(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    before = await card(sorting)
    await rank(sorting, 2, "payments ran out of connections")

    assert before.urgent_part != (await card(sorting)).urgent_part


async def test_its_causes_are_ranked_again_once_and_about_what_is_new(sorting: SortingFixture) -> None:
    renewals = DueRerankings(sorting.db)
    await sorting.receive(alert("a"))
    await rank(sorting)
    nothing = await renewals.due()
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1))
    too_soon = await renewals.due()
    sorting.clock.forward(0.5)
    (due,) = await renewals.due()
    case = await Triages(sorting.db).open(due.group, due.attempt, "", "")
    await rank(sorting, due.attempt, "payments is down")

    assert (nothing, too_soon, (due.group, due.attempt)) == ([], [], ("AL-1", 2))
    assert (case.service, case.alert_name, case.started_at) == ("payments", "Down", at(1))
    assert await renewals.due() == []
    async with sorting.db.read() as session:
        shown = await triage_content(session, "AL-1")
    assert shown is not None and shown.renewed
    assert shown.earlier_cause is not None and shown.earlier_cause.cause == "deploy 5.1.0 broke checkout"
    assert not (await card(sorting)).cause_is_earlier


async def test_an_outage_beside_an_alert_that_flaps_is_ranked_as_soon_as_without_it(sorting: SortingFixture) -> None:
    renewals, attempts = DueRerankings(sorting.db), 1
    for minute in range(15):
        await sorting.receive(alert("a", start=minute))
        if minute == 0 or await renewals.due():
            attempts += minute > 0
            await rank(sorting, attempts)
        sorting.clock.forward(0.5)
        await sorting.receive(alert("a", status="resolved", start=minute, ends_at=sorting.clock()))
        sorting.clock.forward(0.5)
    await sorting.receive(alert("a", start=15))
    sorting.clock.forward(0.5)
    flaps = await renewals.due()
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=15.5))
    sorting.clock.forward(0.5)

    assert flaps == [] and attempts <= 5
    assert [due.attempt for due in await renewals.due()] == [attempts + 1]


async def test_the_cause_of_before_is_said_to_run_on_while_an_alert_of_it_fires(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    sorting.clock.forward(1.5)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1.5))
    sorting.clock.forward(0.5)
    (due,) = await DueRerankings(sorting.db).due()
    await Triages(sorting.db).open(due.group, due.attempt, "", "")
    await rank(sorting, due.attempt, "payments is down")
    async with sorting.db.read() as session:
        both = await triage_content(session, "AL-1")
    await sorting.receive(alert("a", status="resolved", ends_at=sorting.clock()))
    async with sorting.db.read() as session:
        newer = await triage_content(session, "AL-1")

    assert both is not None and both.earlier_fires
    assert newer is not None and newer.earlier_cause and not newer.earlier_fires


async def test_each_attempt_at_a_new_outage_is_told_as_one_at_it(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    sorting.clock.forward(1.5)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1.5))
    sorting.clock.forward(0.5)
    await rank(sorting, 2, "payments is down", service="payments")
    await rank(sorting, 3, "payments is down", service="payments")

    async with sorting.db.read() as session:
        shown = await triage_content(session, "AL-1")
    assert shown is not None and shown.earlier_cause is not None
    assert (shown.attempt, shown.renewed, shown.started_at) == (3, True, at(1.5))
    assert (shown.earlier_cause.cause, shown.earlier_fires) == ("deploy 5.1.0 broke checkout", True)


@pytest.mark.parametrize(("state", "ref"), [(ProposalState.SUCCEEDED, "AP-1"), (ProposalState.NOT_RECOVERED, "")])
async def test_the_cause_of_before_is_told_with_what_its_service_recovered_after(
    sorting: SortingFixture, state: ProposalState, ref: str
) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    await ran(sorting, state)
    sorting.clock.forward(1.5)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1.5))
    await rank(sorting, 2, "payments is down", service="payments")

    async with sorting.db.read() as session:
        shown = await triage_content(session, "AL-1")
    assert shown is not None and shown.recovered_after == ref


async def test_what_ended_the_outage_before_the_last_one_did_not_end_that(sorting: SortingFixture) -> None:
    await sorting.receive(alert())
    await rank(sorting)
    await ran(sorting, ProposalState.SUCCEEDED)
    await clears_and_fires_again(sorting, 5)
    await rank(sorting, 2, "checkout itself fails")
    sorting.clock.forward(1.5)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=6.5))
    await rank(sorting, 3, "payments is down", service="payments")

    async with sorting.db.read() as session:
        shown = await triage_content(session, "AL-1")
    assert shown is not None and shown.earlier_cause is not None and shown.earlier_cause.cause == "checkout itself fails"
    assert shown.recovered_after == ""


async def test_the_cause_of_before_does_not_run_on_with_an_outage_that_was_before_it(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    for minutes, name, labels in ((1.5, "b", PAYMENTS), (3.5, "c", STOCK)):
        sorting.clock.forward(1.5)
        await sorting.receive(alert(name, labels=labels, name="Down", start=minutes))
        sorting.clock.forward(0.5)
        (due,) = await DueRerankings(sorting.db).due()
        await Triages(sorting.db).open(due.group, due.attempt, "", "")
        await rank(sorting, due.attempt, f"{name} is down", onset=at(minutes - 0.5))
        if name == "b":
            await sorting.receive(
                alert("b", labels=PAYMENTS, name="Down", status="resolved", start=1.5, ends_at=sorting.clock())
            )
    async with sorting.db.read() as session:
        shown = await triage_content(session, "AL-1")

    assert shown is not None and shown.earlier_cause is not None and shown.earlier_cause.cause == "b is down"
    assert not shown.earlier_fires


async def test_what_people_were_asked_about_a_cleared_outage_is_over_when_it_fires_again(sorting: SortingFixture) -> None:
    await sorting.receive(alert())
    async with sorting.db.write() as session:
        moments = dict.fromkeys(("dry_run_at", "expires_at", "created_at", "changed_at"), sorting.clock())
        about = {"group_id": 1, "service": "checkout", "action": "x", "record": {}, "plan_fingerprint": ""}
        session.add(ProposalRow(key="asked", state=ProposalState.PENDING, **about, **moments))
    await clears_and_fires_again(sorting, 2)

    assert [row.state for row in await sorting.rows(ProposalRow)] == [ProposalState.EXPIRED]


async def test_an_investigator_is_told_until_when_things_belong_to_the_outage_before(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=1))
    triages = Triages(sorting.db)
    first = await triages.open("AL-1", 1, "", "")
    found = {"hypotheses": [{"cause": "x", "confidence": "likely", "service": "checkout", "kind": "traffic"}], "onset": at(0)}
    await triages.update("AL-1", 1, state=TriageState.DONE, findings=Findings(**found).model_dump(mode="json"))  # type: ignore[arg-type]
    sorting.clock.forward(4)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=4))

    second = await triages.open("AL-1", 2, "", "")
    # Alerts waited for a minute then, so the second began at 3: halfway is 1.5.
    assert first.earlier is None
    assert second.earlier == EarlierOutage(until=at(1.5), likely=("traffic", "checkout", ""), began_at=at(0), runs_on=True)


async def test_what_two_outages_that_overlapped_left_in_the_samples_is_none_of_the_next(sorting: SortingFixture) -> None:
    triages = Triages(sorting.db)
    await sorting.receive(alert("a", start=1))
    for attempt, onset in ((1, at(0)), (2, at(2))):
        await triages.open("AL-1", attempt, "", "")
        findings = Findings(onset=onset).model_dump(mode="json")
        await triages.update("AL-1", attempt, state=TriageState.DONE, findings=findings)
    sorting.clock.forward(5)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=5))

    earlier = (await triages.open("AL-1", 3, "", "")).earlier
    assert earlier is not None and earlier.began_at == at(0)


async def test_what_is_new_waits_for_no_attempt_that_was_made_again_for_the_outage_before(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    sorting.clock.forward(1)
    await rank(sorting, 2)
    sorting.clock.forward(0.1)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1))
    sorting.clock.forward(0.2)

    assert [due.attempt for due in await DueRerankings(sorting.db).due()] == [3]


@pytest.mark.parametrize(("lingering", "runs_on"), [(1, False), (2, True)])
async def test_an_outage_of_which_only_a_few_alerts_linger_runs_on_no_more(
    sorting: SortingFixture, lingering: int, runs_on: bool
) -> None:
    names = [f"a{number}" for number in range(5)]
    await sorting.receive(*(alert(name, start=1) for name in names))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.update("AL-1", 1, state=TriageState.DONE, findings=Findings(onset=at(0)).model_dump(mode="json"))
    sorting.clock.forward(4)
    await sorting.receive(*(alert(name, status="resolved", start=1, ends_at=at(3)) for name in names[lingering:]))
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=4))

    earlier = (await triages.open("AL-1", 2, "", "")).earlier
    assert earlier is not None and earlier.runs_on is runs_on


@pytest.mark.parametrize("cleared", [True, False])
async def test_an_investigator_is_told_when_the_alert_that_fires_again_had_cleared(
    sorting: SortingFixture, cleared: bool
) -> None:
    await sorting.receive(alert("a", name="Slow", start=1), alert("b", name="Slow", start=1))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    findings = Findings(onset=at(0)).model_dump(mode="json")
    await triages.update("AL-1", 1, state=TriageState.DONE, findings=findings)
    sorting.clock.forward(4)
    ended = [alert("a", name="Slow", status="resolved", start=1, ends_at=at(3))]
    ended += [alert("b", name="Slow", status="resolved", start=1, ends_at=at(3.5))] if cleared else []
    await sorting.receive(*ended)
    await sorting.receive(alert("a", name="Slow", start=4), alert("d", name="DiskFull", start=4))

    second = await triages.open("AL-1", 2, "", "")
    assert (second.earlier.recovered_at if second.earlier else None) == (at(3.5) if cleared else None)


@pytest.mark.parametrize(("running", "recovered_at"), [(0, at(3)), (2, None)])
async def test_for_a_service_that_had_no_part_in_it_the_outage_before_is_over_with_its_last_alert(
    sorting: SortingFixture, running: int, recovered_at: datetime | None
) -> None:
    names = ("a", "b", "c", "d")
    await sorting.receive(*(alert(name, name=name, start=1) for name in names))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.update("AL-1", 1, state=TriageState.DONE, findings=Findings(onset=at(0)).model_dump(mode="json"))
    sorting.clock.forward(4)
    over = [alert(name, name=name, status="resolved", start=1, ends_at=at(3)) for name in names[running:]]
    await sorting.receive(*over, alert("slow", name="ErrorBudgetBurn", start=3.5))
    await sorting.receive(alert("p", labels=PAYMENTS, name="Down", start=4))

    earlier = (await triages.open("AL-1", 2, "", "")).earlier
    assert earlier is not None and earlier.recovered_at == recovered_at


@pytest.mark.parametrize(("cleared", "recovered_at"), [(True, at(3)), (False, None)])
async def test_a_new_group_knows_of_the_outage_of_its_service_that_just_cleared(
    sorting: SortingFixture, cleared: bool, recovered_at: datetime | None
) -> None:
    await sorting.receive(alert("a", name="Slow", start=1), alert("b", name="Slow", start=1, labels=PAYMENTS))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.update("AL-1", 1, state=TriageState.DONE, findings=Findings(onset=at(0)).model_dump(mode="json"))
    sorting.clock.forward(4)
    await sorting.receive(alert("b", name="Slow", status="resolved", start=1, ends_at=at(3), labels=PAYMENTS))
    if cleared:
        await sorting.receive(alert("a", name="Slow", status="resolved", start=1, ends_at=at(3)))
    await sorting.receive(alert("c", name="Failing", start=4))

    newest = (await sorting.groups())[-1].id
    case = await triages.open(f"AL-{newest}", 2, "", "")
    assert (case.earlier.recovered_at if case.earlier else None) == recovered_at


@pytest.mark.parametrize(("service", "is_known"), [("checkout", True), ("search", False)])
async def test_a_new_group_knows_of_the_outage_of_its_service_that_runs_on_on_another_card(
    sorting: SortingFixture, service: str, is_known: bool
) -> None:
    await sorting.receive(alert("a", name="Slow", start=1))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.update("AL-1", 1, state=TriageState.DONE, findings=Findings(onset=at(0)).model_dump(mode="json"))
    sorting.clock.forward(40)
    await sorting.receive(alert("c", name="Failing", start=40, labels={"service": service}))

    case = await triages.open("AL-2", 2, "", "")
    expected = EarlierOutage(until=at(19.5), began_at=at(0), runs_on=True)
    assert case.earlier == (expected if is_known else None)


async def test_a_card_tells_the_last_change_against_the_start_that_it_shows(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    facts = TriageFacts(onset=at(-1), changes=(change(at=at(-3), age_text="2 min before onset"),))
    await triages.update("AL-1", 1, state=TriageState.FACTS, facts=facts.model_dump(mode="json"))

    shown = await card(sorting)
    assert shown.started_at == at(-1), "it came a minute after it had begun to fire"
    assert shown.last_change and shown.last_change.age_text == "2 min before the alert"


async def test_a_person_who_stopped_automation_is_not_overruled(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    async with sorting.db.write() as session:
        (await session.get_one(IncidentRow, 1)).stopped = True
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, start=1))
    sorting.clock.now += timedelta(minutes=5)

    assert await DueRerankings(sorting.db).due() == []


async def test_what_is_new_and_does_not_fire_any_more_is_not_ranked_again_while_flapping_holds_the_card_open(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("a"))
    await rank(sorting)
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=1))
    sorting.clock.forward(0.2)
    fires = [due.attempt for due in await DueRerankings(sorting.db).due()]
    async with sorting.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.flapping, group.flapping_until = "Down fired 5 times within 43 min", at(30)
    await sorting.receive(alert("a", "resolved"), alert("b", "resolved", labels=PAYMENTS, name="Down", start=1))

    assert [group.state for group in await sorting.groups()] == ["FIRING"]
    assert (fires, await DueRerankings(sorting.db).due()) == ([2], [])


async def test_the_timeline_says_what_is_new_of_a_service_and_of_a_kind_of_problem(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", name="HighErrorRate"))
    sorting.clock.forward(2)
    await sorting.receive(alert("b", labels=PAYMENTS, name="Down", start=2))
    sorting.clock.forward(2)
    await sorting.receive(alert("c", name="PodRestarts", start=4))

    assert [row.text for row in await sorting.rows(TimelineRow) if " on " in row.text] == [
        "Down on payments: the first alert of that service here (checkout depends on payments)",
        "PodRestarts on checkout is another kind of problem than before here",
    ]
