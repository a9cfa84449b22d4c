"""What the analyst concludes from evidence, per kind of fault; every finding must also survive the verdict."""

import re
from dataclasses import replace
from datetime import datetime

import pytest

from bot.core.change import Change
from bot.core.evidence import EarlierOutage, Findings, Hypothesis
from bot.core.facts.recorded import TemplateFact
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.next_checks import next_services
from bot.core.ranking.observations import observe
from bot.core.ranking.ranking import rank
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, failing_payments, minutes


def judged(ledger: Ledger, now: datetime = NOW) -> Findings:
    """The analyst's findings; nothing that it claims itself may be dropped by the verdict."""
    findings = rank(CASE, ledger.entries, now=now)
    kept = judge(findings, ledger.entries)
    assert [c for h in kept.hypotheses for c in h.claims] == [c for h in findings.hypotheses for c in h.claims], kept.dropped
    assert kept.ruled_out == findings.ruled_out, kept.dropped
    return kept


def test_a_deploy_whose_version_alone_fails_is_likely() -> None:
    guilty = change("payments", 1, version="2.3.1", previous="2.3.0")
    ledger = failing_payments(guilty).breakdown(
        "payments", "errors", "version", **{"2_3_1": (0.0, 0.5), "2_3_0": (0.001, 0.001)}
    )

    first = judged(ledger).hypotheses[0]

    assert (first.kind, first.service, first.change_id, first.confidence) == ("change", "payments", guilty.id, "likely")


def test_a_version_that_is_well_is_not_blamed_for_the_one_that_alone_fails_after_it() -> None:
    guilty = change("payments", 0.1, version="2.0.2", previous="2.0.1")
    before = change("payments", 1.5, version="2.0.1", previous="2.0.0")
    ledger = failing_payments(guilty, before).breakdown(
        "payments", "errors", "version", **{"2_0_2": (None, 0.57), "2_0_1": (0.0, 0.0)}
    )

    findings = judged(ledger)

    assert [(h.change_id, h.confidence) for h in findings.hypotheses[:1]] == [(guilty.id, "likely")]
    assert [claim.text.partition(": ")[2] for claim in findings.ruled_out if claim.change_id == before.id] == [
        "2.0.2 alone shows it (0 here, 0.57 there)"
    ]


def test_a_newer_deploy_of_the_alerting_service_is_not_guilty_by_being_newest() -> None:
    guilty, innocent = change("payments", 2, version="2.3.1"), change("front", 0.5, version="9.0.0")

    findings = judged(failing_payments(guilty, innocent))

    assert findings.hypotheses[0].change_id == guilty.id
    assert all(h.confidence != "likely" for h in findings.hypotheses if h.change_id == innocent.id)
    # Names of signals are plural as often as not: the sentence must be one for both.
    assert any(re.search(r": its errors came from payments errors \(\d+ %\)$", claim.text) for claim in findings.ruled_out)


def test_a_deploy_after_the_onset_is_ruled_out_with_both_moments() -> None:
    late = change("front", -2, version="9.0.0")

    ledger = failing_payments(change("payments", 1), late)
    findings = judged(ledger)

    assert all(h.change_id != late.id for h in findings.hypotheses)
    (claim,) = [claim for claim in findings.ruled_out if "after the onset at 12:00:00" in claim.text]
    measured = {entry.id for entry in ledger.entries for one in entry.evidence.facts.deviations if one.onset == ONSET}
    assert measured & set(claim.evidence)


def test_a_deploy_of_a_service_that_is_well_is_ruled_out() -> None:
    findings = judged(failing_payments(change("payments", 1), change("cart", 0.5, version="4.0.0")))

    assert any("nothing of cart left its normal range" in claim.text for claim in findings.ruled_out)


