"""Turns at the one writer."""

import asyncio

from bot.store.db.write_queue import WriteQueue
from tests.real import PATIENCE


async def test_the_urgent_go_first_and_nobody_is_lost() -> None:
    queue, order = WriteQueue(), list[str]()

    async def work(name: str, urgent: bool) -> None:
        async with queue.turn(urgent):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(work("first", False), work("note", False), work("alert", True), work("card", True))

    assert order == ["first", "alert", "card", "note"]


async def test_a_cancelled_turn_goes_to_the_next() -> None:
    queue, order = WriteQueue(), list[str]()

    async def work(name: str) -> None:
        async with queue.turn(False):
            order.append(name)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(work(name)) for name in ("first", "gone", "last")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)

    async with asyncio.timeout(PATIENCE), queue.turn(False):
        assert order == ["first", "last"]


async def test_a_turn_handed_to_a_cancelled_task_is_passed_on() -> None:
    queue = WriteQueue()

    async def work() -> None:
        async with queue.turn(True):
            await asyncio.sleep(0)

    async with queue.turn(True):
        waiter = asyncio.create_task(work())
        await asyncio.sleep(0)
    # Its turn is set, but it has not run yet.
    waiter.cancel()
    await asyncio.wait([waiter])

    async with asyncio.timeout(PATIENCE), queue.turn(False):
        assert waiter.cancelled()
