"""Which actions fit a cause."""

from typing import Any

from bot.core.config import ActionConfig
from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.remedies import fitting
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
