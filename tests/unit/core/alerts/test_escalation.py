"""What an alert group deserves as it becomes worse."""

import pytest

from bot.core.alert import Severity
from bot.core.alerts.escalation import Escalation, deserves_incident, escalation, mention_needs_line
from bot.core.config import Config

CONFIG = Config(incident_from="SEV2", triage_from="SEV3")


def after(before: Severity, alert: Severity, *, has_incident: bool = False, mentioned: bool = False) -> Escalation | None:
    return escalation(before, alert, has_incident=has_incident, mentioned=mentioned, config=CONFIG)


@pytest.mark.parametrize(("severity", "expected"), [(Severity.SEV1, True), (Severity.SEV2, True), (Severity.SEV3, False)])
def test_policy_declares_an_incident_from_the_configured_severity_on(severity: Severity, expected: bool) -> None:
    assert deserves_incident(severity, CONFIG) == expected


@pytest.mark.parametrize("alert", [Severity.SEV2, Severity.SEV3, Severity.NONE])
def test_an_alert_that_is_no_worse_changes_nothing(alert: Severity) -> None:
    assert after(Severity.SEV2, alert) is None


def test_a_group_that_becomes_bad_gets_a_mention_an_incident_and_an_investigation() -> None:
    assert after(Severity.SEV4, Severity.SEV2) == Escalation(mention=True, incident=True, investigation=True)


def test_what_a_group_has_already_it_does_not_get_again() -> None:
    worse = after(Severity.SEV3, Severity.SEV1, has_incident=True, mentioned=True)

    assert worse == Escalation(mention=False, incident=False, investigation=False)


def test_a_group_still_below_the_severity_of_incidents_is_investigated_alone() -> None:
    assert after(Severity.SEV4, Severity.SEV3) == Escalation(mention=False, incident=False, investigation=True)


def test_a_card_that_is_not_posted_yet_mentions_the_on_call_itself() -> None:
    assert not mention_needs_line(posted=False, attempted=False)
    assert mention_needs_line(posted=True, attempted=False) and mention_needs_line(posted=False, attempted=True)
