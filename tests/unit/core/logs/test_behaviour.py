"""What a service logs, as a mix: the load cancels out, what vanished or is new stands out."""

from datetime import timedelta

from bot.core.logs.behaviour import mix_of, unusual
from bot.core.logs.line import LogLine
from tests.unit.evidence_builders import ONSET


def lines(minute: int, **counts: int) -> list[LogLine]:
    """So many lines of each kind in one minute, counted from the onset."""
    at = ONSET + timedelta(minutes=minute, seconds=5)
    return [LogLine(at=at, text=f"{kind} of the order") for kind, count in counts.items() for _ in range(count)]


HISTORY = [line for minute in range(-20, 0) for line in lines(minute, received=20, checked=20, stored=20)]


def test_a_kind_that_fell_silent_is_the_most_unusual() -> None:
    found = unusual(mix_of([*HISTORY, *lines(0, received=20, checked=20), *lines(1, received=25, checked=25)], since=ONSET))

    assert found[0].kind == "stored of the order" and found[0].count == 0 and found[0].doublings > 0


def test_a_new_kind_is_unusual_from_a_few_lines_on() -> None:
    found = unusual(mix_of([*HISTORY, *lines(0, received=20, checked=20, stored=20, refused=12)], since=ONSET))

    assert found[0].kind == "refused of the order" and found[0].doublings > 0 and found[0].before < 0.01


def test_three_times_the_load_is_the_same_mix() -> None:
    found = unusual(mix_of([*HISTORY, *lines(0, received=60, checked=60, stored=60)], since=ONSET))

    assert found and all(one.doublings < 0 for one in found)


def test_without_a_past_nothing_is_unusual() -> None:
    assert unusual(mix_of(lines(0, received=20), since=ONSET)) == []
