"""Another loop: its work runs elsewhere, its result and its end come back."""

import asyncio
import threading

import pytest

from bot.monitoring.systems.separate_loop import apart


async def where() -> int:
    return threading.get_ident()


async def fail() -> None:
    raise ValueError("odd")


async def test_work_runs_in_another_thread_and_the_same_each_time() -> None:
    first, second = await apart(where()), await apart(where())

    assert first == second != threading.get_ident()


async def test_a_failure_comes_back() -> None:
    with pytest.raises(ValueError, match="odd"):
        await apart(fail())


async def test_whoever_stops_waiting_stops_the_work() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(apart(work()))
    await asyncio.to_thread(begun.wait)
    waiting.cancel()

    assert await asyncio.to_thread(ended.wait, 10)
