"""Quotas: so many uses within a window, and the first refusal is told from the others."""

from datetime import UTC, datetime, timedelta

from bot.core.quotas import MOST_KEYS, Quotas, Ruling

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_first_use_too_many_is_told_from_those_behind_it() -> None:
    quotas = Quotas(2, MINUTE)

    assert [quotas.take("a", NOW) for _ in range(5)] == [
        Ruling.ALLOWED, Ruling.ALLOWED, Ruling.FIRST_REFUSED, Ruling.REFUSED, Ruling.REFUSED,
    ]  # fmt: skip
    assert quotas.take("b", NOW) is Ruling.ALLOWED


def test_a_new_window_begins_after_the_old_one_and_with_a_clock_that_was_set_back() -> None:
    quotas = Quotas(1, MINUTE)
    quotas.take("a", NOW)

    assert quotas.take("a", NOW + MINUTE - timedelta(seconds=1)) is Ruling.FIRST_REFUSED
    assert quotas.take("a", NOW + MINUTE) is Ruling.ALLOWED
    assert quotas.take("a", NOW) is Ruling.ALLOWED


def test_whoever_makes_up_keys_fills_no_memory_and_a_key_in_use_stays() -> None:
    quotas = Quotas(1, MINUTE)
    for number in range(2 * MOST_KEYS):
        quotas.take(f"k{number}", NOW)
        last = quotas.take("busy", NOW)

    assert last is Ruling.REFUSED and len(quotas._windows) == MOST_KEYS
