"""Each source turns its vendor's body into our nouns."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.config.alerts import SourceConfig
from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, Source, SourceRequest
from bot.sources.alertmanager import alertmanager
from bot.sources.changes.github import github
from bot.sources.generic import generic

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "HighErrorRate", "service": "checkout", "severity": "critical"},
    "annotations": {"summary": "checkout error ratio is 7.089%"},
    "startsAt": "2026-11-24T23:01:57.704Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    "fingerprint": "088a068a2eea3600",
}


def read(source: Source, body: Any, endpoint: str = "alerts", **options: Any) -> ParsedBody:
    config = SourceConfig(kind=source.name, options=options)
    return source.read(SourceRequest("prod", json.dumps(body).encode(), {}, NOW, config, endpoint))


def webhook(*alerts: Any) -> dict[str, Any]:
    return {"version": "4", "groupKey": '{}:{alertname="HighErrorRate"}', "status": "firing", "alerts": list(alerts)}


def test_alertmanagers_alert_keeps_its_identity_start_and_query() -> None:
    (alert,) = read(alertmanager, webhook(FIRING)).alerts

    assert (alert.fingerprint, alert.status, alert.name, alert.severity) == (
        "088a068a2eea3600", "firing", "HighErrorRate", "critical",
    )  # fmt: skip
    assert alert.starts_at == datetime(2026, 11, 24, 23, 1, 57, 704000, tzinfo=UTC)
    assert alert.ends_at is None
    assert alert.expression == "up == 0"
    assert alert.group_key == '{}:{alertname="HighErrorRate"}'


def test_a_resolved_alert_says_when_it_ended() -> None:
    (alert,) = read(alertmanager, webhook({**FIRING, "status": "resolved", "endsAt": "2026-11-24T23:02:07.704Z"})).alerts

    assert alert.status == "resolved"
    assert alert.ends_at == datetime(2026, 11, 24, 23, 2, 7, 704000, tzinfo=UTC)


def test_two_good_alerts_beside_a_bad_one_are_taken() -> None:
    parsed = read(alertmanager, webhook(FIRING, {"status": "broken"}, FIRING))

    assert len(parsed.alerts) == 2
    assert [r.field for r in parsed.rejected] == ["alerts.1.status"]


@pytest.mark.parametrize("body", [None, [], {}, {"alerts": None}, {"alerts": "x"}, {"alerts": [{"status": "firing"}]}])
def test_a_body_without_readable_alerts_names_the_field(body: Any) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read(alertmanager, body)

    assert caught.value.field.startswith("alerts")


def test_without_a_fingerprint_equal_labels_are_the_same_alert() -> None:
    bare = {k: v for k, v in FIRING.items() if k != "fingerprint"}
    found = read(alertmanager, webhook(bare, {**bare, "status": "resolved"})).alerts

    assert found[0].fingerprint == found[1].fingerprint != ""


def test_a_secret_in_an_annotation_is_not_kept() -> None:
    (alert,) = read(alertmanager, webhook({**FIRING, "annotations": {"summary": "db_password=FAKEhunter22"}})).alerts

    assert "FAKE" not in alert.annotations["summary"]


def test_the_generic_source_needs_only_a_name() -> None:
    (alert,) = read(generic, {"name": "DiskFull"}).alerts

    assert (alert.status, alert.starts_at) == ("firing", NOW)


def test_the_generic_source_resolves_by_name_service_and_labels_whatever_the_severity() -> None:
    raw = {"name": "DiskFull", "service": "db", "labels": {"host": "a"}}
    found = read(generic, [{**raw, "severity": "warning"}, {**raw, "severity": "critical", "status": "ok"}]).alerts

    assert found[0].fingerprint == found[1].fingerprint
    assert [alert.status for alert in found] == ["firing", "resolved"]


def test_an_alert_with_title_and_service_at_the_alert_door_is_an_alert() -> None:
    parsed = read(generic, {"title": "Errors", "service": "checkout"})

    assert [alert.name for alert in parsed.alerts] == ["Errors"]
    assert parsed.changes == ()


def test_the_generic_source_takes_changes_at_their_door() -> None:
    (change,) = read(generic, {"service": "checkout", "title": "deploy 1.5.0", "id": 7, "kind": "Flag"}, "changes").changes

    assert (change.id, change.kind, change.service, change.at) == ("prod:7", "flag", "checkout", NOW)


@pytest.mark.parametrize("body", [{"__proto__": {"admin": True}}, "text", {"title": "no service"}])
def test_an_unreadable_change_is_refused(body: Any) -> None:
    with pytest.raises(UnreadableBody):
        read(generic, body, "changes")


def deployment(state: str = "success", environment: str = "production") -> dict[str, Any]:
    return {
        "deployment_status": {"state": state, "created_at": "2026-11-24T23:00:00Z", "target_url": "https://ci.example.com/1"},
        "deployment": {"id": 5, "sha": "abcdef0123456789", "ref": "v1.5.0", "environment": environment, "description": "x",
                       "creator": {"login": "alice"}},
        "repository": {"name": "checkout"},
    }  # fmt: skip


def test_a_successful_github_deployment_is_a_change() -> None:
    (change,) = read(github, deployment(), "changes").changes

    assert (change.service, change.version, change.author, change.kind) == ("checkout", "abcdef012345", "alice", "deploy")


def test_repositories_can_be_mapped_to_services() -> None:
    (change,) = read(github, deployment(), "changes", services={"checkout": "shop-checkout"}).changes

    assert change.service == "shop-checkout"


@pytest.mark.parametrize("body", [deployment("failure"), deployment(environment="staging")])
def test_other_deployments_are_taken_and_ignored(body: Any) -> None:
    assert read(github, body, "changes") == ParsedBody()


def test_a_github_body_without_its_parts_is_refused() -> None:
    with pytest.raises(UnreadableBody):
        read(github, {"deployment": {"sha": "zzzz"}, "action": "created"}, "changes")