def test_a_change_that_all_versions_show_alike_is_not_at_fault() -> None:
    even = change("payments", 1, version="2.3.1")
    ledger = failing_payments(even).breakdown("payments", "errors", "version", **{"2_3_1": (0.0, 0.4), "2_3_0": (0.001, 0.42)})

    findings = judged(ledger)

    assert all(h.confidence in ("unlikely", "unsupported") for h in findings.hypotheses if h.change_id == even.id)


@pytest.mark.parametrize("kind", ["flag", "config", "model"])
def test_a_change_without_a_version_just_before_the_onset_is_likely(kind: str) -> None:
    guilty = change("payments", 0.6, kind=kind)

    first = judged(failing_payments(guilty, change("payments", 190))).hypotheses[0]

    assert (first.change_id, first.confidence) == (guilty.id, "likely")


@pytest.mark.parametrize("kind", ["flag", "config"])
def test_a_deploy_elsewhere_does_not_make_a_flag_or_setting_of_the_failing_service_less_sure(kind: str) -> None:
    guilty, elsewhere, below = change("payments", 0.6, kind=kind), change("front", 0.5), change("db", 5)

    alone = judged(failing_payments(guilty, elsewhere, change("db", 30))).hypotheses[0]
    beside_callee = judged(failing_payments(guilty, elsewhere, below)).hypotheses[0]

    assert (alone.change_id, alone.confidence) == (guilty.id, "likely")
    assert beside_callee.confidence != "likely"


def test_a_flag_of_which_new_lines_say_nothing_is_not_likely_beside_a_deploy_elsewhere() -> None:
    ledger = failing_payments(change("payments", 0.6, kind="flag"), change("front", 0.5))
    ledger.lines("payments", TemplateFact(template="upstream reset", count=40, before=0, trend="new"))

    assert judged(ledger).hypotheses[0].confidence != "likely"


def test_a_deploy_of_the_failing_service_is_not_likely_by_its_moment_beside_another_change_nearby() -> None:
    findings = judged(failing_payments(change("payments", 0.6), change("front", 0.5, kind="flag")))

    assert all(h.confidence != "likely" for h in findings.hypotheses)


def test_memory_that_climbed_is_the_cause_and_the_old_deploy_is_not() -> None:
    ledger = failing_payments(change("payments", 180, version="2.3.1"))
    leak = deviation("payments", "memory", 0.6, 0.97, doublings=2.5, late=-40)
    ledger.health("payments", leak).logs("payments", "OutOfMemoryError: heap space", 40, 0)

    first = judged(ledger).hypotheses[0]

    assert (first.kind, first.service) == ("resource", "payments")


def test_a_full_connection_pool_without_a_change_is_likely_a_resource() -> None:
    ledger = failing_payments().health("payments", deviation("payments", "db connections", 6, 20, late=-3))

    first = judged(ledger).hypotheses[0]

    assert (first.kind, first.service, first.confidence) == ("resource", "payments", "likely")


def test_a_pool_that_is_full_since_its_service_does_much_more_is_not_likely() -> None:
    full = deviation("payments", "db connections", 6, 20, late=-3)
    more = deviation("payments", "token_exchange_per_sec", 90, 1290, late=-3.5, doublings=3, family="saturation")
    later = replace(more, onset=ONSET + minutes(1))

    first, other = (judged(failing_payments().health("payments", full, rate)).hypotheses[0] for rate in (more, later))

    assert (first.kind, first.confidence, other.confidence) == ("resource", "possible", "likely")


def test_a_change_made_while_the_pool_was_already_filling_is_not_likely() -> None:
    ledger = failing_payments(change("payments", 1)).health("payments", deviation("payments", "db connections", 6, 20, late=-4))

    findings = judged(ledger)

    assert findings.hypotheses[0].kind == "resource"
    assert all(h.confidence != "likely" for h in findings.hypotheses if h.kind == "change")


