"""Turns of many triages: facts of new groups come before rankings, which wait for them within bounds."""

import asyncio

from bot.workflows.investigation.triage_order import TriageOrder


async def triage(turns: TriageOrder, name: str, done: list[str]) -> None:
    async with turns.gathering():
        await asyncio.sleep(0)
        done.append(f"facts {name}")
    async with turns.ranking():
        await asyncio.sleep(0)
        done.append(f"causes {name}")


async def test_the_facts_of_all_groups_of_a_storm_stand_before_the_first_causes() -> None:
    turns, done = TriageOrder(), list[str]()

    await asyncio.gather(*(triage(turns, str(number), done) for number in range(6)))

    assert [line.split()[0] for line in done] == ["facts"] * 6 + ["causes"] * 6


async def test_one_group_alone_waits_for_nobody() -> None:
    turns, done = TriageOrder(), list[str]()

    await triage(turns, "0", done)

    assert done == ["facts 0", "causes 0"]


async def test_causes_do_not_wait_for_facts_that_never_end() -> None:
    turns, done, forever = TriageOrder(longest=0.0), list[str](), asyncio.Event()

    async def stuck() -> None:
        async with turns.gathering():
            await forever.wait()

    waiting = asyncio.create_task(stuck())
    await triage(turns, "0", done)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert done == ["facts 0", "causes 0"]


async def test_a_triage_that_is_cancelled_while_it_waits_holds_nobody_up() -> None:
    turns, done = TriageOrder(at_once=1), list[str]()
    async with turns.gathering():
        waiting = asyncio.create_task(triage(turns, "gone", done))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    await triage(turns, "0", done)

    assert done == ["facts 0", "causes 0"]
