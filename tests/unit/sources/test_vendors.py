"""Each vendor's own form, as it fires and as it ends: the same alert, its severity, its service, its start and its link."""

import json
from typing import Any

import pytest

from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody
from tests.unit.sources.vendor_bodies import (
    ALARM,
    DATADOG,
    EVENTBRIDGE,
    GRAFANA,
    NOW,
    OPSGENIE,
    PAGERDUTY,
    PAIRS,
    SENTRY_ISSUE,
    ZABBIX,
    ZABBIX_MEDIA,
    Pair,
    am,
    one,
    pd,
    read,
    sns,
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.kind)
def test_what_fires_has_its_severity_service_start_and_link(pair: Pair) -> None:
    alert = one(pair, pair.firing)

    assert (alert.status, alert.severity.lower(), alert.starts_at) == ("firing", pair.severity.lower(), pair.starts_at)
    assert (alert.labels["service"], alert.link) == (pair.service, pair.link)
    assert alert.ends_at is None


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.kind)
def test_what_ends_is_the_same_alert(pair: Pair) -> None:
    fired, ended = one(pair, pair.firing), one(pair, pair.resolved)

    assert ended.status == "resolved"
    assert ended.fingerprint == fired.fingerprint != ""
    # An end without a start of its own is read as the end of the episode that fires.
    assert ended.starts_at in (fired.starts_at, NOW)


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("grafana", {"alerts": [{"status": "alerting"}]}, "alerts.0.status"),
        ("grafana", {"alerts": None}, "alerts"),
        ("datadog", [1], "body"),
        ("datadog", {"id": 1}, "name"),
        ("pagerduty", {"messages": [{"event": "incident.trigger"}]}, "event"),
        ("pagerduty", {"event": {"event_type": "incident.triggered", "data": None}}, "event.data"),
        ("pagerduty", {"event": {"event_type": "incident.triggered", "data": {"id": "P1"}}}, "event.data.title"),
        (
            "cloudwatch",
            {"Type": "Notification", "Message": '{"AlarmName": "x", "NewStateValue": "BAD"}'},
            "Message.NewStateValue",
        ),
        ("cloudwatch", {"Type": "Notification", "Message": '{"AlarmName": '}, "Message"),
        ("cloudwatch", {"Type": "Notification", "Message": '{"x": 1}'}, "Message.AlarmName"),
        ("cloudwatch", {}, "Message"),
        ("cloudwatch", {"Type": "SubscriptionConfirmation", "SubscribeURL": "http://192.0.2.9/"}, "TopicArn"),
        ("sentry", {"action": "triggered", "data": {"event": {}}}, "data.event.title"),
        ("sentry", {"action": "odd", "data": {"metric_alert": {}}}, "action"),
        ("vmalert", {"a": 1}, "body"),
        ("vmalert", [{"labels": 1}], "0.labels"),
        ("vmalert", [{"labels": {}, "startsAt": "yesterday"}], "0.startsAt"),
        ("opsgenie", {}, "action"),
        ("opsgenie", {"action": "Create"}, "alert"),
        ("newrelic", {"state": "ACTIVATED"}, "title"),
        ("zabbix", {"clock": 1, "eventid": 1, "value": 7}, "value"),
        ("zabbix", {"clock": 1, "eventid": 1, "value": 0}, "p_eventid"),
        ("zabbix", {"host": "a"}, "event_name"),
    ],
)
def test_what_cannot_be_read_names_the_field(kind: str, body: Any, field: str) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read(kind, body)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("pagerduty", pd("incident.annotated")),
        ("pagerduty", {"event": {"event_type": "incident.exploded", "data": {"id": "P1"}}}),
        (
            "pagerduty",
            {"event": {"event_type": "incident.triggered", "data": {**PAGERDUTY, "incident_key": "tocsin:ack:AL-3"}}},
        ),
        ("opsgenie", {"action": "AddNote", "alert": OPSGENIE}),
        ("sentry", {"action": "created", "data": {"issue": SENTRY_ISSUE}}),
        ("cloudwatch", {"Type": "UnsubscribeConfirmation"}),
    ],
)
def test_events_that_open_and_end_nothing_are_ignored_and_counted(kind: str, body: Any) -> None:
    assert read(kind, body) == ParsedBody(ignored=1)


