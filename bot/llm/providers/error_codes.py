"""What a provider calls its errors: an answer that breaks off with one has the HTTP status 200 of its beginning, or none."""

import re
from collections.abc import Collection, Mapping

STATUSES: Mapping[str, int] = {
    # Anthropic
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    # OpenAI
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "service_unavailable_error": 503,
    # Bedrock, in the case of the events of its streams
    "validationexception": 400,
    "modeltimeoutexception": 408,
    "modelstreamerrorexception": 424,
    "throttlingexception": 429,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
}
"""The status that the same error has where it is the whole answer, by its code in small letters."""
MODEL_FAILED = 424
"""Bedrock's status of errors of the model behind it; the documentation says to make the request again."""
_STATUS = re.compile(r"[45]\d\d")
_TOO_LONG_CODES = {"context_length_exceeded", "request_too_large"}
_NO_CREDIT_CODES = {"insufficient_quota", "billing_error", "billing_hard_limit_reached", "billing_not_active"}
_TOO_LONG = re.compile(
    r"context.{0,20}(size|length|window|limit)|(prompt|input) is too long|too many (input )?tokens|input tokens exceed"
    r"|exceeds the maximum number of tokens|maximum prompt length|exceed model maximum",
    re.IGNORECASE,
)
_LARGER_THAN_A_MINUTE = re.compile(r"request too large", re.IGNORECASE)
"""OpenAI's and Groq's word for one request that is more than the account may send in a minute: to wait does not help."""
_NO_CREDIT = re.compile(r"credit balance is too low|insufficient balance", re.IGNORECASE)
"""Anthropic's and DeepSeek's. OpenAI's has a code: its words for it are Google's for a limit of the present minute."""


def status_of(codes: Collection[str]) -> int | None:
    """The status that an error with one of these codes stands for; None where none is known. Gateways write it as it is."""
    return next((STATUSES.get(code) or int(code) for code in codes if code in STATUSES or _STATUS.fullmatch(code)), None)


def is_too_long(status: int | None, codes: Collection[str], text: str) -> bool:
    """Whether a shorter request may be taken where this one was not."""
    if status == 413 or not _TOO_LONG_CODES.isdisjoint(codes):
        return True
    words = _LARGER_THAN_A_MINUTE if status == 429 else _TOO_LONG
    return status in (None, 400, 422, 429) and words.search(text) is not None


def is_without_credit(status: int | None, codes: Collection[str], text: str) -> bool:
    """Whether the account has nothing left to pay with: no wait of ours ends that."""
    if status == 402 or not _NO_CREDIT_CODES.isdisjoint(codes):
        return True
    return status in (400, 403) and _NO_CREDIT.search(text) is not None
