"""A generic form for anything that can POST JSON: one object or a list.

To /alerts: `{"name", "status", "severity", "service", "summary", "labels", "annotations", "starts_at", "ends_at",
"fingerprint", "group_key", "link", "expression"}`. Only `name` is needed (`title` is taken too). `status` is firing
(the default) or resolved; other usual words are understood, and without a status a severity such as `ok` or `clear` ends
it. Without `fingerprint`, name, service and labels are the identity: send the same ones to resolve. Without `starts_at` the
alert began when it was received.

An object with any other key is a sender's own form: core/payloads finds title, status, severity, service, link and moments
by names, values and shape, and `fields` of the source in tocsin.yaml corrects it (`tocsin source try FILE` shows it).

To /changes: `{"service", "title", "kind", "at", "id", "author", "version", "previous_version", "link"}`. Only `service`
and `title` are needed; `kind` is deploy (the default), config, flag, model, data or scale. The same `id` again is the same
change.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl

from bot.core.alert import Alert, Status
from bot.core.change import Change
from bot.core.config.alerts import SourceFields
from bot.core.errors import TooManyItems, UnreadableBody
from bot.core.payloads.values import State, is_outcome, is_severity_of_end, lacks_zone, state_of
from bot.plugins import ParsedBody, Rejected, SourceRequest, source
from bot.sources._any_form import ReadAlert, corrections_of, filled, parsed_body, read_any_form
from bot.sources._parsing import (
    annotations,
    clean,
    clean_line,
    fingerprint,
    labels,
    moment,
    parse,
    read_each,
    start_moment,
    start_or_arrival,
    without_zone,
)

T = TypeVar("T")
_OWN_KEYS = frozenset(
    ("name", "title", "status", "severity", "service", "summary", "labels", "annotations", "starts_at", "ends_at",
     "fingerprint", "group_key", "link", "expression")
)  # fmt: skip
_FORM, _MAX_FIELDS = "application/x-www-form-urlencoded", 256
_FIELD = re.compile(rb"[\w.%+-]{1,128}=")
KINDS = ("deploy", "config", "flag", "model", "data", "scale")


@source("generic", takes=("alerts", "changes"), options=())
def generic(request: SourceRequest) -> ParsedBody:
    """One object or a list of them; the endpoint says whether they are alerts or changes."""
    body = _document(request)
    if not isinstance(body, dict | list):
        raise UnreadableBody("must be an object or a list of objects", field="body")
    if request.endpoint == "changes":
        changes, rejected = _each(body, partial(_change, request))
        warnings = dict.fromkeys(warning for _, lines in changes for warning in lines)
        return ParsedBody(changes=tuple(change for change, _ in changes), rejected=tuple(rejected), warnings=tuple(warnings))
    if not _is_own_form(request, body):
        return read_any_form(request, body)
    return parsed_body(*_each(body, partial(_alert, request)))


def _document(request: SourceRequest) -> object:
    """The JSON of a body, or the fields of a form: some senders know nothing else."""
    is_form = request.headers.get("content-type", _FORM).lower().startswith(_FORM)
    if not is_form or not _FIELD.match(request.body):
        return parse(request.body)
    try:
        fields = dict(parse_qsl(request.body.decode(errors="replace"), max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise TooManyItems(f"a form of more than {_MAX_FIELDS} fields", field="body") from None
    # What curl posts is called a form, whatever it is.
    return fields if len(fields) > 1 else parse(request.body)


def _is_own_form(request: SourceRequest, body: dict[str, object] | list[object]) -> bool:
    """Whether the sender uses the form above. What tocsin.yaml corrects is the sender's own."""
    if request.config.fields != SourceFields():
        return False
    objects = [item for item in (body if isinstance(body, list) else [body]) if isinstance(item, dict)]
    return all(item.keys() <= _OWN_KEYS and bool(item.keys() & {"name", "title"}) for item in objects)


def _each(body: object, read: Callable[[object, str], T]) -> tuple[list[T], list[Rejected]]:
    return read_each(body, read) if isinstance(body, list) else ([read(body, "")], [])


