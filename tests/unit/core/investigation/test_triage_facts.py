"""The facts of a triage as they are stored and read back."""

from datetime import UTC, datetime

from bot.core.investigation.triage_facts import TriageFacts, stored_facts
from tests.unit.builders import at

OLD_ROW = {
    "onset": "2026-03-01T12:00:00+00:00", "onset_text": "checkout errors left the normal range", "signal": "checkout errors",
    "onset_evidence": "E1", "changes_evidence": "E2", "changes_ok": True, "alerts_evidence": "E3",
    "changes": [
        {"id": "ci:7", "at": "2026-03-01T11:56:00Z", "service": "checkout", "kind": "deploy", "title": "v2",
         "age_text": "4 min before onset", "evidence": "E2"}
    ],
    "alerts": [{"name": "HighErrorRate", "service": "checkout", "count": 60}],
    "runbook": {"title": "Errors", "link": "", "passage": "roll back", "evidence": "E4"}, "past": None,
    "graph": "triage:AL-3:1", "main": "checkout errors from 1 % to 20 % (E1)", "health": [], "not_checked": [],
}  # fmt: skip


def test_facts_stored_by_an_older_version_are_read() -> None:
    facts = stored_facts(OLD_ROW)

    assert facts is not None and facts.onset == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert [(change.id, change.age_text) for change in facts.changes] == [("ci:7", "4 min before onset")]


def test_facts_are_read_back_as_they_were_stored() -> None:
    facts = TriageFacts(onset=at(), onset_text="errors rose", health=("latency rose",), not_checked=("logs",))

    assert stored_facts(facts.model_dump(mode="json")) == facts


def test_before_anything_is_gathered_there_are_none() -> None:
    assert stored_facts({}) is None


def test_stored_facts_that_do_not_fit_are_a_failed_check_and_never_no_change() -> None:
    facts = stored_facts({**OLD_ROW, "changes": [{"id": "ci:7"}]})

    assert facts is not None and not facts.changes_ok
    assert facts.not_checked == ("The facts of this attempt could not be read (changes.0.at: Field required and 5 more)",)