def test_a_provider_that_fails_is_an_external_cause_named_by_its_label() -> None:
    ledger = failing_payments().health("payments", deviation("payments", "provider errors", 0.001, 0.9, unit="ratio"))
    ledger.breakdown("payments", "provider errors", "provider", bank_example=(0.001, 0.9), mail_example=(0.001, 0.001))

    first = judged(ledger).hypotheses[0]

    assert (first.kind, first.confidence) == ("external", "likely")
    assert "bank.example" in first.cause


def test_a_surge_that_comes_from_the_callers_is_traffic() -> None:
    surge = deviation("payments", "traffic", 40, 180, unit="req/s")
    cpu = deviation("payments", "cpu", 0.3, 0.97, late=0.2)
    ledger = failing_payments(change("front", 90)).health("payments", surge, cpu)
    ledger.health("front", deviation("front", "traffic", 100, 128, doublings=1.1, unit="req/s"))

    first = judged(ledger).hypotheses[0]

    assert (first.kind, first.service, first.confidence) == ("traffic", "payments", "likely")


def test_what_the_outage_before_left_is_no_likely_cause_of_the_present_one() -> None:
    surge = deviation("payments", "traffic", 40, 180, late=-1, unit="req/s")
    cpu = deviation("payments", "cpu", 0.3, 0.97, late=0.2)
    ledger = failing_payments(change("front", 90)).health("payments", surge, cpu)
    ledger.health("front", deviation("front", "traffic", 100, 128, late=-1, doublings=1.1, unit="req/s"))
    cleared = EarlierOutage(until=CASE.started_at - minutes(0.5))
    spreading = EarlierOutage(until=cleared.until, likely=("traffic", "payments", ""))
    of_before = EarlierOutage(until=CASE.started_at - minutes(30))

    def confidence(earlier: EarlierOutage | None) -> tuple[str, str]:
        first = rank(CASE.model_copy(update={"earlier": earlier}), ledger.entries, now=NOW).hypotheses[0]
        return first.kind, first.confidence

    assert confidence(cleared) == ("traffic", "possible")
    assert [confidence(earlier) for earlier in (None, spreading, of_before)] == [("traffic", "likely")] * 3


def test_load_that_was_carried_until_the_service_was_changed_is_not_what_broke_it() -> None:
    guilty = change("payments", 0.3)
    surge = deviation("payments", "traffic", 40, 180, late=-1.5, unit="req/s")
    cpu = deviation("payments", "cpu", 0.3, 0.97, late=0.2)
    ledger = failing_payments(guilty).health("payments", surge, cpu)
    ledger.health("front", deviation("front", "traffic", 100, 228, late=-1.5, unit="req/s"))

    first = judged(ledger).hypotheses[0]
    assert (first.change_id, first.confidence) == (guilty.id, "likely")


def test_more_calls_that_only_follow_the_failure_are_retries() -> None:
    guilty = change("payments", 1)
    ledger = failing_payments(guilty).health("payments", deviation("payments", "traffic", 40, 110, late=2, unit="req/s"))

    assert judged(ledger).hypotheses[0].change_id == guilty.id


def test_a_rollback_that_did_not_help_speaks_against_the_deploy() -> None:
    guilty = change("payments", 1, version="2.3.1", previous="2.3.0")
    ledger = failing_payments(guilty, change("payments", -3, version="2.3.0"))

    first = judged(ledger, now=NOW + minutes(10)).hypotheses[0]

    assert first.change_id == guilty.id and first.confidence == "possible"
    assert any("Going back to 2.3.0" in claim.text for claim in first.against)


def test_of_a_deploy_that_was_taken_back_before_the_onset_it_is_said_so() -> None:
    taken_back = change("payments", 8, version="2.3.1", previous="2.3.0")
    ledger = failing_payments(taken_back, change("payments", 4, version="2.3.0", previous="2.3.1"))

    (cause,) = (one for one in judged(ledger, now=NOW + minutes(1)).hypotheses if one.change_id == taken_back.id)

    assert cause.confidence == "possible"
    (told,) = (claim.text for claim in cause.against if "Going back to 2.3.0" in claim.text)
    assert "came before the onset at 12:00:00 UTC" in told and "did not end it" not in told


