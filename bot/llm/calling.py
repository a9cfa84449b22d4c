"""One model call: the only layer that tries again, the limits of time, and the fallback model."""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import structlog
from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputError
from langchain_core.exceptions import LangChainException, ModelRefusalError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from bot.core.config.budget import Budget
from bot.llm.message_parts import answered_by, readable_by
from bot.llm.providers.endings import End, end_of
from bot.llm.providers.failures import failure_of, library_errors, model_name
from bot.llm.request_size import fitted, request_bytes, size
from bot.llm.spending import CallRecord, Recovery, Usage
from bot.llm.streaming import AnswerStream

log = structlog.get_logger(__name__)
TRIES = 2
"""Of a request whose answer was unusable, and of any where another model can be asked."""
PASSING_TRIES = 6
"""Of a request that the server did not take for a reason that passes: an overload lasts longer than a lost answer."""
PAUSE_SECONDS = 1.0
"""Before the second try; each later pause is twice the one before it, and each is cut by chance to half of it at the least."""
LONG_WAIT_SECONDS = 5.0
"""A server that wants to be left alone for longer is left for the fallback model."""
BYTES_PER_TOKEN = 4
"""Of requests whose count never came, about."""
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, StructuredOutputError, LangChainException)
"""What langchain raises for bodies that are no answer of a model, or none in the wanted form."""
REFUSED = "the model refused to answer"
_CACHE_WRITES = {"cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"}
"""langchain counts what was written to the cache under its lifetime where the provider names that, and then not in all."""

Request = ModelRequest[Any]
Response = ModelResponse[Any]
Handler = Callable[[Request], Awaitable[Response]]


class ModelDown(Exception):
    """No usable answer from any model; the text says why, `recovery` what may still bring one."""

    def __init__(self, why: str, recovery: Recovery = Recovery.NONE) -> None:
        super().__init__(why)
        self.recovery = recovery


class CallResult(NamedTuple):
    """The model's answer, None if there is none, and the record of the call."""

    response: Response | None
    record: CallRecord


@dataclass(frozen=True)
class Problem:
    """Why a try brought no answer."""

    text: str
    tries: int = 1
    """How often a request that fails so is made at most."""
    wait: float | None = None
    """Seconds that the server wants to be left alone."""
    recovery: Recovery = Recovery.NONE
    answer: str = ""
    """The provider's own words, for the log."""


def call_errors() -> tuple[type[Exception], ...]:
    """What a call may raise that is no fault of ours."""
    return (*UNREADABLE, *library_errors())


