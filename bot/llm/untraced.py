"""langchain opens and ends a span for LangSmith around every hook of a middleware, in a thread, also where that is off."""

from collections.abc import Callable
from contextvars import Context
from typing import Any

import langsmith


def keep_hooks_in_the_loop() -> None:
    """Open and end the spans that nobody sends where the hooks run: no thread is crossed some thirty times a turn.

    A hook then runs in its caller's task as well, so that what one turn asks for begins in the order in which it asks.
    """
    langsmith.set_runtime_overrides(aio_to_thread=_here)


async def _here(_elsewhere: Any, context: Context, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return context.run(function, *args, **kwargs)
