"""How much time alone speaks for a change."""

from datetime import timedelta

import pytest

from bot.core.changes.recency import MAX_AGE, ONSET_TOLERANCE, recency_factor


def test_a_change_after_the_onset_is_never_a_suspect() -> None:
    assert recency_factor(-timedelta(minutes=1)) == recency_factor(MAX_AGE + timedelta(minutes=1)) == 0


def test_a_change_at_the_onset_survives_the_error_of_the_onset() -> None:
    assert recency_factor(-ONSET_TOLERANCE) == recency_factor(timedelta(0)) == 1


def test_a_change_that_bites_late_is_less_suspect_and_not_cleared() -> None:
    soon, late = recency_factor(timedelta(minutes=8)), recency_factor(timedelta(hours=3))

    assert soon == pytest.approx(0.57, abs=0.01) and late == pytest.approx(0.13, abs=0.01)
