"""Quotas: so many uses within a window, and the first refusal is told from the others."""

from datetime import UTC, datetime, timedelta

from bot.core.quotas import MAX_KEYS, QuotaResult, Quotas

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_first_use_too_many_is_told_from_those_behind_it() -> None:
    quotas = Quotas(2, MINUTE)

    assert [quotas.take("a", NOW) for _ in range(5)] == [
        QuotaResult.ALLOWED, QuotaResult.ALLOWED, QuotaResult.FIRST_REFUSED, QuotaResult.REFUSED, QuotaResult.REFUSED,
    ]  # fmt: skip
    assert quotas.take("b", NOW) is QuotaResult.ALLOWED


def test_a_new_window_begins_after_the_old_one_and_with_a_clock_that_was_set_back() -> None:
    quotas = Quotas(1, MINUTE)
    quotas.take("a", NOW)

    assert quotas.take("a", NOW + MINUTE - timedelta(seconds=1)) is QuotaResult.FIRST_REFUSED
    assert quotas.take("a", NOW + MINUTE) is QuotaResult.ALLOWED
    assert quotas.take("a", NOW) is QuotaResult.ALLOWED


def test_whoever_makes_up_keys_fills_no_memory_and_a_key_in_use_stays() -> None:
    quotas = Quotas(1, MINUTE)
    for number in range(2 * MAX_KEYS):
        quotas.take(f"k{number}", NOW)
        last = quotas.take("busy", NOW)

    assert last is QuotaResult.REFUSED and len(quotas._windows) == MAX_KEYS
