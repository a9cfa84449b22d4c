"""What was changed while an outage runs, and how that reads."""

from datetime import timedelta
from typing import Any

from bot.core.change import Change
from bot.core.changes.during_outage import RunningOutage, change_line, made_during
from tests.unit.builders import NOW

OUTAGE = RunningOutage(NOW, frozenset({"payments"}), suspect="ledger")


def changed(seconds: float = 60, service: str = "payments", **values: Any) -> Change:
    about: dict[str, Any] = {"kind": "deploy", "title": "deploy", "version": "5.2.0", "previous_version": "5.1.0", **values}
    return Change(id=f"ci:{service}:{seconds}", at=NOW + timedelta(seconds=seconds), service=service, **about)


def test_what_fails_and_what_is_suspected_count_and_nothing_else() -> None:
    made = [changed(90), changed(30, "ledger"), changed(40, "search"), changed(-5), changed(50, by_action="AP-1")]

    assert [one.id for one in made_during(made, OUTAGE)] == ["ci:ledger:30", "ci:payments:90"]


def test_a_deploy_reads_as_a_sentence_with_its_versions() -> None:
    assert change_line(changed(author="alice"), OUTAGE) == (
        "payments was changed while its alerts fire: deploy 5.1.0 → 5.2.0 by alice, 03:01:00 UTC"
    )


def test_what_has_no_version_is_told_by_its_title_as_quoted_text() -> None:
    edit = changed(service="ledger", kind="config", title='pool "small"\n*now*', version="", previous_version="")

    assert change_line(edit, OUTAGE) == (
        "ledger was changed while it is suspected: config edit \"pool 'small' *now*\", 03:01:00 UTC"
    )
