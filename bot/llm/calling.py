"""One model call: the only layer that retries, the time limit and the fallback model."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import openai
import structlog
from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputError
from langchain_core.exceptions import LangChainException, ModelRefusalError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from bot.llm.providers.failures import failure_of, library_errors, model_name
from bot.llm.spending import CallRecord

log = structlog.get_logger(__name__)
CALL_SECONDS = 30.0
"""Limit of one try."""
TRIES = 2
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, StructuredOutputError, openai.OpenAIError, LangChainException)
"""What langchain raises for bodies that are no answer of a model, or none in the wanted form."""


Request = ModelRequest[Any]
Response = ModelResponse[Any]
Handler = Callable[[Request], Awaitable[Response]]


def call_errors() -> tuple[type[Exception], ...]:
    """What a call may raise that is no fault of ours."""
    return (*UNREADABLE, *library_errors())


class ModelDown(Exception):
    """No usable answer from any model; the text says why."""


class Called(NamedTuple):
    """The model's answer, None if there is none, and the record of the call."""

    response: Response | None
    record: CallRecord


class Caller:
    """Calls the model, then the fallback. Failures are returned: they are recorded like answers."""

    def __init__(self, fallback: BaseChatModel | None = None) -> None:
        self.fallback = fallback

    async def call(self, request: Request, handler: Handler, *, seconds: float, answered: str = "") -> Called:
        """One answer, or none and the error in the record.

        `answered`: the model that answered last. If that was the fallback it is called first: a model that hangs would use up
        the time of every turn again.
        """
        began = time.monotonic()
        models = [request.model, *([self.fallback] if self.fallback else [])]
        models.sort(key=lambda model: bool(answered) and model_name(model) != answered)
        problem, words = "no time left", ""
        for model in models:
            for attempt in range(TRIES):
                left = min(CALL_SECONDS, seconds - (time.monotonic() - began))
                if left <= 0:
                    break
                try:
                    async with asyncio.timeout(left):
                        response = await handler(request.override(model=model))
                    return Called(response, _record(response, model, seconds=time.monotonic() - began))
                except TimeoutError:
                    problem = f"no answer within {left:.0f} s"
                    break  # a hanging model hangs again; the fallback or the analyst is faster
                except ModelRefusalError:
                    problem = "the model refused to answer"
                    break
                except call_errors() as error:
                    failure = failure_of(error)
                    words = failure.text if failure else ""
                    if failure is not None and failure.timed_out:
                        problem = f"no answer within {left:.0f} s"
                        break
                    # An answer that could not be read is tried once more: the next one may be readable.
                    problem = str(failure or f"the answer could not be read ({type(error).__name__})")
                    if failure is not None and not failure.may_pass:
                        break
                if attempt + 1 < TRIES:
                    await asyncio.sleep(min(0.5, left / 4))
            log.warning("model call failed", model=model_name(model), why=problem, answer=words)
        return Called(None, CallRecord(error=problem, seconds=time.monotonic() - began))


def _record(response: Response, model: BaseChatModel, *, seconds: float) -> CallRecord:
    usages = [m.usage_metadata for m in response.result if isinstance(m, AIMessage) and m.usage_metadata]
    text = sum(len(str(m.content)) for m in response.result)
    into = sum(u["input_tokens"] for u in usages)
    out = sum(u["output_tokens"] for u in usages) or text // 4
    return CallRecord(seconds=seconds, tokens_in=into, tokens_out=out, model=model_name(model))
