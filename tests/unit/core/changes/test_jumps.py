"""What jumped with a change, and what only looks like it."""

from datetime import timedelta

import numpy as np
import pytest

from bot.core.changes.jumps import is_limit, jump_at, moves_with_any_rollout
from bot.core.metrics.series import Series
from tests.unit.builders import NOW

MINUTES = np.arange(-40, 16)


def series(level: np.ndarray) -> Series:
    """One sample a minute around NOW, with a little noise."""
    return Series({}, NOW.timestamp() + 60.0 * MINUTES, level * (1 + 0.01 * np.sin(7 * MINUTES)))


def steps(at: int, *, before: float = 0.8, after: float = 0.1) -> Series:
    return series(np.where(at > MINUTES, before, after))


def jump(*lines: Series, until: float = 15) -> tuple[float, float] | None:
    found = jump_at(lines, NOW, NOW + timedelta(minutes=until))
    return (round(found.before, 1), round(found.after, 1)) if found else None


def test_a_hit_ratio_that_fell_with_the_deploy_and_stayed_low_jumped_with_it() -> None:
    assert jump(steps(1)) == (0.8, 0.1)


@pytest.mark.parametrize(
    "line",
    [
        steps(-10),
        steps(8),
        series(np.linspace(0.1, 0.8, len(MINUTES))),
        series(np.where(MINUTES == 2, 0.1, 0.8)),
        steps(1, after=0.78),
    ],
    ids=["before it", "long after it", "a climb through it", "for a moment", "within some percent"],
)
def test_what_moved_otherwise_did_not_jump_with_it(line: Series) -> None:
    assert jump(line) is None


def test_of_several_series_most_must_have_jumped_and_new_ones_say_nothing() -> None:
    steady = steps(99)
    new = Series({}, NOW.timestamp() + 60.0 * np.arange(1, 16), np.full(15, 0.1))

    assert jump(steps(1), steps(1), steady) == (0.8, 0.1)
    assert jump(steps(1), steady) is None
    assert jump(new) is None


def test_two_samples_after_it_are_too_few() -> None:
    assert jump(steps(1), until=2) is None


def test_what_every_rollout_moves_is_no_effect_of_one() -> None:
    assert [moves_with_any_rollout(name) for name in ("memory", "pods ready", "results_cache_hit_ratio")] == [True, True, False]
    assert [moves_with_any_rollout(name) for name in ("cpu_us_per_order", "memory_per_container")] == [False, True]


def test_a_limit_of_a_resource_is_told_from_what_is_used_of_it() -> None:
    used = ("container_memory_max_usage_bytes", "connections_max_used", "cpu_limit_utilization", "gc_pause_max_ms", "heap")

    assert is_limit("jvm_memory_max_mb") and not moves_with_any_rollout("jvm_memory_max_mb")
    assert not any(map(is_limit, used))
