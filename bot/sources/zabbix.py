"""Zabbix: its streaming connector (events, one JSON object a line), or a webhook media type with the script of docs/sources.md.

A recovery of the connector names nothing but the problem that it ends.
"""

from datetime import UTC, datetime

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from bot.core.payloads.items import Item
from bot.core.payloads.names import AlertField
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._any_form import ReadAlert, VendorFields, first_of, parsed_body, read_alert, read_despite_form
from bot.sources._parsing import clean_line, moment, parse, read_each

SEVERITIES = ("not classified", "information", "warning", "average", "high", "disaster")


@source("zabbix", options=("url",))
def zabbix(request: SourceRequest) -> ParsedBody:
    """Every event of the body; option `url`: Zabbix' frontend, for links to events."""
    lines = [line for line in request.body.splitlines() if line.strip()]
    documents = [parse(line) for line in lines] if len(lines) > 1 and _are_objects(lines) else [parse(request.body)]
    flat = [item for document in documents for item in (document if isinstance(document, list) else [document])]
    try:
        alerts, rejected = read_each(flat, lambda raw, field: _read(request, raw, field if len(flat) > 1 else ""))
    except UnreadableBody as error:
        if error.field != "event_name":
            raise
        return read_despite_form(request, flat[0], error)
    return parsed_body(alerts, rejected)


def _are_objects(lines: list[bytes]) -> bool:
    return all(line.strip().startswith(b"{") and line.strip().endswith(b"}") for line in lines)


def _read(request: SourceRequest, raw: object, field: str) -> ReadAlert:
    if not isinstance(raw, dict):
        raise UnreadableBody("must be an object", field=field or "body")
    if "clock" not in raw or "eventid" not in raw:
        return _of_media_type(request, raw, field)
    if raw.get("value") not in (0, 1):
        raise UnreadableBody("must be 1 or 0; a connector of item values has none", field=_under(field, "value"))
    return (_recovery(request, raw, field), ()) if raw["value"] == 0 else _problem(request, raw, field)


def _under(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _problem(request: SourceRequest, raw: dict[str, object], field: str) -> ReadAlert:
    if not first_of(raw, "name"):
        raise UnreadableBody("a problem has a name", field=_under(field, "name"))
    number = clean_line(raw["eventid"])
    fields = VendorFields(
        {
            AlertField.NAME: first_of(raw, "name"),
            AlertField.STATUS: "firing",
            AlertField.SEVERITY: _severity(raw.get("severity")),
            AlertField.FINGERPRINT: number,
            AlertField.SERVICE: _service(raw) or first_of(raw, "hosts.0.host", "hosts.0.name"),
            AlertField.STARTS_AT: _iso(raw, field),
            AlertField.LINK: _link(request, raw, number),
        },
        {"host": first_of(raw, "hosts.0.host", "hosts.0.name")},
    )
    return read_alert(request, Item(raw, field), fields)


def _service(raw: dict[str, object]) -> object:
    tags = raw.get("tags")
    rows = [row for row in tags if isinstance(row, dict)] if isinstance(tags, list) else []
    return next((row["value"] for row in rows if str(row.get("tag")).lower() == "service" and row.get("value")), "")


def _severity(value: object) -> str:
    text = str(value).strip()
    return SEVERITIES[int(text)] if text in ("0", "1", "2", "3", "4", "5") else text


def _iso(raw: dict[str, object], field: str) -> str:
    at = moment(raw["clock"], _under(field, "clock"))
    return at.isoformat() if at else ""


def _link(request: SourceRequest, raw: dict[str, object], number: object) -> str:
    trigger, pages = clean_line(first_of(raw, "trigger_id", "objectid")), str(request.config.options.get("url", "")).rstrip("/")
    return f"{pages}/tr_events.php?triggerid={trigger}&eventid={number}" if pages and trigger and number else ""


def _recovery(request: SourceRequest, raw: dict[str, object], field: str) -> Alert:
    problem = clean_line(raw.get("p_eventid"))
    if not problem:
        raise UnreadableBody("a recovery names its problem", field=_under(field, "p_eventid"))
    # Without a start of its own it ends the problem that fires under this number.
    return Alert(
        source=request.source,
        fingerprint=problem,
        status="resolved",
        name=f"Zabbix problem {problem}",
        severity="information",
        starts_at=request.received_at,
        ends_at=moment(raw["clock"], _under(field, "clock")) or datetime.now(UTC),
    )


def _of_media_type(request: SourceRequest, raw: dict[str, object], field: str) -> ReadAlert:
    name = first_of(raw, "event_name", "name", "subject", "trigger_name")
    if not name:
        raise UnreadableBody("is needed", field=_under(field, "event_name"))
    number, host = first_of(raw, "event_id", "eventid"), first_of(raw, "host", "host_name", "hostname")
    value = {"0": "resolved", "1": "firing"}.get(str(first_of(raw, "event_value", "value")), "")
    fields = VendorFields(
        {
            AlertField.NAME: name,
            AlertField.STATUS: value or first_of(raw, "event_status", "status"),
            AlertField.SEVERITY: _severity(first_of(raw, "event_severity", "event_nseverity", "severity")),
            AlertField.FINGERPRINT: number,
            AlertField.SUMMARY: first_of(raw, "event_opdata", "message"),
            AlertField.SERVICE: first_of(raw, "service") or host,
            AlertField.STARTS_AT: first_of(raw, "event_timestamp", "timestamp"),
            AlertField.ENDS_AT: first_of(raw, "recovery_timestamp"),
            AlertField.LINK: first_of(raw, "url", "event_url") or _link(request, raw, number),
        },
        {"host": host},
    )
    return read_alert(request, Item(raw, field), fields)
