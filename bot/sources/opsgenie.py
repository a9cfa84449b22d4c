"""Opsgenie's outgoing webhook: one alert a body, and the action that was taken on it.

Notes, tags and other actions that neither open nor close an alert are taken and ignored.
"""

from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.names import AlertField
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._any_form import VendorFields, first_of, parsed_body, read_alert, read_despite_form
from bot.sources._parsing import parse

_OVER = frozenset(("close", "delete"))
_FIRING = frozenset(("create", "acknowledge", "unacknowledge", "escalate", "updatepriority", "updatemessage"))


@source("opsgenie", options=("url",))
def opsgenie(request: SourceRequest) -> ParsedBody:
    """The alert of one action. Option `url`: where Opsgenie's pages are, e.g. https://app.eu.opsgenie.com."""
    body = parse(request.body)
    if not isinstance(body, dict) or not isinstance(body.get("action"), str):
        return read_despite_form(request, body, UnreadableBody("Opsgenie's webhook names an action here", field="action"))
    action = body["action"].strip().lower()
    if action not in _OVER | _FIRING:
        return ParsedBody(ignored=1)
    alert = body.get("alert")
    if not isinstance(alert, dict):
        raise UnreadableBody("must be an object", field="alert")
    if not first_of(alert, "message"):
        raise UnreadableBody("an alert has a message", field="alert.message")
    return parsed_body([read_alert(request, Item(alert, "alert"), _fields(request, alert, over=action in _OVER))])


def _fields(request: SourceRequest, alert: dict[str, object], *, over: bool) -> VendorFields:
    number = first_of(alert, "alertId", "id")
    pages = str(request.config.options.get("url", "https://app.opsgenie.com")).rstrip("/")
    return VendorFields(
        {
            AlertField.NAME: first_of(alert, "message"),
            AlertField.SUMMARY: first_of(alert, "description"),
            AlertField.STATUS: "resolved" if over else "firing",
            AlertField.SEVERITY: first_of(alert, "priority"),
            AlertField.FINGERPRINT: number or first_of(alert, "alias", "tinyId"),
            AlertField.SERVICE: first_of(alert, "details.service", "entity"),
            AlertField.STARTS_AT: first_of(alert, "createdAt"),
            AlertField.ENDS_AT: first_of(alert, "updatedAt"),
            AlertField.LINK: f"{pages}/alert/detail/{number}/details" if number else "",
        }
    )
