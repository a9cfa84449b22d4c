"""What tools without a kind of their own send as an alert fires and as it ends, and what each of them is about."""

from typing import Any, NamedTuple

Body = dict[str, Any]


class Recovery(NamedTuple):
    """The two bodies of one alert, its title, and its host and service ("": none)."""

    tool: str
    firing: Body
    ended: Body
    title: str
    host: str = ""
    service: str = ""


def kuma(state: str, name: str = "Shop Login", **monitor: Any) -> Body:
    """Uptime Kuma; its first state is down and 0."""
    word = {"down": "[🔴 Down]", "up": "[✅ Up]"}[state]
    return {
        "heartbeat": {"monitorID": 7, "status": int(state == "up"), "time": "2026-11-24 23:04:50.123", "msg": "HTTP"},
        "monitor": {
            "id": 7, "name": name, "pathName": name, "url": "https://shop.example.com/login", "hostname": None, "type": "http",
            "interval": 60, "dns_resolve_type": "A", "dns_resolve_server": "1.1.1.1", "tags": [], **monitor,
        },
        "msg": f"[{name}] {word} HTTP",
    }  # fmt: skip


def netdata(severity: str, message: str) -> Body:
    return {
        "message": message, "alert": "web_log_5m_successful", "info": "ratio of successful HTTP requests", "class": "Workload",
        "chart": "web_log_nginx.type_requests", "space": "acme", "severity": severity, "date": "2026-11-24T23:04:55Z",
        "alert_url": "https://app.netdata.cloud/alerts/8f", "node": {"hostname": "web-eu-3"}, "value": "61%",
    }  # fmt: skip


def better_stack(name: str, status: str, **more: Any) -> Body:
    """A resource of JSON:API."""
    fields = {
        "name": name, "url": f"https://{name}", "cause": "Status 503", "started_at": "2026-11-24T23:03:00.511Z",
        "team_name": "Acme", "status": status, "resolved_at": None, "regions": ["us", "eu"], "critical_alert": False,
    }  # fmt: skip
    return {"data": {"id": "25", "type": "incident", "attributes": {**fields, **more}}, "included": []}


def appdynamics(event: str) -> Body:
    event_fields = {
        "name": "Response time too high", "eventType": event, "severity": "ERROR", "application": "ecommerce",
        "node": "web-tier-1", "summary": "A problem was detected", "eventTime": "2026-11-24T23:04:00Z", "guid": event,
    }  # fmt: skip
    return {"event": event_fields}


def sensu(state: str, output: str) -> Body:
    check = {
        "command": "check-http", "state": state, "output": output, "status": 0 if state == "passing" else 2,
        "metadata": {"name": "check-http", "namespace": "default"}, "history": [{"status": 0}, {"status": 2}],
    }  # fmt: skip
    entity = {"entity_class": "agent", "system": {"hostname": "web-4"}, "metadata": {"name": "web-4", "namespace": "default"}}
    return {"timestamp": 1795561440, "entity": entity, "check": check, "metadata": {"namespace": "default"}, "id": "c4"}


def solarwinds(state: str, message: str) -> Body:
    return {
        "AlertName": "Node is down", "NodeName": "sql-ha-1", "Severity": "Critical", "AlertStatus": state, "IP": "10.1.1.4",
        "TriggerTime": "2026-11-24T23:04:00Z", "AlertObjectID": "5", "Message": message,
    }  # fmt: skip


def librenms(title: str, state: str) -> Body:
    return {
        "title": title, "hostname": "edge-rtr-1", "device_id": "12", "rule": "Port utilisation over threshold", "state": state,
        "severity": "critical", "timestamp": "2026-11-24 23:04:00", "uid": "55", "msg": "Severity: critical",
    }  # fmt: skip


def site24x7(state: str, reason: str) -> Body:
    return {
        "MONITORNAME": "shop-eu", "MONITORURL": "https://shop.example.com", "STATUS": state, "MONITORTYPE": "HTTP",
        "INCIDENT_REASON": reason, "INCIDENT_TIME": "November 24, 2026 11:04 PM UTC",
        "OUTAGE_TIME_UNIX_FORMAT": "1795561440000",
    }  # fmt: skip


def gatus(state: str, description: str) -> Body:
    return {"endpoint": "frontend", "group": "core", "description": description, "status": state}


