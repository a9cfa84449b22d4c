"""`python -m tests.bench.facts`: the facts of 40 services with 20 signals each over 6 hours, and how long the loop waits."""

import asyncio
import time

import numpy as np

from bot.core.evidence import Case
from bot.core.metrics.series import Series
from tests.evaluation.world import TOOLS, Recording, World, context, moment

SERVICES, SIGNALS, HOURS, STEP = 40, 20, 6, 30
NAMES = ("latency p95", "errors", "requests", "cpu", "memory")


def main() -> None:
    """Print processor seconds, seconds by the clock and the longest time that the event loop could not run."""
    now = moment(1_800_000_000)
    world = _world(now.timestamp())
    case = Case(group="bench", service="service-0", started_at=now)
    cpu, clock = time.process_time(), time.perf_counter()
    longest = asyncio.run(_look(world, case))
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    print(f"facts of {SERVICES} services x {SIGNALS} signals x {HOURS} h ({HOURS * 3600 // STEP} samples each):")
    print(f"{cpu:.2f} s of one core, {clock:.2f} s by the clock; the loop waited at most {longest * 1000:.0f} ms")


async def _look(world: World, case: Case) -> float:
    ctx = context(world, case, case.started_at)
    beating = asyncio.create_task(_longest_gap())
    for service in world.catalogue.services:
        await TOOLS["service_health"](ctx, service=service)
    beating.cancel()
    return await beating


async def _longest_gap() -> float:
    """The longest time between two turns of the loop that were meant to be a millisecond apart."""
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    except asyncio.CancelledError:
        return longest


def _world(end: float) -> World:
    rng = np.random.default_rng(1)
    times = end - STEP * np.arange(HOURS * 3600 // STEP, 0, -1, dtype=np.float64)
    recordings = []
    for service in range(SERVICES):
        for number in range(SIGNALS):
            values = rng.gamma(5, 1, size=len(times))
            values[-20:] *= 1 + 2 * (number % 7 == 0)
            name = f"{NAMES[number % len(NAMES)]} {number}"
            recordings.append(Recording(f"service-{service}", name, [Series({}, times, values)]))
    return World.of(recordings, {f"service-{service}": [] for service in range(SERVICES)})


if __name__ == "__main__":
    main()
