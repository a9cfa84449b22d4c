"""How much time alone speaks for a change."""

from datetime import timedelta

import pytest

from bot.core.changes.nearness import LOOKBACK, ONSET_TOLERANCE, nearness


def test_a_change_after_the_onset_is_never_a_suspect() -> None:
    assert nearness(-timedelta(minutes=1)) == nearness(LOOKBACK + timedelta(minutes=1)) == 0


def test_a_change_at_the_onset_survives_the_error_of_the_onset() -> None:
    assert nearness(-ONSET_TOLERANCE) == nearness(timedelta(0)) == 1


def test_a_change_that_bites_late_is_less_suspect_and_not_cleared() -> None:
    soon, late = nearness(timedelta(minutes=8)), nearness(timedelta(hours=3))

    assert soon == pytest.approx(0.57, abs=0.01) and late == pytest.approx(0.13, abs=0.01)
