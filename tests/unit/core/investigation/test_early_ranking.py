"""An attempt that came too early, or saw nothing, is made again: not at once, not for ever, and not where it found a cause."""

from dataclasses import replace
from datetime import timedelta

from bot.core.investigation.early_ranking import FIRST_WAIT, MOST_BLIND, MOST_EARLY, RankedAttempt, retry_at
from tests.unit.builders import NOW

EARLY = RankedAttempt(alert_at=NOW, started_at=NOW + timedelta(seconds=5), onset=None, likely=False, blind=False, retried=0)


def waits(attempt: RankedAttempt, most: int) -> list[float]:
    """The seconds to each further attempt, if all start when they are due and find no more."""
    seconds = []
    for retried in range(most + 2):
        due = retry_at(replace(attempt, retried=retried))
        if due is not None:
            seconds.append((due - attempt.started_at).total_seconds())
    return seconds


def test_an_attempt_seconds_after_the_alert_that_names_nothing_likely_is_made_again_twice() -> None:
    assert waits(EARLY, MOST_EARLY) == [30, 60]


def test_what_found_a_likely_cause_stands() -> None:
    assert retry_at(replace(EARLY, likely=True)) is None


def test_what_was_ranked_minutes_after_the_alert_or_the_onset_had_all_that_it_needs() -> None:
    assert retry_at(replace(EARLY, started_at=NOW + timedelta(minutes=3))) is None
    assert retry_at(replace(EARLY, onset=NOW - timedelta(minutes=6))) is None
    assert retry_at(replace(EARLY, onset=NOW - timedelta(minutes=2))) == EARLY.started_at + FIRST_WAIT


def test_one_that_could_query_no_metric_is_made_again_for_half_an_hour_however_late_it_came() -> None:
    blind = replace(EARLY, blind=True, started_at=NOW + timedelta(hours=1))

    assert sum(waits(blind, MOST_BLIND)) == 30 * (2**MOST_BLIND - 1) > timedelta(minutes=30).total_seconds()
