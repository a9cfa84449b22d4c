"""How points name the runs of a triage: the same code has the same name in every scenario that comes to it."""

from pathlib import Path

from tests.crash.strikes import Strikes, workflow_of


def test_a_further_attempt_without_a_late_change_is_the_triage() -> None:
    assert [workflow_of(f"triage:AL-1:{attempt}", late=False) for attempt in (1, 2)] == ["triage", "triage"]


def test_the_attempt_that_a_late_change_brings_has_a_name_of_its_own() -> None:
    assert [workflow_of(f"triage:AL-1:{attempt}", late=True) for attempt in (1, 2)] == ["triage", "again"]


def test_a_tick_is_called_by_its_name() -> None:
    assert workflow_of("tick:pager:2026-01-01T00:00", late=False) == "tick:pager"


def test_a_scenario_is_one_of_a_late_change_if_a_point_is(tmp_path: Path) -> None:
    (tmp_path / "points").write_text("start/again#1:before")
    late = Strikes(tmp_path)
    (tmp_path / "points").write_text("triage/judge and show#1:before")
    plain = Strikes(tmp_path)

    assert (late.workflow_of("triage:AL-1:2"), plain.workflow_of("triage:AL-1:2")) == ("again", "triage")
