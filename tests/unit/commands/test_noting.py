"""A note's moment: a time of day without a date is the last one before now, and the answer says which."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.commands.note import note
from bot.core.errors import NotFound
from tests.unit.approvals_fixture import open_approvals
from tests.unit.commands.using import use


async def noted(path: Path, at: str) -> str:
    fixture = await open_approvals(path)
    fixture.now = datetime(2026, 3, 1, 12, 47, tzinfo=UTC)
    try:
        return str(
            (await use(fixture, note, "alice", ref="AL-1", text="pool is full", options={"at": at}, entry_point="mention")).text
        )
    finally:
        await fixture.close()


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("12:40", "2026-03-01 12:40 UTC."),
        ("23:10", "2026-02-28 23:10 UTC, yesterday."),
        ("2026-02-27T12:50", "2026-02-27 12:50 UTC."),
    ],
)
async def test_the_answer_says_which_moment_is_meant(tmp_path: Path, at: str, said: str) -> None:
    assert (await noted(tmp_path, at)).endswith(said)


async def test_a_time_that_comes_in_minutes_is_not_taken_for_yesterdays(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="12:50 UTC has not come yet: it is 12:47 UTC"):
        await noted(tmp_path, "12:50")


@pytest.mark.parametrize("at", ["noon", "25:00", "12:61", "2026-13-01T10:00", "2026-03-02T10:00"])
async def test_what_is_no_moment_of_the_past_is_refused(tmp_path: Path, at: str) -> None:
    with pytest.raises(NotFound, match="Nothing was noted"):
        await noted(tmp_path, at)
