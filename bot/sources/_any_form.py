"""Alerts from JSON in any form: what core/payloads read of names, values and shape, within the limits of every source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec.structs import replace

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from bot.core.payloads.choices import Corrections, Understanding
from bot.core.payloads.identity import lasting_parts, own_key
from bot.core.payloads.items import Item, items_of
from bot.core.payloads.leaves import LONGEST_NUMBER, Scalar, word_set, words_of
from bot.core.payloads.names import AlertField
from bot.core.payloads.reading import ENTITY_LABEL, understand
from bot.core.payloads.values import State, is_template, is_unfilled
from bot.plugins import ParsedBody, Rejected, SourceRequest
from bot.sources._parsing import annotations, clean, clean_line, fingerprint, labels, read_each, start_or_arrival, without_zone

_HOSTS = ("host", "hostname", "host_name", "node", "server", "machine", "vm", "device")
_INSTANCES = ("instance", "instance_id", "instanceid", "pod", "pod_name", "container")
_NOT_SERVICES = word_set(
    "team squad client customer tenant namespace monitor folder environment env region metric source cluster project site "
    "endpoint"
)
_SERVICES = ("app", "application", "component", "workload", "deployment", "function", "functionname")
"""Labels that name a service where the alert is about one of its hosts or instances."""


@dataclass(frozen=True)
class VendorFields:
    """What the reader of a vendor's form found itself; the rest is understood by names, values and shape."""

    fields: Mapping[AlertField, object] = field(default_factory=dict)
    """Empty values are as if they were not there."""
    labels: Mapping[str, object] = field(default_factory=dict)
    group_key: str = ""
    start_is_report: bool = False
    """The start is when this was reported: each report of one alert has another."""


NO_FIELDS = VendorFields()
ReadAlert = tuple[Alert, tuple[str, ...]]
"""An alert, and what is doubtful about it."""


def read_any_form(request: SourceRequest, document: object) -> ParsedBody:
    """Every alert in a document. Raises UnreadableBody if nothing in it reads as a title."""
    items = items_of(document, request.config.fields.alerts)
    return parsed_body(*read_each(items, lambda item, _: read_alert(request, item), raw=lambda item: item.document))


def read_despite_form(request: SourceRequest, document: object, problem: UnreadableBody) -> ParsedBody:
    """A body that is not in the vendor's form, as any sender's. Raises `problem` if nothing in it reads as a title."""
    try:
        parsed = read_any_form(request, document)
    except UnreadableBody:
        raise problem from None
    remark = f"not the form of {request.config.kind}, read by names and values ({problem})"
    return replace(parsed, warnings=(remark, *parsed.warnings))


def parsed_body(alerts: Sequence[ReadAlert], rejected: Sequence[Rejected] = ()) -> ParsedBody:
    """Alerts with what is doubtful about them as what a body held."""
    warnings = dict.fromkeys(warning for _, lines in alerts for warning in lines)
    return ParsedBody(tuple(alert for alert, _ in alerts), rejected=tuple(rejected), warnings=tuple(warnings))


def read_alert(request: SourceRequest, item: Item, vendor: VendorFields = NO_FIELDS) -> ReadAlert:
    """One alert. Raises UnreadableBody with the field."""
    if not isinstance(item.document, dict):
        raise UnreadableBody("must be an object", field=item.dotted_path or "body")
    preset = {
        field: value for field, value in vendor.fields.items() if isinstance(value, str | int | float) and _is_filled(value)
    }
    understanding = understand(item.document, corrections_of(request, preset), around=item.around, now=request.received_at)
    name = clean_line(understanding.text(AlertField.NAME), 256)
    # An end may name nothing but the alert's own key.
    ends = understanding.state is State.RESOLVED and own_key(understanding)
    if not name and not ends and not any(is_template(value) for value in item.document.values() if isinstance(value, str)):
        raise UnreadableBody("nothing in it reads as a title: name its path under `fields`", field=_at(item, "name"))
    return _alert(request, understanding, name or "unnamed alert", item, vendor)


def corrections_of(request: SourceRequest, preset: Mapping[AlertField, Scalar] = MappingProxyType({})) -> Corrections:
    """What tocsin.yaml says about this source's fields, and what its reader found."""
    config = request.config
    resolved_words = frozenset(word.strip().lower() for word in config.resolved_words)
    return Corrections(config.fields.paths(), resolved_words, preset, config.zone or UTC)


def value_at(document: Mapping[str, object], *path: str) -> object:
    """The value at a path of names and positions; None if there is none."""
    value: object = document
    for key in path:
        if isinstance(value, list) and key.isdigit():
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def first_of(document: Mapping[str, object], *paths: str) -> object:
    """The first of several dotted paths that holds a single value which is not empty; "" if none does."""
    values = (value_at(document, *path.split(".")) for path in paths)
    return next((value for value in values if isinstance(value, str | int | float) and _is_filled(value)), "")


