"""Bodies of each vendor, as an alert fires and as it ends, and what must be read of them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from bot.core.alert import Alert
from bot.core.config.alerts import SourceConfig
from bot.plugins import ParsedBody, Source, SourceRequest, discover

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
KINDS = discover(["bot.sources"], Source)


Body = dict[str, Any]


class Pair(NamedTuple):
    """What a vendor sends when an alert fires and when it ends, and what must be read of it."""

    kind: str
    firing: Any
    resolved: Any
    severity: str
    service: str
    link: str
    starts_at: datetime = NOW
    options: Mapping[str, Any] = MappingProxyType({})


GRAFANA: Body = {
    "labels": {"alertname": "Slow checkout", "service": "checkout", "severity": "critical"},
    "annotations": {"summary": "p99 is 3 s"},
    "startsAt": "2026-11-24T23:00:00Z",
    "fingerprint": "c6eadffa33fcdf37",
    "generatorURL": "https://grafana.example/alerting/grafana/x/view",
    "panelURL": "https://grafana.example/d/a?viewPanel=1",
    "dashboardURL": "https://grafana.example/d/a",
    "values": {"B": 3.1},
}
DATADOG: Body = {
    "alert_id": "1234",
    "alert_title": "Errors on {{service.name}}",
    "transition": "Triggered",
    "type": "error",
    "priority": "P2",
    "scope": "service:checkout,host:web-1",
    "tags": "env:prod,monitor",
    "host": "web-1",
    "text": "errors rose",
    "link": "https://app.datadoghq.example/monitors/1234",
    "at": "1795561200000",
}
PAGERDUTY: Body = {
    "id": "PT4KHLK",
    "type": "incident",
    "html_url": "https://acme.pagerduty.example/incidents/PT4KHLK",
    "title": "Checkout fails",
    "status": "triggered",
    "incident_key": "k",
    "created_at": "2026-11-24T23:00:00Z",
    "service": {"id": "PF9", "summary": "checkout", "type": "service_reference"},
    "urgency": "high",
    "priority": {"id": "PSO", "summary": "P1"},
    "assignees": [{"summary": "alice"}],
    "teams": [],
}
ALARM: Body = {
    "AlarmName": "checkout 5xx",
    "AlarmDescription": "severity=critical, service=checkout",
    "AWSAccountId": "123456789012",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout 5xx",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-11-24T23:00:00.000+0000",
    "Region": "EU (Ireland)",
    "Trigger": {
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Namespace": "AWS/ApplicationELB",
        "Dimensions": [{"name": "LoadBalancer", "value": "app/checkout/50dc"}],
        "Threshold": 10.0,
    },
}
EVENTBRIDGE: Body = {
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "123456789012",
    "time": "2026-11-24T23:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu"],
    "detail": {
        "alarmName": "cpu",
        "state": {"value": "ALARM", "reason": "x", "timestamp": "2026-11-24T23:00:00Z"},
        "previousState": {"value": "OK"},
        "configuration": {"description": "severity=critical, service=checkout"},
    },
}
SENTRY_EVENT: Body = {
    "title": "TypeError: x is null",
    "level": "error",
    "issue_id": "1170820242",
    "culprit": "pay at pay.js",
    "web_url": "https://sentry.example/issues/1170820242/events/e4/",
    "datetime": "2026-11-24T23:00:00Z",
    "url": "https://sentry.example/api/0/projects/acme/checkout/events/e4/",
    "project": 1,
}
SENTRY_ISSUE: Body = {
    "id": "1170820242",
    "title": "TypeError: x is null",
    "level": "error",
    "project": {"slug": "checkout"},
    "web_url": "https://sentry.example/issues/1170820242/",
    "status": "resolved",
}
SENTRY_METRIC: Body = {
    "id": "12",
    "alert_rule": {"id": "7", "name": "Too many errors", "query": "level:error", "triggers": []},
    "projects": ["checkout"],
    "date_started": "2026-11-24T23:00:00Z",
    "status": 20,
}
VMALERT: Body = {
    "labels": {"alertname": "Slow", "service": "checkout", "severity": "critical", "alertgroup": "shop"},
    "annotations": {"summary": "x"},
    "startsAt": "2026-11-24T23:00:00Z",
    "endsAt": "2026-11-24T23:09:00Z",
    "generatorURL": "https://vm.example/vmalert/alert?group_id=1&alert_id=2",
}
OPSGENIE: Body = {
    "alertId": "0526-ac",
    "message": "Checkout fails",
    "alias": "a",
    "tinyId": "23",
    "entity": "checkout",
    "createdAt": 1795561200000,
    "updatedAt": 1795561320000000000,
    "priority": "P1",
    "tags": ["shop"],
    "description": "d",
    "source": "api",
    "username": "alice@example.com",
}
NEWRELIC: Body = {
    "id": "d1b1f3fd",
    "issueUrl": "https://radar.newrelic.example/issues/1",
    "title": "Memory over 90 % on 'checkout'",
    "priority": "CRITICAL",
    "impactedEntities": ["checkout"],
    "state": "ACTIVATED",
    "createdAt": 1795561200000,
    "updatedAt": 1795561320000,
    "alertPolicyNames": ["Golden signals"],
    "alertConditionNames": ["Memory"],
    "trigger": "STATE_CHANGE",
    "sources": ["newrelic"],
    "isCorrelated": "false",
}
ZABBIX: Body = {
    "clock": 1795561200,
    "ns": 5,
    "value": 1,
    "eventid": 42,
    "name": "High CPU",
    "severity": 5,
    "hosts": [{"host": "db-1", "name": "Database 1"}],
    "groups": ["Linux"],
    "tags": [{"tag": "service", "value": "checkout"}],
}
ZABBIX_MEDIA: Body = {
    "event_name": "High CPU",
    "event_value": "1",
    "event_severity": "Disaster",
    "event_id": "42",
    "trigger_id": "13",
    "host": "db-1",
    "service": "checkout",
    "event_timestamp": "1795561200",
    "event_opdata": "CPU: 99 %",
}
AT = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)


def am(alert: dict[str, Any], status: str) -> dict[str, Any]:
    return {
        "receiver": "tocsin",
        "status": status,
        "orgId": 1,
        "version": "1",
        "groupKey": "{}",
        "alerts": [{**alert, "status": status}],
    }


def pd(event: str) -> dict[str, Any]:
    data = {**PAGERDUTY, "status": event.rpartition(".")[2]}
    return {"event": {"id": "01", "event_type": event, "occurred_at": "2026-11-24T23:02:00Z", "resource_type": "incident",
                      "agent": {"summary": "alice"}, "data": data}}  # fmt: skip


def sns(state: str) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Subject": "ALARM",
            "Message": json.dumps({**ALARM, "NewStateValue": state}), "Timestamp": "2026-11-24T23:00:01.000Z"}  # fmt: skip


def bridge(state: str) -> dict[str, Any]:
    detail = {**EVENTBRIDGE["detail"], "state": {"value": state, "timestamp": "2026-11-24T23:00:00Z"}}
    return {**EVENTBRIDGE, "detail": detail}


CONSOLE = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/"
PAIRS = [
    Pair("grafana", am(GRAFANA, "firing"), am(GRAFANA, "resolved"), "critical", "checkout", GRAFANA["panelURL"], AT),
    Pair("datadog", DATADOG, {**DATADOG, "transition": "Recovered", "type": "success"}, "P2", "checkout", DATADOG["link"], AT),
    Pair("pagerduty", pd("incident.triggered"), pd("incident.resolved"), "P1", "checkout", PAGERDUTY["html_url"], AT),
    Pair("cloudwatch", sns("ALARM"), sns("OK"), "critical", "checkout", CONSOLE + "checkout%205xx", AT),
    Pair("cloudwatch", bridge("ALARM"), bridge("OK"), "critical", "checkout", CONSOLE + "cpu", AT),
    Pair("sentry", {"action": "triggered", "data": {"event": SENTRY_EVENT, "triggered_rule": "errors"}},
         {"action": "resolved", "data": {"issue": SENTRY_ISSUE}}, "error", "checkout", SENTRY_EVENT["web_url"], AT),
    Pair("sentry", {"action": "critical", "data": {"metric_alert": SENTRY_METRIC, "web_url": "https://sentry.example/a/12"}},
         {"action": "resolved", "data": {"metric_alert": SENTRY_METRIC, "web_url": "https://sentry.example/a/12"}},
         "critical", "checkout", "https://sentry.example/a/12", AT),
    Pair("vmalert", [VMALERT], [{**VMALERT, "endsAt": "2026-11-24T23:04:00Z"}], "critical", "checkout",
         VMALERT["generatorURL"], AT),
    Pair("opsgenie", {"action": "Create", "alert": OPSGENIE}, {"action": "Close", "alert": OPSGENIE}, "P1", "checkout",
         "https://app.opsgenie.com/alert/detail/0526-ac/details", AT),
    Pair("newrelic", NEWRELIC, {**NEWRELIC, "state": "CLOSED"}, "CRITICAL", "checkout", NEWRELIC["issueUrl"], AT),
    Pair("zabbix", ZABBIX, {"clock": 1795561320, "ns": 1, "value": 0, "eventid": 43, "p_eventid": 42}, "disaster",
         "checkout", "", AT),
    Pair("zabbix", ZABBIX_MEDIA, {**ZABBIX_MEDIA, "event_value": "0"}, "disaster", "checkout",
         "https://zabbix.example/tr_events.php?triggerid=13&eventid=42", AT, options={"url": "https://zabbix.example/"}),
]  # fmt: skip


def read(kind: str, body: Any, *, headers: dict[str, str] | None = None, **options: Any) -> ParsedBody:
    config = SourceConfig(kind=kind, options=options)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return KINDS[kind].read(SourceRequest("prod", raw, headers or {}, NOW, config))


def one(pair: Pair, body: Any) -> Alert:
    (alert,) = read(pair.kind, body, **pair.options).alerts
    return alert
