"""The kill matrix' checker: a late change is taken up by one attempt, shown and told once, and nothing else is accepted."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.crash.checker import check
from tests.crash.history import History
from tests.crash.people import Press
from tests.crash.supervisor import ProcessHistory
from tests.real.slack import COMMANDER

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


def test_an_attempt_whose_look_at_the_changes_was_cut_off_is_made_up_for_by_the_next() -> None:
    cut_off, again = {**AGAIN, "weighed": []}, {**AGAIN, "attempt": 3}
    shown = [GOOD.messages[0], message("triage:AL-1", "TRIAGED AL-1, attempt 3 (late-reported change)")]

    assert check(replace(GOOD, attempts=[FIRST, cut_off, again], messages=shown)) == []


def test_a_change_that_an_attempt_made_again_by_itself_took_up_brings_none_of_its_own() -> None:
    by_itself = {**AGAIN, "late_changes": [], "lines": 0}
    shown = [GOOD.messages[0], message("triage:AL-1", "TRIAGED AL-1, attempt 2")]
    hidden = [GOOD.messages[0], message("triage:AL-1", "TRIAGED AL-1")]

    assert check(replace(GOOD, attempts=[FIRST, by_itself], messages=shown)) == []
    assert any("not what the message" in told for told in check(replace(GOOD, attempts=[FIRST, by_itself], messages=hidden)))


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ({"attempts": [FIRST]}, "brought about 0 attempts"),
        ({"attempts": [FIRST, AGAIN, {**AGAIN, "attempt": 3}]}, "brought about 2 attempts"),
        ({"attempts": [FIRST, {**AGAIN, "attempt": 3}]}, "AL-1 has the attempts [1, 3]"),
        ({"attempts": [FIRST, {**AGAIN, "state": "failed"}]}, "AL-1, attempt 2 is failed"),
        ({"attempts": [FIRST, {**AGAIN, "weighed": ["pipeline:chg-2"]}]}, "never saw pipeline:chg-1"),
        ({"attempts": [FIRST, {**AGAIN, "weighed": []}]}, "brought about 1 attempts, of which 0 saw any change"),
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


PLAN_KEY = "AP-1:1:47d0ac9cbf51d4f7"


def row(what: str, second: int, **more: Any) -> dict[str, Any]:
    return {"subject": "AP-1", "what": what, "at": moment(second), "after": "", "who": "bob", "message": PLAN_KEY, **more}


def moment(second: int) -> str:
    return f"2026-03-01T03:00:{second:02}+00:00"


def ran(step: int, second: int) -> dict[str, Any]:
    return {"key": f"{PLAN_KEY}:{step}", "at": moment(second)}


PLAN = {
    "ref": "AP-1", "state": "succeeded", "parts": [{}, {}], "steps_begun": 2, "outcome": "", "verification": "",
    "decisions": [{"at": moment(1), "verdict": "approve", "person": "bob"}],
}  # fmt: skip
OF_A_PLAN = replace(
    GOOD,
    late_change="",
    proposals=[PLAN],
    executions=[ran(1, 3), ran(2, 6)],
    presses=[Press(datetime.fromisoformat(moment(1)).timestamp(), COMMANDER, "AP-1", "AP-1 revision 1", True)],
    audit=[
        row("approve", 1), row("proposal", 2, after="executing"),
        row("step 1 verified", 4), row("proposal", 5, after="executing"),
    ],
)  # fmt: skip


def test_a_plan_whose_steps_ran_once_each_after_a_verified_one_is_well() -> None:
    assert check(OF_A_PLAN) == []


@pytest.mark.parametrize(("died", "stopped", "well"), [(30, "03:02:05", True), (30, "03:01:05", False), (2, "03:02:05", False)])
def test_a_plan_that_stopped_is_well_only_if_the_bot_died_between_two_steps_and_two_minutes_passed(
    died: int, stopped: str, well: bool
) -> None:
    text = "Stopped after step 1 of 2: it did not start within 2 minutes of the end of step 1. Step 2 did not run."
    ended = row("proposal", 5, after="stopped", at=f"2026-03-01T{stopped}+00:00")
    deaths = ProcessHistory(died_at=[datetime.fromisoformat(moment(died)).timestamp()])
    late = replace(
        OF_A_PLAN,
        proposals=[{**PLAN, "state": "stopped", "steps_begun": 1, "outcome": text}],
        executions=[ran(1, 3)],
        audit=[*OF_A_PLAN.audit[:3], ended],
        process=deaths,
    )

    assert (check(late) == []) == well


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ({"executions": [ran(1, 3), ran(2, 6), ran(2, 7)]}, "AP-1 step 2 ran 2 times"),
        ({"executions": [ran(1, 3)]}, "AP-1 step 2: AP-1 is succeeded and it ran 0 times"),
        ({"executions": [ran(1, 3), ran(2, 3)]}, f"{PLAN_KEY}:2 ran, and step 1 verified stands 1 times before it"),
        ({"audit": [one for one in OF_A_PLAN.audit if "verified" not in one["what"]]}, "step 1 verified stands 0 times"),
        ({"proposals": [{**PLAN, "steps_begun": 1}]}, "AP-1 is succeeded after step 1 of 2"),
        ({"proposals": [{**PLAN, "state": "unknown"}]}, "AP-1 is unknown, and the bot did not die between"),
    ],
)
def test_anything_else_of_a_plan_is_told(happened: dict[str, Any], told: str) -> None:
    assert any(told in sentence for sentence in check(replace(OF_A_PLAN, **happened)))
