"""What moved at once after a change, minutes before anything failed."""

from dataclasses import replace

import pytest

from bot.core.change import Change
from bot.core.evidence import Hypothesis
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import JumpFact
from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, minutes

CALLER, CALLEE = change("front", 9, version="2.0.0"), change("cart", 16, version="7.0.0")


def causes(*, pool_minutes_late: float, signal: str = "db_pool_in_use") -> list[Hypothesis]:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    pool = deviation("cart", signal, 4, 29, doublings=3, late=pool_minutes_late)
    failing = deviation("cart", "errors", 0.001, 0.4, doublings=5, unit="ratio")
    ledger.graph("front", "cart").health("cart", failing, pool).changes(CALLER, CALLEE)
    return rank(CASE, ledger.entries, now=NOW).hypotheses


def test_a_deploy_of_the_caller_with_which_the_pool_of_its_callee_filled_is_the_first_suspect_among_changes() -> None:
    named = [cause for cause in causes(pool_minutes_late=-8.5) if cause.change_id]

    assert named[0].change_id == CALLER.id
    assert any("cart db_pool_in_use moved at" in claim.text for claim in named[0].claims)


def test_what_moved_before_the_deploy_or_with_the_failure_says_nothing_of_it() -> None:
    for late in (-20.0, 0.0):
        assert not any("moved at" in claim.text for cause in causes(pool_minutes_late=late) for claim in cause.claims)


def test_a_first_sign_that_nobody_measured_as_it_moved_is_dated_between_the_samples_around_it() -> None:
    pool = deviation("cart", "db_pool_in_use", 4, 29, doublings=3, late=-5)
    sign = replace(pool, not_before=ONSET - minutes(8.5))
    failing = deviation("cart", "errors", 0.001, 0.4, doublings=5, unit="ratio")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    ledger.graph("front", "cart").health("cart", failing, sign).changes(CALLER)

    (text,) = [
        claim.text
        for cause in rank(CASE, ledger.entries, now=NOW).hypotheses
        for claim in cause.claims
        if "db_pool_in_use moved" in claim.text
    ]
    assert text.startswith("cart db_pool_in_use moved between 11:51:30 and 11:55:00 UTC, with deploy 2.0.0")


@pytest.mark.parametrize(("jumped", "named"), [(False, CALLER), (True, CALLEE)])
def test_what_jumped_with_an_earlier_deploy_of_its_own_is_no_sign_of_a_later_one_of_its_caller(
    jumped: bool, named: Change
) -> None:
    queue = deviation("cart", "handler_queue_len", 4, 2900, doublings=8, late=-8.5)
    failing = deviation("cart", "errors", 0.001, 0.4, doublings=5, unit="ratio")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    ledger.graph("front", "cart").health("cart", failing, queue).changes(CALLER, CALLEE)
    if jumped:
        work = JumpFact(change_id=CALLEE.id, service="cart", signal="handler_time_us", before=20, after=180, scales=20)
        ledger._add("change_jumps", EvidenceFacts(jumps=(work,)), service="cart")

    assert next(cause.change_id for cause in rank(CASE, ledger.entries, now=NOW).hypotheses if cause.change_id) == named.id


def test_a_service_that_asks_more_for_each_request_since_its_deploy_was_broken_by_that_also_where_it_fails_at_once() -> None:
    deploy = change("front", 0.5, version="2.0.0")
    slow = deviation("front", "latency", 0.2, 2, doublings=4, unit="s")
    work = deviation("front", "db_queries_per_history_request", 1, 84, doublings=4, family="behaviour")
    ledger = Ledger().health("front", slow, work).graph("front", "cart").health("cart").changes(deploy)

    first = rank(CASE, ledger.entries, now=NOW).hypotheses[0]

    assert first.change_id == deploy.id
    (sign,) = [claim.text for claim in first.claims if "db_queries_per_history_request moved at" in claim.text]
    assert sign.endswith("with deploy 2.0.0") and "0 s before" not in sign


def asked_more_often(*, front_after: float, other_after: float | None = 100) -> list[Hypothesis]:
    """`cart` is asked eight times as often since a deploy of its caller `front`, and is slow; None: nobody measures that."""
    deploy, own = change("front", 0.5, version="2.0.0"), change("cart", -2, kind="flag")
    slow = deviation("cart", "latency", 0.05, 2, doublings=4, unit="s")
    asked = deviation("cart", "requests_per_sec", 600, 5000, doublings=5)
    before = deviation("front", "requests_per_sec", 400, front_after, doublings=4 if front_after > 500 else 0)
    ledger = Ledger().health("cart", slow, asked).health("front", before)
    if other_after is not None:
        other = deviation("search", "requests_per_sec", 100, other_after, doublings=4 if other_after > 150 else 0)
        ledger.health("search", other)
    ledger.graph("front", "cart").graph("search", "cart").changes(deploy, own)
    return rank(CASE, ledger.entries, now=NOW).hypotheses