def test_a_bad_neighbour_of_zabbix_lines_is_set_aside() -> None:
    lines = [json.dumps(ZABBIX), json.dumps({"clock": 1, "eventid": 2, "value": 1}), json.dumps({**ZABBIX, "eventid": 44})]
    parsed = read("zabbix", "\n".join(lines).encode())

    assert [alert.fingerprint for alert in parsed.alerts] == ["42", "44"]
    assert [item.field for item in parsed.rejected] == ["1.name"]


def test_an_alarm_without_data_is_not_all_clear() -> None:
    (alert,) = read("cloudwatch", sns("INSUFFICIENT_DATA")).alerts

    assert alert.status == "firing"


def test_sns_messages_that_are_no_alarm_are_read_as_any_senders() -> None:
    (alert,) = read("cloudwatch", {"Type": "Notification", "Subject": "Budget exceeded", "Message": "over 100 USD"}).alerts

    assert alert.name == "Budget exceeded"


def test_a_datadog_template_that_was_not_filled_in_is_kept_apart_with_a_warning() -> None:
    raw = {"id": "$ID", "title": "$EVENT_TITLE", "alert_transition": "$ALERT_TRANSITION"}
    first, later = read("datadog", raw), read("datadog", {**raw, "extra": 1})

    assert first.alerts[0].fingerprint != later.alerts[0].fingerprint
    assert "unfilled" in first.warnings[0]


def test_grafana_8_and_own_payloads_are_understood() -> None:
    raw = {"title": "[OK] Panel alert", "ruleName": "Panel alert", "state": "ok", "ruleUrl": "https://grafana.example/d/1"}
    (alert,) = read("grafana", raw).alerts

    assert (alert.status, alert.link) == ("resolved", "https://grafana.example/d/1")


@pytest.mark.parametrize(("name", "state"), [("DatasourceNoData", "no data"), ("DatasourceError", "its query fails")])
def test_what_has_no_data_in_grafana_is_called_by_its_rule(name: str, state: str) -> None:
    labels = {"alertname": name, "rulename": "Slow checkout", "datasource_uid": "u"}
    (alert,) = read("grafana", am({**GRAFANA, "labels": labels}, "firing")).alerts

    assert (alert.name, alert.labels["alertname"]) == (f"Slow checkout: {state}", name)


def test_a_rule_of_grafana_8_ends_though_its_end_measures_nothing() -> None:
    rule = {"ruleId": 3, "orgId": 1, "ruleName": "Latency", "ruleUrl": "https://grafana.example/d/1"}
    measured = {"evalMatches": [{"metric": "p99", "value": 3}], "state": "alerting", "title": "[Alerting] Latency"}
    (fired,) = read("grafana", {**rule, **measured}).alerts
    (ended,) = read("grafana", {**rule, "evalMatches": [], "state": "ok", "title": "[OK] Latency"}).alerts

    assert (fired.name, fired.status, ended.status) == ("Latency", "firing", "resolved")
    assert fired.fingerprint == ended.fingerprint


@pytest.mark.parametrize("nothing", ["*UNKNOWN*", "{EVENT.TAGS.service}", "{$SERVICE}"])
def test_a_zabbix_macro_without_a_value_names_no_service(nothing: str) -> None:
    raw = {**ZABBIX_MEDIA, "service": nothing, "recovery_timestamp": "{EVENT.RECOVERY.TIMESTAMP}"}
    (alert,) = read("zabbix", raw).alerts
    (own,) = read("generic", {"name": "High CPU", "service": nothing, "fingerprint": nothing}).alerts

    assert nothing not in (*alert.labels.values(), *own.labels.values(), own.fingerprint)
    assert alert.labels["host"] == "db-1"


