"""What used to fire together, and why alerts are in their group or muted."""

import tracemalloc
from collections.abc import Set

from sqlmodel import select

from bot.core.alerts.grouping import OPENED, GroupingReason, Membership
from bot.core.alerts.reasons import AlertReasons
from bot.store.alerts.reader import Alerts, Hidden, reasons_of
from bot.store.tables import EpisodeRow
from tests.unit.builders import at
from tests.unit.store.databases import SortingFixture, alert


async def test_earlier_alerts_come_in_the_groups_they_were_in(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-30), alert("b", start=-29), alert("c", start=-28, labels={"service": "search"}))

    earlier = await Alerts(sorting.db).earlier(at(0))

    assert sorted(sorted(a.fingerprint for a in group) for group in earlier) == [["a", "b"], ["c"]]


async def test_nothing_that_began_at_the_moment_or_later_is_earlier(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-30), alert("b", start=-5))

    assert [[a.fingerprint for a in group] for group in await Alerts(sorting.db).earlier(at(-5))] == [["a"]]


async def test_what_joined_no_group_is_no_history(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-30, severity="none"))

    assert await Alerts(sorting.db).earlier(at(0)) == []


async def reasons(sorting: SortingFixture, number: int = 1) -> AlertReasons:
    async with sorting.db.read() as session:
        return await reasons_of(session, number)


async def test_a_group_has_the_reasons_of_its_alerts_and_of_those_of_its_service_that_are_muted(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(
        alert("a"), alert("b"), alert("c"), alert("d", severity="none"), alert("e", start=-600, severity="none")
    )

    assert await reasons(sorting) == AlertReasons(
        "checkout",
        joined=[(OPENED, 1), (Membership(GroupingReason.SAME_SERVICE, "the same service, checkout"), 2)],
        muted=[("severity none", 2)],
    )


async def test_mutes_of_other_services_and_of_before_the_group_are_none_of_its_reasons(sorting: SortingFixture) -> None:
    await sorting.receive(alert("early", severity="none"), alert("other", severity="none", labels={"service": "search"}))
    sorting.clock.forward(5)
    await sorting.receive(alert("a"))

    assert (await reasons(sorting)).muted == []


async def test_an_alert_stored_before_reasons_were_kept_has_none(sorting: SortingFixture) -> None:
    fields = {"source": "prod", "name": "Errors", "service": "checkout", "severity": "SEV2", "labels": {}, "annotations": {}}
    moments = {"starts_at": at(-1), "first_seen_at": at(0), "last_seen_at": at(0)}
    await sorting.receive(alert("a"))
    async with sorting.db.write() as session:
        session.add(EpisodeRow(fingerprint="old", status="firing", group_id=1, **fields, **moments))

    assert (await reasons(sorting)).joined == [(OPENED, 1)]


async def test_the_backlog_of_a_source_is_described_in_words_for_people(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("old", start=-6000))

    assert (await reasons(sorting)).muted == [("it fired before its source was first connected", 1)]


async def test_of_an_alert_that_may_not_be_named_the_service_is_told_alone(sorting: SortingFixture) -> None:
    secret = alert("a", labels={"service": "search", "customer": "acme"}, annotations={"summary": "acme leaks"})
    await sorting.receive(secret, alert("b", labels={"service": "checkout"}))

    async def hidden(_services: Set[str]) -> Hidden:
        async with sorting.db.read() as session:
            query = select(EpisodeRow.group_id).where(EpisodeRow.service == "search")
            return Hidden(frozenset(number or 0 for number in (await session.exec(query)).all()))

    firing = {one.labels["service"]: one for one in await Alerts(sorting.db, hidden).active()}
    (earlier,) = [group for group in await Alerts(sorting.db, hidden).earlier(at(60)) if group[0].labels["service"] == "search"]

    assert "acme" not in firing["search"].model_dump_json() and firing["search"].labels == {"service": "search"}
    assert earlier[0].name == firing["search"].name != secret.name and firing["checkout"].name != firing["search"].name


async def test_an_investigation_takes_little_memory_for_alerts_however_long_their_texts_are(sorting: SortingFixture) -> None:
    labels, annotations = {f"label_{n}": "v" * 2_048 for n in range(60)}, {f"note_{n}": "v" * 8_192 for n in range(60)}
    await sorting.receive(*(alert(f"a{n}", start=-30, labels=labels, annotations=annotations) for n in range(60)))

    tracemalloc.start()
    firing, earlier = await Alerts(sorting.db).active(), await Alerts(sorting.db).earlier(at(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (len(firing) >= 60, earlier) == (True, []) and peak < 24 << 20, peak


async def test_of_a_firing_alert_its_labels_and_what_is_said_of_it_are_read(sorting: SortingFixture) -> None:
    annotations = {"summary": "the pool ran dry", "description": "x" * 9_000, "runbook_url": "https://runbooks.example/pool"}
    await sorting.receive(alert("a", labels={"service": "search", "pod": "search-1"}, annotations=annotations))

    (firing,) = await Alerts(sorting.db).active("search")

    assert (firing.labels["pod"], firing.summary) == ("search-1", "the pool ran dry")
    assert firing.annotations == {"summary": "the pool ran dry", "description": "x" * 300}


async def test_history_ends_where_its_labels_would_fill_the_memory(sorting: SortingFixture) -> None:
    labels = {f"label_{n}": "v" * 2_000 for n in range(3)}
    await sorting.receive(*(alert(f"a{n}", start=-30, labels=labels) for n in range(1_500)))

    (earlier,) = await Alerts(sorting.db).earlier(at(0))

    assert 1_000 < len(earlier) < 1_400


async def test_a_heartbeat_is_not_among_what_fires(sorting: SortingFixture) -> None:
    await sorting.receive(alert("beat", start=-6000, name="Watchdog"), alert("a", start=-30))

    firing = [one.name for one in await Alerts(sorting.db).active()]

    assert "Alert a" in firing and "Watchdog" not in firing