def checkmk_host(kind: str, state: str, output: str) -> Body:
    """Checkmk's variables of a notification about a host itself."""
    fields = {
        "WHAT": "HOST", "NOTIFICATIONTYPE": kind, "HOSTNAME": "db-prod-03", "HOSTALIAS": "db-prod-03",
        "HOSTADDRESS": "10.1.4.9", "HOSTSTATE": state, "HOSTOUTPUT": output,
        "LONGDATETIME": "Tue Nov 24 23:04:00 UTC 2026", "OMD_SITE": "prod",
    }  # fmt: skip
    return {f"NOTIFY_{name}": value for name, value in fields.items()}


def checkmk(kind: str, state: str, output: str, host: str = "db-prod-03") -> Body:
    """Checkmk's variables of a notification about a check."""
    fields = {
        "WHAT": "SERVICE", "NOTIFICATIONTYPE": kind, "HOSTNAME": host, "HOSTALIAS": host, "HOSTSTATE": "UP",
        "SERVICEDESC": "CPU load", "SERVICESTATE": state, "SERVICEOUTPUT": output, "LASTSERVICESTATE": "OK",
    }  # fmt: skip
    return {f"NOTIFY_{name}": value for name, value in fields.items()}


def icinga(kind: str, state: str, output: str, host: str = "mail-2") -> Body:
    return {
        "notification_type": kind, "host_name": host, "host_display_name": host, "host_state": "UP", "service_name": "load",
        "service_display_name": "CPU load", "service_state": state, "service_output": output,
    }  # fmt: skip


def prtg(state: str, message: str) -> Body:
    return {"sensor": "Ping", "sensorid": "2104", "device": "srv-1", "group": "prod", "status": state, "message": message}


def logicmonitor(state: str) -> Body:
    return {
        "alertid": "LMD123", "alertstatus": state, "host": "srv-1", "level": "critical", "datapoint": "PingLossPercent",
        "message": "srv-1 Ping PingLossPercent is 100", "value": "100",
    }  # fmt: skip


def transaction(before: str, after: str) -> Body:
    """Pingdom's check of several steps."""
    return {
        "check_id": 1, "check_name": "Buy a sock", "check_type": "TRANSACTION", "previous_state": before,
        "current_state": after, "description": "step 3",
    }  # fmt: skip


def statuspage(before: str, after: str) -> Body:
    return {
        "component_update": {"new_status": after, "old_status": before, "component_id": "r6"},
        "component": {"id": "r6", "name": "Checkout", "status": after},
        "page": {"status_description": "Partially degraded service"},
    }  # fmt: skip


def checkly(kind: str, title: str) -> Body:
    return {"alert_title": title, "alert_type": kind, "check_name": "Shop login", "check_id": "c1", "check_type": "BROWSER"}


def script(state: str, output: str) -> Body:
    """Of Nagios, with names as people write them."""
    return {"host_name": "web-1", "service_desc": "HTTP", "service_state": state, "service_output": output, "host_state": "UP"}


def chat(colour: str, text: str) -> Body:
    """As Slack's incoming webhooks have it."""
    fields = [{"title": "Host", "value": "db-1", "short": True}]
    return {"text": text, "username": "bot", "attachments": [{"color": colour, "title": "Disk full", "fields": fields}]}


def health_event(state: str) -> Body:
    """Amazon's own health, through EventBridge."""
    detail = {"service": "LAMBDA", "statusCode": state, "eventDescription": [{"latestDescription": "Errors of functions"}]}
    return {"detail-type": "AWS Health Event", "source": "aws.health", "detail": detail}


