"""Of any sender: which alerts are the same one, and what they are about."""

from typing import Any

import pytest

from tests.unit.sources.vendor_bodies import read

Body = dict[str, Any]


def identity(body: Body) -> str:
    (alert,) = read("generic", body).alerts
    return alert.fingerprint


def of_rule(rule: str, host: str, event: str = "fired") -> Body:
    """An id that names the host, as Kibana's does for a rule that groups by host."""
    return {"rule": {"id": rule, "name": rule}, "alert": {"id": host, "actionGroup": event}, "context": {"reason": event}}


def of_check(state: str, output: str, host: str = "web-1", service: str = "HTTP") -> Body:
    return {"host": host, "service": service, "state": state, "output": output}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of_rule("CPU high", "web-1"), of_rule("Disk full", "web-1")),
        (of_rule("CPU high", "web-1"), of_rule("CPU high", "web-2")),
        ({"title": "CPU high", "alert": {"id": "web-1"}}, {"title": "Disk full", "alert": {"id": "web-1"}}),
        ({"title": "CPU high", "host_alias": "web-1"}, {"title": "Disk full", "host_alias": "web-1"}),
        ({"title": "Ends soon", "certificate": {"fingerprint": "ab"}}, {"title": "Weak", "certificate": {"fingerprint": "ab"}}),
        ({"title": "Disk full on web-1", "x": 1}, {"title": "Disk full on web-2", "x": 1}),
        ({"title": "10.0.0.1 is silent", "x": 1}, {"title": "10.0.0.2 is silent", "x": 1}),
        (of_check("CRITICAL", "timeout"), of_check("CRITICAL", "timeout", service="SSH")),
        (of_check("CRITICAL", "timeout"), of_check("CRITICAL", "timeout", host="web-2")),
        ({"title": "Disk", "host": {"name": "web-1"}}, {"title": "Disk", "host": {"name": "web-2"}}),
        ({"message": "Disk full", "host": "a", "service": "s"}, {"message": "CPU high", "host": "a", "service": "s"}),
        ({"title": "Brute force", "agent": {"name": "web-1"}}, {"title": "Brute force", "agent": {"name": "web-2"}}),
        ({"message": "Disk full", "host": "a", "alert": True}, {"message": "CPU high", "host": "a", "alert": True}),
        ({"message": "Disk full", "host": "a", "alert": "firing"}, {"message": "CPU high", "host": "a", "alert": "firing"}),
    ],
)
def test_two_alerts_are_never_one(one: Body, other: Body) -> None:
    assert identity(one) != identity(other)


@pytest.mark.parametrize(
    ("firing", "ended"),
    [
        (of_rule("CPU high", "web-1"), of_rule("CPU high", "web-1", "recovered")),
        ({"title": "[Triggered] CPU at 95%", "alert_id": "a"}, {"title": "[Recovered] CPU at 3.5%", "alert_id": "a"}),
        ({"title": "CPU is bad", "incident": {"id": "7"}}, {"title": "All is well", "incident": {"id": "7"}}),
        (of_check("CRITICAL", "HTTP CRITICAL - 503"), of_check("OK", "HTTP OK")),
        ({"host": "a", "state": "DOWN", "output": "PING CRITICAL"}, {"host": "a", "state": "UP", "output": "PING OK"}),
        (
            {"HOSTNAME": "a", "SERVICEDESC": "HTTP", "SERVICESTATE": "CRITICAL", "SERVICEOUTPUT": "HTTP CRITICAL - 503"},
            {"HOSTNAME": "a", "SERVICEDESC": "HTTP", "SERVICESTATE": "OK", "SERVICEOUTPUT": "HTTP OK"},
        ),
        (
            {"host": {"name": "a"}, "service": {"name": "HTTP", "state": "CRITICAL", "output": "HTTP CRITICAL"}},
            {"host": {"name": "a"}, "service": {"name": "HTTP", "state": "OK", "output": "fine"}},
        ),
        ({"check": "HTTP", "host": "a", "message": "503"}, {"check": "HTTP", "host": "a", "message": "fine", "state": "ok"}),
        ({"subject": "Problem: CPU high", "x": 1}, {"subject": "Resolved in 1h 5m 0s: CPU high", "x": 1}),
        ({"title": "web-1 is down", "x": 1}, {"title": "web-1 is back up", "x": 1}),
    ],
)
def test_what_ends_an_alert_is_the_same_alert(firing: Body, ended: Body) -> None:
    assert identity(firing) == identity(ended)


def test_a_key_around_several_alerts_is_the_key_of_none_of_them() -> None:
    alerts = read("generic", {"alerts": [{"title": "a is slow"}, {"title": "b is slow"}], "incident_id": "5"}).alerts

    assert alerts[0].fingerprint != alerts[1].fingerprint


@pytest.mark.parametrize(
    ("told", "label", "name"),
    [
        ({"team_name": "shop"}, "entity", "shop"),
        ({"team": {"name": "shop"}}, "entity", "shop"),
        ({"project_name": "shop", "owner": "alice"}, "entity", "shop"),
        ({"server": {"name": "edge-3"}}, "host", "edge-3"),
        ({"agent": {"id": "004", "name": "edge-3"}}, "host", "edge-3"),
        ({"NodeName": "edge-3"}, "host", "edge-3"),
        ({"app_name": "checkout", "app_owner": "alice", "service_team": "shop"}, "service", "checkout"),
        ({"customer_service": "pay"}, "service", "pay"),
        ({"search_name": "Errors", "app": "search", "owner": "admin", "result": {"host": "db-1"}}, "host", "db-1"),
        (
            {"ProblemID": "P-1", "ImpactedEntity": "checkout", "ServiceOwner": "alice", "Tags": "team:shop"},
            "service",
            "checkout",
        ),
    ],
)
def test_what_an_alert_is_about_is_neither_a_team_nor_whoever_owns_it(told: Body, label: str, name: str) -> None:
    (alert,) = read("generic", {"title": "It fails", "x": 1, **told}).alerts
    things = {key: alert.labels[key] for key in ("service", "host", "entity") if key in alert.labels}

    assert things == {label: name}