def test_an_end_that_is_still_to_come_is_no_template_left_unfilled() -> None:
    parsed = read("zabbix", {**ZABBIX_MEDIA, "recovery_timestamp": "{EVENT.RECOVERY.TIMESTAMP}"})

    assert parsed.warnings == ()


@pytest.mark.parametrize(
    "marks", ["[P2] [Triggered on {host:web-1,env:prod}] ", "[Recovered] ", "[P1] [Re-Triggered] ", "[No Data] "]
)
def test_the_marks_that_datadog_puts_before_a_title_are_no_part_of_the_name(marks: str) -> None:
    (alert,) = read("datadog", {**DATADOG, "alert_title": f"{marks}[shop] CPU high"}).alerts

    assert alert.name == "[shop] CPU high"


def test_datadogs_default_body_says_in_its_title_that_it_is_over() -> None:
    body = {"id": "1", "event_type": "query_alert_monitor", "org": {"id": "1", "name": "acme"}, "body": "errors rose"}
    (fired,), (ended,) = (
        read("datadog", {**body, "title": f"[{state} on {{host:web-1}}] Errors"}).alerts for state in ("Triggered", "Recovered")
    )

    assert (fired.status, ended.status) == ("firing", "resolved")
    assert fired.fingerprint == ended.fingerprint


@pytest.mark.parametrize(
    ("transition", "status"), [("No Data", "firing"), ("Re-No Data", "firing"), ("No Data Recovered", "resolved")]
)
def test_no_data_is_a_state_and_its_recovery_is_one(transition: str, status: str) -> None:
    (alert,) = read("datadog", {**DATADOG, "transition": transition}).alerts

    assert alert.status == status


def test_a_tag_without_a_value_takes_no_other_tag_away() -> None:
    (alert,) = read("datadog", {**DATADOG, "scope": "", "tags": "env:prod,monitor,service:cart,team:shop"}).alerts

    assert (alert.labels["service"], alert.labels["env"], alert.labels["team"]) == ("cart", "prod", "shop")


@pytest.mark.parametrize(
    "description",
    [
        "Checkout returns 5xx. severity=critical, service=checkout",
        "severity=critical, service=checkout. See https://wiki.example/5xx",
        "severity=critical service=checkout",
        "severity=critical\nservice=checkout\nCheckout returns 5xx",
        'Pages the shop (severity: "critical", service: checkout).',
    ],
)
def test_a_sentence_of_an_alarms_description_names_severity_and_service(description: str) -> None:
    alarm = {**ALARM, "AlarmDescription": description}
    (alert,) = read("cloudwatch", {**sns("ALARM"), "Message": json.dumps(alarm)}).alerts

    assert (alert.severity, alert.labels["service"]) == ("critical", "checkout")


def test_an_alarm_that_names_no_service_is_about_what_it_measures_or_what_its_arn_ends_with() -> None:
    metric = {"metricStat": {"metric": {"dimensions": {"InstanceId": "i-12345678901234567"}, "name": "CPUUtilization"}}}
    event = {**EVENTBRIDGE, "detail": {**EVENTBRIDGE["detail"], "configuration": {"metrics": [metric]}}}
    (measured,) = read("cloudwatch", event).alerts
    (bare,) = read("cloudwatch", {**event, "detail": {**event["detail"], "configuration": {}}}).alerts

    assert (measured.labels["instance"], "service" in measured.labels) == ("i-12345678901234567", False)
    assert bare.labels["service"] == "cpu"


@pytest.mark.parametrize("kind", ["pagerduty", "generic"])
def test_the_name_of_an_incidents_service_does_not_say_what_is_wrong(kind: str) -> None:
    (alert,) = read(kind, pd("incident.triggered")).alerts

    assert alert.annotations.get("summary", alert.name) == "Checkout fails"
