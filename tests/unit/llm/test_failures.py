"""What the headers of a refusal say."""

import httpx
import pytest
from openai import RateLimitError

from bot.llm.providers.failures import failure_of

NOW = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("Wed, 21 Oct 2015 07:28:42 GMT", 42),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("Wednesday, 21-Oct-15 07:28:09 GMT", 9),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 99 Oct 2015 07:28:42 GMT", None),
    ],
)
def test_a_server_says_when_to_come_back_in_seconds_or_as_a_date_by_its_own_clock(
    retry_after: str, seconds: float | None
) -> None:
    request = httpx.Request("POST", "http://model.example.com")
    answer = httpx.Response(429, headers={"Retry-After": retry_after, "Date": NOW}, request=request)

    failure = failure_of(RateLimitError("later", response=answer, body=None))  # type: ignore[arg-type]

    assert failure is not None and failure.retry_after == seconds
