"""PagerDuty's webhooks, version 3, signed with the subscription's secret. An incident there is an alert here.

Notes, responders and other events that neither open nor close an incident are taken and ignored, as are Tocsin's own pages.
"""

from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.names import AlertField
from bot.plugins import ParsedBody, SourceRequest, hmac_hex, source
from bot.sources._any_form import VendorFields, first_of, parsed_body, read_alert, read_despite_form, value_at
from bot.sources._parsing import parse

_EVENTS = "triggered reopened acknowledged unacknowledged escalated reassigned delegated priority_updated"
_FIRING = frozenset(f"incident.{event}" for event in _EVENTS.split(" "))
_OVER = "incident.resolved"


@source("pagerduty", signatures=(hmac_hex("x-pagerduty-signature", prefix="v1="),), options=())
def pagerduty(request: SourceRequest) -> ParsedBody:
    """The incident of one event; its severity is the priority, else the urgency."""
    body = parse(request.body)
    event = body.get("event") if isinstance(body, dict) else None
    if not isinstance(event, dict):
        return read_despite_form(
            request, body, UnreadableBody("PagerDuty's webhook of version 3 has an object here", field="event")
        )
    kind = event.get("event_type")
    if not isinstance(kind, str):
        raise UnreadableBody("must be a text such as incident.triggered", field="event.event_type")
    if kind not in _FIRING and kind != _OVER:
        return ParsedBody(ignored=1)
    incident = event.get("data")
    if not isinstance(incident, dict):
        raise UnreadableBody("must be an object", field="event.data")
    if _is_tocsins(incident):
        return ParsedBody(ignored=1)
    if not first_of(incident, "title"):
        raise UnreadableBody("an incident has a title", field="event.data.title")
    return parsed_body([read_alert(request, Item(incident, "event.data"), _fields(event, incident, over=kind == _OVER))])


def _is_tocsins(incident: dict[str, object]) -> bool:
    """A page that Tocsin sent would come back as an alert about itself."""
    return str(incident.get("incident_key") or "").startswith("tocsin:")


def _fields(event: dict[str, object], incident: dict[str, object], *, over: bool) -> VendorFields:
    return VendorFields(
        {
            AlertField.NAME: first_of(incident, "title"),
            AlertField.STATUS: "resolved" if over else "firing",
            AlertField.SEVERITY: first_of(incident, "priority.summary", "priority.name", "urgency"),
            AlertField.FINGERPRINT: first_of(incident, "id"),
            AlertField.SERVICE: first_of(incident, "service.summary", "service.name"),
            AlertField.SUMMARY: first_of(incident, "description", "body.details", "title"),
            AlertField.STARTS_AT: first_of(incident, "created_at") or first_of(event, "occurred_at"),
            AlertField.ENDS_AT: first_of(incident, "resolved_at") or first_of(event, "occurred_at"),
            AlertField.LINK: first_of(incident, "html_url"),
        },
        {"service": value_at(incident, "service", "summary"), "team": value_at(incident, "teams", "0", "summary")},
    )