def _under(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _alert(request: SourceRequest, raw: object, field: str) -> ReadAlert:
    if not isinstance(raw, dict):
        raise UnreadableBody("must be an object", field=field)
    name = clean_line(raw.get("name") or raw.get("title"), 256)
    if not name:
        raise UnreadableBody("an alert needs a name", field=_under(field, "name"))
    raw_labels = _part(raw, "labels", field)
    for label in ("service", "severity"):
        if raw.get(label):
            raw_labels.setdefault(label, raw[label])
    raw_labels = filled(raw_labels)
    key = clean_line(filled(raw).get("fingerprint"))
    cleaned = labels(raw_labels)
    status = _status(request, raw, cleaned.get("severity", ""), field)
    if status == "resolved" and is_severity_of_end(cleaned.get("severity", "")):
        cleaned["severity"] = "info"
    summary = annotations({"summary": raw["summary"]} if raw.get("summary") else {})
    start, start_warnings = _moment(request, raw.get("starts_at"), _under(field, "starts_at"))
    end, end_warnings = _moment(request, raw.get("ends_at"), _under(field, "ends_at")) if status == "resolved" else (None, ())
    alert = Alert(
        source=request.source,
        # The severity may change while it is the same alert.
        fingerprint=key or fingerprint([name, {k: v for k, v in raw_labels.items() if k != "severity"}]),
        status=status,
        name=name,
        severity=cleaned.get("severity", ""),
        labels={"alertname": name, **cleaned},
        annotations={**summary, **annotations(_part(raw, "annotations", field))},
        starts_at=start_or_arrival(start, request.received_at),
        ends_at=end,
        group_key=clean(raw.get("group_key")),
        link=clean(raw.get("link")),
        expression=clean(raw.get("expression")),
    )
    return alert, (*start_warnings, *end_warnings)


def _moment(request: SourceRequest, value: object, field: str) -> tuple[datetime | None, tuple[str, ...]]:
    """A moment, if it counts, and what is doubtful about it."""
    zone = request.config.zone
    at = moment(value, field, zone or UTC)
    return (at, ()) if zone or not lacks_zone(value) else without_zone(at, field, request.received_at)


def _part(raw: dict[str, object], key: str, field: str) -> dict[str, object]:
    part = raw.get(key) or {}
    if not isinstance(part, dict):
        raise UnreadableBody("must be an object of texts", field=_under(field, key))
    return dict(part)


def _status(request: SourceRequest, raw: dict[str, object], severity: str, field: str) -> Status:
    word = str(raw.get("status") or "").strip()
    if not word:
        return "resolved" if is_severity_of_end(severity) else "firing"
    if word.lower() in corrections_of(request).resolved_words:
        return "resolved"
    state = state_of(word)
    if state is None or is_outcome(word):
        raise UnreadableBody('must be "firing" or "resolved"', field=_under(field, "status"))
    return "resolved" if state is State.RESOLVED else "firing"


def _change(request: SourceRequest, raw: object, field: str) -> tuple[Change, tuple[str, ...]]:
    if not isinstance(raw, dict):
        raise UnreadableBody("must be an object", field=field)
    for key in ("service", "title"):
        if not clean_line(raw.get(key)):
            raise UnreadableBody("is needed", field=_under(field, key))
    zone, path = request.config.zone, _under(field, "at")
    at = start_moment(raw.get("at"), path, request.received_at, zone or UTC)
    kind = str(raw.get("kind") or "deploy").lower()
    change = Change(
        id=f"{request.source}:{clean_line(raw.get('id'), 200) or _identity(raw, at)}",
        at=at,
        service=clean_line(raw["service"], 200),
        kind=kind if kind in KINDS else "other",
        title=clean(raw["title"], 500),
        author=clean_line(raw.get("author"), 200),
        version=clean_line(raw.get("version"), 200),
        previous_version=clean_line(raw.get("previous_version"), 200),
        link=clean(raw.get("link")),
        source=request.source,
    )
    is_guess = zone is None and lacks_zone(raw.get("at"))
    return change, (f"{path} names no time zone and is read as UTC. Set `time_zone` of the source",) if is_guess else ()


def _identity(raw: dict[str, object], at: datetime) -> str:
    return fingerprint([raw["service"], raw["title"], raw.get("version"), at.isoformat()])
