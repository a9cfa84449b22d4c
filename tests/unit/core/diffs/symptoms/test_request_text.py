"""Which lines tell of a failure: only there may the words of a line say what is at fault."""

import pytest

from bot.core.diffs.symptoms.request_text import reports_failure


@pytest.mark.parametrize(
    "line",
    [
        "order_rejected reason=stock",
        "reject decode parcel.weighed: weightKg is required",
        'body refused: "weightKg" is required',
        "<*> is required",
        "# Query_time: 9.2  Lock_time: 0.00 Rows_sent: 1",
        "Query_time: 9.2 Lock_time: 0.00 Rows_sent: 1",
        "duration: 41822.110 ms  statement: select 1",
        "java.util.concurrent.TimeoutException: 5 seconds",
    ],
)
def test_a_line_tells_of_what_was_rejected_lacks_or_was_slow(line: str) -> None:
    assert reports_failure(line)


@pytest.mark.parametrize(
    "line",
    [
        "schema is up to date, no migration is required",
        "no further action is required",
        "GET /stock 200 query_time=0.003 rows=4",
        "nightly export done, duration: 184000 ms",
        "router 6.4.0 up dial_timeout=3s",
        "ready, commandTimeout=1500",
    ],
)
def test_a_line_that_tells_how_long_something_took_or_that_all_is_well_is_no_failure(line: str) -> None:
    assert not reports_failure(line)
