"""Prometheus Alertmanager's webhook, version 4; vmalert and others send the same form."""

import urllib.parse
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, Rejected, SourceRequest, source
from bot.sources._parsing import (
    MAX_ITEMS,
    annotations,
    clean,
    clean_line,
    fingerprint,
    labels,
    moment,
    parse,
    read_each,
    screen,
    start_moment,
)
from bot.sources._raw_alerts import RawAlerts, raw_alerts_of


@source("alertmanager", options=())
def alertmanager(request: SourceRequest) -> ParsedBody:
    """Every alert of the body; `truncatedAlerts` says what `max_alerts` left out."""
    parts = raw_alerts_of(request)
    return (parts and _from_raw_alerts(request, parts)) or alerts_of(request, parse(request.body))


def _from_raw_alerts(request: SourceRequest, parts: RawAlerts) -> ParsedBody | None:
    """Read the alerts that are not stored yet; None if one of them cannot be read."""
    try:
        group_key = clean(parts.group_key)
        alerts, rejected = _each([parse(alert) for alert in parts.fresh], partial(_alert, request, group_key, None))
    except UnreadableBody:
        return None
    if rejected:
        return None
    digests = tuple(digest if _lasting(alert, request) else b"" for alert, digest in zip(alerts, parts.digests, strict=True))
    return ParsedBody(tuple(alerts), truncated=parts.truncated, repeats=parts.repeats, digests=digests)


def _lasting(alert: Alert, request: SourceRequest) -> bool:
    """Whether the same bytes mean the same alert again: not if its start is unknown, for then it is when it was received."""
    return alert.status == "firing" and alert.starts_at != request.received_at


def alerts_of(request: SourceRequest, body: object, *, link: Callable[[dict[str, object]], str] | None = None) -> ParsedBody:
    """The alerts of this form, which others send too; `link` chooses an alert's link where it has several."""
    if not isinstance(body, dict) or not isinstance(body.get("alerts"), list):
        raise UnreadableBody("must be a list of alerts", field="alerts")
    group_key = clean(body.get("groupKey"))
    alerts, rejected = _each(body["alerts"], partial(_alert, request, group_key, link))
    truncated = body.get("truncatedAlerts")
    return ParsedBody(alerts=tuple(alerts), truncated=truncated if isinstance(truncated, int) else 0, rejected=tuple(rejected))


def _each(items: Sequence[object], read: Callable[[object, str], Alert]) -> tuple[list[Alert], list[Rejected]]:
    if not items:
        # All came again, as nearly always.
        return [], []
    # Behind their escapes in the links: each query screened by itself takes as long as reading its alert.
    links = [item.get("generatorURL") for item in items[:MAX_ITEMS] if isinstance(item, dict)]
    screen([_query(link) for link in links if isinstance(link, str)])
    return read_each(items, read, "alerts")


def _alert(
    request: SourceRequest, group_key: str, link_of: Callable[[dict[str, object]], str] | None, raw: object, field: str
) -> Alert:
    if not isinstance(raw, dict):
        raise UnreadableBody("must be an object", field=field)
    if raw.get("status") not in ("firing", "resolved"):
        raise UnreadableBody('must be "firing" or "resolved"', field=f"{field}.status")
    if not isinstance(raw.get("labels"), dict):
        raise UnreadableBody("must be an object of names and values", field=f"{field}.labels")
    cleaned = labels(raw["labels"])
    link = clean(raw.get("generatorURL"))
    return Alert(
        source=request.source,
        fingerprint=clean_line(raw.get("fingerprint")) or fingerprint(raw["labels"]),
        status=raw["status"],
        name=cleaned.get("alertname") or "unnamed alert",
        severity=cleaned.get("severity", ""),
        labels=cleaned,
        annotations=annotations(raw["annotations"]) if isinstance(raw.get("annotations"), dict) else {},
        starts_at=start_moment(raw.get("startsAt"), f"{field}.startsAt", request.received_at),
        ends_at=moment(raw.get("endsAt"), f"{field}.endsAt") if raw["status"] == "resolved" else None,
        group_key=group_key,
        link=link_of(raw) if link_of else link,
        expression=expression_of(link),
    )


def expression_of(link: str) -> str:
    """The query behind the alert: Prometheus puts it into the generator URL as `g0.expr`, vmalert as `expr`."""
    return clean(_query(link))


@lru_cache(maxsize=1024)
def _query(link: str) -> str:
    try:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    except ValueError:
        return ""
    return (query.get("g0.expr") or query.get("expr") or [""])[0]
