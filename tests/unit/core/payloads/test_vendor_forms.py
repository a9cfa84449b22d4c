"""Forms in which well-known monitoring systems send alerts, read by `generic` without knowing any of them."""

from typing import Any

import pytest

from bot.core.payloads.items import items_of
from bot.core.payloads.names import AlertField
from bot.core.payloads.reading import understand

Accepted = str | tuple[str, ...] | None
"""Any of several words; None: not looked at."""
FORMS: list[tuple[str, Any, Accepted, Accepted, str, Accepted]] = [
    (
        "pd",
        {
            "event": {
                "id": "01",
                "event_type": "incident.resolved",
                "resource_type": "incident",
                "occurred_at": "2026-05-20T14:00:00Z",
                "agent": {"summary": "Jane", "type": "user_reference"},
                "data": {
                    "id": "PT4",
                    "type": "incident",
                    "html_url": "https://x.pagerduty.com/incidents/PT4",
                    "status": "resolved",
                    "incident_key": "k",
                    "created_at": "2026-05-20T14:00:00Z",
                    "title": "Disk is full",
                    "service": {"id": "P1", "summary": "Mail", "type": "service_reference"},
                    "assignees": [{"summary": "Jane"}],
                    "escalation_policy": {"summary": "Default"},
                    "teams": [{"summary": "Ops"}],
                    "priority": {"id": "P5", "summary": "P1"},
                    "urgency": "high",
                },
            }
        },
        "Disk is full",
        ("p1", "high"),
        "resolved",
        "Mail",
    ),
    (
        "azure",
        {
            "schemaId": "azureMonitorCommonAlertSchema",
            "data": {
                "essentials": {
                    "alertId": "/subscriptions/x/providers/y/alerts/b9",
                    "alertRule": "WCUS-R2-Gen2",
                    "severity": "Sev3",
                    "signalType": "Metric",
                    "monitorCondition": "Resolved",
                    "monitoringService": "Platform",
                    "alertTargetIDs": ["/subscriptions/x/vm/wcus"],
                    "configurationItems": ["wcus-r2-gen2"],
                    "firedDateTime": "2019-03-22T13:58:24.3713213Z",
                    "resolvedDateTime": "2019-03-22T14:03:16.2246313Z",
                    "description": "CPU",
                    "essentialsVersion": "1.0",
                    "alertContextVersion": "1.0",
                },
                "alertContext": {
                    "properties": None,
                    "conditionType": "SingleResourceMultipleMetricCriteria",
                    "condition": {
                        "windowSize": "PT5M",
                        "allOf": [
                            {
                                "metricName": "Percentage CPU",
                                "metricNamespace": "Microsoft.Compute/virtualMachines",
                                "operator": "GreaterThan",
                                "threshold": "25",
                                "timeAggregation": "Average",
                                "dimensions": [{"name": "ResourceId", "value": "3efad9dc-3d50-4eac-9c87-8b3fd6f97e4e"}],
                                "metricValue": 7.727,
                            }
                        ],
                    },
                },
            },
        },
        "WCUS-R2-Gen2",
        "sev3",
        "resolved",
        None,
    ),
    (
        "dynatrace",
        {
            "ProblemID": "P-99",
            "ProblemTitle": "High failure rate on payment-service",
            "ProblemURL": "https://x/#p",
            "ProblemSeverity": "ERROR",
            "State": "RESOLVED",
            "ProblemImpact": "SERVICE",
            "ImpactedEntity": "payment-service",
            "ImpactedEntities": [{"type": "SERVICE", "name": "payment-service", "entity": "SERVICE-1"}],
            "PID": "1",
            "Tags": "team:pay, env:prod",
        },
        "High failure rate",
        "error",
        "resolved",
        "payment-service",
    ),
    (
        "uptimerobot",
        {
            "monitorID": "95987545252",
            "monitorURL": "http://test.com",
            "monitorFriendlyName": "Website",
            "alertType": "2",
            "alertTypeFriendlyName": "Up",
            "alertDetails": "HTTP 200",
            "alertDuration": "30",
        },
        None,
        None,
        "resolved",
        None,
    ),
    (
        "pingdom",
        {
            "check_id": 12345,
            "check_name": "Shop front",
            "check_type": "HTTP",
            "check_params": {
                "basic_auth": False,
                "encryption": True,
                "full_url": "https://www.example.com/path",
                "hostname": "www.example.com",
                "port": 443,
            },
            "tags": ["t"],
            "previous_state": "UP",
            "current_state": "DOWN",
            "importance_level": "HIGH",
            "state_changed_timestamp": 1451610061,
            "state_changed_utc_time": "2016-01-01T01:01:01",
            "long_description": "Invalid URL",
            "description": "Invalid URL",
        },
        "Shop front",
        "high",
        "firing",
        "www.example.com",
    ),
    (
        "uptimekuma",
        {
            "heartbeat": {
                "monitorID": 1,
                "status": 0,
                "time": "2026-01-01 00:00:00",
                "msg": "connect ECONNREFUSED",
                "important": True,
                "duration": 60,
            },
            "monitor": {
                "id": 1,
                "name": "Shop",
                "description": None,
                "url": "https://shop.example",
                "type": "http",
                "interval": 60,
            },
            "msg": "[Shop] [🔴 Down] connect ECONNREFUSED",
        },
        "Shop",
        None,
        "firing",
        "Shop",
    ),
    (
        "kibana",
        {
            "rule": {"id": "1", "name": "Checkout errors", "tags": ["shop"]},
            "alertId": "x",
            "alertActionGroup": "recovered",
            "alertActionGroupName": "Recovered",
            "context": {"reason": "count is 12"},
            "date": "2026-01-01T00:00:00Z",
        },
        "Checkout errors",
        None,
        "resolved",
        None,
    ),
    (
        "rollbar",
        {
            "event_name": "new_item",
            "data": {
                "item": {
                    "id": 272716944,
                    "title": "TypeError: x is null",
                    "environment": "production",
                    "level": 40,
                    "status": "active",
                    "last_occurrence": {"level": "error", "server": {"host": "web-3"}},
                }
            },
        },
        "TypeError",
        None,
        "firing",
        None,
    ),
    (
        "grafana_legacy",
        {
            "dashboardId": 1,
            "evalMatches": [{"value": 1, "metric": "Count", "tags": {}}],
            "imageUrl": "https://g/i.png",
            "message": "Notification Message",
            "orgId": 1,
            "panelId": 2,
            "ruleId": 1,
            "ruleName": "Panel Title alert",
            "ruleUrl": "http://localhost:3000/d/hZ7",
            "state": "ok",
            "tags": {"tag name": "tag value"},
            "title": "[OK] Panel Title alert",
        },
        "Panel Title alert",
        None,
        "resolved",
        None,
    ),
    (
        "signalfx",
        {
            "severity": "Critical",
            "originatingMetric": "cpu",
            "detectOnCondition": "when(A>1)",
            "detector": "CPU detector",
            "detectorId": "Dabc",
            "detectorUrl": "https://app/x",
            "statusExtended": "ok",
            "messageTitle": "Back to normal: CPU",
            "messageBody": "x",
            "incidentId": "E1",
            "eventType": "E_1",
            "rule": "CPU rule",
            "status": "ok",
            "timestamp": "2026-01-01T00:00:00Z",
            "dimensions": {"host": "web-1"},
            "description": "The value of cpu",
        },
        "CPU",
        "critical",
        "resolved",
        "web-1",
    ),
    (
        "betterstack",
        {
            "data": {
                "id": "2",
                "type": "incident",
                "attributes": {
                    "name": "shop.example",
                    "url": "https://shop.example",
                    "cause": "Status 500",
                    "started_at": "2026-01-01T00:00:00Z",
                    "acknowledged_at": None,
                    "resolved_at": "2026-01-01T00:10:00Z",
                    "status": "Resolved",
                },
            }
        },
        "shop.example",
        None,
        "resolved",
        None,
    ),
    (
        "pager_cef",
        {
            "payload": {
                "summary": "DISK at 99% on machine prod-datapipe03",
                "timestamp": "2026-07-17T08:42:58.315+0000",
                "severity": "critical",
                "source": "prod-datapipe03",
                "component": "mysql",
                "group": "prod-datapipe",
                "class": "disk",
                "custom_details": {"free space": "1%"},
            },
            "routing_key": "samplekeyhere",
            "dedup_key": "samplekeyhere",
            "event_action": "trigger",
        },
        "DISK at 99%",
        "critical",
        "firing",
        ("mysql", "prod-datapipe03"),
    ),
    (
        "victorops",
        {
            "message_type": "RECOVERY",
            "entity_id": "disk/web-1",
            "entity_display_name": "Disk on web-1",
            "state_message": "ok",
            "state_start_time": 1600000000,
            "monitoring_tool": "nagios",
        },
        "Disk on web-1",
        None,
        "resolved",
        None,
    ),
    (
        "nagios",
        {
            "host": "web-1",
            "service": "HTTP",
            "state": "CRITICAL",
            "output": "Connection refused",
            "notificationtype": "PROBLEM",
        },
        None,
        "critical",
        "firing",
        "HTTP",
    ),
    (
        "appd",
        {
            "application": {"name": "ECommerce"},
            "eventType": "POLICY_OPEN_CRITICAL",
            "severity": "ERROR",
            "displayName": "Health Rule Violation Started",
            "summaryMessage": "Business Transaction health violation",
            "deepLink": "http://c/x",
            "tier": "web",
        },
        None,
        "error",
        "firing",
        "ECommerce",
    ),
]


def accepts(accepted: Accepted, text: str) -> bool:
    words = (accepted,) if isinstance(accepted, str) else accepted
    return words is None or any(word.lower() in text.lower() for word in words)


@pytest.mark.parametrize(("name", "body", "title", "severity", "state", "entity"), FORMS, ids=[form[0] for form in FORMS])
def test_title_severity_state_and_entity_are_read(
    name: str, body: Any, title: Accepted, severity: Accepted, state: str, entity: Accepted
) -> None:
    item = items_of(body)[0]
    understanding = understand(item.document, around=item.around)

    assert understanding.state.value == state
    assert accepts(title, understanding.text(AlertField.NAME)) and understanding.text(AlertField.NAME)
    assert accepts(severity, understanding.text(AlertField.SEVERITY))
    assert accepts(entity, understanding.text(AlertField.SERVICE))
