"""The kill matrix' checker: of a late change it accepts one attempt, shown and told once, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from tests.crash.checker import check
from tests.crash.history import History

CHANGE = "pipeline:chg-1"


def attempt(number: int, **other: Any) -> dict[str, Any]:
    first = {"group": "AL-1", "attempt": number, "state": "done", "late_changes": [], "lines": 0, "weighed": []}
    return first | other


def message(key: str, words: str) -> dict[str, Any]:
    return {"metadata": {"event_payload": {"key": key}}, "words": words}


FIRST = attempt(1)
AGAIN = attempt(2, late_changes=[CHANGE], lines=1, weighed=[CHANGE])
SHOWN = message("triage:AL-1", "TRIAGED AL-1, attempt 2 (late-reported change)")
GOOD = History(
    late_change=CHANGE,
    groups=[{"ref": "AL-1"}],
    attempts=[FIRST, AGAIN],
    messages=[message("card:AL-1", "FIRING"), SHOWN],
)


def test_one_attempt_for_a_late_change_is_well() -> None:
    assert check(GOOD) == []


def test_one_more_attempt_for_changes_that_the_first_could_not_read_is_well() -> None:
    assert check(replace(GOOD, late_change="")) == []


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ({"attempts": [FIRST]}, "brought about 0 attempts"),
        ({"attempts": [FIRST, AGAIN, {**AGAIN, "attempt": 3}]}, "brought about 2 attempts"),
        ({"attempts": [FIRST, {**AGAIN, "attempt": 3}]}, "AL-1 has the attempts [1, 3]"),
        ({"attempts": [FIRST, {**AGAIN, "state": "failed"}]}, "AL-1, attempt 2 is failed"),
        ({"attempts": [FIRST, {**AGAIN, "weighed": []}]}, "never saw pipeline:chg-1"),
        ({"attempts": [FIRST, {**AGAIN, "lines": 2}]}, "stands 2 times in the timeline"),
        (
            {"messages": [GOOD.messages[0], message("triage:AL-1", "TRIAGED AL-1")]},
            "is not what the message of the triage shows",
        ),
        ({"messages": [*GOOD.messages, SHOWN]}, "triage:AL-1 stands 2 times"),
        ({"late_change": "", "attempts": [{**FIRST, "weighed": [CHANGE]}, AGAIN]}, "brought about by no late change"),
        ({"changes": ["chg-1"]}, "change chg-1 was acknowledged and is not stored"),
    ],
)
def test_anything_else_is_told(happened: dict[str, Any], told: str) -> None:
    assert any(told in sentence for sentence in check(replace(GOOD, **happened)))
