"""An unknown sender's JSON is read as people would read it, and every choice says where it came from."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.payloads.choices import Corrections
from bot.core.payloads.items import items_of
from bot.core.payloads.names import AlertField
from bot.core.payloads.reading import understand
from bot.core.payloads.values import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MONITOR: dict[str, Any] = {
    "check": {"id": 7, "checkName": "Front page", "tags": ["team:web"]},
    "currentState": "DOWN",
    "previousState": "UP",
    "importanceLevel": "HIGH",
    "server": {"name": "edge-3"},
    "detail": "connection refused by edge-3",
    "since": "2026-03-01T11:58:00Z",
    "reportUrl": "https://watch.example/r/7",
    "request": {"title": "GET /", "status": "ok", "url": "https://elsewhere.example/"},
}


def test_title_status_severity_entity_start_and_link_are_found() -> None:
    understanding = understand(MONITOR, now=NOW)

    assert understanding.text(AlertField.NAME) == "Front page"
    assert understanding.text(AlertField.SEVERITY) == "HIGH"
    assert (understanding.text(AlertField.SERVICE), understanding.entity_kind) == ("edge-3", "server")
    assert understanding.state is State.FIRING
    assert understanding.moment(AlertField.STARTS_AT) == datetime(2026, 3, 1, 11, 58, tzinfo=UTC)
    assert understanding.text(AlertField.LINK) == "https://watch.example/r/7"
    assert understanding.labels["team"] == "web"


def test_each_choice_names_its_path_and_why() -> None:
    choice = understand(MONITOR, now=NOW).choices[AlertField.STATUS]

    assert choice.path == "currentState"
    assert "currentState" in choice.reason


@pytest.mark.parametrize(
    "told",
    [
        {"title": "[Recovered] Disk full", "status": "Alert"},
        {"title": "RESOLVED: disk full"},
        {"title": "disk full on db-1 has recovered"},
        {"title": "Disk full", "event_type": "incident.resolved", "status": "triggered"},
        {"title": "Disk full", "alert_transition": "Recovered"},
        {"title": "Disk full", "state": {"value": "OK"}},
        {"title": "Disk full", "resolved": True},
        {"title": "Disk full", "firing": False},
        {"title": "Disk full", "ended_at": "2026-03-01T11:00:00Z"},
        {"title": "Disk full", "message": "[db-1] [\u2705 Up] all is well"},
        {"name": "Disk full", "summary": "Resolved: Disk full", "type": "alert"},
        {"title": "Disk full", "severity": "CLEAR"},
        {"title": "Disk full", "eventType": "POLICY_CLOSE_WARNING"},
        {"title": "Disk full", "check_state": "passing"},
        {"title": "db-1 recovered from Disk full", "rule": "Disk full"},
    ],
)
def test_what_says_that_it_is_over_never_fires(told: dict[str, Any]) -> None:
    assert understand(told, now=NOW).state is State.RESOLVED


@pytest.mark.parametrize(
    "told",
    [
        {"title": "Recovery of the backup failed"},
        {"title": "Name could not be resolved"},
        {"title": "Disk full", "status": "not resolved"},
        {"title": "Disk full", "previous_state": "OK"},
        {"title": "Disk full", "ends_at": "2026-03-01T13:00:00Z"},
        {"title": "Disk full", "ended_at": 0, "state": "OPEN"},
        {"title": "Disk full", "request": {"status": "ok"}},
        {"title": "Disk full", "resolved": False},
        {"title": "Disk full", "severity": "normal"},
        {"title": "Disk full", "severity": "ok", "status": "firing"},
        {"title": "Disk full", "transition": "OK -> CRITICAL"},
        {"title": "Disk full", "transition": "resolved to critical"},
        {"title": "Disk full", "event": "ok_critical"},
        {"title": "Disk full", "event": "dns_resolve_error"},
        {"title": "Disk full", "event": "job_ended_critical"},
        {"title": "Disk full", "event": "reset"},
        {"title": "Disk full", "event": "threshold passed"},
        {"title": "db-1 recovered from Disk full", "rule": "Disk full", "status": "firing"},
        {"title": "db-1 has not recovered from Disk full", "rule": "Disk full"},
        {"title": "db-1 recovered from a crash"},
    ],
)
def test_what_does_not_say_so_fires(told: dict[str, Any]) -> None:
    assert understand(told, now=NOW).state is State.FIRING


@pytest.mark.parametrize(
    ("told", "severity"),
    [
        ({"priority": 4}, "P4"), ({"priority": "P2 - high"}, "high"), ({"severity": "SEVERITY_CRITICAL"}, "CRITICAL"),
        ({"severity": 4}, "4"), ({"severity": "spicy"}, "spicy"), ({"id": 4}, ""), ({"level": "warning"}, "warning"),
        ({"title": "[CRITICAL] Disk full"}, "CRITICAL"),
    ],
)  # fmt: skip
def test_a_severity_keeps_the_senders_word(told: dict[str, Any], severity: str) -> None:
    assert understand({"title": "Disk full", **told}, now=NOW).text(AlertField.SEVERITY).upper() == severity.upper()


@pytest.mark.parametrize(
    ("given", "title", "summary"),
    [
        (
            {"name": "Slow queries", "summary": "Triggered: Slow queries", "description": "p95 is 2310 ms"},
            "Slow queries",
            "p95 is 2310 ms",
        ),
        (
            {
                "condition_name": "VM CPU > 90%",
                "summary": "CPU utilization for internal-project gke-1 with metric labels {instance_name=gke-1} is above the "
                "threshold of 0.900 with a value of 0.972.",
            },
            "VM CPU > 90%",
            "CPU utilization",
        ),
        (
            {
                "rule": {"level": 10, "description": "sshd: brute force"},
                "manager": {"name": "siem"},
                "decoder": {"name": "sshd"},
            },
            "sshd: brute force",
            "",
        ),
    ],
)
def test_a_title_is_what_an_alert_is_called_and_no_report_of_what_happened(
    given: dict[str, Any], title: str, summary: str
) -> None:
    understanding = understand(given, now=NOW)

    assert understanding.text(AlertField.NAME) == title
    assert understanding.text(AlertField.SUMMARY).startswith(summary)


def test_a_row_of_stars_is_no_severity() -> None:
    assert AlertField.SEVERITY not in understand({"title": "Ping", "priority": "*****"}, now=NOW).choices


def test_a_thing_that_only_the_text_names_is_what_the_alert_is_about() -> None:
    understanding = understand({"summary": "Latency is high for customer_id:acme"}, now=NOW)

    assert understanding.text(AlertField.SERVICE) == "acme"


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        ("arn:aws:cloudwatch:eu-west-1:1:alarm:Shop/5xx", "Shop/5xx"), ("arn:aws:lambda:eu-west-1:1:function:pay:LIVE", "pay"),
        ("arn:aws:ecs:eu-west-1:1:service/prod/checkout", "checkout"), ("arn:aws:sqs:eu-west-1:1:orders", "orders"),
        ("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/checkout/50dc6c495c0c9188", "checkout"),
        ("app/checkout/50dc6c495c0c9188", "checkout"), ("shop/checkout", "shop/checkout"),
    ],
)  # fmt: skip
def test_a_thing_is_called_by_the_last_name_of_its_address_at_aws(thing: str, name: str) -> None:
    assert understand({"title": "It fails", "resource": thing}, now=NOW).text(AlertField.SERVICE) == name


def test_tocsin_yaml_corrects_any_field_and_says_which_path_is_empty() -> None:
    corrections = Corrections(
        {AlertField.NAME: "detail", AlertField.SEVERITY: "=critical", AlertField.SERVICE: "no.such"}, frozenset({"down"})
    )
    understanding = understand(MONITOR, corrections, now=NOW)

    assert understanding.text(AlertField.NAME) == "connection refused by edge-3"
    assert understanding.text(AlertField.SEVERITY) == "critical"
    assert understanding.state is State.RESOLVED
    assert understanding.warnings == ("fields.service: nothing stands at no.such",)


def test_a_template_that_was_not_filled_in_is_no_title_and_is_told() -> None:
    understanding = understand({"title": "$EVENT_TITLE", "host": "{{ host.name }}", "severity": "*UNKNOWN*"}, now=NOW)

    assert not {AlertField.NAME, AlertField.SEVERITY} & understanding.choices.keys()
    assert "title, host" in understanding.warnings[0]


def test_a_list_of_alerts_inside_of_a_body_is_one_alert_each_with_what_the_body_says_around() -> None:
    body = {"source": "watch", "severity": "high", "incidents": [{"title": "a is slow"}, {"title": "b is slow"}]}
    items = items_of(body)
    seen = [understand(item.document, around=item.around, now=NOW) for item in items]

    assert [item.dotted_path for item in items] == ["incidents.0", "incidents.1"]
    assert [one.text(AlertField.NAME) for one in seen] == ["a is slow", "b is slow"]
    assert {one.text(AlertField.SEVERITY) for one in seen} == {"high"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["title", "status", "severity", "tags", "", "name", "value", "alerts", "time"]), inner
        )
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(_JSON)
def test_no_document_raises(document: object) -> None:
    for item in items_of(document):
        understand(item.document, around=item.around, now=NOW)
