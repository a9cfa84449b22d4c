"""Sentry's integration webhooks, signed with the integration's client secret; its older webhook plugin with a token.

An alert rule decides what is an alert: issue alerts and metric alerts count, and of the issues' own events those that
end or reopen one. The other events are taken and ignored.
"""

from collections.abc import Mapping

from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.names import AlertField
from bot.plugins import ParsedBody, SourceRequest, hmac_hex, source
from bot.sources._any_form import ReadAlert, VendorFields, first_of, parsed_body, read_alert, read_despite_form, value_at
from bot.sources._parsing import parse

_ISSUE_STATES = {"resolved": "resolved", "archived": "resolved", "ignored": "resolved", "unresolved": "firing"}


@source("sentry", signatures=(hmac_hex("sentry-hook-signature"),), options=("new_issues",))
def sentry(request: SourceRequest) -> ParsedBody:
    """What one event tells. Option `new_issues: true`: each new issue is an alert too, without any rule."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody("Sentry's webhook must be an object", field="body")
    resource = request.headers.get("sentry-hook-resource", "") or _resource(body)
    if resource == "event_alert":
        return parsed_body([_issue_alert(request, body)])
    if resource == "metric_alert":
        return parsed_body([_metric_alert(request, body)])
    if resource == "issue":
        return _issue(request, body)
    return ParsedBody(ignored=1) if resource else _plugin(request, body)


def _resource(body: dict[str, object]) -> str:
    """A proxy may have lost the header."""
    names = {"metric_alert": "metric_alert", "event": "event_alert", "issue": "issue"}
    return next((resource for key, resource in names.items() if isinstance(value_at(body, "data", key), dict)), "")


def _data(body: dict[str, object], name: str) -> dict[str, object]:
    inner = value_at(body, "data", name)
    if not isinstance(inner, dict):
        raise UnreadableBody("is missing", field=f"data.{name}")
    return inner


def _named(document: Mapping[str, object], field: str, *paths: str) -> object:
    name = first_of(document, *paths)
    if not name:
        raise UnreadableBody("is needed", field=f"{field}.{paths[0]}")
    return name


def _issue_alert(request: SourceRequest, body: dict[str, object]) -> ReadAlert:
    event = _data(body, "event")
    fields = {
        AlertField.NAME: _named(event, "data.event", "title", "message"),
        AlertField.STATUS: "firing",
        AlertField.SEVERITY: first_of(event, "level"),
        AlertField.FINGERPRINT: first_of(event, "issue_id") or str(first_of(event, "issue_url")).rstrip("/").rpartition("/")[2],
        AlertField.SUMMARY: first_of(event, "metadata.value", "message", "culprit"),
        AlertField.SERVICE: first_of(event, "project_slug", "project_name") or _project(event),
        AlertField.STARTS_AT: first_of(event, "datetime"),
        AlertField.LINK: first_of(event, "web_url"),
    }
    rule = first_of(body, "data.triggered_rule", "data.issue_alert.title")
    # Of the event that was seen now: a rule tells of the same issue again and again.
    return read_alert(request, Item(event, "data.event"), VendorFields(fields, {"rule": rule}, start_is_report=True))


def _project(event: dict[str, object]) -> str:
    """The slug in `.../projects/ORGANIZATION/PROJECT/events/...`: the event itself has the project's number alone."""
    before, _, after = str(first_of(event, "url")).partition("/projects/")
    names = after.split("/")
    return names[1] if before and len(names) > 2 else ""


def _metric_alert(request: SourceRequest, body: dict[str, object]) -> ReadAlert:
    alert, action = _data(body, "metric_alert"), str(body.get("action"))
    if action not in ("critical", "warning", "resolved"):
        raise UnreadableBody("must be critical, warning or resolved", field="action")
    fields = {
        AlertField.NAME: first_of(alert, "alert_rule.name", "title") or _named(body, "data", "data.description_title"),
        AlertField.STATUS: "resolved" if action == "resolved" else "firing",
        AlertField.SEVERITY: "" if action == "resolved" else action,
        AlertField.FINGERPRINT: f"metric-alert:{first_of(alert, 'id', 'identifier', 'alert_rule.id')}",
        AlertField.SUMMARY: first_of(body, "data.description_text"),
        AlertField.SERVICE: first_of(alert, "projects.0", "alert_rule.projects.0"),
        AlertField.STARTS_AT: first_of(alert, "date_started"),
        AlertField.ENDS_AT: first_of(alert, "date_closed"),
        AlertField.LINK: first_of(body, "data.web_url"),
        AlertField.EXPRESSION: first_of(alert, "alert_rule.query"),
    }
    return read_alert(request, Item(alert, "data.metric_alert"), VendorFields(fields))


def _issue(request: SourceRequest, body: dict[str, object]) -> ParsedBody:
    action = str(body.get("action"))
    new = "firing" if request.config.options.get("new_issues") is True and action == "created" else ""
    state = _ISSUE_STATES.get(action, new)
    if not state:
        return ParsedBody(ignored=1)
    issue = _data(body, "issue")
    fields = {
        AlertField.NAME: _named(issue, "data.issue", "title"),
        AlertField.STATUS: state,
        AlertField.SEVERITY: first_of(issue, "level"),
        AlertField.FINGERPRINT: _named(issue, "data.issue", "id"),
        AlertField.SUMMARY: first_of(issue, "metadata.value", "culprit"),
        AlertField.SERVICE: first_of(issue, "project.slug", "project.name"),
        AlertField.LINK: first_of(issue, "web_url", "permalink"),
        # An issue that ends or comes back began long ago: its episode is the one that fires, or a new one.
        AlertField.STARTS_AT: request.received_at.isoformat(),
    }
    return parsed_body([read_alert(request, Item(issue, "data.issue"), VendorFields(fields))])


def _plugin(request: SourceRequest, body: dict[str, object]) -> ParsedBody:
    name = first_of(body, "event.title", "message", "title", "culprit")
    if not name:
        return read_despite_form(request, body, UnreadableBody("is needed", field="event.title"))
    fields = {
        AlertField.NAME: name,
        AlertField.SEVERITY: first_of(body, "level", "event.level"),
        AlertField.FINGERPRINT: first_of(body, "id", "event.issue_id"),
        AlertField.SERVICE: first_of(body, "project_slug", "project", "project_name"),
        AlertField.SUMMARY: first_of(body, "message", "culprit"),
        AlertField.STARTS_AT: first_of(body, "event.timestamp", "event.datetime"),
        AlertField.LINK: first_of(body, "url"),
    }
    return parsed_body([read_alert(request, Item(body, ""), VendorFields(fields, start_is_report=True))])
