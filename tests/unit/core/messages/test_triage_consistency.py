"""The gate before a triage is shown."""

from datetime import timedelta

import pytest

from bot.core.investigation.triage_facts import AlertCount
from bot.core.messages.triage_consistency import calls_normal, rounds_to_nothing, without_contradictions
from bot.core.messages.triage_summary import summarize
from tests.unit.builders import NOW, at
from tests.unit.slack.contents import change, claim, facts, findings, group, hypothesis, triage_content


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("pay latency rose from 24.2 ms to 24.2 ms at 12:00:00 UTC", True),
        ("1.31.0 from 0 % to 0 %", True),
        ("errors 0 % → 0 %", True),
        ("pay latency rose from 24.2 ms to 24.3 ms", False),
        ("1.32.0 from 0 % to 80.7 %, 1.31.0 from 0 % to 0 %", False),
        ("the versions before and after show the same (46.7 % and 46.7 %)", False),
        ("went from 5 % to 55 %", False),
        ("payments went from 8.21 to 8.21: calls to orders-db per request", True),
        ("payments went from 8.21 to 8.22: calls to orders-db per request", False),
    ],
)
def test_a_change_that_reads_alike_before_and_after_is_none(text: str, nothing: bool) -> None:
    assert rounds_to_nothing(text) is nothing


def test_a_service_with_alerts_is_not_called_normal() -> None:
    assert calls_normal("checkout: 7 signals look normal around the alert", {"checkout"})
    assert calls_normal("checkout: 7 signals stayed within the usual range around the alert", {"checkout"})
    assert calls_normal("config edit of cart: nothing of cart left its normal range", {"cart"})
    assert not calls_normal("auth: 7 signals look normal around the alert", {"checkout"})


def test_what_contradicts_the_alerts_or_tells_no_change_is_left_out() -> None:
    nothing, normal = "pay latency rose from 24.2 ms to 24.2 ms", "edit of cart: nothing of cart left its normal range"
    cause = hypothesis(claims=[claim(nothing, "E1"), claim("pay errors rose from 1 % to 9 %", "E1")])
    alerts = (AlertCount(name="Errors", service="cart", count=1),)
    shown = without_contradictions(
        triage_content(facts=facts(alerts=alerts, health=(nothing,)), findings=findings(cause, ruled_out=[claim(normal, "E2")]))
    )

    assert shown.findings and shown.facts
    assert [one.text for one in shown.findings.hypotheses[0].claims] == ["pay errors rose from 1 % to 9 %"]
    assert shown.findings.ruled_out == [] and shown.facts.health == ()


def test_an_onset_without_levels_to_tell_names_its_signal() -> None:
    shown = without_contradictions(triage_content(facts=facts(signal="payments memory", levels="")))

    assert shown.facts and shown.facts.onset_text == "payments memory left the normal range at 03:00:00 UTC"


def test_an_onset_that_nobody_measured_is_told_between_the_samples_around_it() -> None:
    gap = facts(levels="0 % → 29.7 %", onset_not_before=NOW - timedelta(seconds=65))
    shown, dated = (without_contradictions(triage_content(facts=gap, findings=one)) for one in (None, findings(onset=at(-5))))

    assert summarize(shown).broke == "checkout left the normal range between 02:58:55 and 03:00:00 UTC: errors 0 % → 29.7 %"
    assert summarize(dated).broke == "checkout left the normal range at 02:55:00 UTC: errors 0 % → 29.7 %"


def test_a_change_made_while_nothing_was_measured_came_at_most_so_long_before_the_onset() -> None:
    changes = tuple(change(at=at(minutes)) for minutes in (-1, -3))
    shown = without_contradictions(triage_content(facts=facts(onset_not_before=at(-2), changes=changes)))

    assert shown.facts and [one.age_text for one in shown.facts.changes] == ["at most 60 s before onset", "3 min before onset"]


def test_an_outage_beside_another_is_told_with_the_start_of_its_own_alert() -> None:
    def broke(minutes: float) -> str:
        shown = without_contradictions(
            triage_content(renewed=True, started_at=NOW + timedelta(minutes=minutes), facts=facts(levels="1 % → 9 %"))
        )
        return shown.facts.onset_text if shown.facts else ""

    assert broke(1) == "checkout left the normal range at 03:00:00 UTC: errors 1 % → 9 %"
    assert broke(3) == "checkout alerts since 03:03:00 UTC; errors out of range earlier, from 03:00:00 UTC"


