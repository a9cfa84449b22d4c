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

from bot.llm.spending import CallRecord

log = structlog.get_logger(__name__)
CALL_SECONDS = 30.0
"""Limit of one try."""
TRIES = 2
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, StructuredOutputError, openai.OpenAIError, LangChainException)
"""What langchain raises for bodies that are no chat completion or no answer in the wanted form."""


Request = ModelRequest[Any]
Response = ModelResponse[Any]
Handler = Callable[[Request], Awaitable[Response]]


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
        models.sort(key=lambda model: bool(answered) and _name(model) != answered)
        problem = "no time left"
        for model in models:
            for attempt in range(TRIES):
                left = min(CALL_SECONDS, seconds - (time.monotonic() - began))
                if left <= 0:
                    break
                try:
                    async with asyncio.timeout(left):
                        response = await handler(request.override(model=model))
                    return Called(response, _record(response, model, seconds=time.monotonic() - began))
                except (TimeoutError, openai.APITimeoutError):
                    problem = f"no answer within {left:.0f} s"
                    break  # a hanging model hangs again; the fallback or the analyst is faster
                except openai.APIError as error:
                    problem = _problem(error)
                    if not _passing(error):
                        break
                except ModelRefusalError:
                    problem = "the model refused to answer"
                    break
                except UNREADABLE as error:
                    # Tried once more: a sampled answer may be readable the next time.
                    problem = f"the answer could not be read ({type(error).__name__})"
                if attempt + 1 < TRIES:
                    await asyncio.sleep(min(0.5, left / 4))
            log.warning("model call failed", model=_name(model), why=problem)
        return Called(None, CallRecord(error=problem, seconds=time.monotonic() - began))


def _passing(error: openai.APIError) -> bool:
    status = getattr(error, "status_code", None)
    return status is None or status == 429 or status >= 500


def _problem(error: openai.APIError) -> str:
    status = getattr(error, "status_code", None)
    return f"the model's server answered {status}" if status else "the model's server was not reached"


def _record(response: Response, model: BaseChatModel, *, seconds: float) -> CallRecord:
    usages = [m.usage_metadata for m in response.result if isinstance(m, AIMessage) and m.usage_metadata]
    text = sum(len(str(m.content)) for m in response.result)
    into = sum(u["input_tokens"] for u in usages)
    out = sum(u["output_tokens"] for u in usages) or text // 4
    return CallRecord(seconds=seconds, tokens_in=into, tokens_out=out, model=_name(model))


def _name(model: BaseChatModel) -> str:
    return str(getattr(model, "model_name", "") or "")
