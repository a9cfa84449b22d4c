"""Failures that a commit only words anew explain nothing, though new lines hold their words."""

import time

from bot.core.diffs.patches import MAX_LINES, Patch
from bot.core.diffs.rewording import without_rewordings


def left(removed: str, added: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    patch = without_rewordings(Patch("validate.go", (removed,), (added,)))
    return patch.removed, patch.added


def test_another_text_for_the_same_failure_is_a_rewording_in_any_usual_language() -> None:
    for removed, added in (
        ('return errors.New("invalid file")', 'return errors.New("invalid UTF-8 in feed header")'),
        ("return ErrForbidden", 'return fmt.Errorf("search cluster returned 403: %w", ErrForbidden)'),
        ('raise ValueError("bad feed")', 'raise ValueError("feed header is not UTF-8")'),
        ('throw new FeedException("bad feed");', 'throw new FeedException("feed header is not UTF-8");'),
        ('var ErrSeries = errors.New("limit exceeded")', 'var ErrSeries = errors.New("active series limit exceeded")'),
    ):
        assert left(removed, added) == ((), ())


def test_a_text_that_goes_on_and_tells_one_value_more_is_a_rewording() -> None:
    before = 'return fmt.Errorf("store answered %d: %s", code, body)'

    assert left(before, 'return fmt.Errorf("store answered %d: %s (sha=%s)", code, body, sum)') == ((), ())
    assert left('raise ValueError("feed is bad")', 'raise ValueError(f"feed is bad: {path}")') == ((), ())
    assert left('return errors.New("feed is bad")', 'return fmt.Errorf("feed is bad: %s", path)') == ((), ())
    assert left(before, 'return fmt.Errorf("store refused %d: %s (sha=%s)", code, body, sum)') != ((), ())


def test_a_failure_on_another_condition_is_none_whatever_its_text_tells_more() -> None:
    before = 'if (n > most) throw new RangeError("too many items");'

    for after in (
        'if (n > most || n < least) throw new RangeError("too many items");',
        'if (n > most || strict) throw new RangeError("too many items: " + n);',
    ):
        assert left(before, after) == ((before,), (after,))


def test_many_failures_alike_take_little_longer_than_others() -> None:
    values = ",".join(f"b{n}" for n in range(30))
    removed = tuple(f'throw new FeedError("bad feed", a{n}, {values}' for n in range(MAX_LINES // 2))
    added = tuple(f'throw new FeedError("bad feed again", c{n}, {values}' for n in range(MAX_LINES // 2))
    started = time.process_time()

    assert without_rewordings(Patch("a.js", removed, added)).added == added
    assert time.process_time() - started < 1


def test_another_failure_and_another_text_that_is_no_failure_stay() -> None:
    for removed, added in (
        ('raise ValueError("bad feed")', 'raise KeyError("bad feed")'),
        ('return errors.New("invalid file")', 'return errors.New("too large", limit)'),
        ('url := "https://a.example"', 'url := "https://b.example"'),
        ('return "orders_v1"', 'return "orders_v2"'),
    ):
        assert left(removed, added) == ((removed,), (added,))