def test_the_onset_of_the_outage_before_stays_where_it_was_told_when_it_is_measured_again() -> None:
    def broke(told_seconds_later: float) -> str:
        earlier, started_at = NOW + timedelta(seconds=told_seconds_later), NOW + timedelta(minutes=3)
        content = {"renewed": True, "started_at": started_at, "earlier_onset": earlier}
        shown = without_contradictions(triage_content(facts=facts(levels="1 % → 9 %"), **content))
        return shown.facts.onset_text if shown.facts else ""

    assert broke(8) == "checkout alerts since 03:03:00 UTC; errors out of range earlier, from 03:00:08 UTC"
    assert broke(-600) == "checkout alerts since 03:03:00 UTC; errors out of range earlier, from 03:00:00 UTC"


def test_changes_around_an_outage_beside_another_have_their_age_against_its_alert() -> None:
    alerted_at = NOW + timedelta(minutes=3)
    changes = tuple(change(at=alerted_at + timedelta(seconds=seconds)) for seconds in (2, -11))
    shown = without_contradictions(
        triage_content(renewed=True, started_at=alerted_at, facts=facts(levels="1 % → 9 %", changes=changes))
    )

    assert shown.facts
    assert [one.age_text for one in shown.facts.changes] == ["2 s after the alert", "11 s before the alert"]


def test_a_card_that_opens_beside_an_outage_of_its_service_tells_no_onset_of_that_one_as_its_own() -> None:
    opened = group(opened_at=NOW + timedelta(minutes=3))
    shown = without_contradictions(triage_content(group=opened, facts=facts(levels="1 % → 9 %", beside=True)))

    assert shown.facts
    assert shown.facts.onset_text == "checkout alerts since 03:03:00 UTC; errors out of range earlier, from 03:00:00 UTC"


def test_a_change_that_is_ruled_out_is_no_unlikely_cause_too() -> None:
    cleared = claim("deploy v2 came later", "E2").model_copy(update={"change_id": "d1"})
    unlikely = hypothesis("deploy v2 broke it", confidence="unlikely")
    shown = without_contradictions(
        triage_content(findings=findings(hypothesis("load", change_id=""), unlikely, ruled_out=[cleared]))
    )

    assert shown.findings and [cause.cause for cause in shown.findings.hypotheses] == ["load"]


def test_a_message_has_one_onset_and_every_age_is_counted_from_it() -> None:
    earlier = NOW - timedelta(seconds=6)
    content = triage_content(
        facts=facts(levels="1 % → 20 %", changes=(change(at=NOW - timedelta(seconds=40), age_text="40 s before onset"),)),
        findings=findings(hypothesis(), onset=earlier),
    )
    shown = without_contradictions(content).facts

    assert shown and shown.onset == earlier
    assert shown.onset_text == f"checkout left the normal range at {earlier:%H:%M:%S} UTC: errors 1 % → 20 %"
    assert shown.changes[0].age_text == "34 s before onset"


def test_an_onset_that_only_the_ranking_measured_is_told_in_place_of_none() -> None:
    unseen = facts(onset=None, signal="", onset_text="No metric shows the onset", alert_at=NOW + timedelta(seconds=9))
    told, untold = (
        without_contradictions(triage_content(facts=unseen, findings=findings(hypothesis(), onset=onset))).facts
        for onset in (NOW, None)
    )

    assert told and told.onset == NOW
    assert told.onset_text == "Metrics left the normal range at 03:00:00 UTC; first alert at 03:00:09 UTC"
    assert untold and untold.onset_text == "No metric shows the onset"


def test_of_a_declared_incident_no_first_alert_is_told() -> None:
    unseen = facts(onset=None, signal="", alert_at=NOW - timedelta(minutes=9), declared=True)
    shown = without_contradictions(triage_content(facts=unseen, findings=findings(hypothesis(), onset=NOW))).facts

    assert shown and shown.onset_text == "Metrics left the normal range at 03:00:00 UTC; reported since 02:51:00 UTC"


def test_the_moment_of_the_alert_is_no_onset_that_metrics_show() -> None:
    unread = facts(
        onset=None, signal="", onset_text="The onset could not be checked", alert_at=NOW + timedelta(milliseconds=189)
    )
    told = without_contradictions(triage_content(facts=unread, findings=findings(hypothesis(), onset=NOW))).facts

    assert told and told.onset is None and told.onset_text == "The onset could not be checked"
