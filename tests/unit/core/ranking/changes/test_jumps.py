"""Changes with which something of their service jumped, minutes before anything failed."""

from bot.core.change import Change
from bot.core.evidence import Hypothesis
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import JumpFact
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, deviation, entry

NEAR, OLD = change("front", 3, version="3.0.0"), change("feeder", 40, version="2.0.0")


def jump(of: Change, signal: str) -> JumpFact:
    return JumpFact(change_id=of.id, service=of.service, signal=signal, before=0.8, after=0.1, unit="ratio", scales=20)


def causes(*found: JumpFact, changes: tuple[Change, ...] = (NEAR, OLD)) -> list[Hypothesis]:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    ledger.graph("front", "cart").changes(*changes)
    for service in dict.fromkeys(fact.service for fact in found):
        own = tuple(fact for fact in found if fact.service == service)
        ledger.entries.append(entry(len(ledger.entries) + 1, "change_jumps", EvidenceFacts(jumps=own), service=service))
    return rank(CASE, ledger.entries, now=NOW).hypotheses


def test_a_deploy_with_which_a_signal_of_its_service_jumped_is_suspect_though_nobody_knows_who_calls_it() -> None:
    (suspect,) = [cause for cause in causes(jump(OLD, "cache_hit_ratio")) if cause.change_id == OLD.id]

    assert "feeder cache_hit_ratio went from 80 % to 10 % with deploy 2.0.0" in suspect.claims[0].text
    assert suspect.confidence != "likely"
    assert OLD.id not in {cause.change_id for cause in causes()}


def test_how_the_alerting_service_fails_is_no_effect_of_a_change_of_it() -> None:
    earlier = change("front", 20, version="2.9.0")

    for signal in ("errors", "db_pool_wait_ms", "queue_length"):
        found = causes(jump(earlier, signal), changes=(earlier,))
        assert not any("went from" in claim.text for cause in found for claim in cause.claims)


def test_what_jumped_moments_before_the_failure_may_be_a_part_of_it() -> None:
    assert not any("went from" in claim.text for cause in causes(jump(NEAR, "hits")) for claim in cause.claims)


def test_what_jumped_just_after_another_services_change_did_follows_from_that_one() -> None:
    later = change("front", 35, version="2.9.0")

    found = causes(jump(OLD, "cache_hit_ratio"), jump(later, "tokens"), changes=(OLD, later))

    assert [c.change_id for c in found if any("went from" in claim.text for claim in c.claims)] == [OLD.id]


def test_a_service_that_asks_less_of_others_since_its_change_hurts_nobody() -> None:
    fewer = jump(OLD, "reserve_calls_per_second")
    more = fewer.model_copy(update={"before": 40, "after": 400})

    assert OLD.id not in {cause.change_id for cause in causes(fewer)}
    assert OLD.id in {cause.change_id for cause in causes(more)}


def test_a_jump_of_a_service_that_nobody_knows_to_be_near_is_no_part_of_the_failure_however_soon_that_came() -> None:
    soon = change("feeder", 1, version="2.0.0")

    assert soon.id in {cause.change_id for cause in causes(jump(soon, "cache_hit_ratio"), changes=(soon, change("cart", 3)))}


def test_less_work_for_a_request_is_no_harm() -> None:
    fewer = jump(OLD, "redis_commands_per_save").model_copy(update={"before": 4.4, "after": 2})

    assert OLD.id not in {cause.change_id for cause in causes(fewer)}
    for harm in (fewer.model_copy(update={"after": 40}), jump(OLD, "kafka_writes_per_sec")):
        assert OLD.id in {cause.change_id for cause in causes(harm)}


def test_a_limit_that_a_deploy_lowered_is_no_part_of_the_failure_however_soon_that_came() -> None:
    lowered = jump(NEAR, "jvm_memory_max_mb").model_copy(update={"before": 6144, "after": 2048, "unit": "MB"})
    told = [cause for cause in causes(lowered) if any("went from" in claim.text for claim in cause.claims)]
    raised = lowered.model_copy(update={"before": 2048, "after": 6144})

    assert [cause.change_id for cause in told] == [NEAR.id]
    assert not any("went from" in claim.text for cause in causes(raised) for claim in cause.claims)


def test_pauses_that_became_shorter_hurt_nobody() -> None:
    shorter = jump(OLD, "gc_pause_max_ms").model_copy(update={"before": 62, "after": 2, "unit": "ms"})

    assert OLD.id not in {cause.change_id for cause in causes(shorter)}
    assert OLD.id in {cause.change_id for cause in causes(shorter.model_copy(update={"before": 2, "after": 62}))}


def test_what_slowed_down_with_a_deploy_half_an_hour_before_it_failed_is_that_deploys_effect() -> None:
    early = change("front", 110, version="2.9.0")
    for signal in ("match_latency_p99_us", "http_request_duration_us"):
        slower = jump(early, signal).model_copy(update={"before": 420, "after": 1150, "unit": "us"})
        (suspect,) = [cause for cause in causes(slower, changes=(early,)) if cause.change_id == early.id]
        assert "went from 420 us to 1150 us" in suspect.claims[0].text


def test_more_requests_to_the_changed_service_itself_are_no_effect_of_its_change() -> None:
    more = jump(OLD, "accepted_per_min").model_copy(update={"before": 13, "after": 395})

    assert OLD.id not in {cause.change_id for cause in causes(more)}
    assert OLD.id in {cause.change_id for cause in causes(more.model_copy(update={"signal": "lookups_per_min"}))}
