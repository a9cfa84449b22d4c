"""Which actions fit a cause."""

from typing import Any

import pytest

from bot.core.approvals.remedies import NoProposal, fitting, parse_no_proposal, why_none
from bot.core.config.actions import ActionConfig
from bot.core.evidence import Claim, Findings, Hypothesis
from tests.unit.builders import change

ROLLBACK = ActionConfig(kind="run_webhook", helps=("change",), change_kinds=("deploy",))
FLAG_OFF = ActionConfig(kind="run_webhook", helps=("change",), change_kinds=("flag",))
RESTART = ActionConfig(kind="run_webhook", helps=("resource",))
ACTIONS = {"rollback": ROLLBACK, "flag-off": FLAG_OFF, "restart": RESTART}


def findings(*evidence: str, **values: Any) -> Findings:
    claims = [Claim(text="seen", evidence=list(evidence))] if evidence else []
    fields = {"cause": "v2 broke it", "service": "checkout", "kind": "change", "change_id": "test:v2", "confidence": "likely"}
    return Findings(hypotheses=[Hypothesis(claims=claims, **{**fields, **values})])


def names(found: Findings, kind: str = "deploy") -> list[str]:
    changes = {"test:v2": change("v2", kind=kind)}
    return [remedy.entry for remedy in fitting(found, "checkout", ACTIONS, changes)]


def test_a_deploy_at_fault_is_rolled_back_and_a_flag_switched_off() -> None:
    assert names(findings("E1")) == ["rollback"]
    assert names(findings("E1"), kind="flag") == ["flag-off"]


def test_the_proposal_names_the_change_and_its_evidence() -> None:
    remedy = fitting(findings("E2", "E1"), "checkout", ACTIONS, {"test:v2": change("v2")})[0]

    assert remedy.arguments == {"change_id": "test:v2"}
    assert remedy.because == "v2 broke it (likely, E1, E2)"


def test_a_change_nobody_reported_cannot_be_taken_back() -> None:
    assert fitting(findings("E1"), "checkout", ACTIONS, {}) == []


def test_a_change_that_somebody_took_back_already_is_not_taken_back_again() -> None:
    bad = change("v2", version="2", previous_version="1", minutes_before=5)
    back, on = (change(f"v{version}", version=version, previous_version="2", minutes_before=2) for version in ("1", "3"))

    assert fitting(findings("E1"), "checkout", ACTIONS, {bad.id: bad, back.id: back}) == []
    why = why_none(findings("E1"), "checkout", ACTIONS, {bad.id: bad, back.id: back})
    assert why == NoProposal(f"deploy 2 of checkout was taken back already, at {back.at:%H:%M:%S} UTC.")
    assert fitting(findings("E1"), "checkout", ACTIONS, {bad.id: bad, on.id: on})[0].entry == "rollback"


def test_where_no_action_fits_there_is_none() -> None:
    assert names(findings("E1", kind="external", change_id="")) == []
    assert fitting(Findings(), "checkout", ACTIONS, {}) == []


def test_a_weakly_carried_cause_gets_no_proposal() -> None:
    assert names(findings("E1", confidence="possible")) == []
    assert names(findings("E1", "E2", confidence="possible")) == ["rollback"]
    assert names(findings("E1", "E2", confidence="unlikely")) == []


def test_an_entry_for_other_services_does_not_fit() -> None:
    actions = {"rollback": ROLLBACK.model_copy(update={"services": ("search",)})}

    assert fitting(findings("E1"), "checkout", actions, {"test:v2": change("v2")}) == []


ELSEWHERE = {"rollback": ROLLBACK.model_copy(update={"services": ("search",)})}


@pytest.mark.parametrize(
    ("found", "actions", "why"),
    [
        (Findings(), ACTIONS, "no cause was found"),
        (findings("E1", confidence="unlikely").model_copy(update={"category": "healthy"}), ACTIONS, "no cause was found"),
        (findings("E1", confidence="possible"), ACTIONS, "the first cause is not sure enough (possible)"),
        (findings("E1"), {}, "it has none yet"),
        (findings("E1", kind="traffic", change_id=""), ACTIONS, "none helps against too much traffic"),
        (findings("E1", kind="external", change_id=""), ACTIONS, "none helps against a cause outside"),
        (findings("E1", change_id=""), ACTIONS, "nobody reported the change at fault, so it cannot be taken back"),
        (findings("E1"), ELSEWHERE, "none that helps against a change lists checkout"),
        (findings("E1"), {"flag-off": FLAG_OFF}, "none takes back a deploy change of checkout"),
    ],
)
def test_where_none_fits_the_first_thing_that_is_missing_is_named(
    found: Findings, actions: dict[str, ActionConfig], why: str
) -> None:
    changes = {"test:v2": change("v2")}

    assert fitting(found, "checkout", actions, changes) == []
    assert why_none(found, "checkout", actions, changes) == NoProposal(f"{why}.", none_fits=True)


def test_why_nothing_was_proposed_is_read_from_its_stored_words() -> None:
    none_fits, one_fits = (
        NoProposal("it has none yet.", none_fits=True),
        NoProposal("rollback fits and was not proposed: frozen"),
    )

    assert [parse_no_proposal(reason.stored) for reason in (none_fits, one_fits)] == [none_fits, one_fits]
    assert parse_no_proposal("No action of the catalogue fits: it has none yet.") == none_fits
    assert parse_no_proposal("") is None
