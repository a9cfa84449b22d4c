"""An answer as it streams in: how long its silences may be, and what has come of it when it breaks off."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.tracers.context import register_configure_hook

T = TypeVar("T")


class AnswerStream(AsyncCallbackHandler):
    """Watches one request. langchain streams the answer of any model that such a handler listens to."""

    run_inline = True

    def __init__(self, seconds: float, idle_seconds: float) -> None:
        """`seconds` for the whole answer, `idle_seconds` for each silence within it and before it."""
        self.seconds, self.idle_seconds = seconds, min(idle_seconds, seconds)
        self.chunks = 0
        self.characters = 0
        self.usage: UsageMetadata | None = None
        """The provider's own count, if it came."""
        self._deadline = 0.0
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        """Raises TimeoutError when the time is over or nothing has come for too long."""
        now = asyncio.get_running_loop().time()
        self._deadline = now + self.seconds
        token = _stream.set(self)
        try:
            async with asyncio.timeout_at(now + self.idle_seconds) as self._timeout:
                yield
        finally:
            _stream.reset(token)

    @property
    def ends_at(self) -> float:
        """When the waiting for the next part ends, by the loop's clock."""
        when = self._timeout.when() if self._timeout else None
        return self._deadline if when is None else when

    @property
    def timeout_text(self) -> str:
        """Which of the two limits ended it."""
        over = asyncio.get_running_loop().time() >= self._deadline
        if not self.chunks:
            return f"no answer within {self.seconds if over else self.idle_seconds:.0f} s"
        if over:
            return f"the answer was not complete within {self.seconds:.0f} s"
        return f"the answer broke off: nothing came for {self.idle_seconds:.0f} s"

    async def on_llm_new_token(self, token: object, *, chunk: Any = None, **_context: object) -> None:  # Any: as langchain
        """Note what came, and begin to wait anew."""
        self.chunks += 1
        message = getattr(chunk, "message", None)
        if isinstance(message, AIMessageChunk):
            self.characters += _characters(message)
            # Gemini counts anew with each part, and langchain hands on what was added.
            self.usage = add_usage(self.usage, message.usage_metadata) if message.usage_metadata else self.usage
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(min(self._deadline, asyncio.get_running_loop().time() + self.idle_seconds))

    # By these two methods langchain knows a handler for which it has to stream.
    def tap_output_aiter(self, _run_id: object, output: AsyncIterator[T]) -> AsyncIterator[T]:
        """The output as it is."""
        return output

    def tap_output_iter(self, _run_id: object, output: Iterator[T]) -> Iterator[T]:
        """The output as it is."""
        return output


_stream: ContextVar[AnswerStream | None] = ContextVar("answer stream", default=None)
register_configure_hook(_stream, inheritable=True)


def _characters(message: AIMessageChunk) -> int:
    """Of text, reasoning and arguments of tool calls."""
    calls = sum(len(call["args"] or "") for call in message.tool_call_chunks)
    reasoning = message.additional_kwargs.get("reasoning_content")
    return calls + _length(message.content) + _length(reasoning)


def _length(content: object) -> int:
    if isinstance(content, str):
        return len(content)
    if isinstance(content, Mapping):
        return sum(len(text) for key in ("text", "reasoning", "thinking") if isinstance(text := content.get(key), str))
    return sum(map(_length, content)) if isinstance(content, list) else 0
