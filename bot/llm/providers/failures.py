"""What went wrong with a call, whichever provider's library raised it. None of those libraries is imported for it."""

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_core.exceptions import ContextOverflowError, ModelError, ModelRefusalError
from langchain_core.language_models import BaseChatModel

from bot.core.redaction.redaction import redact
from bot.core.text.untrusted import one_line
from bot.llm.providers.error_codes import MODEL_FAILED, is_too_long, is_without_credit, status_of

ERRORS: Mapping[str, Sequence[str]] = {
    "openai": ["APIError"],
    "anthropic": ["APIError"],
    "google.genai.errors": ["APIError"],
    "google.auth.exceptions": ["GoogleAuthError"],
    "langchain_google_genai.chat_models": ["ChatGoogleGenerativeAIError"],
    "botocore.exceptions": ["BotoCoreError", "ClientError"],
    "ollama": ["RequestError", "ResponseError"],
    "httpx": ["HTTPError"],
    "httpx2": ["HTTPError"],
    "aiohttp": ["ClientError"],
    "urllib3.exceptions": ["HTTPError"],
}
"""The errors of each library which say that a provider refused or was not reached, and not that our own code is wrong.

The last four are of HTTP clients: what breaks off in the middle of an answer, some of the others pass on as it is.
"""
MAX_WORDS = 300
"""Of what the provider says: enough for the sentence that names the remedy."""


@dataclass(frozen=True)
class Failure:
    """One failed call."""

    status: int | None = None
    """Of the answer, or what the error stands for with which one broke off; None where neither says it."""
    text: str = ""
    """The provider's own words, in one line and without secrets."""
    timed_out: bool = False
    retry_after: float | None = None
    """Seconds that the provider wants to be left alone."""
    reported: bool = False
    """Whether the server itself said what went wrong."""
    too_long: bool = False
    """Whether a shorter request may be taken."""
    no_credit: bool = False
    """Whether the account has nothing left to pay with."""

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later."""
        if self.timed_out or self.too_long or self.no_credit:
            return False
        return self.status is None or self.status in (408, 409, MODEL_FAILED, 425, 429) or self.status >= 500

    def __str__(self) -> str:
        if self.timed_out:
            return "the model's server did not answer in time"
        if self.status is None:
            return f"the model's server {'broke off with an error' if self.reported else 'was not reached'}"
        advice = ": the account's quota is used up, check its plan and billing at the provider" if self.no_credit else ""
        return f"the model's server answered {self.status}{advice}"


def failure_of(error: BaseException) -> Failure | None:
    """The failure that a library's error stands for; None for errors of any other kind."""
    chain = list(_chain(error))
    # aiohttp's parser gives an answer that breaks off a status of its own.
    own = [link for link in chain if _of_library(link)]
    if isinstance(error, ModelRefusalError) or not own:
        return None
    codes = [code for link in chain for code in _codes(link)]
    status = next((status for link in own if (status := _status(link)) is not None), None) or status_of(codes)
    # By its own name: urllib3 derives from a timeout what it raises where nobody listens.
    timed_out = status is None and any("timeout" in type(link).__name__.lower() for link in chain)
    headers = next((headers for link in chain if (headers := _headers(link))), {})
    wait, reported = _retry_after(headers), _reported(chain)
    text = reported or _line(chain[0])
    return Failure(
        status,
        text,
        timed_out,
        retry_after=_retry_delay(chain) if wait is None else wait,
        reported=bool(reported or codes),
        too_long=isinstance(error, ContextOverflowError) or is_too_long(status, codes, text),
        no_credit=is_without_credit(status, codes, text),
    )


def library_errors() -> tuple[type[Exception], ...]:
    """Those errors, of the libraries that are imported here; plain ones for connections, which some libraries raise."""
    loaded = ((sys.modules[module], names) for module, names in ERRORS.items() if module in sys.modules)
    return (ConnectionError, *(getattr(module, name) for module, names in loaded for name in names if hasattr(module, name)))