def test_a_callee_that_brings_demand_often_for_the_same_requests_of_its_changed_caller_was_hurt_by_that_change() -> None:
    first = asked_more_often(front_after=410)[0]

    assert first.service == "front" and first.change_id
    assert any("cart requests_per_sec moved at" in claim.text for claim in first.claims)


@pytest.mark.parametrize(("front", "other"), [(3300, 100), (410, 900), (40, 100), (410, None)])
def test_where_a_caller_is_not_asked_as_before_the_change_is_no_reason_for_the_rise(front: float, other: float | None) -> None:
    causes = asked_more_often(front_after=front, other_after=other)

    assert not any("requests_per_sec moved at" in claim.text for cause in causes for claim in cause.claims)


def test_what_fills_slowly_since_a_deploy_is_seen_some_minutes_after_it() -> None:
    deploy = change("front", 27, version="2.0.0")
    pool = deviation("front", "db_connections_active", 5, 40, doublings=3, late=-22)
    failing = deviation("front", "errors", 0.002, 0.6, doublings=5, unit="ratio")
    ledger = Ledger().health("front", failing, pool).graph("front", "cart").health("cart").changes(deploy)

    (cause,) = [h for h in rank(CASE, ledger.entries, now=NOW).hypotheses if h.change_id == deploy.id]

    assert any("front db_connections_active moved at" in claim.text for claim in cause.claims)


def test_many_times_as_many_requests_within_a_minute_of_a_callers_deploy_are_no_peoples_also_where_nobody_counts_its_own() -> (
    None
):
    def causes(after: float) -> list[Hypothesis]:
        deploy, own = change("front", 0.5, version="2.0.0"), change("cart", -2, kind="flag")
        slow = deviation("cart", "latency", 0.05, 2, doublings=4, unit="s")
        asked = deviation("cart", "requests_per_sec", 100, after, doublings=5)
        ledger = Ledger().health("cart", slow, asked).graph("front", "cart").health("front").changes(deploy, own)
        return rank(CASE, ledger.entries, now=NOW).hypotheses

    named = [
        [claim.text for cause in causes(after) for claim in cause.claims if "moved at" in claim.text] for after in (3400, 300)
    ]

    assert named[0] and not named[1]


def test_of_two_diffs_that_explain_the_lines_the_one_with_which_something_was_seen_to_begin_goes_first() -> None:
    before, guilty = change("front", 54, version="1.9.0"), change("front", 27, version="2.0.0")
    failing = deviation("front", "errors", 0.002, 0.6, doublings=5, unit="ratio")
    pool = deviation("front", "db_connections_active", 5, 40, doublings=3, late=-22)
    ledger = Ledger().health("front", failing, pool).graph("front", "cart").health("cart").changes(before, guilty)
    ledger.lines("front", TemplateFact(template="pool: connection is not available", count=40, before=0, trend="new"))
    fewer = EffectFact(kind="pool", name="maxPoolSize", before="40", after="4", path="front/a.yaml")
    leak = EffectFact(kind="release", name="conn.close()", path="front/b.py")
    for version, sha, effects in (("1.9.0", "a", (fewer, fewer)), ("2.0.0", "b", (leak,))):
        diff = DiffFact(commit=sha * 40, at=ONSET - minutes(60), paths=("front/a.yaml",), effects=effects)
        ledger._add("code_changes", EvidenceFacts(diffs=(diff,), version=version), source="github", service="front")

    first, second = [h for h in rank(CASE, ledger.entries, now=NOW).hypotheses if h.change_id][:2]

    assert (first.change_id, second.change_id) == (guilty.id, before.id)
    assert second.likelihood < 0.75 * first.likelihood


def alert_of_who_retries(*, other_late: float, callers: tuple[str, ...] = ()) -> list[Hypothesis]:
    """The alerting service and one that no call is known of were changed; `other_late`: minutes after the alert's onset."""
    own, guilty = change("retries", 2.5, version="2.0.0"), change("sender", 1.25, version="7.0.0")
    alerting = deviation("retries", "errors", 0.002, 0.6, doublings=5, unit="ratio")
    refused = deviation("sender", "rejected_ratio", 0.01, 0.7, doublings=5, unit="ratio", late=other_late)
    ledger = Ledger().health("retries", alerting).graph("retries").changes(own, guilty).health("sender", refused)
    ledger = ledger.graph("sender", callers=callers) if callers else ledger
    case = CASE.model_copy(update={"service": "retries"})
    return [cause for cause in rank(case, ledger.entries, now=NOW).hypotheses if cause.change_id]