class Caller:
    """Calls the model, then the fallback. Failures are returned: they are recorded like answers."""

    def __init__(
        self,
        limits: Budget,
        fallback: BaseChatModel | None = None,
        *,
        window: Callable[[BaseChatModel], int],
        takes_named_tool: Callable[[BaseChatModel], bool] = lambda _model: False,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`window`: the tokens that a model takes in. `takes_named_tool`: whether it can be made to call the tool of a name.

        `chance`: 0 to 1, how much of a pause is kept: what failed at once shall not be tried again at once by everybody.
        """
        self.limits = limits
        self.fallback = fallback
        self.window = window
        self.takes_named_tool = takes_named_tool
        self.wait = wait
        self.chance = chance

    def pause(self, attempt: int) -> float:
        """Seconds before the request is made again, after so many tries."""
        return PAUSE_SECONDS * 2.0 ** (attempt - 1) * (1 + self.chance()) / 2

    async def call(
        self,
        request: Request,
        handler: Handler,
        *,
        seconds: float,
        answered: str = "",
        affordable: Callable[[Sequence[Usage]], bool] = lambda _usages: True,
        rest: float = 0.0,
    ) -> CallResult:
        """One answer, or none and the error in the record.

        `affordable`: whether tokens and money are left for another request after these.
        `answered`: the model that answered last. If that was the fallback it is called first: a model that hangs would use up
        the time of every turn again.
        `rest`: seconds that the server is left alone first, as the record of the last call has it.
        """
        began = time.monotonic()
        if 0 < rest < seconds:
            await self.wait(rest)
        models = [request.model, *([self.fallback] if self.fallback else [])]
        models.sort(key=lambda model: bool(answered) and model_name(model) != answered)
        problem, usages = Problem("no time left"), list[Usage]()
        for model in models:
            # The request was made for the window of the first one.
            own = request if model is models[0] else fitted(request, self.window(model))
            tries = _Tries(self, own, model, began + seconds, affordable, others=model is not models[-1])
            response = await tries.run(handler)
            usages += tries.usages
            if response is not None:
                took = time.monotonic() - began
                return CallResult(response, CallRecord(seconds=took, usages=usages, model=model_name(model)))
            problem = tries.problem or problem
            log.warning("model call failed", model=model_name(model), why=problem.text, answer=problem.answer)
        took = time.monotonic() - began
        record = CallRecord(
            error=problem.text, recovery=problem.recovery, rest=problem.wait or 0.0, seconds=took, usages=usages
        )
        return CallResult(None, record)


class _Tries:
    """The tries of one model for one call."""

    def __init__(
        self,
        caller: Caller,
        request: Request,
        model: BaseChatModel,
        deadline: float,
        affordable: Callable[[Sequence[Usage]], bool],
        *,
        others: bool,
    ) -> None:
        """`affordable`: as of a call. `others`: whether there is another model to ask."""
        self.caller, self.model, self.deadline, self.others = caller, model, deadline, others
        self.affordable = affordable
        self.request = _for_model(request, model, named=caller.takes_named_tool(model))
        self.answer = request.tool_choice if isinstance(request.tool_choice, str) else ""
        """The tool that the model has to answer with; "" before its last turn."""
        self.usages: list[Usage] = []
        self.problem: Problem | None = None

    async def run(self, handler: Handler) -> Response | None:
        """The answer; None with `problem` if there is none."""
        for attempt in range(1, PASSING_TRIES + 1):
            left = min(self.caller.limits.per_call_seconds, self.deadline - time.monotonic())
            if left <= 0:
                return None
            response = await self._attempt(handler, left)
            if response is not None and (_answers(response, self.answer) or not self.affordable(self.usages)):
                return response
            if response is not None:
                # Some servers only ask for a tool, and this was another one, or text: with no other left it can only answer.
                self.request, self.answer = self.request.override(model=self.model, tools=[]), ""
                continue
            if (pause := self._pause(attempt)) is None:
                return None
            await self.caller.wait(pause)
        return None

    def _pause(self, attempt: int) -> float | None:
        """Seconds before the next try; None if there is none."""
        problem, left = self.problem, self.deadline - time.monotonic()
        if problem is None:
            return None
        if problem.wait is not None and problem.wait >= left:
            text = f"{problem.text}; it asks to wait {problem.wait:.0f} s, and {max(left, 0):.0f} s are left"
            self.problem = Problem(text, answer=problem.answer)
            return None
        pause = min(self.caller.pause(attempt), left / 4) if problem.wait is None else problem.wait
        if self._is_last(problem, attempt):
            # A request for the answer alone may follow; it comes no sooner than the next try would have.
            self.problem = replace(problem, wait=pause if problem.tries == PASSING_TRIES else None)
            return None
        return pause

    def _is_last(self, problem: Problem, attempt: int) -> bool:
        """Whether this model is not asked again."""
        if self.others and problem.wait is not None and problem.wait > LONG_WAIT_SECONDS:
            return True
        most = TRIES if self.others and problem.wait is None else PASSING_TRIES
        return attempt >= min(most, problem.tries) or not self.affordable(self.usages)

    async def _attempt(self, handler: Handler, seconds: float) -> Response | None:
        streams = getattr(self.model, "disable_streaming", False) is not True
        idle = self.caller.limits.idle_seconds if streams else seconds
        stream, name = AnswerStream(seconds, idle), model_name(self.model)
        try:
            async with stream.limited():
                response = await handler(self.request)
            # Counted before it is looked at: what is of no use costs the same.
            self.usages.append(_usage_of(response, self.request, name))
            self.problem = _problem_with(response, streamed=bool(stream.chunks))
        except TimeoutError:
            self.problem = Problem(stream.timeout_text, 1 if self.others else TRIES, recovery=Recovery.ANSWER)
            self._count(stream, sent=True)
        except call_errors() as error:
            self.problem = _problem_of(error, stream)
            self._count(stream)
        except Exception as error:
            # Any class of langchain may serve a model, and its library raises what it likes: the run goes on.
            log.error("the model's client failed", model=name, error_id=secrets.token_hex(4), exc_info=error)
            self.problem = Problem(f"the model's client failed ({type(error).__name__})", TRIES, recovery=Recovery.ANSWER)
            self._count(stream)
        else:
            if self.problem is None:
                response.result[:] = [answered_by(message, name) for message in response.result]
                return response
        return None

    def _count(self, stream: AnswerStream, *, sent: bool = False) -> None:
        """Count what a request cost that brought no answer. `sent`: it may have been read although nothing came back."""
        if sent or stream.chunks:
            count = _counted(stream.usage, model_name(self.model)) if stream.usage else None
            self.usages.append(count or _estimated(self.request, stream.characters, model_name(self.model)))


def _problem_of(error: Exception, stream: AnswerStream) -> Problem:
    failure = failure_of(error)
    if failure is None:
        if isinstance(error, ModelRefusalError):
            return Problem(REFUSED)
        # An answer that could not be read is tried once more: the next one may be readable.
        return Problem(f"the answer could not be read ({type(error).__name__})", TRIES, recovery=Recovery.ANSWER)
    if failure.too_long:
        return Problem("the request was too long for the model", recovery=Recovery.SHORTER, answer=failure.text)
    if failure.timed_out:
        return Problem("the model's server did not answer in time", recovery=Recovery.ANSWER)
    if failure.status is None and stream.chunks and not failure.reported:
        return Problem("the answer was cut off", TRIES, recovery=Recovery.ANSWER)
    if not failure.may_pass:
        return Problem(str(failure), answer=failure.text)
    return Problem(str(failure), PASSING_TRIES, failure.retry_after, Recovery.ANSWER, failure.text)


def _problem_with(response: Response, *, streamed: bool) -> Problem | None:
    """Why this is no answer; None where it is one. The part of a tool call that came would be read as the whole of it."""
    for message in response.result:
        if not isinstance(message, AIMessage):
            continue
        end, reason = end_of(message)
        if end is End.REFUSED:
            return Problem(REFUSED, answer=reason)
        if end is End.UNUSABLE:
            return Problem(f"the answer could not be read ({reason})", TRIES, recovery=Recovery.ANSWER)
        if end is End.TOO_LONG:
            return Problem("the answer was longer than the model may write", recovery=Recovery.ANSWER)
        if end is End.NONE and streamed:
            return Problem("the answer was cut off", TRIES, recovery=Recovery.ANSWER)
    return None


class _NamingTool:
    """A model that has to call the tool of this name: for a structured answer langchain only demands any tool."""

    def __init__(self, model: BaseChatModel, tool: str) -> None:
        self._model, self._tool = model, tool

    # Any: what langchain passes through has no narrower type in langchain itself.
    def bind_tools(self, tools: Sequence[Any], *, tool_choice: object = None, **kwargs: Any) -> Any:
        return self._model.bind_tools(tools, tool_choice=self._tool, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def _answers(response: Response, tool: str) -> bool:
    """Whether this is the answer that was requested; without a tool anything is."""
    calls = (call["name"] for message in response.result if isinstance(message, AIMessage) for call in message.tool_calls)
    return not tool or response.structured_response is not None or tool in calls


def _for_model(request: Request, model: BaseChatModel, *, named: bool) -> Request:
    """The request as this model gets it. One that wants a named tool keeps all tools, as the provider's cache holds them.

    A server that cannot be told the tool has it in the request's last message.
    """
    request = request.override(messages=readable_by(request.messages, model_name(model)))
    tool = request.tool_choice
    if not isinstance(tool, str):
        return request.override(model=model)
    if not named:
        return request.override(model=model, tool_choice=None)
    if isinstance(request.response_format, ProviderStrategy):
        return request.override(model=model, tool_choice=None, model_settings={**request.model_settings, "tool_choice": "none"})
    naming: Any = _NamingTool(model, tool)
    return request.override(model=naming, tool_choice=None)


def _usage_of(response: Response, request: Request, model: str) -> Usage:
    messages = [message for message in response.result if isinstance(message, AIMessage)]
    counts = [_counted(message.usage_metadata, model) for message in messages if message.usage_metadata]
    if counts:
        return counts[0]
    return _estimated(request, sum(map(size, messages)), model)


def _counted(usage: UsageMetadata, model: str) -> Usage:
    details_in, details_out = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return Usage(
        model=model,
        tokens_in=usage["input_tokens"],
        cached=details_in.get("cache_read") or 0,
        cache_writes=sum(count for kind, count in details_in.items() if kind in _CACHE_WRITES and isinstance(count, int)),
        tokens_out=usage["output_tokens"],
        reasoning=details_out.get("reasoning") or 0,
    )


def _estimated(request: Request, characters: int, model: str) -> Usage:
    tokens = (request_bytes(request) // BYTES_PER_TOKEN, characters // BYTES_PER_TOKEN)
    return Usage(model=model, tokens_in=tokens[0], tokens_out=tokens[1], estimated=True)
