"""VictoriaMetrics' vmalert as its own notifier: what it, and Prometheus, post to the API of an Alertmanager.

The address has `/api/v2/alerts` behind the source's name, which both append themselves. What comes through an
Alertmanager is of kind `alertmanager`.
"""

from functools import partial

from bot.core.alert import Alert
from bot.core.errors import UnreadableBody
from bot.plugins import ParsedBody, SourceRequest, source
from bot.sources._parsing import annotations, clean, fingerprint, labels, moment, parse, read_each, start_moment
from bot.sources.alertmanager import alerts_of, expression_of


@source("vmalert", options=())
def vmalert(request: SourceRequest) -> ParsedBody:
    """Every alert of the list. One whose end has come is resolved; a firing one names an end that is still to come."""
    body = parse(request.body)
    if isinstance(body, dict) and "alerts" in body:
        return alerts_of(request, body)
    if not isinstance(body, list):
        raise UnreadableBody("vmalert sends a list of alerts", field="body")
    alerts, rejected = read_each(body, partial(_alert, request))
    return ParsedBody(alerts=tuple(alerts), rejected=tuple(rejected))


def _alert(request: SourceRequest, raw: object, field: str) -> Alert:
    if not isinstance(raw, dict):
        raise UnreadableBody("must be an object", field=field)
    if not isinstance(raw.get("labels"), dict):
        raise UnreadableBody("must be an object of names and values", field=f"{field}.labels")
    cleaned, link = labels(raw["labels"]), clean(raw.get("generatorURL"))
    end = moment(raw.get("endsAt"), f"{field}.endsAt")
    resolved = end is not None and end <= request.received_at
    return Alert(
        source=request.source,
        fingerprint=fingerprint(raw["labels"]),
        status="resolved" if resolved else "firing",
        name=cleaned.get("alertname") or "unnamed alert",
        severity=cleaned.get("severity", ""),
        labels=cleaned,
        annotations=annotations(raw["annotations"]) if isinstance(raw.get("annotations"), dict) else {},
        starts_at=start_moment(raw.get("startsAt"), f"{field}.startsAt", request.received_at),
        ends_at=end if resolved else None,
        link=link,
        expression=expression_of(link),
    )
