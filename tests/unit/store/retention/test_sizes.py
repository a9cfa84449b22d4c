"""Sizes in words, and those of a SQLite file with its journal."""

from pathlib import Path

import pytest

from bot.core.config.retention import Retention
from bot.settings import parse_config
from bot.store.checkup import check_sizes
from bot.store.migrate import upgrade
from bot.store.retention.sizes import JOURNAL, in_words, sizes


@pytest.mark.parametrize(("size", "words"), [(812, "0.812 KB"), (69_000, "69 KB"), (4_100_000, "4.1 MB"), (2.5e9, "2.5 GB")])
def test_bytes_are_told_in_the_unit_that_fits(size: int, words: str) -> None:
    assert in_words(size) == words


def test_the_journal_counts_as_one_and_the_largest_comes_first(tmp_path: Path) -> None:
    upgrade(url := f"sqlite:///{tmp_path / 'app.db'}")
    (tmp_path / "durable.db").write_bytes(b"x" * 1_000_000)

    found = sizes(url, tmp_path / "durable.db")

    assert (found[0].table, found[0].size) == (JOURNAL, 1_000_000) and "groups" in {one.table for one in found}


def test_the_check_says_how_large_it_is_and_how_long_what_is_kept(tmp_path: Path) -> None:
    upgrade(url := f"sqlite:///{tmp_path / 'app.db'}")

    (check,) = check_sizes(url, None, Retention())

    assert check.state == "ok" and "KB: " in check.result
    assert check.advice == "kept (`retention`): deliveries 2d, alerts 30d, incidents 400d, audit 1825d, journal 2d"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("retention: {deliveries: 2h}", "at least 1d"),
        ("retention: {incidents: 400d, audit: 30d}", "retention.audit is shorter than retention.incidents"),
    ],
)
def test_a_retention_that_would_harm_the_work_is_refused(text: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        parse_config(text)