def test_when_all_is_normal_nothing_is_accused() -> None:
    findings = judged(Ledger().health("front").graph("front", "cart").health("cart").changes(change("front", 1)))

    assert findings.hypotheses == [] and findings.note == "2 signals of 2 services stayed within the normal range."


def test_a_quiet_service_is_no_all_clear_where_a_look_failed() -> None:
    findings = judged(Ledger().health("front").failed("search_logs", "no answer", service="front"))

    note = "1 signal of 1 service stayed within the normal range; 1 check failed, so this is not an all-clear."
    assert findings.note == note


def test_without_metrics_a_near_change_is_at_most_possible_and_the_gap_is_listed() -> None:
    ledger = Ledger().changes(change("front", 1)).failed("service_health", "connection refused", service="front")

    findings = judged(ledger)

    assert findings.hypotheses[0].confidence == "possible"
    assert findings.not_checked == ["Could not check (service_health): connection refused"]
    assert "the onset itself was not observed" in findings.hypotheses[0].claims[0].text


def test_a_failing_service_that_nothing_explains_is_a_place_with_a_check() -> None:
    findings = judged(failing_payments())

    first = findings.hypotheses[0]
    assert (first.kind, first.service, first.confidence) == ("dependency", "payments", "likely")
    assert first.check and "nothing that was checked shows why" in first.cause


def test_the_line_that_tells_of_a_failure_stands_before_one_that_only_came_more_often() -> None:
    served = TemplateFact(template="INFO GET /pay <*> <*>", count=830, before=252, trend="surging")
    full = TemplateFact(template="ERROR shard <*> failed: no answer", count=36, before=0, trend="new")
    ledger = failing_payments().lines("payments", served, full)

    place = next(cause for cause in judged(ledger).hypotheses if cause.kind == "dependency")

    assert place.cause == "payments itself fails, and logs: ERROR shard <*> failed: no answer"
    assert [claim.text for claim in place.claims if "logs" in claim.text] == [
        "payments logs 36 times (before: 0) ERROR shard <*> failed: no answer"
    ]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("write /data/ledger: no space left on device", "payments has no space left on a disk"),
        ("Last state: OOMKilled", "payments runs out of memory"),
        ("accept: too many open files", "payments has no file descriptors left"),
    ],
)
def test_what_lines_say_to_have_run_out_is_named_as_a_lead(line: str, cause: str) -> None:
    ledger = failing_payments().lines("payments", TemplateFact(template=line, count=9, before=0, trend="new"))

    assert [h.confidence for h in judged(ledger).hypotheses if h.cause == cause] == ["possible"]


def test_a_deploy_is_not_cleared_by_a_failure_that_its_service_does_not_rest_on() -> None:
    mailed = change("mailer", 45, version="4.0.1")

    def cleared(*callees: str) -> bool:
        slow = deviation("mailer", "errors", 0.001, 0.02, doublings=1, unit="ratio")
        ledger = failing_payments(mailed).health("mailer", slow).graph("mailer", *callees)
        return any("came from payments" in claim.text for claim in judged(ledger).ruled_out)

    assert (cleared("smtp"), cleared("payments")) == (False, True)


def test_a_place_is_not_likely_where_something_elsewhere_moved_with_a_change_before_the_failure() -> None:
    deployed = change("aggregator", 10, version="7")

    def confidence(late: float, *changes: Change) -> str:
        moved = deviation("aggregator", "view_time_mean", 7, 549, doublings=6, late=late, family="saturation")
        first = judged(failing_payments(*changes).health("aggregator", moved)).hypotheses[0]
        assert first.service == "payments"
        return first.confidence

    assert confidence(-9, deployed) == "possible"
    assert {confidence(-9), confidence(-5, deployed), confidence(1, deployed)} == {"likely"}


