"""What we do differently from langchain's defaults: too many calls, answers of a wrong form, spans that nobody collects."""

from collections.abc import Callable, Sequence
from contextvars import Context
from typing import ParamSpec, TypeVar

import langsmith
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import ValidationError

from bot.llm.message_parts import without_calls

MAX_CALLS = 50
"""Twice the tool calls of a run by default: calls beyond the budget are refused one by one."""
MAX_ERRORS = 5
"""Errors that are named: a model corrects those first."""

P = ParamSpec("P")
T = TypeVar("T")


def limit_calls(messages: Sequence[BaseMessage], limit: int = MAX_CALLS) -> list[BaseMessage]:
    """The messages with the first `limit` tool calls of each; the other calls are dropped.

    Each call is answered, and all of them are part of every later request: a thousand would be megabytes a turn.
    """
    return [_limited(message, limit) if isinstance(message, AIMessage) else message for message in messages]


def _limited(message: AIMessage, limit: int) -> AIMessage:
    if len(message.tool_calls) + len(message.invalid_tool_calls) <= limit:
        return message
    calls = message.tool_calls[:limit]
    others = {key: value for key, value in message.additional_kwargs.items() if key != "tool_calls"}
    invalid = message.invalid_tool_calls[: limit - len(calls)]
    content = without_calls(message.content, {str(call["id"]) for call in (*calls, *invalid)})
    update = {"content": content, "tool_calls": calls, "invalid_tool_calls": invalid, "additional_kwargs": others}
    return message.model_copy(update=update)


def describe_schema_errors(error: Exception) -> str:
    """The error text for a model whose answer does not fit its schema: where and why.

    Never what it wrote there: a secret in it would come back cut in pieces, which redaction does not recognize.
    """
    cause: BaseException | None = getattr(error, "source", error)
    while cause is not None and not isinstance(cause, ValidationError):
        cause = cause.__cause__
    if cause is None:
        return "Give one answer, in the form that is asked for."
    errors = cause.errors(include_url=False, include_context=False, include_input=False)
    fields = [f"{'.'.join(map(str, error['loc'])) or 'the whole'}: {error['msg']}" for error in errors[:MAX_ERRORS]]
    others = f"; and {len(errors) - MAX_ERRORS} more" if len(errors) > MAX_ERRORS else ""
    return f"The answer does not fit its form. {'; '.join(fields)}{others}. Give it again, corrected."


def keep_hooks_in_the_loop() -> None:
    """Open and end langchain's spans for LangSmith in the event loop.

    langchain does it around every hook of a middleware, in a thread, also where LangSmith is off: some thirty changes of
    thread a turn. In the loop a hook runs in its caller's task as well, so that the calls of one turn start in their order.
    """
    langsmith.set_runtime_overrides(aio_to_thread=_in_the_loop)


async def _in_the_loop(
    _to_thread: object, context: Context, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    return context.run(function, *args, **kwargs)
