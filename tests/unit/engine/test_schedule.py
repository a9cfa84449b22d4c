"""Ticks: one run a slot, whoever asks."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.engine.direct import DirectEngine
from bot.engine.schedule import Schedule, slot, tick_id
from bot.ports import Run
from tests.real import PATIENCE
from tests.unit.builders import NOW

MINUTE = timedelta(minutes=1)


class Ticks:
    """An engine with one tick `quiet`, and how often it ran. The clock stands still."""

    def __init__(self) -> None:
        self.ran = 0
        self.now = NOW
        self.engine = DirectEngine(clock=self.clock)
        self.engine.register("tick:quiet", self.workflow)

    def clock(self) -> datetime:
        return self.now

    async def workflow(self, run: Run) -> None:
        await run.step("quiet", self.note)

    async def note(self) -> None:
        self.ran += 1

    async def finish(self) -> None:
        for id in await self.engine.pending():
            await self.engine.result(id)


def test_slots_are_the_same_for_everybody() -> None:
    late = NOW + timedelta(seconds=59, microseconds=3)

    assert slot(late, MINUTE) == NOW
    assert tick_id("quiet", late, MINUTE) == "tick:quiet:2026-03-01T03:00:00Z"


async def test_two_processes_run_a_slot_once_and_the_next_one_again() -> None:
    ticks = Ticks()
    schedules = [Schedule(ticks.engine, clock=ticks.clock) for _ in range(2)]

    for ticks.now in (NOW, NOW + timedelta(seconds=30), NOW + MINUTE):
        for schedule in schedules:
            await schedule.fire("quiet", MINUTE)
    await ticks.finish()

    assert ticks.ran == 2


async def test_a_process_that_does_not_lead_does_not_tick() -> None:
    ticks = Ticks()

    await Schedule(ticks.engine, clock=ticks.clock, is_leader=lambda: False).fire("quiet", MINUTE)

    assert await ticks.engine.pending() == []


async def test_a_tick_that_cannot_be_started_does_not_stop_the_schedule() -> None:
    ticks = Ticks()

    await Schedule(ticks.engine, clock=ticks.clock).fire("unknown", MINUTE)

    assert await ticks.engine.pending() == []


async def test_the_schedule_fires_by_itself_at_its_slots() -> None:
    ticks = Ticks()
    fired = asyncio.Event()

    async def workflow(run: Run) -> None:
        fired.set()

    ticks.engine.register("tick:fast", workflow)
    schedule = Schedule(ticks.engine, clock=lambda: datetime.now(UTC))
    schedule.add("fast", timedelta(seconds=1))
    schedule.start()

    await asyncio.wait_for(fired.wait(), PATIENCE)
    schedule.stop()

    assert fired.is_set()


async def test_a_direct_tick_is_called_and_leaves_nothing_in_the_journal() -> None:
    ticks = Ticks()

    await Schedule(ticks.engine, clock=ticks.clock, direct={"quiet": ticks.note}).fire("quiet", MINUTE)

    assert (ticks.ran, await ticks.engine.pending()) == (1, [])