def model_name(model: BaseChatModel) -> str:
    """What the provider calls this model; each of langchain's classes names the field differently."""
    fields = ("model_name", "model_id", "model")
    return next((str(name) for field in fields if (name := getattr(model, field, None))), "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, the outermost first."""
    count = 0
    while error is not None and count < 8:
        yield error
        error, count = error.__cause__ or error.__context__, count + 1


def _of_library(error: BaseException) -> bool:
    return isinstance(error, (ModelError, *library_errors()))


def _status(error: BaseException) -> int | None:
    """The HTTP status of a refusal, where each library keeps it; an answer that only broke off later began with 200."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        candidates = [response.get("ResponseMetadata", {}).get("HTTPStatusCode")]
    else:
        candidates = [getattr(error, "status_code", None), getattr(response, "status_code", None), getattr(error, "code", None)]
    return next((number for number in candidates if isinstance(number, int) and 400 <= number < 600), None)


def _codes(error: BaseException) -> list[str]:
    """What the provider calls the error, in small letters, the most particular name first."""
    response = getattr(error, "response", None)
    details = [response.get("Error", {})] if isinstance(response, Mapping) else [_inner(body) for body in _bodies(error)]
    names = [one.get(field) for one in details if isinstance(one, dict) for field in ("code", "Code", "type")]
    return [name.lower() for name in names if isinstance(name, str)]


def _headers(error: BaseException) -> Mapping[str, str]:
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return dict(response.get("ResponseMetadata", {}).get("HTTPHeaders") or {})
    return {str(key).lower(): str(value) for key, value in dict(getattr(response, "headers", None) or {}).items()}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, whether it is a number of them or a date; None where it is neither."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        until, now = _http_date(text), _http_date(headers.get("date", "")) or datetime.now(UTC)
        # By the server's own clock where it says what that shows: ours may be wrong.
        seconds = (until - now).total_seconds() if until else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _retry_delay(chain: Sequence[BaseException]) -> float | None:
    """The seconds of Google's `RetryInfo` (`{"retryDelay": "34.5s"}`), which stands in the body of a refusal."""
    bodies = [body for error in chain for body in _bodies(error)]
    delays = [str(detail.get("retryDelay", "")) for body in bodies for detail in _details(body)]
    numbers = [float(match[1]) for delay in delays if (match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", delay))]
    return numbers[0] if numbers else None


def _details(body: Any) -> list[dict[str, Any]]:  # Any: a provider's JSON
    inner = _inner(body)
    details = inner.get("details") if isinstance(inner, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _reported(chain: list[BaseException]) -> str:
    """The provider's own sentence; "" where it said none."""
    for error in chain:
        response = getattr(error, "response", None)
        if isinstance(response, Mapping) and (message := response.get("Error", {}).get("Message")):
            return _line(message)
        for body in _bodies(error):
            if message := _message(body):
                return _line(message)
    return ""


def _bodies(error: BaseException) -> tuple[Any, ...]:  # Any: a provider's JSON
    """Where libraries keep the body of a refusal; Ollama's keeps the sentence in it alone."""
    sentence = getattr(error, "error", None)
    return getattr(error, "body", None), getattr(error, "details", None), {"error": sentence} if sentence else None


def _inner(body: Any) -> Any:  # Any: as above
    """What stands under `error`, or the body itself; Google sends a list of one through its OpenAI-compatible server."""
    if isinstance(body, list):
        body = body[0] if body else None
    return body.get("error", body) if isinstance(body, dict) else None


def _message(body: Any) -> str:  # Any: as above
    """The sentence in an error's body: `{"error": {"message": ...}}`, `{"message": ...}` or `{"error": "..."}`."""
    inner = _inner(body)
    return str(inner.get("message") or "") if isinstance(inner, dict) else str(inner or "")


def message_of(text: str) -> str:
    """The provider's own sentence in the body of a refusal, in one line; the body itself where it is no such JSON."""
    try:
        body = json.loads(text)
    except ValueError:
        return _line(text)
    return _line(_message(body) or text)


def _line(text: object) -> str:
    return one_line(redact(str(text)), MAX_WORDS)
