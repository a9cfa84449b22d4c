"""Where the time of requests goes."""

import pytest

from bot.core.traces.spans import Span, compare_spans, self_seconds


def span(
    id: str, parent: str = "", service: str = "web", seconds: float = 1.0, start: float = 0.0, *, client: bool = False
) -> Span:
    return Span("t1", id, parent, service, f"op {id}", start, seconds, client=client)


def request(*, own: float, wire: float, work: float) -> list[Span]:
    """A call of web to payments: `own` seconds in web, `wire` on the way, `work` in payments."""
    call = span("b", "a", seconds=wire + work, client=True)
    return [span("a", seconds=own + wire + work), call, span("c", "b", "payments", work, start=wire / 2)]


def test_children_that_run_at_the_same_time_count_once_and_end_with_their_parent() -> None:
    children = [span("b", start=0.1, seconds=0.4), span("c", start=0.3, seconds=0.4), span("d", start=0.9, seconds=5)]

    assert self_seconds(span("a"), children) == pytest.approx(1 - 0.6 - 0.1)


@pytest.mark.parametrize(
    ("slower", "where"),
    [
        ({"own": 0.5, "wire": 0.01, "work": 0.1}, ("web", "op a")),
        ({"own": 0.05, "wire": 0.5, "work": 0.1}, ("web", "wire to payments")),
        ({"own": 0.05, "wire": 0.01, "work": 0.5}, ("payments", "op c")),
    ],
)
def test_lost_time_is_found_where_it_is_lost(slower: dict[str, float], where: tuple[str, str]) -> None:
    worst = compare_spans(request(**slower), request(own=0.05, wire=0.01, work=0.1))[0]

    assert (worst.service, worst.operation) == where and worst.lost == pytest.approx(sum(slower.values()) - 0.16)


def test_an_operation_that_is_new_has_lost_nothing() -> None:
    rows = compare_spans(request(own=1, wire=1, work=1), [])

    assert len(rows) == 3 and all(row.lost == 0 and row.requests_before == 0 for row in rows)
