"""That alerts are missing is said where people are."""

from bot.core.config import Config
from bot.store.oversight.left_out import LeftOutNotices
from bot.store.tables import MessageRow
from tests.unit.store.databases import SortingFixture


async def test_that_a_source_leaves_alerts_out_is_said_once_a_day_in_the_default_channel(sorting: SortingFixture) -> None:
    notices = LeftOutNotices(sorting.db, Config(default_channel="C0"))
    for minutes in (0, 5, 24 * 60):
        sorting.clock.forward(minutes)
        await notices("prod", f"missing after {minutes} minutes")
        await LeftOutNotices(sorting.db, Config(default_channel="C0"))("prod", "another process")

    lines = [(row.channel, row.subject) for row in await sorting.rows(MessageRow)]
    assert lines == [("C0", "missing after 0 minutes"), ("C0", "missing after 1440 minutes")]
