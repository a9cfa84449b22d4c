"""What a look at the present outage of a group costs, however many alerts are in it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlmodel import func, select

from bot.store.alerts.present_outage import of_present_outage
from bot.store.tables import EpisodeRow, GroupRow
from tests.unit.builders import NOW
from tests.unit.store.databases import Clock, open_database


async def steps_of_a_look(folder: Path, alerts: int) -> int:
    """How many thousands of steps SQLite makes for it."""
    db = await open_database(folder, Clock())
    values = {"source": "prod", "status": "resolved", "name": "Slow", "service": "checkout", "severity": "SEV2", "group_id": 1}
    seen = {"first_seen_at": NOW, "last_seen_at": NOW, "labels": {}, "annotations": {}}
    spans = [NOW + timedelta(seconds=number) for number in range(alerts)]
    rows = [{**values, **seen, "fingerprint": f"{at}", "starts_at": at, "ended_at": at} for at in spans]
    defaults = {"link": "", "expression": "", "group_key": "", "grouping_reason": "", "grouping_text": "", "muted_by": ""}
    async with db.write() as session:
        await (await session.connection()).execute(insert(EpisodeRow), [{**row, **defaults, "repeats": 0} for row in rows])
    steps: list[int] = []
    async with db.read() as session:
        raw = await (await session.connection()).get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.set_progress_handler(lambda: steps.append(1) and None, 1000)
        await session.exec(select(func.count()).where(*of_present_outage(GroupRow(id=1, renewed_by=alerts // 2))))
    await db.close()
    return len(steps)


async def test_four_times_as_many_alerts_are_not_sixteen_times_the_work(tmp_path_factory: pytest.TempPathFactory) -> None:
    few, many = [await steps_of_a_look(tmp_path_factory.mktemp("db"), alerts) for alerts in (500, 2000)]

    assert many < 8 * few
