"""What used to fire together: earlier alerts, one list for each group."""

from bot.store.alerts.reader import Alerts
from tests.unit.builders import at
from tests.unit.store.databases import Desk, alert


async def test_earlier_alerts_come_in_the_groups_they_were_in(desk: Desk) -> None:
    await desk.receive(alert("a", start=-30), alert("b", start=-29), alert("c", start=-28, labels={"service": "search"}))

    earlier = await Alerts(desk.db).earlier(at(0))

    assert sorted(sorted(a.fingerprint for a in group) for group in earlier) == [["a", "b"], ["c"]]


async def test_nothing_that_began_at_the_moment_or_later_is_earlier(desk: Desk) -> None:
    await desk.receive(alert("a", start=-30), alert("b", start=-5))

    assert [[a.fingerprint for a in group] for group in await Alerts(desk.db).earlier(at(-5))] == [["a"]]


async def test_what_joined_no_group_is_no_history(desk: Desk) -> None:
    await desk.receive(alert("a", start=-30, severity="none"))

    assert await Alerts(desk.db).earlier(at(0)) == []
