"""What a refusal says: when to come back, whether that helps, and what would."""

from typing import Any

import httpx
import pytest
from openai import APIError, APIStatusError, RateLimitError
from urllib3.exceptions import NewConnectionError

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


def refused(status: int, message: str, code: str | None = None) -> Any:
    """The failure of a request that this server did not take."""
    answer = httpx.Response(status, request=httpx.Request("POST", "http://model.example.com"))
    error = APIStatusError(message, response=answer, body={"error": {"message": message, "code": code}})  # type: ignore[arg-type]
    return failure_of(error)


@pytest.mark.parametrize("code", ["overloaded_error", "api_error", "rate_limit_error", "timeout_error", "server_error"])
def test_an_error_after_the_beginning_of_an_answer_passes_like_the_same_one_in_its_place(code: str) -> None:
    failure = refused(200, "Overloaded", code)

    assert failure.may_pass and str(failure) in {f"the model's server answered {n}" for n in (429, 500, 504, 529)}


def test_a_gateway_s_status_in_the_middle_of_an_answer_is_read_from_its_text() -> None:
    assert str(refused(200, "upstream", "503")) == "the model's server answered 503" and not refused(200, "no", "401").may_pass


def test_what_urllib3_derives_from_a_timeout_where_nobody_listens_is_none() -> None:
    error = NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]

    assert str(failure_of(error)) == "the model's server was not reached"


def test_an_error_of_no_known_kind_in_the_middle_is_not_a_server_out_of_reach() -> None:
    request: Any = httpx.Request("POST", "http://model.example.com")
    failure = failure_of(APIError("worker died", request, body={"message": "worker died", "code": None}))

    assert failure is not None and failure.may_pass and str(failure) == "the model's server broke off with an error"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length"),
        (400, "Input is too long for requested model."),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        (400, "This model's maximum context length is 8192 tokens."),
        (400, "the request exceeds the available context size, try increasing it"),
        (413, "Request exceeds the maximum size"),
        (413, "<html>Request Entity Too Large</html>"),
        (429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 31234."),
    ],
)
def test_what_a_shorter_request_would_heal_is_told_from_what_heals_by_itself(status: int, text: str) -> None:
    failure = refused(status, text)

    assert failure.too_long and not failure.may_pass


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (429, "Too many tokens, please wait before trying again."),
        (429, "You exceeded your current quota, please check your plan and billing details. Please retry in 34.5s."),
        (503, "The model's context window could not be loaded"),
    ],
)
def test_a_limit_of_the_present_minute_is_neither_a_length_nor_an_empty_account(status: int, text: str) -> None:
    failure = refused(status, text)

    assert failure.may_pass and not failure.too_long and not failure.no_credit


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (429, "You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"),
        (402, "Insufficient Balance", None),
        (400, "Your credit balance is too low to access the Anthropic API.", None),
    ],
)
def test_an_account_without_credit_is_not_asked_again(status: int, text: str, code: str | None) -> None:
    failure = refused(status, text, code)

    assert failure.no_credit and not failure.may_pass and "check its plan and billing" in str(failure)
