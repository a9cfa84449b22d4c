"""The inbox loop: its cursor is the recovery, a poisoned row is set aside, a database that is away is nobody's fault."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.core.config import Config
from bot.core.service import Catalogue, Service
from bot.ports import Engine
from bot.store.tables import AlertRow, CursorRow, MessageRow, TriageRow, UnreadableRow
from bot.workflows.inbox import REST_SECONDS, Inbox
from tests.real import wait_until
from tests.unit.builders import NOW
from tests.unit.store.databases import CATALOGUE, Clock, SortingFixture, alert, open_database


class RecordingEngine:
    """Remembers which workflows were started; refuses as often as it is told."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.refusals = 0
        self.on_start: Callable[[], None] = lambda: None

    async def start(self, workflow: str, id: str, *args: Any) -> None:
        if self.refusals:
            self.refusals -= 1
            raise RuntimeError("the journal does not answer")
        self.started.append(id)
        self.on_start()


class InboxFixture:
    """What stores and sorts, and the loop over the same database."""

    def __init__(self, sorting: SortingFixture, engine: RecordingEngine) -> None:
        self.sorting, self.engine, self.pauses = sorting, engine, list[float]()
        self.inbox = self.restarted()

    def restarted(self) -> Inbox:
        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        config: Any = Config(default_channel="C0")
        engine: Any = self.engine
        self.inbox = Inbox(self.sorting.db, config, CATALOGUE, engine, asyncio.Event(), pause=pause)
        return self.inbox


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[InboxFixture]:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    await sorting.connect()
    yield InboxFixture(sorting, RecordingEngine())
    await sorting.db.close()


async def execute(fixture: InboxFixture, statement: str) -> None:
    async with fixture.sorting.db.write() as session:
        await (await session.connection()).execute(text(statement))


async def test_a_committed_alert_becomes_a_group_and_its_triage_starts(fixture: InboxFixture) -> None:
    await fixture.sorting.store([alert()])

    assert await fixture.inbox.once()
    assert not await fixture.inbox.once()
    assert fixture.engine.started == ["triage:AL-1:1"]


async def test_what_was_committed_before_a_crash_is_read_after_the_restart_and_once(fixture: InboxFixture) -> None:
    await fixture.sorting.store([alert("a")])
    await fixture.inbox.once()
    await fixture.sorting.store([alert("b"), alert("c")])
    restarted = fixture.restarted()
    while await restarted.once():
        pass

    assert [group.alerts for group in await fixture.sorting.groups()] == [3]
    assert [row.seq for row in await fixture.sorting.rows(CursorRow)] == [4]


async def test_a_triage_that_was_not_started_before_a_crash_starts_after_the_restart(fixture: InboxFixture) -> None:
    await fixture.sorting.receive(alert())

    await fixture.restarted().once()

    assert fixture.engine.started == ["triage:AL-1:1"]


async def test_a_triage_that_could_not_start_is_started_with_the_next_look(fixture: InboxFixture) -> None:
    await fixture.inbox.once()
    await fixture.sorting.store([alert()])
    fixture.engine.refusals = 2
    for _ in range(3):
        await fixture.inbox.once()

    assert fixture.engine.started == ["triage:AL-1:1"]


async def test_another_process_that_dies_while_triages_start_disturbs_none_of_them(fixture: InboxFixture) -> None:
    await fixture.sorting.receive(alert("a"), alert("b", labels={"service": "search"}))
    restarted = fixture.restarted()
    fixture.engine.on_start = restarted.reread_unstarted
    await restarted.once()

    assert set(fixture.engine.started) == {"triage:AL-1:1", "triage:AL-2:1"}


async def test_a_group_that_became_worse_gets_its_triage_after_a_crash(fixture: InboxFixture) -> None:
    await fixture.sorting.receive(alert("a", severity="warning"))
    async with fixture.sorting.db.write() as session:
        session.add(TriageRow(group_id=1, attempt=1, state="done", started_at=NOW))
    await fixture.sorting.receive(alert("b", severity="critical"))

    await fixture.restarted().once()

    assert fixture.engine.started == ["triage:AL-1:2"]


async def test_a_group_whose_causes_were_ranked_is_not_triaged_again_after_a_crash(fixture: InboxFixture) -> None:
    await fixture.sorting.receive(alert())
    async with fixture.sorting.db.write() as session:
        session.add(TriageRow(group_id=1, attempt=1, state="done", started_at=NOW, findings={"hypotheses": []}))

    await fixture.restarted().once()

    assert fixture.engine.started == []


async def test_a_poisoned_row_is_set_aside_and_the_queue_goes_on(fixture: InboxFixture) -> None:
    await fixture.sorting.store([alert("good"), alert("poison"), alert("also good")])
    await execute(fixture, "UPDATE alerts SET labels = 'not json' WHERE fingerprint = 'poison'")
    for _ in range(12):
        await fixture.inbox.once()

    assert {e.fingerprint for e in await fixture.sorting.episodes()} == {"good", "also good"}
    assert [row.problem.split()[0] for row in await fixture.sorting.rows(UnreadableRow)] == ["alert"]
    assert len(fixture.pauses) == 4


