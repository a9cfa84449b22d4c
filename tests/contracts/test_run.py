"""The durable port: the same sentences for the engine without a journal, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, Field

from bot.engine.direct import DirectEngine
from bot.engine.durable import DurableEngine
from bot.ports import Run
from tests.real import PATIENCE, wait_until

SOON, LATE = timedelta(milliseconds=150), timedelta(minutes=5)
AnyEngine = DirectEngine | DurableEngine
Launch = Callable[..., Awaitable[AnyEngine]]


def clock() -> datetime:
    return datetime.now(UTC)


def after(delay: timedelta) -> str:
    return (clock() + delay).isoformat()


@pytest.fixture(params=["direct", "sqlite", "postgres"])
async def launch(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Launch]:
    """`await launch({name: workflow}, **hooks)`: a launched engine, stopped after the test."""
    launched: list[AnyEngine] = []
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""

    async def go(workflows: dict[str, Any], **hooks: Any) -> AnyEngine:
        engine = (
            DirectEngine(clock=clock, **hooks)
            if request.param == "direct"
            else DurableEngine(tmp_path, url, clock=clock, **hooks)
        )
        for name, workflow in workflows.items():
            engine.register(name, workflow)
        await engine.launch()
        launched.append(engine)
        return engine

    yield go
    for engine in launched:
        await engine.stop(within=1)


async def double(number: int) -> int:
    return 2 * number


async def test_a_workflow_runs_its_steps_in_order_and_gives_its_result(launch: Launch) -> None:
    async def workflow(run: Run, number: int) -> Any:
        first = await run.step("double", double, number)
        return {"id": run.id, "value": await run.step("double again", double, first)}

    engine = await launch({"sums": workflow})
    await engine.start("sums", "sums:1", 3)

    assert await engine.result("sums:1") == {"id": "sums:1", "value": 12}
    assert await engine.journal("sums:1") == ["double", "double again"]


async def test_a_result_has_made_its_way_through_json_the_first_time_too(launch: Launch) -> None:
    async def pair() -> Any:
        return {"pair": (1, 2), 3: None}

    async def workflow(run: Run) -> Any:
        return repr(await run.step("pair", pair))

    engine = await launch({"pairs": workflow})
    await engine.start("pairs", "pairs:1")

    assert await engine.result("pairs:1") == "{'pair': [1, 2], '3': None}"


class Reading(BaseModel):
    service: str
    taken_at: datetime
    labels: tuple[str, ...] = ()


async def same(reading: Reading) -> Reading:
    return reading


async def test_a_step_takes_and_returns_models(launch: Launch) -> None:
    reading = Reading(service="checkout", taken_at=clock(), labels=("eu", "v2"))
    results: list[Reading] = []

    async def workflow(run: Run) -> None:
        results.append(await run.step("read", same, reading))

    engine = await launch({"readings": workflow})
    await engine.start("readings", "readings:1")
    await engine.result("readings:1")

    assert results == [reading]
    assert results[0] is not reading, "the first result has made its way through JSON, as a replayed one has"


async def test_a_workflow_may_return_a_model(launch: Launch) -> None:
    async def workflow(run: Run) -> Reading:
        return Reading(service="checkout", taken_at=datetime(2026, 3, 1, tzinfo=UTC))

    engine = await launch({"readings": workflow})
    await engine.start("readings", "readings:1")

    assert await engine.result("readings:1") == {"service": "checkout", "taken_at": "2026-03-01T00:00:00Z", "labels": []}


async def test_a_step_that_declares_no_result_is_refused(launch: Launch) -> None:
    async def undeclared():  # type: ignore[no-untyped-def]
        return 1

    async def workflow(run: Run) -> Any:
        return await run.step("undeclared", undeclared)

    engine = await launch({"odd": workflow})
    await engine.start("odd", "odd:1")

    with pytest.raises(Exception, match="must declare its return type"):
        await engine.result("odd:1")


class OldRank(BaseModel):
    score: float


class Rank(BaseModel):
    likelihood: float = Field(validation_alias=AliasChoices("likelihood", "score"))


def ranking(type_: type[Any]) -> Any:
    """A workflow that ranks, waits, and returns what it ranked."""

    async def rank() -> type_:  # type: ignore[valid-type]
        return type_(score=0.5)  # type: ignore[no-any-return]

    async def workflow(run: Run) -> type_:  # type: ignore[valid-type]
        result = await run.step("rank", rank)
        await run.wait_for("go", until=after(LATE))
        return result  # type: ignore[no-any-return]

    return workflow


@pytest.mark.parametrize("launch", ["sqlite", "postgres"], indirect=True)
async def test_a_record_of_an_older_version_is_read_by_the_type_of_the_newer(launch: Launch) -> None:
    older = await launch({"ranks": ranking(OldRank)})
    await older.start("ranks", "ranks:1")
    await wait_until(lambda: ranked(older, "ranks:1"))
    await older.stop(within=1)

    newer = await launch({"ranks": ranking(Rank)})
    await newer.wake("ranks:1", "go", key="1")

    assert await newer.result("ranks:1") == {"likelihood": 0.5}


@pytest.mark.parametrize("launch", ["sqlite", "postgres"], indirect=True)
async def test_a_record_that_does_not_fit_the_declared_type_is_a_mismatch(launch: Launch) -> None:
    mismatches: list[str] = []

    async def report(workflow: str, id: str, why: str) -> None:
        mismatches.append(f"{id}: {why.splitlines()[0]}")

    older = await launch({"ranks": ranking(OldRank)})
    await older.start("ranks", "ranks:1")
    await wait_until(lambda: ranked(older, "ranks:1"))
    await older.stop(within=1)
    newer = await launch({"ranks": ranking(Reading)}, on_mismatch=report)

    with pytest.raises(Exception, match="JournalMismatch"):
        await newer.result("ranks:1")
    assert mismatches == ["ranks:1: the record of step 'rank' does not fit: 2 validation errors for Reading"]


async def ranked(engine: AnyEngine, id: str) -> bool:
    return "rank" in await engine.journal(id)


async def test_arguments_that_are_not_json_are_refused_at_the_start(launch: Launch) -> None:
    async def workflow(run: Run, moment: Any) -> None: ...

    engine = await launch({"odd": workflow})

    with pytest.raises(TypeError, match="datetime is not JSON"):
        await engine.start("odd", "odd:1", clock())  # type: ignore[arg-type]
    assert await engine.pending() == []


async def test_a_second_start_with_the_same_id_runs_nothing(launch: Launch) -> None:
    ran: list[str] = []

    async def note(who: str) -> None:
        ran.append(who)

    async def workflow(run: Run, who: str) -> None:
        await run.step("note", note, who)

    engine = await launch({"notes": workflow})
    await asyncio.gather(engine.start("notes", "notes:1", "a"), engine.start("notes", "notes:1", "a"))
    await engine.result("notes:1")
    await engine.start("notes", "notes:1", "a")

    assert ran == ["a"]
    assert await engine.finished("notes:1")


async def test_a_wake_ends_the_wait(launch: Launch) -> None:
    async def workflow(run: Run) -> Any:
        return await run.wait_for("decision", until=after(LATE))

    engine = await launch({"waits": workflow})
    await engine.start("waits", "waits:1")
    assert await engine.pending() == ["waits:1"]
    assert not await engine.finished("waits:1")
    await engine.wake("waits:1", "decision", key="U1")

    assert await engine.result("waits:1") is True
    assert await engine.journal("waits:1") == ["wait_for"]


async def test_a_wake_before_the_wait_is_kept_and_one_for_another_topic_does_not_end_the_wait(launch: Launch) -> None:
    woken = asyncio.Event()

    async def until_woken() -> None:
        await woken.wait()

    async def workflow(run: Run) -> Any:
        await run.step("until woken", until_woken)
        return [await run.wait_for("a", until=after(LATE)), await run.wait_for("b", until=after(SOON))]

    engine = await launch({"waits": workflow})
    await engine.start("waits", "waits:1")
    await engine.wake("waits:1", "a", key="1")
    woken.set()

    assert await engine.result("waits:1") == [True, False]


async def test_a_repeated_key_wakes_once(launch: Launch) -> None:
    async def workflow(run: Run) -> Any:
        return [await run.wait_for("a", until=after(LATE)), await run.wait_for("a", until=after(SOON))]

    engine = await launch({"waits": workflow})
    await engine.start("waits", "waits:1")
    await engine.wake("waits:1", "a", key="same")
    await engine.wake("waits:1", "a", key="same")

    assert await engine.result("waits:1") == [True, False]


async def test_a_wait_whose_time_has_passed_ends_at_once(launch: Launch) -> None:
    async def workflow(run: Run) -> Any:
        return await run.wait_for("a", until="2026-03-01T03:00:00Z")

    engine = await launch({"waits": workflow})
    await engine.start("waits", "waits:1")

    assert await engine.result("waits:1") is False


async def test_waking_a_finished_or_unknown_run_is_harmless(launch: Launch) -> None:
    async def workflow(run: Run) -> None: ...

    engine = await launch({"nothing": workflow})
    await engine.start("nothing", "nothing:1")
    await engine.result("nothing:1")

    await engine.wake("nothing:1", "decision", key="1")
    await engine.wake("nobody:1", "decision", key="1")
    assert not await engine.finished("nobody:1")


async def test_now_is_an_aware_moment_and_a_step(launch: Launch) -> None:
    async def workflow(run: Run) -> Any:
        moment = await run.now()
        return moment.utcoffset() == timedelta(0) and moment <= clock()

    engine = await launch({"clocks": workflow})
    await engine.start("clocks", "clocks:1")

    assert await engine.result("clocks:1") is True
    assert await engine.journal("clocks:1") == ["now"]


async def test_parallel_steps_keep_the_order_of_their_calls(launch: Launch) -> None:
    released = asyncio.Event()

    async def first() -> str:
        await released.wait()
        return "first"

    async def second() -> str:
        released.set()
        return "second"

    async def workflow(run: Run) -> Any:
        return await asyncio.gather(run.step("first", first), run.step("second", second))

    engine = await launch({"both": workflow})
    await engine.start("both", "both:1")

    assert await engine.result("both:1") == ["first", "second"]
    assert await engine.journal("both:1") == ["first", "second"]


async def test_a_step_inside_a_step_is_refused(launch: Launch) -> None:
    async def workflow(run: Run) -> Any:
        async def outer() -> Any:
            return await run.step("inner", double, 1)

        return await run.step("outer", outer)

    engine = await launch({"nested": workflow})
    await engine.start("nested", "nested:1")

    with pytest.raises(Exception, match="'inner' was called inside step 'outer'"):
        await engine.result("nested:1")


async def test_a_workflow_that_fails_is_reported(launch: Launch) -> None:
    reports: list[Any] = []

    async def report(*what: str) -> None:
        reports.append(what)

    async def fail() -> None:
        raise ValueError("no such group")

    async def workflow(run: Run) -> None:
        await run.step("fail", fail)

    engine = await launch({"failing": workflow}, on_failure=report)
    await engine.start("failing", "failing:1")

    with pytest.raises(Exception, match="no such group"):
        await engine.result("failing:1")
    assert reports == [("failing", "failing:1", "ValueError: no such group")]
    assert await engine.finished("failing:1")


async def test_a_step_may_start_and_wake_other_workflows(launch: Launch) -> None:
    engines: list[AnyEngine] = []

    async def hand_over() -> None:
        await engines[0].start("child", "child:1")
        await engines[0].wake("child:1", "go", key="1")

    async def parent(run: Run) -> None:
        await run.step("hand over", hand_over)

    async def child(run: Run) -> Any:
        return await run.wait_for("go", until=after(LATE))

    engines.append(await launch({"parent": parent, "child": child}))
    await engines[0].start("parent", "parent:1")

    await wait_until(lambda: engines[0].finished("child:1"))
    assert await engines[0].result("child:1") is True
    assert await engines[0].journal("parent:1") == ["hand over"]


async def test_a_wrapper_sees_each_step_of_each_run(launch: Launch) -> None:
    steps: list[str] = []

    class Watching:
        def __init__(self, run: Any) -> None:
            self._run = run
            self.id = run.id
            self.wait_for, self.now = run.wait_for, run.now

        async def step(self, name: str, fn: Any, *args: Any) -> Any:
            steps.append(f"{self._run.workflow}/{name}:before")
            return await self._run.step(name, fn, *args)

    async def workflow(run: Run) -> None:
        await run.step("double", double, 1)

    engine = await launch({"sums": workflow}, wrap_run=Watching)
    await engine.start("sums", "sums:1")
    await engine.result("sums:1")

    assert steps == ["sums/double:before"]


async def test_what_has_ended_is_forgotten_and_what_goes_on_is_kept(launch: Launch) -> None:
    async def short(run: Run) -> None: ...

    async def long(run: Run) -> Any:
        return await run.wait_for("a", until=after(LATE))

    engine = await launch({"short": short, "long": long})
    await engine.start("short", "short:1")
    await engine.start("long", "long:1")
    await engine.result("short:1")

    assert await engine.forget(clock() - LATE) == 0
    assert await engine.forget(clock() + SOON, "tick:") == 0
    assert await engine.forget(clock() + SOON) == 1
    assert not await engine.finished("short:1")
    assert await engine.pending() == ["long:1"]


async def test_stop_lets_the_running_step_finish_and_starts_no_other(launch: Launch) -> None:
    began, released, ran = asyncio.Event(), asyncio.Event(), []

    async def slow() -> None:
        began.set()
        await released.wait()
        ran.append("slow")

    async def never() -> None:
        ran.append("never")

    async def workflow(run: Run) -> None:
        await run.step("slow", slow)
        await run.step("never", never)

    engine = await launch({"slow": workflow})
    await engine.start("slow", "slow:1")
    await began.wait()
    stopping = asyncio.create_task(engine.stop(within=PATIENCE))
    await asyncio.sleep(0)
    released.set()
    await stopping

    assert ran == ["slow"]


async def test_one_process_leads(launch: Launch) -> None:
    led = asyncio.Event()

    engine = await launch({})
    engine.lead(led.set)

    await asyncio.wait_for(led.wait(), PATIENCE)
    assert engine.is_leader()