def filled(labels: Mapping[str, object]) -> dict[str, object]:
    """Labels without those that hold nothing: empty texts, and what a sender's template left."""
    return {k: v for k, v in labels.items() if v not in (None, "") and not (isinstance(v, str) and is_unfilled(v))}


def _is_filled(value: str | int | float) -> bool:
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        return False
    text = str(value).strip()
    return text not in ("", "None", "null") and not is_unfilled(text)


def _at(item: Item, name: str) -> str:
    return f"{item.dotted_path}.{name}" if item.dotted_path else name


def _alert(request: SourceRequest, understanding: Understanding, name: str, item: Item, vendor: VendorFields) -> ReadAlert:
    severity = clean_line(understanding.text(AlertField.SEVERITY))
    cleaned = labels({**_labels(understanding, severity), **filled(vendor.labels)})
    summary = annotations({"summary": understanding.text(AlertField.SUMMARY)}) if understanding.text(AlertField.SUMMARY) else {}
    start, start_warnings = _moment(request, understanding, AlertField.STARTS_AT, item)
    resolved = understanding.state is State.RESOLVED
    end, end_warnings = _moment(request, understanding, AlertField.ENDS_AT, item) if resolved else (None, ())
    alert = Alert(
        source=request.source,
        fingerprint=_identity(request, understanding, name, cleaned, item),
        status="resolved" if resolved else "firing",
        name=name,
        severity=severity,
        labels={"alertname": name, **cleaned},
        annotations=summary,
        starts_at=start_or_arrival(start, request.received_at),
        start_is_report=vendor.start_is_report or understanding.start_is_report or resolved,
        ends_at=end or (start if resolved and vendor.start_is_report else None),
        group_key=clean(vendor.group_key),
        link=clean(understanding.text(AlertField.LINK)),
        expression=clean(understanding.text(AlertField.EXPRESSION)),
    )
    return alert, (*understanding.warnings, *start_warnings, *end_warnings)


def _moment(
    request: SourceRequest, understanding: Understanding, field: AlertField, item: Item
) -> tuple[datetime | None, tuple[str, ...]]:
    """A moment, if it counts, and what is doubtful about it."""
    zone = request.config.zone
    moment = understanding.moment(field, zone or UTC)
    if zone or not understanding.lacks_zone(field):
        return moment, ()
    return without_zone(moment, understanding.choices[field].path or _at(item, field), request.received_at)


def _labels(understanding: Understanding, severity: str) -> dict[str, object]:
    """The labels, with what the alert is about under the name that the rest of the bot reads."""
    named: dict[str, object] = dict(understanding.labels)
    entity, host = understanding.text(AlertField.SERVICE), _host_of(understanding)
    if understanding.is_check and host:
        named["check"] = named.pop("service", entity)
    elif entity:
        named.setdefault(_entity_label(understanding.entity_kind), entity)
    if service := next((value for name, value in understanding.labels.items() if name.lower() in _SERVICES), None):
        named.setdefault("service", service)
    if host:
        named.setdefault("host", host)
    return {**named, "severity": severity} if severity else named


def _host_of(understanding: Understanding) -> str:
    """The host that a label names; that of a check also where more words stand before it, `NOTIFY_HOSTNAME`."""
    names = [name for name in understanding.labels if name.lower() in _HOSTS]
    if understanding.is_check:
        names += [name for name in understanding.labels if "_".join(words_of(name)).endswith(("hostname", "host_name"))]
    return understanding.labels[names[0]] if names else ""


def _entity_label(kind: str) -> str:
    words = set(words_of(kind))
    # An agent of a monitoring system is called like the host that it runs on.
    if words & {*_HOSTS, "agent"}:
        return "host"
    if words & set(_INSTANCES):
        return "instance"
    return ENTITY_LABEL if words & _NOT_SERVICES and "service" not in words else "service"


def _identity(request: SourceRequest, understanding: Understanding, name: str, cleaned: Mapping[str, str], item: Item) -> str:
    """The sender's own key; else what stays the same from firing to resolved."""
    if key := clean_line(own_key(understanding), 512):
        return key if len(key) <= 128 else fingerprint(key)
    if understanding.warnings and AlertField.NAME not in understanding.choices:
        # A template that was not filled in looks the same for every alert: none of them is another's repeat.
        body = request.body[:4096].decode("utf-8", "replace")
        return fingerprint([item.dotted_path, body, request.received_at.isoformat()])
    return fingerprint(lasting_parts(understanding, name, cleaned))