def test_the_next_services_are_those_that_deviating_ones_call() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0, 0.3)).graph("front", "payments").graph("cart", "stock")

    assert next_services(CASE, observe(ledger.entries)) == ["payments"]


def test_where_nobody_is_known_that_the_service_calls_or_is_called_by_its_failing_is_no_likely_cause() -> None:
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
    alone = Ledger().health("front", errors).graph("front").changes()
    beside = Ledger().health("front", errors).graph("front", "cart").changes().health("cart")

    assert judged(alone).hypotheses[0].confidence == "possible"
    assert judged(beside).hypotheses[0].confidence == "likely"


def test_a_signal_whose_name_says_nothing_of_what_it_measures_is_no_likely_cause() -> None:
    ledger = Ledger().health("front", deviation("front", "stat_orders_open", 1, 12, doublings=3)).graph("front", "cart")

    assert judged(ledger.changes().health("cart")).hypotheses[0].confidence == "possible"


def test_a_share_of_what_failed_is_the_symptom_and_no_likely_cause() -> None:
    missed = deviation("front", "eval_missed_ratio", 0.001, 1.0, doublings=4, unit="ratio", family="saturation")

    assert (
        judged(Ledger().health("front", missed).graph("front", "cart").changes().health("cart")).hypotheses[0].confidence
        == "possible"
    )


def test_a_change_elsewhere_is_not_cleared_by_a_graph_that_knows_nobody_beside_the_service() -> None:
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
    elsewhere = change("ingress", 2)
    alone = Ledger().health("front", errors).graph("front").changes(elsewhere)
    beside = Ledger().health("front", errors).graph("front", "cart").changes(elsewhere).health("cart")
    calls_others = Ledger().health("front", errors).graph("front", "cart").changes(elsewhere).graph("ingress", "web")

    assert not judged(alone).ruled_out
    assert any("front is not known to depend on ingress" in claim.text for claim in judged(calls_others).ruled_out)
    assert not judged(beside).ruled_out, "nothing is known of the ingress: anybody may rest on it"


def test_a_service_that_fails_minutes_after_a_change_of_what_nothing_is_known_of_is_no_likely_place() -> None:
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")

    def confidence(*changes: Change) -> str:
        return (
            judged(Ledger().health("front", errors).graph("front", "cart").changes(*changes).health("cart"))
            .hypotheses[0]
            .confidence
        )

    assert (confidence(), confidence(change("network", 10))) == ("likely", "possible")


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        ("503 Service Unavailable", "likely"),
        ("401 Unauthorized: no key", "possible"),
        ("429: throttled", "possible"),
        ("remote error: tls: bad certificate", "possible"),
    ],
)
def test_a_provider_that_refuses_what_it_is_sent_is_not_likely_to_be_what_fails(line: str, confidence: str) -> None:
    ledger = failing_payments().health("payments", deviation("payments", "provider errors", 0.001, 0.9, unit="ratio"))
    ledger.lines("payments", TemplateFact(template=f"charge not made: {line}", count=40, before=0, trend="new"))

    external = [cause for cause in judged(ledger).hypotheses if "provider" in cause.cause]

    assert external[0].confidence == confidence


def test_less_of_something_that_nobody_knows_the_limit_of_is_how_a_service_fails_and_no_resource_that_ran_short() -> None:
    fewer, slow = (
        deviation("front", "runs_per_min", 42, 0, doublings=4),
        deviation("front", "disk_free_bytes", 9e9, 1e6, doublings=4),
    )

    def kinds(found: Deviation) -> set[str]:
        return {cause.kind for cause in rank(CASE, Ledger().health("front", found).changes().entries, now=NOW).hypotheses}

    assert (kinds(fewer), kinds(slow)) == (set(), {"resource"})


def test_a_share_of_what_nobody_knows_is_not_far_from_its_limit() -> None:
    share = deviation("front", "denials_seen", 0.01, 0.4, doublings=4, unit="ratio", family="saturation")
    (cause,) = rank(CASE, Ledger().health("front", share).changes().entries, now=NOW).hypotheses

    assert not any("not exhausted" in claim.text for claim in cause.against)


