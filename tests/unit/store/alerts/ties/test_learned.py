"""What is learned of the topology outlives the process, and groups alerts."""

from datetime import timedelta

from bot.core.alerts.ties.cascades import Cascade, Cascades
from bot.core.alerts.ties.topology import CallSource
from bot.store.alerts.ties.learned import LearnedTopology, save_cascades, saved_cascades
from tests.unit.store.databases import CATALOGUE, SortingFixture, alert


async def seen(sorting: SortingFixture, *calls: tuple[str, str], times: int = 2) -> None:
    for _ in range(times):
        await LearnedTopology(sorting.db).note_calls(CallSource.TRACES, calls)


async def grouping(sorting: SortingFixture) -> list[tuple[str, str]]:
    episodes = sorted(await sorting.episodes(), key=lambda episode: episode.fingerprint)
    return [(episode.grouping_reason, episode.grouping_text) for episode in episodes]


async def test_a_call_that_traces_showed_groups_alerts_that_nothing_declared_ties(sorting: SortingFixture) -> None:
    await seen(sorting, ("search", "checkout"))
    sorting.clock.forward(11)

    await sorting.receive(alert("a"), alert("s", labels={"service": "search"}))

    assert (await grouping(sorting))[1] == ("related_service", "traces show that search calls checkout")
    assert [group.alerts for group in await sorting.groups()] == [2]


async def test_a_call_that_was_seen_once_or_long_ago_groups_nothing(sorting: SortingFixture) -> None:
    await seen(sorting, ("search", "checkout"), times=1)
    await seen(sorting, ("mail", "checkout"))
    sorting.clock.now += timedelta(days=31)
    await seen(sorting, ("search", "other"))

    topology = await LearnedTopology(sorting.db).of("checkout", CATALOGUE)

    assert topology.calls == []


async def test_a_failed_read_is_kept_beside_what_was_learned_before(sorting: SortingFixture) -> None:
    await seen(sorting, ("checkout", "redis"))
    await LearnedTopology(sorting.db).note_failure(CallSource.TRACES, "no answer")

    topology = await LearnedTopology(sorting.db).of("checkout", CATALOGUE)

    assert topology.undeclared == ["redis"]
    assert [(read.source, read.problem) for read in topology.reads] == [(CallSource.TRACES, "no answer")]


async def test_past_cascades_are_known_after_a_restart(sorting: SortingFixture) -> None:
    cascades = Cascades()
    for number in range(3):
        cascades.note("zookeeper", sorting.clock() + timedelta(hours=number), [(number, {"checkout"})])
    async with sorting.db.write() as session:
        await save_cascades(session, cascades)
    cascades.note("zookeeper", sorting.clock() + timedelta(hours=9), [])
    async with sorting.db.write() as session:
        await save_cascades(session, cascades)
        saved = await saved_cascades(session)

    again = Cascades()
    again.restore(saved)

    assert saved == [Cascade("zookeeper", "checkout", 3, 4)]
    assert again.ties("zookeeper") == {"checkout": "zookeeper alerted in 3 bursts of checkout"}


async def test_a_new_process_groups_by_what_earlier_ones_saved(sorting: SortingFixture) -> None:
    cascades = Cascades()
    for number in range(3):
        cascades.note("search", sorting.clock(), [(number, {"checkout"})])
    async with sorting.db.write() as session:
        await save_cascades(session, cascades)
    sorting.inbox.sorter.reset()

    await sorting.receive(alert("a"), alert("s", labels={"service": "search"}))

    assert (await grouping(sorting))[1] == ("related_service", "search alerted in 3 bursts of checkout")


async def test_what_bursts_show_is_saved_with_a_later_batch(sorting: SortingFixture) -> None:
    for burst in range(3):
        for number in range(12):
            await sorting.receive(alert(f"{burst}-{number}", start=burst * 60))
        await sorting.receive(alert(f"z{burst}", labels={"service": "zookeeper"}, start=burst * 60))
        sorting.clock.forward(60)
        await sorting.receive(*(alert(f"{burst}-{number}", "resolved", start=burst * 60) for number in range(12)))
        await sorting.receive(alert(f"z{burst}", "resolved", labels={"service": "zookeeper"}, start=burst * 60))

    async with sorting.db.read() as session:
        saved = await saved_cascades(session)

    assert Cascade("zookeeper", "checkout", 3, 3) in saved
