"""What sets failing lines apart from the others, and what does not."""

from datetime import UTC, datetime

from bot.core.logs.contrast import contrasts
from bot.core.logs.line import LogLine


def lines(*texts: str, times: int = 1) -> list[LogLine]:
    return [LogLine(at=datetime(2026, 3, 1, tzinfo=UTC), text=text) for text in texts * times]


OTHERS = lines("ok node=w-1 route=/a", "ok node=w-2 route=/b", "ok node=w-3 route=/a", "ok node=w-4 route=/b", times=5)


def test_the_node_that_all_failing_lines_name_and_few_others_sets_them_apart() -> None:
    first, *further = contrasts(lines("failed node=w-2 route=/a", "failed node=w-2 route=/b", times=6), OTHERS)

    assert (first.field, first.value, first.failing, first.of, first.others, first.others_of) == ("node", "w-2", 12, 12, 5, 20)
    assert not further


def test_failing_lines_of_several_nodes_are_not_set_apart_by_one() -> None:
    assert not contrasts(lines("failed node=w-2", "failed node=w-3", times=6), OTHERS)


def test_a_value_that_all_lines_hold_and_a_field_that_the_others_lack_tell_nothing() -> None:
    same = lines("ok region=eu", times=20)

    assert not contrasts(lines("failed region=eu", times=12), same)
    assert not contrasts(lines("failed shard=4", times=12), same)


def test_a_value_that_half_of_the_others_hold_needs_more_lines_than_a_rare_one() -> None:
    halves = lines("ok zone=a", "ok zone=b", times=10)

    assert not contrasts(lines("failed zone=a", times=5), halves)
    assert contrasts(lines("failed zone=a", times=9), halves)


def test_how_a_line_failed_and_which_one_it_is_is_no_place() -> None:
    others = lines("level=info status=200 trace_id=1 error=none", "level=debug status=201 trace_id=2 error=", times=10)

    assert not contrasts(lines("level=error status=500 trace_id=9 error=refused", times=12), others)


def test_the_pods_that_failed_are_counted() -> None:
    failing = lines("failed node=w-2 pod=api-1", "failed node=w-2 pod=api-2", times=6)

    (first,) = contrasts(failing, OTHERS)

    assert (first.value, first.pods) == ("w-2", 2)
