"""An answer as it streams in: what has come of it, and how long its next part may take."""

import asyncio
import math
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from bot.llm.streaming import AnswerStream


async def take(stream: AnswerStream, **message: Any) -> None:
    await stream.on_llm_new_token("", chunk=ChatGenerationChunk(message=AIMessageChunk(**message)))


async def test_each_part_that_comes_gives_the_next_one_the_whole_time_again() -> None:
    stream = AnswerStream(seconds=1000, idle_seconds=1)
    async with stream.limited():
        first = stream.ends_at
        while asyncio.get_running_loop().time() == first - 1:
            await asyncio.sleep(0)
        await take(stream, content="a")

        assert stream.ends_at > first


async def test_no_part_moves_the_end_of_the_whole() -> None:
    stream = AnswerStream(seconds=5, idle_seconds=60)
    async with stream.limited():
        first = stream.ends_at
        await take(stream, content="a")

        assert math.isclose(stream.ends_at, first)


async def test_silence_ends_it_and_what_came_is_counted() -> None:
    stream = AnswerStream(seconds=60, idle_seconds=0.01)
    with pytest.raises(TimeoutError):
        async with stream.limited():
            call = {"name": "Answer", "args": '{"a": 1}', "id": "1", "index": 0}
            await take(stream, content="abc", tool_call_chunks=[call])
            await take(stream, content=[{"type": "thinking", "thinking": "hm"}], additional_kwargs={"reasoning_content": "why"})
            await asyncio.Event().wait()

    assert (stream.chunks, stream.characters) == (2, 3 + 8 + 2 + 3)
    assert stream.timeout_text == "the answer broke off: nothing came for 0 s"


async def test_the_provider_s_own_count_is_kept() -> None:
    stream = AnswerStream(seconds=60, idle_seconds=60)
    await take(stream, content="", usage_metadata={"input_tokens": 7, "output_tokens": 1, "total_tokens": 8})
    await take(stream, content="abc")

    assert stream.usage is not None and stream.usage["input_tokens"] == 7
