"""Datadog's webhook, whose body its user writes: the one of docs/sources.md, the default one, or any other.

The identity is the monitor and the group of it that fires; without these the cycle from trigger to recovery.
"""

from bot.core.errors import UnreadableBody
from bot.core.payloads.identity import undecorated
from bot.core.payloads.items import Item
from bot.core.payloads.leaves import label_pairs
from bot.core.payloads.names import AlertField
from bot.core.payloads.values import means_resolved
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._any_form import VendorFields, first_of, parsed_body, read_alert
from bot.sources._parsing import parse

_TYPES = {"success": "", "error": "error", "warning": "warning", "info": "info"}


@source("datadog", options=())
def datadog(request: SourceRequest) -> ParsedBody:
    """One alert. `transition` (Triggered, Warn, No Data, Recovered, ...) says whether it is over."""
    body = parse(request.body)
    if not isinstance(body, dict):
        raise UnreadableBody("Datadog's webhook must be an object", field="body")
    return parsed_body([read_alert(request, Item(body, ""), _fields(body))])


def _fields(body: dict[str, object]) -> VendorFields:
    monitor, scope = first_of(body, "alert_id", "monitor_id"), first_of(body, "scope", "alert_scope", "scopes")
    cycle = first_of(body, "cycle", "alert_cycle_key", "cycle_key")
    title = str(first_of(body, "alert_title", "event_title", "title"))
    kind = _TYPES.get(str(first_of(body, "type", "alert_type", "event_type")).lower(), "")
    return VendorFields(
        {
            AlertField.NAME: undecorated(title),
            # The default body says it in the title alone.
            AlertField.STATUS: first_of(body, "transition", "alert_transition")
            or ("resolved" if means_resolved(title) else ""),
            AlertField.SEVERITY: _priority(first_of(body, "priority", "alert_priority")) or kind,
            AlertField.FINGERPRINT: f"{monitor}|{scope}" if monitor and scope else cycle,
            AlertField.SUMMARY: first_of(body, "text", "text_only_msg", "body", "message", "event_msg"),
            AlertField.STARTS_AT: first_of(body, "at", "date", "last_updated"),
            AlertField.LINK: first_of(body, "link", "url"),
            AlertField.EXPRESSION: first_of(body, "query", "alert_query"),
        },
        _labels(body),
        start_is_report=True,
    )


def _priority(value: object) -> str:
    """`P3` for P3 and 3; the priority of a mere event (normal, low) says nothing of the monitor."""
    text = str(value).strip().upper()
    return f"P{text.removeprefix('P')}" if text.removeprefix("P").isdigit() else ""


def _labels(body: dict[str, object]) -> dict[str, object]:
    texts = [str(first_of(body, *paths)) for paths in (("tags",), ("scope", "alert_scope"))]
    pairs = {name: value for text in texts for name, value in label_pairs(text) if name != "monitor"}
    host = first_of(body, "host", "hostname")
    return {"host": host, **pairs} if host else {**pairs}