def test_a_changed_service_that_failed_at_once_and_before_the_alerting_one_is_the_first_suspect() -> None:
    assert [cause.service for cause in alert_of_who_retries(other_late=-1)] == ["sender", "retries"]


def likelihood_of_the_other(*, late: float, callers: tuple[str, ...] = ()) -> float:
    causes = alert_of_who_retries(other_late=late, callers=callers)
    return next((cause.likelihood for cause in causes if cause.service == "sender"), 0.0)


def test_a_first_failure_counts_for_less_where_the_code_of_its_change_has_nothing_to_do_with_it() -> None:
    guilty, refused = (
        change("sender", 1.25, version="7.0.0"),
        deviation("sender", "rejected_ratio", 0.01, 0.7, doublings=5, late=-1),
    )
    alerting = deviation("retries", "errors", 0.002, 0.6, doublings=5, unit="ratio")
    styles = DiffFact(commit="a" * 40, at=ONSET - minutes(60), paths=("sender/a.py",), removed=("blue",), added=("green",))

    def likelihood(*diffs: DiffFact) -> float:
        ledger = Ledger().health("retries", alerting).graph("retries").changes(guilty).health("sender", refused)
        ledger._add("code_changes", EvidenceFacts(diffs=diffs, version="7.0.0"), source="github", service="sender")
        case = CASE.model_copy(update={"service": "retries"})
        return next(h.likelihood for h in rank(case, ledger.entries, now=NOW).hypotheses if h.change_id == guilty.id)

    assert 2 * likelihood(styles) < likelihood()


def test_one_that_nobody_knows_the_alerting_service_to_rest_on_and_that_failed_after_it_suffers_with_it() -> None:
    later, known_to_be_called = likelihood_of_the_other(late=1), likelihood_of_the_other(late=1, callers=("retries",))

    assert later < 0.1 < known_to_be_called


def test_moments_nearer_than_a_measured_onset_is_exact_say_nothing_of_which_failed_first() -> None:
    before, after = (likelihood_of_the_other(late=late) for late in (-0.1, 0.1))

    assert abs(before - after) < 0.01


def test_less_work_for_each_request_since_a_deploy_is_no_first_sign_of_a_failure() -> None:
    def signs(before: float, after: float) -> list[str]:
        deploy = change("front", 9, version="2.0.0")
        failing = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
        commands = deviation("front", "redis_commands_per_save", before, after, late=-8.5)
        ledger = Ledger().health("front", failing, commands).graph("front", "cart").health("cart").changes(deploy)
        causes = rank(CASE, ledger.entries, now=NOW).hypotheses
        return [claim.text for cause in causes for claim in cause.claims if "moved at" in claim.text]

    assert signs(2, 4.4) and not signs(4.4, 2)


def test_a_lag_that_began_with_a_deploy_of_its_producer_half_an_hour_before_the_failure_names_that_deploy() -> None:
    deploy, own = change("ingest", 31, version="2.0.0"), change("front", 2, version="1.1.0")
    stale = deviation("front", "staleness_seconds", 40, 150, doublings=5, unit="s")
    lag = deviation("front", "consumer_lag_sum", 900, 1e6, doublings=6, late=-29)
    ledger = Ledger().health("front", stale, lag).graph("front", callers=["ingest"]).changes(deploy, own).health("ingest")

    assert next(h.change_id for h in rank(CASE, ledger.entries, now=NOW).hypotheses if h.change_id) == deploy.id


def test_more_traffic_of_a_shared_store_names_the_deploy_of_one_caller_only_where_the_others_ask_as_before() -> None:
    def signs(other: float) -> list[str]:
        deploy = change("front", 9, version="2.0.0")
        failing = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
        asked = deviation("store", "commands_rate", 100, 300, doublings=4, late=-8.5, family="traffic")
        slow = deviation("store", "latency", 0.01, 0.4, doublings=5, unit="s")
        of_other = deviation("sessions", "request_rate", 100, other, doublings=4 if other > 150 else 0, family="traffic")
        ledger = Ledger().health("front", failing).graph("front", "store").changes(deploy).health("store", slow, asked)
        ledger.graph("store", callers=["front", "sessions"]).health("sessions", of_other)
        causes = rank(CASE, ledger.entries, now=NOW).hypotheses
        return [claim.text for cause in causes for claim in cause.claims if "commands_rate moved at" in claim.text]

    assert signs(100) and not signs(900)
