"""The analyst ranks again over what a model recorded, whatever became of the model's run."""

from bot.core.evidence import Findings, LedgerEntry
from bot.core.ranking.ranking import rank
from bot.workflows.investigation.analyst import ranked_again
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, failing_payments

DEPLOY = change("payments", 4, version="2.1", previous="2.0")
OWN = failing_payments(DEPLOY).entries


def alone() -> Findings:
    return rank(CASE, OWN, now=NOW).model_copy(update={"steps": 7, "seconds": 2.0, "stop_reason": "done"})


def split() -> LedgerEntry:
    """The new version alone carries the errors."""
    (entry,) = Ledger().breakdown("payments", "errors", "version", **{"2_0": (0.001, 0.001), "2_1": (None, 0.9)}).entries
    return entry.model_copy(update={"id": "E8"})


def test_what_a_model_recorded_supports_the_cause_that_the_analyst_names() -> None:
    again = ranked_again(alone(), CASE, OWN, [split()])

    cited = {id for claim in again.hypotheses[0].claims for id in claim.evidence}
    assert again.hypotheses[0].change_id == DEPLOY.id and "E8" in cited
    assert again.hypotheses[0].likelihood > alone().hypotheses[0].likelihood
    assert (again.steps, again.seconds, again.stop_reason) == (7, 2.0, "done")


def test_the_same_query_made_later_does_not_replace_the_analyst_s_reading() -> None:
    (recovered,) = Ledger().health("payments").entries

    assert ranked_again(alone(), CASE, OWN, [recovered.model_copy(update={"id": "E9"})]) == alone()


def test_nothing_new_changes_nothing() -> None:
    assert ranked_again(alone(), CASE, OWN, []) == alone() and ranked_again(alone(), CASE, [], [split()]) == alone()