TAG = {"tag_id": 1, "monitor_id": 7, "value": "login", "name": "service", "color": "#059669"}
RECOVERIES = [
    Recovery("uptime kuma", kuma("down", tags=[TAG]), kuma("up", tags=[TAG]), "Shop Login", service="login"),
    Recovery("uptime kuma, no tag", kuma("down"), kuma("up"), "Shop Login"),
    Recovery("netdata", netdata("CRITICAL", "web_log_5m_successful critical on web-eu-3"),
             netdata("CLEAR", "web_log_5m_successful recovered on web-eu-3"),
             "web_log_5m_successful critical on web-eu-3", "web-eu-3"),
    Recovery("better stack", better_stack("Homepage", "Started"),
             better_stack("Homepage", "Resolved", resolved_at="2026-11-24T23:04:30.511Z", resolved_by="Automatically resolved"),
             "Homepage"),
    Recovery("better stack, an address", better_stack("api.example.com/health", "Started"),
             better_stack("api.example.com/health", "Resolved"), "api.example.com/health"),
    Recovery("appdynamics", appdynamics("POLICY_OPEN_CRITICAL"), appdynamics("POLICY_CLOSE_CRITICAL"), "Response time too high",
             "web-tier-1", "ecommerce"),
    Recovery("sensu", sensu("failing", "CRITICAL: connection refused"), sensu("passing", "HTTP OK"), "check-http", "web-4"),
    Recovery("solarwinds", solarwinds("Active", "Node sql-ha-1 is down"), solarwinds("Reset", "Node sql-ha-1 is up"),
             "Node is down", "sql-ha-1"),
    Recovery("librenms", librenms("Alert for device edge-rtr-1 - Port utilisation over threshold", "1"),
             librenms("Device edge-rtr-1 recovered from Port utilisation over threshold", "0"),
             "Alert for device edge-rtr-1 - Port utilisation over threshold", "edge-rtr-1"),
    Recovery("site24x7", site24x7("DOWN", "Connection timed out"), site24x7("UP", ""), "shop-eu"),
    Recovery("gatus", gatus("TRIGGERED", "healthcheck failed 3 times in a row"),
             gatus("RESOLVED", "healthcheck passed 2 times in a row"), "healthcheck failed 3 times in a row"),
    Recovery("checkmk, a host", checkmk_host("PROBLEM", "DOWN", "No IP packet received"),
             checkmk_host("RECOVERY", "UP", "Packet received via smart PING"), "No IP packet received", "db-prod-03"),
    Recovery("checkmk", checkmk("PROBLEM", "CRITICAL", "15 min load: 42"), checkmk("RECOVERY", "OK", "15 min load: 1"),
             "CPU load", "db-prod-03"),
    Recovery("icinga", icinga("PROBLEM", "CRITICAL", "CRITICAL - 42"), icinga("RECOVERY", "OK", "OK - 1"), "CPU load",
             "mail-2"),
    Recovery("prtg", prtg("Down", "Request timed out"), prtg("Up", "OK"), "Request timed out", "srv-1"),
    Recovery("logicmonitor", logicmonitor("active"), logicmonitor("clear"), "srv-1 Ping PingLossPercent is 100", "srv-1"),
    Recovery("pingdom, a transaction", transaction("SUCCESS", "FAILING"), transaction("FAILING", "SUCCESS"), "Buy a sock"),
    Recovery("statuspage", statuspage("operational", "major_outage"), statuspage("major_outage", "operational"),
             "Partially degraded service", service="Checkout"),
    Recovery("checkly", checkly("ALERT_FAILURE", "Shop login has failed"),
             checkly("ALERT_RECOVERY", "Shop login has recovered"), "Shop login has failed"),
    Recovery("nagios, a script", script("CRITICAL", "CRITICAL - timeout"), script("OK", "HTTP OK"), "HTTP", "web-1"),
    Recovery("a flag in words", {"title": "Disk full", "host": "db-1", "isResolved": "false"},
             {"title": "Disk full", "host": "db-1", "isResolved": "true"}, "Disk full", "db-1"),
    Recovery("a subject", {"subject": 'ALARM: "Disk full"', "topic_id": 1}, {"subject": 'OK: "Disk full"', "topic_id": 1},
             'ALARM: "Disk full"'),
    Recovery("a chat message", chat("danger", "db-1 is at 95 %"), chat("#36a64f", "db-1 is at 40 %"), "Disk full", "db-1"),
    Recovery("aws health", health_event("open"), health_event("closed"), "Errors of functions", service="LAMBDA"),
    Recovery("own form, a severity alone", {"name": "Disk full", "service": "mail", "severity": "critical"},
             {"name": "Disk full", "service": "mail", "severity": "OK"}, "Disk full", service="mail"),
    Recovery("own form, another word", {"name": "Disk full", "status": "raised"}, {"name": "Disk full", "status": "cleared"},
             "Disk full"),
    Recovery("an address and no name", {"check_name": "https://shop.example.com/", "state": "DOWN"},
             {"check_name": "https://shop.example.com/", "state": "UP"}, "https://shop.example.com/"),
]  # fmt: skip
