"""An attempt that came too early, or saw nothing, is made again: not at once, and not for ever."""

from dataclasses import replace
from datetime import timedelta

from bot.core.evidence import Evidence, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.investigation.early_ranking import (
    FIRST_WAIT,
    MAX_BLIND,
    MAX_EARLY,
    RankedAttempt,
    could_query_nothing,
    retry_at,
)
from tests.unit.builders import NOW

EARLY = RankedAttempt(alert_at=NOW, started_at=NOW + timedelta(seconds=5), onset=None, blind=False, retried=0)


def waits(attempt: RankedAttempt, most: int) -> list[float]:
    """The seconds to each further attempt, if all start when they are due and find no more."""
    seconds = []
    for retried in range(most + 2):
        due = retry_at(replace(attempt, retried=retried))
        if due is not None:
            seconds.append((due - attempt.started_at).total_seconds())
    return seconds


def test_an_attempt_seconds_after_the_alert_that_names_nothing_likely_is_made_again_twice() -> None:
    assert waits(EARLY, MAX_EARLY) == [20, 40]


def test_what_was_ranked_minutes_after_the_alert_or_the_onset_had_all_that_it_needs() -> None:
    assert retry_at(replace(EARLY, started_at=NOW + timedelta(minutes=3))) is None
    assert retry_at(replace(EARLY, onset=NOW - timedelta(minutes=6))) is None
    assert retry_at(replace(EARLY, onset=NOW - timedelta(minutes=2))) == EARLY.started_at + FIRST_WAIT


def test_one_that_could_query_no_metric_is_made_again_for_half_an_hour_however_late_it_came() -> None:
    blind = replace(EARLY, blind=True, started_at=NOW + timedelta(hours=1))

    assert sum(waits(blind, MAX_BLIND)) == 20 * (2**MAX_BLIND - 1) > timedelta(minutes=30).total_seconds()


def check(ok: bool, *, source: str = "service_health", **facts: bool) -> LedgerEntry:
    evidence = Evidence(summary="", query="", source=source, ok=ok, facts=EvidenceFacts.model_validate(facts))
    return LedgerEntry(id="E1", group="AL-1", tool="service_health", at=NOW, evidence=evidence)


def test_only_a_system_that_did_not_answer_leaves_an_attempt_blind() -> None:
    failed = check(ok=False)
    without_metrics, too_short = check(ok=False, nothing_measured=True), check(ok=False, source="prometheus")

    assert could_query_nothing([failed, without_metrics])
    assert not any(map(could_query_nothing, ([], [without_metrics], [too_short], [failed, check(ok=True)])))