async def test_a_database_that_is_away_sets_nothing_aside(fixture: InboxFixture) -> None:
    await fixture.sorting.store([alert()])
    await execute(fixture, "ALTER TABLE messages RENAME TO elsewhere")
    for _ in range(20):
        assert not await fixture.inbox.once()
    await execute(fixture, "ALTER TABLE elsewhere RENAME TO messages")
    await fixture.inbox.once()

    assert await fixture.sorting.rows(UnreadableRow) == []
    assert [row.key for row in await fixture.sorting.rows(MessageRow)] == ["card:AL-1"]


async def test_the_loop_wakes_for_a_commit_and_says_that_it_lives(fixture: InboxFixture) -> None:
    task = asyncio.create_task(fixture.inbox.run())
    while not fixture.inbox.alive():
        await asyncio.sleep(0)
    await fixture.sorting.store([alert()])
    fixture.inbox.wake.set()
    await wait_until(lambda: bool(fixture.engine.started), every=0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert not fixture.inbox.alive()
    assert len(await fixture.sorting.rows(AlertRow)) == 2


async def test_the_loop_rests_until_it_is_woken(fixture: InboxFixture) -> None:
    rounds: list[int] = []

    def leads() -> bool:
        rounds.append(1)
        return True

    fixture.inbox.is_leader = leads
    await fixture.sorting.store([alert("a")])
    task = asyncio.create_task(fixture.inbox.run())
    await wait_until(lambda: fixture.pauses == [REST_SECONDS], every=0.001)
    await asyncio.sleep(0)
    assert len(rounds) == 1

    fixture.inbox.wake.set()
    await wait_until(lambda: len(rounds) > 1, every=0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_only_the_replica_that_leads_sorts(fixture: InboxFixture) -> None:
    leads: list[bool] = []
    config: Any = Config(default_channel="C0")
    engine: Any = fixture.engine
    inbox = Inbox(fixture.sorting.db, config, CATALOGUE, engine, wake := asyncio.Event(), is_leader=lambda: bool(leads))
    await fixture.sorting.store([alert("a")])
    loop = asyncio.create_task(inbox.run())
    await asyncio.sleep(0)
    assert inbox.alive() and fixture.engine.started == []

    leads.append(True)
    wake.set()
    await wait_until(lambda: fixture.engine.started == ["triage:AL-1:1"])
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def test_the_cards_of_a_storm_come_before_the_causes_of_its_groups(fixture: InboxFixture) -> None:
    await fixture.sorting.store([alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(60)])

    started: list[int] = []
    while await fixture.inbox.once():
        started.append(len(fixture.engine.started))

    assert started == [8, 8, 8, 60]


async def test_what_is_stored_while_the_triages_of_a_storm_start_is_sorted_before_the_others_start(
    fixture: InboxFixture,
) -> None:
    await fixture.sorting.store([alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(60)])
    while len(await fixture.sorting.groups()) < 48:
        await fixture.inbox.once()
    fixture.engine.on_start = fixture.inbox.wake.set

    await fixture.inbox.once()
    waiting = 60 - len(fixture.engine.started)
    await fixture.sorting.store([alert("theirs", source="other", labels={"service": "theirs"})])
    await fixture.inbox.once()

    assert waiting > 10
    assert len(await fixture.sorting.groups()) == 61 and len(fixture.engine.started) <= 60 - waiting + 4


async def test_in_a_storm_the_group_of_the_service_that_the_others_depend_on_is_investigated_next(
    fixture: InboxFixture,
) -> None:
    names = [f"shop-{number}" for number in range(20)]
    catalogue = Catalogue([Service(name="db"), *(Service(name=name, depends_on=("db",)) for name in names)])
    config, engine = Config(default_channel="C0"), cast(Engine, fixture.engine)
    inbox = Inbox(fixture.sorting.db, config, catalogue, engine, asyncio.Event(), pause=no_pause)
    # Of clusters of their own, else they would be one group.
    await fixture.sorting.store([alert(name, labels={"service": name, "cluster": name}) for name in (*names, "db")])

    while await inbox.once():
        pass

    assert len(fixture.engine.started) == 21
    assert fixture.engine.started.index("triage:AL-21:1") == 8


async def no_pause(_seconds: float) -> None:
    return


async def test_a_database_that_is_away_for_long_is_one_line_and_one_when_it_is_back(fixture: InboxFixture) -> None:
    await fixture.sorting.store([alert()])
    await execute(fixture, "ALTER TABLE alerts RENAME TO away")

    with capture_logs() as lines:
        for _ in range(20):
            await fixture.inbox.once()
        await execute(fixture, "ALTER TABLE away RENAME TO alerts")
        await fixture.inbox.once()

    assert [line["event"] for line in lines] == ["inbox waits for the database", "inbox goes on"]
    assert lines[1]["times"] == 20 and fixture.engine.started == ["triage:AL-1:1"]
