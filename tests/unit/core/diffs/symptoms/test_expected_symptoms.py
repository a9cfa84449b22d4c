"""Patterns for log lines, which anybody who sends requests may have written."""

import re
import time

import pytest

from bot.core.diffs.symptoms.expected_symptoms import EXPECTED_SYMPTOMS
from bot.core.diffs.symptoms.stated_causes import NOT_RESOLVED

LONGEST_LINE = 600
ADDRESS = re.compile(EXPECTED_SYMPTOMS["address"][0][1], re.I)


@pytest.mark.parametrize(
    ("pattern", "word"),
    [(ADDRESS, "connect"), (NOT_RESOLVED, "lookup-1."), (NOT_RESOLVED, "a.resolv")],
    ids=["address", "lookup", "resolv"],
)
def test_a_hostile_line_takes_a_pattern_no_longer_than_others(pattern: re.Pattern[str], word: str) -> None:
    line = (word * LONGEST_LINE)[:LONGEST_LINE]
    started = time.process_time()

    assert not any(pattern.search(line) for _ in range(20))
    assert time.process_time() - started < 0.5, "200 such lines are read for each effect of each diff"


@pytest.mark.parametrize(
    "line",
    [
        "lookup ledger.shop.svc: i/o timeout",
        "resolving host cache failed",
        "could not resolve db-1.internal.example: misbehaving server",
    ],
)
def test_a_name_that_is_not_resolved_is_told(line: str) -> None:
    assert NOT_RESOLVED.search(line)