def full_disk(share: float) -> Findings:
    disk = replace(deviation("payments", "volume_used_ratio", 0.2, share, doublings=6, unit="ratio"), onset=None)
    return judged(failing_payments().health("payments", disk))


def test_a_disk_of_a_callee_that_is_full_is_the_likely_cause() -> None:
    first = full_disk(1.0).hypotheses[0]

    assert (first.kind, first.service, first.confidence) == ("resource", "payments", "likely")
    assert full_disk(0.45).hypotheses[0].kind != "resource"


def test_a_callee_of_which_no_replica_is_ready_explains_its_caller() -> None:
    gone = replace(deviation("payments", "kube_ready_replicas", 6, 0, doublings=4), direction="down")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.9, doublings=5, unit="ratio"))

    first = judged(ledger.graph("front", "payments").health("payments", gone).changes()).hypotheses[0]

    assert first.service == "payments"


def test_a_lock_that_somebody_else_holds_is_a_lead_for_a_change_may_hold_it() -> None:
    waits = TemplateFact(template="process 1 still waiting for ShareLock on transaction 7", count=40, before=0, trend="new")
    causes = judged(failing_payments().health("payments").lines("payments", waits)).hypotheses

    assert [h.confidence for h in causes if "holds a lock" in h.cause] == ["possible"]


def test_requests_that_rose_a_minute_after_the_failure_are_tries_again() -> None:
    def likelihood(late: float) -> float:
        asked = deviation("front", "requests_per_sec", 100, 170, doublings=3, late=late)
        failing = deviation("front", "errors", 0.002, 0.9, doublings=5, unit="ratio")
        ledger = Ledger().health("front", failing, asked).graph("front", "cart").health("cart").changes()
        return max((h.likelihood for h in judged(ledger).hypotheses if h.kind == "traffic"), default=0.0)

    assert likelihood(0) > likelihood(1)


@pytest.mark.parametrize(("seconds", "named"), [(0.437, False), (0.9, True)])
def test_a_hundredth_more_time_is_no_evidence_to_tell(seconds: float, named: bool) -> None:
    pool = deviation("front", "db connections ratio", 0.13, 1, doublings=4, unit="ratio")
    slow = deviation("front", "latency", 0.431, seconds, doublings=2, unit="s")
    ledger = Ledger().health("front", pool, slow).graph("front", "cart").health("cart").changes()

    claims = [claim.text for claim in judged(ledger).hypotheses[0].claims]

    assert any("connections" in text for text in claims)
    assert any("latency rose" in text for text in claims) is named


def test_a_failing_service_is_not_likely_by_itself_where_it_was_changed_and_nobody_saw_since_when_it_fails() -> None:
    def told(*changes: Change) -> Hypothesis:
        slow = replace(deviation("front", "errors", 0.05, 0.5, doublings=5, unit="ratio"), onset=None)
        ledger = Ledger().health("front", slow).graph("front", "cart").health("cart").changes(*changes)
        return next(h for h in judged(ledger).hypotheses if h.kind == "unknown")

    changed_since = change("front", -5, version="2.0.0")
    assert [told(*changes).confidence for changes in ((), (change("front", 70, version="2.0.0"),), (changed_since,))] == [
        "likely",
        "possible",
        "likely",
    ]
    assert "No change of front in the hour before the alert" in [claim.text for claim in told().claims]


def test_a_person_at_work_on_what_runs_is_named_as_a_lead() -> None:
    audit = TemplateFact(template="audit: CONFIG SET maxmemory by user=ops", count=1, before=0, trend="new")
    ledger = failing_payments(change("front", 90)).lines("payments", audit)

    assert any("Somebody changed payments by hand" in cause.cause for cause in judged(ledger).hypotheses)
