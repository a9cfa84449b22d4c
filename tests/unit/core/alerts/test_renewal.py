"""When an open group is about something new, whom that concerns, and when its causes are ranked again."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.alert import Severity
from bot.core.alerts.problem_kind import is_own, kind_of
from bot.core.alerts.renewal import (
    ACK_KEPT_WITHIN,
    BURST,
    FIRST_WAIT,
    LONGEST_WAIT,
    LONGEST_WAIT_OF_NEWS,
    NEWS_AGAIN_AFTER,
    SETTLES_WITHIN,
    SPREADS_WITHIN,
    FurtherAlert,
    Judgement,
    Members,
    Notify,
    RenewalReason,
    judge_further_alert,
    keeps_acknowledgement,
    notify,
    ranking_due,
    worth_a_line,
)
from bot.core.service import Catalogue, Service
from tests.unit.builders import NOW

CATALOGUE = Catalogue([Service(name="web", depends_on=("checkout",)), Service(name="checkout", depends_on=("payments",))])
AT_ONCE, SOON, LATER = BURST, SPREADS_WITHIN, SPREADS_WITHIN + timedelta(seconds=1)


def renews(name: str, service: str, members: Members, **facts: Any) -> RenewalReason | None:
    """What an alert makes of a group with these members."""
    return FurtherAlert(name, service, Severity.SEV3, members, CATALOGUE, NOW, **facts).renews


def joins(name: str, service: str, *, after: timedelta = SOON, **facts: Any) -> RenewalReason | None:
    """What an alert makes of a group in which HighErrorRate of checkout fires."""
    held = "HighErrorRate", "checkout"
    members = Members({held}, {(kind_of("HighErrorRate"), "checkout")}, {"checkout"}, NOW - after)
    return renews(name, service, members, **facts)


def test_another_alert_of_the_same_problem_is_nothing_new() -> None:
    assert joins("HighErrorRate", "checkout", after=LATER) is None
    assert joins("ErrorBudgetBurn", "checkout", after=LATER) is None


def test_a_failing_callee_is_new_at_once_and_a_failing_caller_only_once_errors_have_spread() -> None:
    assert joins("HighErrorRate", "payments") is RenewalReason.NEW_SERVICE
    assert [joins("HighErrorRate", "web", after=after) for after in (SOON, LATER)] == [None, RenewalReason.NEW_SERVICE]


def test_another_kind_of_problem_of_the_same_service_is_new_once_the_outage_has_spread() -> None:
    assert [joins("HighLatency", "checkout", after=after) for after in (SOON, LATER)] == [None, RenewalReason.NEW_KIND]


def test_a_service_that_had_recovered_while_others_fire_is_new_once_the_burst_is_over() -> None:
    assert [joins("HighErrorRate", "checkout", after=after, quiet=True) for after in (AT_ONCE, SOON)] == [
        None,
        RenewalReason.FIRES_AGAIN,
    ]


def test_what_no_dependency_hands_down_is_new_as_soon_as_the_burst_is_over() -> None:
    for name in ("DiskFull", "MemoryHigh", "CpuSaturated", "TrafficHigh"):
        assert [joins(name, "checkout", after=after) for after in (AT_ONCE, SOON)] == [None, RenewalReason.NEW_KIND]
    assert joins("TrafficHigh", "web") is RenewalReason.NEW_SERVICE


def test_a_word_that_only_holds_what_ran_out_tells_of_nothing_of_its_own() -> None:
    for name in ("SpoolerErrors", "JobSuccessfullyCompleted", "UnlimitedPlanErrors", "TooManyRequests"):
        assert not is_own(name)


def test_what_ran_out_or_died_is_a_services_own_whatever_kind_of_problem_it_is_filed_under() -> None:
    for name in (
        "ConnectionPoolExhausted",
        "ConnPoolExhausted",
        "PodRestarting",
        "ThreadPoolSaturated",
        "threadpools_full",
        "TooManyConnections",
    ):
        assert [joins(name, "checkout", after=after) for after in (AT_ONCE, SOON)] == [None, RenewalReason.NEW_KIND]
    assert joins("PodNotReady", "checkout") is None


@pytest.mark.parametrize(("held", "told"), [("TrafficHigh", None), ("HighErrorRate", RenewalReason.NEW_SERVICE)])
def test_more_requests_of_what_a_surging_service_calls_are_no_news(held: str, told: RenewalReason | None) -> None:
    members = Members({(held, "checkout")}, {(kind_of(held), "checkout")}, {"checkout"}, NOW - SOON)

    assert renews("TrafficHigh", "payments", members) is told
    assert renews("TrafficHigh", "web", members) is RenewalReason.NEW_SERVICE


def test_work_that_waits_where_its_service_fails_already_is_no_news() -> None:
    for name in ("QueueBacklog", "QUEUE_BACKLOG", "KafkaConsumerLag", "consumer_lag"):
        assert [joins(name, "checkout", after=after) for after in (SOON, LATER)] == [None, RenewalReason.NEW_KIND]
        assert joins(name, "payments") is RenewalReason.NEW_SERVICE
        assert joins(name, "checkout", changed=True) is RenewalReason.NEW_KIND
    for name in ("FeatureFlagDisk", "QueueDiskFull", "QueueWorkerOOMKilled", "QueueConsumerDown", "ConsumerLagProviderDown"):
        assert joins(name, "checkout") is RenewalReason.NEW_KIND


def test_what_fails_outside_is_a_services_own_and_handed_down_by_nobody_it_calls() -> None:
    for name in ("ProviderErrors", "ThirdPartyTimeouts", "CertificateErrors"):
        assert [joins(name, "checkout", after=after) for after in (AT_ONCE, SOON)] == [None, RenewalReason.NEW_KIND]


def test_what_fails_on_a_service_that_was_changed_meanwhile_need_not_have_been_handed_to_it() -> None:
    assert joins("HighErrorRate", "web", changed=True) is RenewalReason.NEW_SERVICE
    assert joins("HighLatency", "checkout", changed=True) is RenewalReason.NEW_KIND
    assert joins("ErrorBudgetBurn", "checkout", changed=True) is None


@pytest.mark.parametrize(("changed", "told"), [(True, RenewalReason.NEW_KIND), (False, None)])
def test_what_its_callees_gave_a_service_before_it_was_changed_hides_nothing_of_its_own(
    changed: bool, told: RenewalReason | None
) -> None:
    members = Members({("DependencySlow", "checkout")}, {("latency", "checkout")}, {"checkout"}, NOW - SOON)

    assert renews("HighLatency", "checkout", members, changed=changed) is told


def test_an_acknowledgement_outlives_a_flap_but_no_change() -> None:
    assert keeps_acknowledgement(ACK_KEPT_WITHIN, another=False)
    assert not keeps_acknowledgement(ACK_KEPT_WITHIN, another=True)
    assert not keeps_acknowledgement(ACK_KEPT_WITHIN * 2, another=False)


def test_what_comes_in_one_burst_is_one_outage_on_whatever_service() -> None:
    assert [joins("HighErrorRate", "payments", after=after) for after in (AT_ONCE, SOON)] == [None, RenewalReason.NEW_SERVICE]


def test_an_alert_of_an_unknown_service_makes_nothing_new() -> None:
    assert joins("DiskFull", "", after=LATER) is None


def test_whatever_fires_in_a_cleared_group_is_new() -> None:
    assert joins("HighErrorRate", "checkout", cleared=True) is RenewalReason.FIRES_AGAIN


@pytest.mark.parametrize(
    ("change", "acknowledged", "whom"),
    [
        (RenewalReason.FIRES_AGAIN, True, Notify.NOBODY),
        (RenewalReason.FIRES_AGAIN, False, Notify.ON_CALL),
        (RenewalReason.NEW_SERVICE, True, Notify.ON_CALL),
        (RenewalReason.NEW_SERVICE, False, Notify.OTHERS),
    ],
)
def test_whoever_took_something_else_is_called_again(change: RenewalReason, acknowledged: bool, whom: Notify) -> None:
    assert notify(change, acknowledged=acknowledged) is whom


def test_a_flapping_alert_is_told_ever_more_seldom() -> None:
    def told(change: RenewalReason, *, quiet_for: timedelta = NEWS_AGAIN_AFTER) -> list[int]:
        return [n for n in range(1, 20) if worth_a_line(change, renewals=n, times=n, quiet_for=quiet_for)]

    assert told(RenewalReason.FIRES_AGAIN) == [1, 2, 4, 8, 16]
    assert told(RenewalReason.NEW_SERVICE) == [*range(1, 9), 16]
    assert told(RenewalReason.FIRES_AGAIN, quiet_for=NEWS_AGAIN_AFTER + BURST) == [*range(1, 20)], "that is no flap"


def test_what_flapped_before_keeps_no_other_alert_from_being_told() -> None:
    assert worth_a_line(RenewalReason.FIRES_AGAIN, renewals=3, times=1, quiet_for=BURST)


def test_causes_are_ranked_again_once_a_burst_is_over_and_ever_more_seldom() -> None:
    def due(since_renewal: timedelta, since_start: timedelta, earlier: int = 0, *, is_news: bool = False) -> bool:
        return ranking_due(
            NOW, renewed_at=NOW - since_renewal, last_started_at=NOW - since_start, earlier=earlier, is_news=is_news
        )

    assert due(SETTLES_WITHIN, FIRST_WAIT)
    assert not due(SETTLES_WITHIN / 2, FIRST_WAIT), "more may come"
    assert not due(SETTLES_WITHIN, FIRST_WAIT / 2), "the last ranking is too young"
    assert not due(FIRST_WAIT * 2, FIRST_WAIT), "it was ranked since"
    assert not due(SETTLES_WITHIN, FIRST_WAIT, earlier=1) and due(SETTLES_WITHIN, FIRST_WAIT * 2, earlier=1)
    assert due(SETTLES_WITHIN, LONGEST_WAIT, earlier=50)
    assert due(SETTLES_WITHIN, LONGEST_WAIT_OF_NEWS, earlier=50, is_news=True)


def judged(name: str = "HighErrorRate", service: str = "checkout", **facts: Any) -> Judgement:
    """What a further alert makes of a group in which HighErrorRate of checkout fires for a while."""
    held = "HighErrorRate", "checkout"
    members = Members({held}, {(kind_of("HighErrorRate"), "checkout")}, {"checkout"}, NOW - LATER)
    about = {"severity": Severity.SEV3, "members": members, "catalogue": CATALOGUE, "now": NOW, **facts}
    return judge_further_alert(FurtherAlert(name=name, service=service, **about))


def test_an_alert_that_the_outage_holds_already_says_nothing_new() -> None:
    assert judged() == Judgement(None)


def test_a_cleared_group_fires_again_as_the_outage_that_was_acknowledged() -> None:
    assert judged(cleared=True) == Judgement(RenewalReason.FIRES_AGAIN)


@pytest.mark.parametrize("fact", ["changed", "fires_elsewhere"])
def test_a_cleared_group_fires_again_as_another_outage_after_a_change_or_beside_one_that_began_since(fact: str) -> None:
    assert judged(cleared=True, **{fact: True}) == Judgement(RenewalReason.FIRES_AGAIN, another=True)


def test_a_service_that_was_quiet_for_a_while_fires_again_though_others_never_stopped() -> None:
    assert judged(quiet=True) == Judgement(RenewalReason.FIRES_AGAIN)


def test_an_alert_that_flaps_is_no_news_unless_its_service_was_changed() -> None:
    assert judged(quiet=True, flaps_rapidly=True) == Judgement(None)
    assert judged(quiet=True, flaps_rapidly=True, changed=True) == Judgement(RenewalReason.FIRES_AGAIN, another=True)


def test_after_a_change_an_alert_that_had_ended_seconds_ago_is_another_outage() -> None:
    assert judged(alert_had_ended=True) == Judgement(None)
    assert judged(alert_had_ended=True, changed=True) == Judgement(RenewalReason.FIRES_AGAIN, another=True)


def test_after_a_change_what_failed_in_an_outage_before_alone_is_a_new_kind_of_problem() -> None:
    assert judged(changed=True, present_alerts=frozenset({"HighErrorRate"})) == Judgement(None)
    assert judged(changed=True, present_alerts=frozenset({"HighLatency"})) == Judgement(RenewalReason.NEW_KIND)


def test_a_service_that_joins_is_new_unless_the_ranking_named_it_already() -> None:
    assert judged(service="payments") == Judgement(RenewalReason.NEW_SERVICE)
    assert judged(service="payments", suspected=True) == Judgement(None)


def test_a_suspected_service_that_is_worse_than_the_acknowledged_outage_says_so() -> None:
    found = judged(service="payments", suspected=True, severity=Severity.SEV1, worst_present=Severity.SEV2)

    assert found == Judgement(RenewalReason.WORSE)


def test_what_is_worse_than_everything_that_was_acknowledged_is_news_and_as_bad_is_not() -> None:
    assert judged(severity=Severity.SEV1, worst_present=Severity.SEV2) == Judgement(RenewalReason.WORSE)
    assert judged(severity=Severity.SEV2, worst_present=Severity.SEV2) == Judgement(None)


def test_a_caller_that_errors_spread_to_is_new_where_the_acknowledgement_outlived_a_flap_without_it() -> None:
    """`web` calls checkout, so it is expected; of what neither calls it nor fired it is not."""
    early = Members({("HighErrorRate", "web")}, {(kind_of("HighErrorRate"), "web")}, {"web"}, NOW - AT_ONCE)
    over_flap = {"members": early, "acknowledged_at": NOW - LATER, "renewed_at": NOW}

    assert judged(service="checkout", **over_flap) == Judgement(RenewalReason.NEW_SERVICE)
    assert judged(service="web", **over_flap) == Judgement(None)
    assert judged(service="checkout", **{**over_flap, "acknowledged_at": NOW}) == Judgement(None)
