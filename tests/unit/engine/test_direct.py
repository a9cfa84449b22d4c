"""What the engine without a journal offers beyond the contract: a fixed clock and time that passes on demand."""

import asyncio

from bot.engine.direct import DirectEngine, DirectRun
from bot.ports import Run
from tests.unit.builders import NOW, at


async def test_a_wait_ends_when_its_time_is_said_to_have_come() -> None:
    async def workflow(run: Run) -> bool:
        return await run.wait_for("decision", until=at(15).isoformat())

    engine = DirectEngine(clock=lambda: NOW)
    engine.register("remediation", workflow)
    await engine.start("remediation", "remediation:AP-1")
    await asyncio.sleep(0)

    engine.expire(at(14))
    assert await engine.pending() == ["remediation:AP-1"]
    engine.expire(at(15))
    assert await engine.result("remediation:AP-1") is False


async def test_a_run_can_be_used_alone() -> None:
    async def double(number: int) -> int:
        return 2 * number

    run = DirectRun("triage:AL-1:1", clock=lambda: NOW)

    assert await run.step("double", double, 2) == 4
    assert await run.now() == NOW
    assert run.journal == ["double", "now"]
