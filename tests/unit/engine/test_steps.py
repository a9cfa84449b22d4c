"""A process that has slept too long starts no step before its own heartbeat is fresh."""

import asyncio

from bot.engine.steps import Steps


async def test_a_step_waits_for_permission() -> None:
    allowed, ran = asyncio.Event(), asyncio.Event()

    async def permit() -> None:
        await allowed.wait()

    async def effect() -> None:
        ran.set()

    step = asyncio.create_task(Steps(permit).call("effect", effect))
    await asyncio.sleep(0)
    assert not ran.is_set()
    allowed.set()
    await step

    assert ran.is_set()


async def test_a_step_whose_database_is_away_is_tried_again() -> None:
    tries: list[int] = []

    async def write() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError
        return len(tries)

    assert await Steps(retry_on=(ConnectionError,), sleep=_no_pause).call("write", write) == 3


async def _no_pause(_seconds: float) -> None:
    return None
